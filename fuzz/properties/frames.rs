//! The frames of a connection (RFC 9113, section 4.1).

use keystead::grpc::transport::late_streams::{Confirmed, Follower, Mask};

const HEAD: usize = 9;
const WINDOW_UPDATE: u8 = 8;

/// How much is read at once, and what a client sends after its preface.
///
/// However it is cut, the same is found to be confirmed and the same is masked: of each WINDOW_UPDATE on a stream later than
/// the last one the type, and nothing else.
pub fn late_streams(bytes: &[u8]) {
    let Some((&each, sent)) = bytes.split_first() else { return };
    let each = usize::from(each).max(1);
    let sent = [&[b'.'; 24], sent].concat();
    let found = follow(&sent, sent.len());
    assert_eq!(follow(&sent, each), found, "cut");
    let Some(Confirmed { bytes, last }) = found else { return };
    let late = &sent[bytes..];
    let masked = mask(late, late.len(), last);
    assert_eq!(mask(late, each, last), masked, "cut");
    let expected = late_windows(late, last);
    let changed: Vec<usize> = (0..late.len()).filter(|&at| masked[at] != late[at]).collect();
    assert_eq!(changed, expected);
}

/// Counted from the first byte.
fn follow(sent: &[u8], each: usize) -> Option<Confirmed> {
    let mut follower = Follower::default();
    sent.chunks(each).enumerate().find_map(|(number, piece)| {
        let Confirmed { bytes, last } = follower.follow(piece)?;
        Some(Confirmed { bytes: number * each + bytes, last })
    })
}

fn mask(late: &[u8], each: usize, last: u32) -> Vec<u8> {
    let (mut mask, mut waiting, mut done) = (Mask::new(last), Vec::new(), Vec::new());
    for piece in late.chunks(each.max(1)) {
        waiting.extend_from_slice(piece);
        let whole = mask.mask(&mut waiting);
        done.extend(waiting.drain(..whole));
        assert!(waiting.len() < HEAD, "more is kept than the beginning of a head");
    }
    [done, waiting].concat()
}

/// Where the types stand that are to be masked.
fn late_windows(late: &[u8], last: u32) -> Vec<usize> {
    let (mut at, mut found) = (0, Vec::new());
    while let Some(head) = late.get(at..at + HEAD) {
        let stream = u32::from_be_bytes(head[5..].try_into().expect("four bytes")) & (u32::MAX >> 1);
        if head[3] == WINDOW_UPDATE && stream > last {
            found.push(at + 3);
        }
        at += HEAD + u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    }
    found
}
