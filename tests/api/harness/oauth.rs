//! A client of OAuth's endpoints by bare HTTP; each answer is checked for what every answer must carry.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::http::{HttpAnswer, send};
use super::machine::Machine;

pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The endpoints of one replica.
#[derive(Clone, Copy)]
pub struct OAuth(pub SocketAddr);

/// What came back.
#[derive(Clone, Debug)]
pub struct OAuthAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// `null` where there is no body.
    pub json: Value,
}

/// How a client proves itself.
#[derive(Clone, Copy)]
pub enum As<'a> {
    Nobody,
    Basic(&'a Machine),
    Post(&'a Machine),
    Bearer(&'a str),
}

impl OAuth {
    pub async fn token(self, client: As<'_>, form: &[(&str, &str)]) -> OAuthAnswer {
        self.post("/oauth2/token", client, form, &[]).await
    }

    pub async fn introspect(self, client: As<'_>, token: &str) -> OAuthAnswer {
        self.post("/oauth2/introspect", client, &[("token", token)], &[]).await
    }

    pub async fn revoke(self, client: As<'_>, token: &str) -> OAuthAnswer {
        self.post("/oauth2/revoke", client, &[("token", token)], &[]).await
    }

    pub async fn refresh(self, refresh_token: &str) -> OAuthAnswer {
        self.token(As::Nobody, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    pub async fn post(
        self,
        path: &str,
        client: As<'_>,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> OAuthAnswer {
        let mut form = form.to_vec();
        let authorization = match client {
            As::Nobody => None,
            As::Basic(Machine { id, secret }) => Some(format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))),
            As::Bearer(token) => Some(format!("Bearer {token}")),
            As::Post(Machine { id, secret }) => {
                form.extend([("client_id", id.as_str()), ("client_secret", secret.as_str())]);
                None
            }
        };
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut headers = headers.to_vec();
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        self.raw(path, &[&headers[..], &[FORM]].concat(), &body).await
    }

    /// A body as it stands, with its length.
    pub async fn raw(self, path: &str, headers: &[(&str, &str)], body: &str) -> OAuthAnswer {
        let length = body.len().to_string();
        let headers = [headers, &[("content-length", &length)]].concat();
        OAuthAnswer::checked(send(self.0, &format!("POST {path}"), &headers, body).await)
    }
}

impl OAuthAnswer {
    fn checked(answer: HttpAnswer) -> Self {
        assert!(![500, 501, 502].contains(&answer.status), "a fault of the service: {answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(answer.header("pragma"), Some("no-cache"), "{answer:?}");
        if [429, 503].contains(&answer.status) {
            let wait: u64 = answer.header("retry-after").expect("when to come back").parse().expect("seconds");
            assert!(wait >= 1, "{answer:?}");
        }
        assert_eq!(answer.status == 401, answer.header("www-authenticate").is_some(), "{answer:?}");
        let json = if answer.body.is_empty() {
            Value::Null
        } else {
            assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
            serde_json::from_str(&answer.body).expect("JSON")
        };
        Self { status: answer.status, headers: answer.headers, json }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The headers but for the moment of the answer.
    pub fn lasting_headers(&self) -> Vec<(String, String)> {
        self.headers.iter().filter(|(name, _)| name != "date").cloned().collect()
    }

    /// A member of a success.
    pub fn text(&self, member: &str) -> &str {
        assert_eq!(self.status, 200, "{self:?}");
        self.json[member].as_str().unwrap_or_else(|| panic!("{member} is missing: {self:?}"))
    }

    /// Checks an error by status and code.
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json["error"].as_str()), (status, Some(code)), "{self:?}");
        let description = self.json["error_description"].as_str().expect("a text");
        assert!(description.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{self:?}");
    }
}
