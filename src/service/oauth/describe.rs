//! What the server says of itself to OAuth's clients (RFC 8414).

use std::time::Duration;

/// What the server says of itself.
#[derive(Clone, Debug)]
pub struct Describe {
    /// `iss` of every token.
    pub issuer: String,
    /// Where clients find the endpoints, as they reach them from outside; `None`: at the issuer.
    pub public_url: Option<String>,
    /// For how long others may keep it: as long as the keys.
    pub max_age: Duration,
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub issuer: String,
    /// What the endpoints' paths are appended to; without a slash at its end.
    pub base: String,
    pub max_age: Duration,
}

impl Describe {
    pub fn run(&self) -> Description {
        let base = self.public_url.as_ref().unwrap_or(&self.issuer).trim_end_matches('/').to_owned();
        Description { issuer: self.issuer.clone(), base, max_age: self.max_age }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoints_are_at_the_public_url_and_else_at_the_issuer() {
        let base = |public_url: Option<&str>| {
            let (issuer, public_url) = ("https://auth.example.com/".to_owned(), public_url.map(str::to_owned));
            Describe { issuer, public_url, max_age: Duration::ZERO }.run()
        };
        let described = base(None);
        assert_eq!(
            (described.issuer.as_str(), described.base.as_str()),
            ("https://auth.example.com/", "https://auth.example.com")
        );
        assert_eq!(base(Some("https://example.com/auth/")).base, "https://example.com/auth");
    }
}
