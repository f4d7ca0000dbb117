//! What a token says.

use keystead_verifier::Claims;
use uuid::Uuid;

use super::ISSUER;

const LIFETIME: i64 = 600;

/// What a token says, before it is signed.
#[derive(Clone, Debug)]
pub struct Token(Claims);

impl Token {
    pub(super) fn new(audience: &str, now: i64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test's tokens are of nobody in particular")]
        let id = Uuid::new_v4;
        Self(Claims {
            iss: ISSUER.to_owned(),
            sub: id(),
            aud: vec![audience.to_owned()],
            client_id: "testing".to_owned(),
            exp: now + LIFETIME,
            iat: now,
            nbf: now,
            jti: id(),
            sid: id(),
            epoch: 1,
            auth_time: now,
            amr: vec!["pwd".to_owned()],
            roles: Vec::new(),
            scope: Vec::new(),
        })
    }

    /// Gives it a role more.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        self.0.roles.push(role.to_owned());
        self
    }

    /// Changes any claim.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Claims)) -> Self {
        change(&mut self.0);
        self
    }

    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.0
    }
}
