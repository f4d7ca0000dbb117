//! The bearer that a request shows (RFC 6750, section 2.1).

use http::{HeaderMap, header};

use crate::service::gateway::words;

/// The token of the one `authorization` header; `None` where there is none, more than one, or one of another scheme.
pub fn of(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    words::bearer(value.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of_values(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        of(&headers).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_compared_without_regard_to_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER abc", "Bearer  abc"] {
            assert_eq!(of_values(&[value]).as_deref(), Some("abc"), "{value}");
        }
    }

    // promise A1
    #[test]
    fn no_header_two_of_them_and_other_schemes_show_no_bearer() {
        for values in [
            &[][..],
            &["Bearer a", "Bearer a"],
            &["Basic abc"],
            &["Bearer"],
            &["Bearerabc"],
            &["abc"],
            &["Bearer\tabc"],
        ] {
            assert_eq!(of_values(values), None, "{values:?}");
        }
    }
}
