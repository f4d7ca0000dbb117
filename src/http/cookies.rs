//! The cookie that binds a sign-in at a provider to the browser that began it (RFC 6265).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};

/// As long as the flow that it belongs to.
const MAX_AGE_SECONDS: u32 = 600;
/// Makes browsers keep a cookie to this very host, and to TLS (RFC 6265bis, section 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// The cookie of one flow: each has its own, so that two tabs do not take each other's.
pub struct FlowCookie {
    name: String,
    attributes: String,
}

impl FlowCookie {
    /// Over plain HTTP, which a first try on one machine has, there is neither `Secure` nor the prefix that demands it.
    pub fn of(state: &str, is_secure: bool) -> Self {
        let digest = digest::digest(&digest::SHA256, state.as_bytes());
        let id = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..8]);
        let (prefix, secure) = if is_secure { (HOST_PREFIX, "; Secure") } else { ("", "") };
        // Lax: the way back from the provider is a navigation from another site.
        let attributes = format!("; Path=/; HttpOnly; SameSite=Lax{secure}");
        Self { name: format!("{prefix}keystead-oauth-{id}"), attributes }
    }

    /// The `Set-Cookie` that the browser keeps the value by.
    pub fn keep(&self, value: &str) -> Option<HeaderValue> {
        let cookie = format!("{}={value}; Max-Age={MAX_AGE_SECONDS}{}", self.name, self.attributes);
        let mut header = HeaderValue::try_from(cookie).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// The `Set-Cookie` by which the browser forgets it.
    pub fn forget(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{}=; Max-Age=0{}", self.name, self.attributes)).ok()
    }

    /// The value that the browser shows; none where it shows two.
    pub fn shown(&self, headers: &HeaderMap) -> Option<String> {
        let lists = headers.get_all(header::COOKIE).iter().filter_map(|list| list.to_str().ok());
        let pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| value);
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        Some(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookies.parse().unwrap());
        headers
    }

    // promise O1
    #[test]
    fn over_tls_the_cookie_belongs_to_this_host_alone() {
        let cookie = FlowCookie::of("state", true).keep("value").unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-keystead-oauth-"), "{cookie}");
        assert!(cookie.ends_with("=value; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let cookie = FlowCookie::of("state", false).keep("value").unwrap();
        assert!(!cookie.to_str().unwrap().contains("__Host-") && !cookie.to_str().unwrap().contains("Secure"));
    }

    #[test]
    fn each_flow_sees_its_own_cookie_and_none_where_there_are_two() {
        let (one, other) = (FlowCookie::of("one", false), FlowCookie::of("other", false));
        let both = format!("a=b; {}=1; {}=2", one.name, other.name);
        assert_eq!(one.shown(&headers(&both)).as_deref(), Some("1"));
        assert_eq!(other.shown(&headers(&both)).as_deref(), Some("2"));
        assert_eq!(one.shown(&headers(&format!("{0}=1; {0}=2", one.name))), None);
        assert_eq!(one.shown(&HeaderMap::new()), None);
    }
}
