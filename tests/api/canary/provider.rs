//! A sign-in at a provider, with everything secret about it.

use keystead::grpc::pb;
use tonic::transport::Channel;

use super::notes::Notes;
use crate::harness::federation::{IDP, challenge_of, new_verifier};
use crate::harness::provider::{Provider, REDIRECT, parameters};
use crate::harness::{Program, Records, http_get};

/// Goes to the provider and back; what lies in the database meanwhile.
pub async fn sign_in_there(
    api: &mut pb::auth_service_client::AuthServiceClient<Channel>,
    notes: &mut Notes,
    program: &Program,
    provider: &Provider,
    records: &Records,
) -> String {
    provider.person("sub-of-nobody", "at-the-provider@example.com", &serde_json::json!(true));
    let verifier = new_verifier();
    let request = pb::StartOAuthRequest {
        provider: IDP.to_owned(),
        redirect_uri: REDIRECT.to_owned(),
        code_challenge: challenge_of(&verifier),
    };
    let flow = api.start_o_auth(request).await.expect("a flow").into_inner().flow.expect("a flow");
    let asked = parameters(flow.authorization_url.split_once('?').expect("a query").1);
    notes.token("a state", &flow.state);
    notes.token("the nonce towards a provider", &asked["nonce"]);
    let callback = provider.consent(&flow.authorization_url);
    let path = &callback[callback.find("/oauth/").expect("a path")..];
    notes.token("the code of a provider", &parameters(path.split_once('?').expect("a query").1)["code"]);
    let answer = http_get(program.http, path, &[]).await;
    let given = parameters(answer.header("location").expect("a location").split_once('?').expect("a query").1);
    notes.token("a one-time code", &given["code"]);
    notes.token("the verifier of a caller", &verifier);
    let meanwhile = records.dump().await;
    let complete = |verifier: &str| pb::CompleteOAuthRequest {
        state: flow.state.clone(),
        code: given["code"].clone(),
        code_verifier: verifier.to_owned(),
        ..pb::CompleteOAuthRequest::default()
    };
    notes.refused(api.complete_o_auth(complete(&new_verifier())).await);
    let completed = api.complete_o_auth(complete(&verifier)).await.expect("tokens").into_inner();
    let Some(pb::complete_o_auth_response::Result::TokenSet(set)) = completed.result else { panic!("no tokens") };
    notes.tokens(&set);
    notes.refused(api.complete_o_auth(complete(&verifier)).await);
    for secret in provider.script().given.iter().chain([&provider.client_secret]) {
        notes.token("what a provider gave", secret);
    }
    meanwhile
}
