//! The walk of somebody who signs in at a provider, in steps that a test can take otherwise.

use aws_lc_rs::digest::{SHA256, digest};
use keystead::grpc::pb::{self, complete_o_auth_response};

use super::Keystead;
use super::client::{Answer, Client};
use super::http::HttpAnswer;
use super::provider::{Provider, REDIRECT, parameters};
use super::records::canary;
use super::token::encode;

/// The name that the tests give the provider.
pub const IDP: &str = "idp";

/// A verifier, and what the redirect was given.
#[derive(Clone, Debug)]
pub struct Visit {
    pub verifier: String,
    pub state: String,
    pub code: String,
}

/// What the sign-in gave.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub tokens: pb::TokenSet,
    pub is_new_user: bool,
}

pub fn challenge_of(verifier: &str) -> String {
    encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

pub fn new_verifier() -> String {
    format!("{:-<43}", canary("verifier"))
}

impl Client {
    pub async fn begin_at(&self, provider: &str, redirect_uri: &str, challenge: &str) -> Answer<pb::OAuthFlow> {
        let (provider, redirect_uri) = (provider.to_owned(), redirect_uri.to_owned());
        let request = pb::StartOAuthRequest { provider, redirect_uri, code_challenge: challenge.to_owned() };
        self.start_o_auth(request).await.map(|response| response.flow.expect("a flow"))
    }

    pub async fn end_visit(&self, visit: &Visit) -> Answer<SignedIn> {
        let Visit { verifier, state, code } = visit.clone();
        let request =
            pb::CompleteOAuthRequest { state, code, code_verifier: verifier, ..pb::CompleteOAuthRequest::default() };
        let response = self.complete_o_auth(request).await?;
        match response.result.expect("exactly one result") {
            complete_o_auth_response::Result::TokenSet(tokens) => {
                Ok(SignedIn { tokens, is_new_user: response.is_new_user })
            }
            complete_o_auth_response::Result::MfaChallenge(_) => panic!("a second factor is asked for"),
        }
    }

    /// The same of somebody whose account asks for a second factor.
    pub async fn end_visit_in_challenge(&self, visit: &Visit) -> Answer<pb::MfaChallenge> {
        let Visit { verifier, state, code } = visit.clone();
        let request =
            pb::CompleteOAuthRequest { state, code, code_verifier: verifier, ..pb::CompleteOAuthRequest::default() };
        match self.complete_o_auth(request).await?.result.expect("exactly one result") {
            complete_o_auth_response::Result::MfaChallenge(challenge) => Ok(challenge),
            complete_o_auth_response::Result::TokenSet(_) => panic!("no second factor was asked for"),
        }
    }

    /// Begins to link an identity; wants a bearer.
    pub async fn begin_link(&self, challenge: &str) -> Answer<pb::OAuthFlow> {
        let (provider, redirect_uri) = (IDP.to_owned(), REDIRECT.to_owned());
        let request = pb::LinkIdentityRequest { provider, redirect_uri, code_challenge: challenge.to_owned() };
        self.link_identity(request).await.map(|response| response.flow.expect("a flow"))
    }

    pub async fn end_link(&self, visit: &Visit) -> Answer<pb::Identity> {
        let Visit { verifier, state, code } = visit.clone();
        let request = pb::CompleteLinkIdentityRequest { state, code, code_verifier: verifier };
        self.complete_link_identity(request).await.map(|response| response.identity.expect("an identity"))
    }

    pub async fn identities(&self) -> Vec<pb::Identity> {
        self.list_identities(pb::ListIdentitiesRequest {}).await.expect("identities").identities
    }

    pub async fn unlink(&self, identity_id: &str) -> Answer<()> {
        self.unlink_identity(pb::UnlinkIdentityRequest { identity_id: identity_id.to_owned() }).await.map(|_| ())
    }
}

impl Keystead {
    /// Sends the browser back, as the provider does; what Keystead answers.
    pub async fn come_back(&self, callback: &str, headers: &[(&str, &str)]) -> HttpAnswer {
        let path = &callback[callback.find("/oauth/").expect("Keystead's own path")..];
        self.replica(0).get(path, headers).await
    }

    /// Begins, signs in at the provider, and comes back to the redirect.
    pub async fn visit(&self, client: &Client, provider: &Provider) -> Visit {
        let verifier = new_verifier();
        let flow = client.begin_at(IDP, REDIRECT, &challenge_of(&verifier)).await.expect("a flow");
        self.finish_visit(provider, &flow, verifier).await
    }

    pub async fn finish_visit(&self, provider: &Provider, flow: &pb::OAuthFlow, verifier: String) -> Visit {
        let answer = self.come_back(&provider.consent(&flow.authorization_url), &[]).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let visit = redirected(&answer, verifier);
        assert_eq!(visit.state, flow.state);
        visit
    }

    /// The whole walk.
    pub async fn sign_in_at(&self, client: &Client, provider: &Provider) -> Answer<SignedIn> {
        client.end_visit(&self.visit(client, provider).await).await
    }

    /// The whole walk of a link; wants a bearer.
    pub async fn link_at(&self, bearer: &Client, provider: &Provider) -> Answer<pb::Identity> {
        let verifier = new_verifier();
        let flow = bearer.begin_link(&challenge_of(&verifier)).await?;
        bearer.end_link(&self.finish_visit(provider, &flow, verifier).await).await
    }
}

/// What the redirect was given.
pub fn redirected(answer: &HttpAnswer, verifier: String) -> Visit {
    let location = answer.header("location").expect("a location");
    let (base, query) = location.split_once('?').expect("a query");
    assert_eq!(base, REDIRECT);
    let given = parameters(query);
    Visit { verifier, state: given["state"].clone(), code: given.get("code").cloned().unwrap_or_default() }
}
