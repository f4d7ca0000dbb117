//! The trace that a request belongs to: the caller's (W3C Trace Context, level 1), or a new one.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::clock::Entropy;
use super::origin::TraceId;

/// The header that names the trace.
pub const TRACEPARENT: &str = "traceparent";
/// `version-traceid-parentid-flags`; a later version may go on after a further dash.
const LENGTH: usize = 55;
/// The flag by which a caller says that they record the trace.
const SAMPLED: u8 = 0x01;

/// How many new ids are drawn at once. They are no secrets, and a draw of one costs nearly as much as one of many.
const DRAWN_AT_ONCE: usize = 256;
const ID_LENGTH: usize = 16;

/// A request's place in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    pub id: TraceId,
    /// The caller's own span; `None` where the trace begins here.
    pub parent: Option<SpanId>,
    /// Whether what is done for the request is told to whoever collects traces.
    pub is_sampled: bool,
}

/// A step of a trace (W3C Trace Context, section 3.2.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub [u8; 8]);

impl fmt::Display for SpanId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The target of every span that is told to whoever collects traces, if it belongs to a request that is sampled.
pub const TRACED: &str = "keystead::trace";

/// Which requests are sampled that begin a trace: those that go on with one do as their caller says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Sampling {
    /// Nobody collects traces.
    #[default]
    Off,
    /// So large a part of them, from 0 to 1.
    Part(f64),
}

impl Sampling {
    /// By the id alone, as OpenTelemetry's `TraceIdRatioBased` judges it: who else sees the trace decides alike.
    #[expect(clippy::cast_precision_loss, reason = "a part of 2^63 is as good as it can be said")]
    fn takes(self, id: TraceId) -> bool {
        let Self::Part(part) = self else { return false };
        let random = id.0.last_chunk().copied().map_or(0, u64::from_be_bytes) >> 1;
        part >= 1.0 || (random as f64) < part * (1_u64 << 63) as f64
    }
}

/// Knows the trace of each request.
pub struct Traces {
    entropy: Arc<dyn Entropy>,
    sampling: Sampling,
    /// New ids that no request has had.
    drawn: Mutex<Vec<TraceId>>,
}

impl Traces {
    pub fn new(entropy: Arc<dyn Entropy>, sampling: Sampling) -> Self {
        Self { entropy, sampling, drawn: Mutex::default() }
    }

    /// The trace that the one value of [`TRACEPARENT`] tells of, or a new one where there is none that is valid.
    pub fn of<'h>(&self, values: impl IntoIterator<Item = &'h [u8]>) -> Trace {
        let mut sent = values.into_iter();
        let first = sent.next().and_then(parse);
        match (first, sent.next()) {
            (Some(trace), None) => Trace { is_sampled: trace.is_sampled && self.sampling != Sampling::Off, ..trace },
            _ => self.begin(),
        }
    }

    fn begin(&self) -> Trace {
        let id = self.random();
        Trace { id, parent: None, is_sampled: self.sampling.takes(id) }
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

fn parse(header: &[u8]) -> Option<Trace> {
    let (known, rest) = header.split_at_checked(LENGTH)?;
    let version = &known[..2];
    let dashes = [known[2], known[35], known[52]] == [b'-'; 3];
    let tail_fits = if version == b"00" { rest.is_empty() } else { rest.is_empty() || rest[0] == b'-' };
    if !dashes || !tail_fits || version == b"ff" {
        return None;
    }
    let trace_id = hex::<16>(&known[3..35])?;
    let parent_id = hex::<8>(&known[36..52])?;
    let [flags] = hex::<1>(&known[53..])?;
    hex::<1>(version)?;
    let trace = Trace { id: TraceId(trace_id), parent: Some(SpanId(parent_id)), is_sampled: flags & SAMPLED != 0 };
    (trace_id != [0; 16] && parent_id != [0; 8]).then_some(trace)
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
        seen(Sampling::Off, values).id.to_string()
    }

    fn seen(sampling: Sampling, values: &[&'static str]) -> Trace {
        Traces::new(Arc::new(Sevens), sampling).of(values.iter().map(|value| value.as_bytes()))
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
    fn a_caller_decides_whether_their_trace_goes_on() {
        const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02";
        let parent = Some(SpanId([0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]));
        for part in [0.0, 1.0] {
            let trace = seen(Sampling::Part(part), &[GOOD]);
            assert_eq!((trace.parent, trace.is_sampled), (parent, true));
            assert!(!seen(Sampling::Part(part), &[UNSAMPLED]).is_sampled);
        }
        assert!(!seen(Sampling::Off, &[GOOD]).is_sampled, "nobody collects");
    }

    #[test]
    fn of_new_traces_a_part_is_sampled() {
        assert!(!seen(Sampling::Off, &[]).is_sampled);
        assert_eq!(seen(Sampling::Part(1.0), &[]), Trace { id: TraceId([7; 16]), parent: None, is_sampled: true });
        assert!(!seen(Sampling::Part(0.0), &[]).is_sampled);
        // The lower half of the id begins with 7 of 256: a 36th of the way to the end.
        assert!(!Sampling::Part(0.027).takes(TraceId([7; 16])));
        assert!(Sampling::Part(0.028).takes(TraceId([7; 16])));
        assert!(Sampling::Part(1.0).takes(TraceId([0xff; 16])));
    }

    #[test]
    fn no_new_id_is_given_twice() {
        let traces = Traces::new(Arc::new(CountingEntropy::default()), Sampling::Off);
        let ids: HashSet<[u8; ID_LENGTH]> = (0..3 * DRAWN_AT_ONCE).map(|_| traces.of([]).id.0).collect();
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
