//! What a visitor has learned in a run: secrets to be looked for, and answers that must hold none.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead::grpc::pb;
use tonic::{Response, Status};

use super::forms::Secret;
use crate::harness::records::canary;

/// The bytes after the text of a token's prefix.
const TAIL: usize = 24;

/// What a visitor has learned, to be looked for.
#[derive(Default)]
pub struct Notes {
    pub secrets: Vec<Secret>,
    pub answers: String,
}

impl Notes {
    pub fn password(&mut self, name: &'static str) -> String {
        let password = canary("quiet geese past the mill ");
        self.secrets.push(Secret::new(name, &password));
        password
    }

    /// A token whole, and the bytes that its end stands for.
    pub fn token(&mut self, name: &'static str, token: &str) {
        self.secrets.push(Secret::new(name, token));
        let tail = token.rsplit(['.', '_']).next().unwrap_or(token);
        let bytes = URL_SAFE_NO_PAD.decode(tail).unwrap_or_default();
        if bytes.len() >= TAIL {
            self.secrets.push(Secret::new(name, &bytes[bytes.len() - TAIL..]));
        }
    }

    pub fn tokens(&mut self, set: &pb::TokenSet) {
        let signature = set.access_token.rsplit('.').next().expect("a signature");
        self.secrets.push(Secret::new("the signature of an access token", signature));
        self.token("a refresh token", &set.refresh_token);
    }

    /// An answer that must hold no secret.
    pub fn told(&mut self, answer: impl std::fmt::Debug) {
        self.answers.extend([&format!("{answer:?}"), "\n"]);
    }

    pub fn refused<T: std::fmt::Debug>(&mut self, answer: Result<Response<T>, Status>) {
        let status = answer.expect_err("a refusal");
        assert!(!matches!(status.code(), tonic::Code::Internal | tonic::Code::Unknown), "{status:?}");
        self.answers.extend([&format!("{status:?} "), &*String::from_utf8_lossy(status.details()), "\n"]);
    }
}
