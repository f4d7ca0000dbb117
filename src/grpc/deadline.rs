//! How long a call may take: what its caller says, and never more than the cap.

use std::time::Duration;

use http::HeaderMap;

const GRPC_TIMEOUT: &str = "grpc-timeout";
const MAX_DIGITS: usize = 8;

/// The time that the caller gives by `grpc-timeout`, capped; the cap where it says nothing legible.
pub fn of(headers: &HeaderMap, cap: Duration) -> Duration {
    let asked = headers.get(GRPC_TIMEOUT).and_then(|value| parse(value.to_str().ok()?));
    asked.map_or(cap, |asked| asked.min(cap))
}

/// At most eight digits and a unit, after gRPC over HTTP/2, "Requests".
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const CAP: Duration = Duration::from_secs(30);

    fn of_text(text: &'static str) -> Duration {
        of(&HeaderMap::from_iter([(GRPC_TIMEOUT.parse().unwrap(), HeaderValue::from_static(text))]), CAP)
    }

    // promise N6
    #[test]
    fn the_callers_deadline_counts_up_to_the_cap() {
        assert_eq!(of_text("5S"), Duration::from_secs(5));
        assert_eq!(of_text("250m"), Duration::from_millis(250));
        assert_eq!(of_text("7u"), Duration::from_micros(7));
        assert_eq!(of_text("9n"), Duration::from_nanos(9));
        assert_eq!(of_text("0S"), Duration::ZERO);
        assert_eq!(of_text("1M"), CAP);
        assert_eq!(of_text("99999999H"), CAP);
    }

    #[test]
    fn without_a_legible_deadline_the_cap_counts() {
        assert_eq!(of(&HeaderMap::new(), CAP), CAP);
        for text in ["", "S", "5", "5s", "+5S", "123456789S", "1.5S", "5µ"] {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            assert_eq!(of(&HeaderMap::from_iter([(GRPC_TIMEOUT.parse().unwrap(), value)]), CAP), CAP, "{text}");
        }
    }
}
