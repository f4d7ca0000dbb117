//! Sign-ins at providers, and the identities that they are by.

use super::violations::Violations;
use super::{ids, second_factor, time, tokens};
use crate::domain::id::IdentityId;
use crate::domain::identity::LinkedIdentity;
use crate::domain::name::Name;
use crate::domain::oauth_flow::PkceChallenge;
use crate::grpc::pb;
use crate::service::auth::sign_in::SignedIn;
use crate::service::error::ServiceResult;
use crate::service::federation::complete::{CompleteOAuthRequest, Completed};
use crate::service::federation::redeemer::RedeemRequest;
use crate::service::federation::start::{StartOAuthRequest, Started};
use crate::service::federation::unlinker::UnlinkRequest;

pub fn start(message: pb::StartOAuthRequest) -> ServiceResult<StartOAuthRequest> {
    begun(message.provider, message.redirect_uri, &message.code_challenge)
}

pub fn link(message: pb::LinkIdentityRequest) -> ServiceResult<StartOAuthRequest> {
    begun(message.provider, message.redirect_uri, &message.code_challenge)
}

fn begun(provider: String, redirect_uri: String, challenge: &str) -> ServiceResult<StartOAuthRequest> {
    let mut violations = Violations::default();
    let challenge = violations.check("code_challenge", PkceChallenge::parse(challenge));
    violations.finish(challenge.map(|challenge| StartOAuthRequest { provider, redirect_uri, challenge }))
}

pub fn flow(started: &Started) -> pb::OAuthFlow {
    pb::OAuthFlow {
        authorization_url: started.authorization_url.clone(),
        state: started.state.to_string(),
        expire_time: Some(time::timestamp(started.expires_at)),
    }
}

pub fn complete(message: pb::CompleteOAuthRequest) -> ServiceResult<CompleteOAuthRequest> {
    let mut violations = Violations::default();
    let device_name = violations.check("device_name", Name::parse(&message.device_name));
    let redeem =
        RedeemRequest { state: message.state, code: message.code.into(), verifier: message.code_verifier.into() };
    let audience = message.audience;
    violations.finish(device_name.map(|device_name| CompleteOAuthRequest { redeem, audience, device_name }))
}

pub fn completed(completed: Completed) -> pb::CompleteOAuthResponse {
    use pb::complete_o_auth_response::Result;
    let result = match completed.signed_in {
        SignedIn::Tokens(tokens) => Result::TokenSet(tokens::token_set(tokens)),
        SignedIn::Challenge(challenge) => Result::MfaChallenge(second_factor::challenge(&challenge)),
    };
    pb::CompleteOAuthResponse { result: Some(result), is_new_user: completed.is_new_user }
}

pub fn complete_link(message: pb::CompleteLinkIdentityRequest) -> RedeemRequest {
    RedeemRequest { state: message.state, code: message.code.into(), verifier: message.code_verifier.into() }
}

pub fn unlink(message: &pb::UnlinkIdentityRequest) -> ServiceResult<IdentityId> {
    let mut violations = Violations::default();
    let id = ids::identity("identity_id", &message.identity_id, &mut violations);
    violations.finish(id)
}

pub fn unlink_of_user(message: &pb::UnlinkUserIdentityRequest) -> ServiceResult<UnlinkRequest> {
    let mut violations = Violations::default();
    let user = ids::user("user_id", &message.user_id, &mut violations);
    let identity = ids::identity("identity_id", &message.identity_id, &mut violations);
    violations.finish(user.zip(identity).map(|(user, identity)| UnlinkRequest { user, identity }))
}

pub fn identities(linked: &[LinkedIdentity]) -> Vec<pb::Identity> {
    linked.iter().map(identity).collect()
}

pub fn identity(linked: &LinkedIdentity) -> pb::Identity {
    pb::Identity {
        id: linked.id.to_string(),
        provider: linked.provider.to_string(),
        issuer: linked.identity.issuer.as_str().to_owned(),
        subject: linked.identity.subject.as_str().to_owned(),
        create_time: Some(time::timestamp(linked.linked_at)),
    }
}
