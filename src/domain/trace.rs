//! The trace that a request belongs to: the caller's (W3C Trace Context, level 1), or a new one.

use std::sync::{Arc, Mutex, PoisonError};

use super::clock::Entropy;
use super::origin::TraceId;

/// The header that names the trace.
pub const TRACEPARENT: &str = "traceparent";
/// `version-traceid-parentid-flags`; a later version may go on after a further dash.
const LENGTH: usize = 55;

/// How many new ids are drawn at once. They are no secrets, and a draw of one costs nearly as much as one of many.
const DRAWN_AT_ONCE: usize = 256;
const ID_LENGTH: usize = 16;

/// Knows the trace of each request.
pub struct Traces {
    entropy: Arc<dyn Entropy>,
    /// New ids that no request has had.
    drawn: Mutex<Vec<TraceId>>,
}

impl Traces {
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, drawn: Mutex::default() }
    }

    /// The trace id of the one value of [`TRACEPARENT`], or a random one where there is none that is valid.
    pub fn id<'h>(&self, values: impl IntoIterator<Item = &'h [u8]>) -> TraceId {
        let mut sent = values.into_iter();
        let first = sent.next().and_then(parse);
        match (first, sent.next()) {
            (Some(trace_id), None) => trace_id,
            _ => self.random(),
        }
    }

    fn random(&self) -> TraceId {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = drawn.pop() {
            return id;
        }
        let mut ids = [[0; ID_LENGTH]; DRAWN_AT_ONCE];
        self.entropy.fill(ids.as_flattened_mut());
        let [first, others @ ..] = ids;
        drawn.extend(others.map(TraceId));
        TraceId(first)
    }
}

fn parse(header: &[u8]) -> Option<TraceId> {
    let (known, rest) = header.split_at_checked(LENGTH)?;
    let version = &known[..2];
    let dashes = [known[2], known[35], known[52]] == [b'-'; 3];
    let tail_fits = if version == b"00" { rest.is_empty() } else { rest.is_empty() || rest[0] == b'-' };
    if !dashes || !tail_fits || version == b"ff" {
        return None;
    }
    let trace_id = hex::<16>(&known[3..35])?;
    let parent_id = hex::<8>(&known[36..52])?;
    let rest_is_hex = hex::<1>(version).is_some() && hex::<1>(&known[53..]).is_some();
    (rest_is_hex && trace_id != [0; 16] && parent_id != [0; 8]).then_some(TraceId(trace_id))
}

/// Lower-case hexadecimal digits, exactly as many as fill the bytes.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::manual_clock::CountingEntropy;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const FRESH: &str = "07070707070707070707070707070707";

    fn of(values: &[&'static str]) -> String {
        Traces::new(Arc::new(Sevens)).id(values.iter().map(|value| value.as_bytes())).to_string()
    }

    #[test]
    fn a_valid_header_names_the_trace() {
        assert_eq!(of(&[GOOD]), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(
            of(&["cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-else"]),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
    }

    #[test]
    fn without_a_header_or_with_two_the_trace_is_new() {
        assert_eq!(of(&[]), FRESH);
        assert_eq!(of(&[GOOD, GOOD]), FRESH);
    }

    #[test]
    fn no_new_id_is_given_twice() {
        let traces = Traces::new(Arc::new(CountingEntropy::default()));
        let ids: HashSet<[u8; ID_LENGTH]> = (0..3 * DRAWN_AT_ONCE).map(|_| traces.id([]).0).collect();
        assert_eq!(ids.len(), 3 * DRAWN_AT_ONCE);
    }

    #[test]
    fn an_invalid_header_is_ignored() {
        for invalid in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "zz-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(&[invalid]), FRESH, "{invalid}");
        }
    }
}
