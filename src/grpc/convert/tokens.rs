//! The tokens of a session, in and out.

use super::violations::Violations;
use super::{second_factor, time};
use crate::grpc::pb::{self, LogoutScope};
use crate::service::auth::logout::{self, LogoutRequest};
use crate::service::auth::refresh::RefreshRequest;
use crate::service::auth::register::Registered;
use crate::service::auth::sign_in::SignedIn;
use crate::service::auth::token_set::TokenSet;
use crate::service::error::ServiceResult;

pub fn refresh(message: pb::RefreshRequest) -> RefreshRequest {
    RefreshRequest { refresh_token: message.refresh_token }
}

pub fn logout(message: pb::LogoutRequest) -> ServiceResult<LogoutRequest> {
    let mut violations = Violations::default();
    let scope = violations.check("scope", scope(message.scope));
    let refresh_token = message.refresh_token;
    violations.finish(scope.map(|scope| LogoutRequest { refresh_token, scope }))
}

pub fn token_set(tokens: TokenSet) -> pb::TokenSet {
    pb::TokenSet {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        access_token_expire_time: Some(time::timestamp(tokens.access_token_expires_at)),
        refresh_token_expire_time: Some(time::timestamp(tokens.refresh_token_expires_at)),
        session_id: tokens.session_id.to_string(),
    }
}

pub fn login_response(signed_in: SignedIn) -> pb::LoginResponse {
    use pb::login_response::Result;
    let result = match signed_in {
        SignedIn::Tokens(tokens) => Result::TokenSet(token_set(tokens)),
        SignedIn::Challenge(challenge) => Result::MfaChallenge(second_factor::challenge(&challenge)),
    };
    pb::LoginResponse { result: Some(result) }
}

pub fn register_response(registered: Registered) -> pb::RegisterResponse {
    match registered {
        Registered::SignedIn { user, token_set: tokens } => {
            pb::RegisterResponse { user: Some(super::user::user(user)), token_set: Some(token_set(tokens)) }
        }
        Registered::Created(user) => pb::RegisterResponse { user: Some(super::user::user(user)), token_set: None },
        Registered::MailSent => pb::RegisterResponse::default(),
    }
}

fn scope(number: i32) -> Result<logout::LogoutScope, &'static str> {
    match LogoutScope::try_from(number) {
        Ok(LogoutScope::Unspecified | LogoutScope::ThisSession) => Ok(logout::LogoutScope::This),
        Ok(LogoutScope::OtherSessions) => Ok(logout::LogoutScope::Others),
        Ok(LogoutScope::AllSessions) => Ok(logout::LogoutScope::All),
        Err(_) => Err("must be one of the values of LogoutScope"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scopes_that_exist_are_taken() {
        assert_eq!(scope(0), Ok(logout::LogoutScope::This));
        assert_eq!(scope(1), Ok(logout::LogoutScope::This));
        assert_eq!(scope(2), Ok(logout::LogoutScope::Others));
        assert_eq!(scope(3), Ok(logout::LogoutScope::All));
        assert!(scope(4).is_err());
        assert!(scope(-1).is_err());
    }
}
