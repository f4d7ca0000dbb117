//! Streams that a client begins after it has confirmed the farewell: it was under way to begin them when it heard.
//!
//! h2 says GOAWAY with a PING, names the last stream when that is confirmed, and ignores what comes on later ones, as
//! RFC 9113, section 6.8 asks; but for WINDOW_UPDATE, which it takes for one on a stream that was never begun, and ends the
//! connection with every call that is under way on it (PROTOCOL_ERROR; h2 0.4). gRPC's core sends one with each stream. So
//! these get a type that nobody knows, and frames of such are discarded (section 5.5).

/// Of a frame: 24 bits of length, type, flags, and a bit that is reserved before 31 of the stream (RFC 9113, section 4.1).
const HEAD: usize = 9;
const TYPE: usize = 3;
/// Of a PING, with what it says.
const PING_WHOLE: usize = HEAD + 8;
/// What a client sends first (RFC 9113, section 3.4). Where it is no HTTP/2, what follows is read as frames all the same:
/// nothing is made of them without a confirmation, which only that client itself would be fooled by.
pub const PREFACE: usize = 24;

const HEADERS: u8 = 1;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
/// One of those that are for experiments (RFC 7540, section 11.2).
const UNKNOWN: u8 = 0xf8;
const ACK: u8 = 1;
/// By which h2 knows the PING of its farewell again.
const FAREWELL: [u8; 8] = [0x0b, 0x7b, 0xa2, 0xf0, 0x8b, 0x9b, 0xfe, 0x54];

/// Follows the frames of a client until it confirms the farewell.
#[derive(Debug)]
pub struct Follower {
    /// Of the frame that has begun: its head, of a PING all of it, as far as it is known.
    head: [u8; PING_WHOLE],
    known: usize,
    /// What is yet to come of a frame that is of no further interest.
    left: usize,
    newest: u32,
}

/// The client has confirmed the farewell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// So many of the bytes that were looked at belong to what came before and to the confirmation.
    pub bytes: usize,
    /// The last stream that h2 does not ignore.
    pub last: u32,
}

impl Default for Follower {
    fn default() -> Self {
        Self { head: [0; PING_WHOLE], known: 0, left: PREFACE, newest: 0 }
    }
}

impl Follower {
    /// Looks at what comes next.
    pub fn follow(&mut self, bytes: &[u8]) -> Option<Confirmed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(rest.len());
                self.left -= skipped;
                rest = &rest[skipped..];
                continue;
            }
            let taken = (self.wanted() - self.known).min(rest.len());
            self.head[self.known..self.known + taken].copy_from_slice(&rest[..taken]);
            self.known += taken;
            rest = &rest[taken..];
            if self.known == self.wanted() && self.ends_with_confirmation() {
                return Some(Confirmed { bytes: bytes.len() - rest.len(), last: self.newest });
            }
        }
        None
    }

    /// How much of the frame is looked at.
    fn wanted(&self) -> usize {
        let is_ping = self.known >= HEAD && self.head[TYPE] == PING && length(&self.head) == PING_WHOLE - HEAD;
        if is_ping { PING_WHOLE } else { HEAD }
    }

    /// Whether that is what the frame was. Any other is behind us now, or will be once its rest has come.
    fn ends_with_confirmation(&mut self) -> bool {
        let is_confirmation =
            self.known == PING_WHOLE && self.head[TYPE + 1] & ACK != 0 && self.head[HEAD..] == FAREWELL;
        if self.head[TYPE] == HEADERS {
            self.newest = self.newest.max(stream(&self.head));
        }
        self.left = HEAD + length(&self.head) - self.known;
        self.known = 0;
        is_confirmation
    }
}

/// Masks what h2 would misjudge, from the confirmation on.
#[derive(Debug)]
pub struct Mask {
    last: u32,
    /// What is yet to come of a frame whose head has been seen.
    left: usize,
}

impl Mask {
    pub fn new(last: u32) -> Self {
        Self { last, left: 0 }
    }

    /// Masks, and says how many of the bytes are done with; the others are the beginning of a head, to be given again with
    /// its rest.
    pub fn mask(&mut self, bytes: &mut [u8]) -> usize {
        let mut done = 0;
        loop {
            let skipped = self.left.min(bytes.len() - done);
            self.left -= skipped;
            done += skipped;
            let Some(head) = bytes.get_mut(done..done + HEAD) else { return done };
            if head[TYPE] == WINDOW_UPDATE && stream(head) > self.last {
                head[TYPE] = UNKNOWN;
            }
            self.left = length(head);
            done += HEAD;
        }
    }
}

fn length(head: &[u8]) -> usize {
    usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])
}

fn stream(head: &[u8]) -> u32 {
    u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    fn confirmation() -> Vec<u8> {
        frame(PING, ACK, 0, &FAREWELL)
    }

    /// Calls on streams 1 and 3, and PINGs that are no confirmation.
    fn before() -> Vec<u8> {
        [
            PREFACE.to_vec(),
            frame(HEADERS, 4, 1, &[0; 30]),
            frame(0, 1, 1, &confirmation()),
            frame(PING, ACK, 0, &[7; 8]),
            frame(PING, 0, 0, &FAREWELL),
            frame(HEADERS, 4, 3, &[]),
            frame(WINDOW_UPDATE, 0, 3, &[0, 0, 1, 0]),
        ]
        .concat()
    }

    #[test]
    fn a_confirmation_is_found_wherever_the_bytes_are_cut() {
        let (before, after) = (before(), frame(HEADERS, 4, 5, &[0; 9]));
        let bytes = [before.clone(), confirmation(), after].concat();
        let end = before.len() + PING_WHOLE;
        for cut in 0..bytes.len() {
            let mut follower = Follower::default();
            let (first, second) = bytes.split_at(cut);
            let found = follower.follow(first);
            if cut >= end {
                assert_eq!(found, Some(Confirmed { bytes: end, last: 3 }), "{cut}");
            } else {
                assert_eq!(found, None, "{cut}");
                assert_eq!(follower.follow(second), Some(Confirmed { bytes: end - cut, last: 3 }), "{cut}");
            }
        }
    }

    #[test]
    fn what_is_no_confirmation_is_none() {
        let mut follower = Follower::default();
        assert_eq!(follower.follow(&before()), None);
        assert_eq!(follower.follow(&frame(PING, ACK, 0, &FAREWELL[..7])), None, "too short");
        assert_eq!(follower.follow(&frame(PING, ACK, 0, &[&FAREWELL[..], &[0]].concat())), None, "too long");
        assert_eq!(follower.follow(&confirmation()), Some(Confirmed { bytes: PING_WHOLE, last: 3 }));
    }

    #[test]
    fn windows_of_late_streams_are_masked_wherever_the_bytes_are_cut() {
        let update = |kind, stream| frame(kind, 0, stream, &[0, 0, 1, 0]);
        let frames = |kind| {
            [
                update(WINDOW_UPDATE, 0),
                update(WINDOW_UPDATE, 3),
                frame(HEADERS, 4, 5, &[WINDOW_UPDATE; 20]),
                update(kind, 5),
                frame(0, 1, 5, &update(WINDOW_UPDATE, 5)),
                update(kind, 7 | 1 << 31),
            ]
            .concat()
        };
        let (bytes, expected) = (frames(WINDOW_UPDATE), frames(UNKNOWN));
        for cut in 0..bytes.len() {
            let (mut mask, mut done) = (Mask::new(3), Vec::new());
            let mut waiting = bytes[..cut].to_vec();
            let whole = mask.mask(&mut waiting);
            assert!(cut - whole < HEAD, "{cut}");
            done.extend(waiting.drain(..whole));
            waiting.extend_from_slice(&bytes[cut..]);
            assert_eq!(mask.mask(&mut waiting), waiting.len(), "{cut}");
            done.extend(waiting);
            assert_eq!(done, expected, "{cut}");
        }
    }
}
