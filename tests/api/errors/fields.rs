//! `INVALID_FIELDS` of each RPC: every field at fault is named at once.

use keystead::grpc::pb;
use tonic::Code;

use super::{CANARY, Client, Failure, complete};
use crate::harness::{Backend, Keystead, on_each_backend};

#[track_caller]
fn names(failure: &Failure, fields: &[&str]) {
    complete(failure, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, fields);
    assert_eq!(failure.message, "the request has fields at fault");
}

fn too_long() -> String {
    CANARY.repeat(10)
}

async fn register_names_every_field(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let request = |email: &str, password: &str, name: &str, device: &str| pb::RegisterRequest {
        email: email.to_owned(),
        password: password.to_owned(),
        display_name: name.to_owned(),
        device_name: device.to_owned(),
    };
    let (good, strong, long) = ("a@example.com", "seven quiet geese walk", too_long());
    for (request, fields) in [
        (request(CANARY, "", &long, &long), &["email", "password", "display_name", "device_name"][..]),
        (request(CANARY, "short", &long, &long), &["email", "password", "display_name", "device_name"]),
        (request("", "password123", "", ""), &["email", "password"]),
        (request(good, "", &long, ""), &["password", "display_name"]),
        (request(good, strong, "a\nb", "a\u{7}b"), &["display_name", "device_name"]),
        (request(good, good, "", ""), &["password"]),
        (request(good, "password123", "", &long), &["password", "device_name"]),
    ] {
        names(&client.register(request).await.expect_err("a refusal"), fields);
    }
}

async fn login_names_every_field(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let request = |email: &str, password: &str, audience: &str, device: &str| pb::LoginRequest {
        email: email.to_owned(),
        password: password.to_owned(),
        audience: audience.to_owned(),
        device_name: device.to_owned(),
    };
    for (request, fields) in [
        (request(CANARY, "", "", &too_long()), &["email", "password", "device_name"][..]),
        (request("a@example.com", "", "", ""), &["password"]),
        (request("a@example.com", &"x".repeat(257), "", ""), &["password"]),
        (request("a@example.com", "x", CANARY, ""), &["audience"]),
    ] {
        names(&client.login(request).await.expect_err("a refusal"), fields);
    }
}

async fn the_other_rpcs_name_theirs(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for email in ["", CANARY, "a@", "@example.com", "a b@example.com", "a@example.com\r\nBcc: b@example.com"] {
        names(&client.ask_for_reset(email).await.expect_err(email), &["email"]);
        names(&client.ask_for_verification(email).await.expect_err(email), &["email"]);
    }
    names(&client.set_password(&super::nobodys_token("kspr_"), "").await.expect_err("a refusal"), &["new_password"]);
    verification_names_its_own(&client).await;
    for scope in [4, -1, i32::MAX] {
        let request = pb::LogoutRequest { refresh_token: CANARY.to_owned(), scope };
        names(&client.logout(request).await.expect_err("a refusal"), &["scope"]);
    }
}

async fn verification_names_its_own(client: &Client) {
    let with_roles = |count: usize| pb::VerifyTokenRequest {
        access_token: CANARY.to_owned(),
        required_roles: vec![CANARY.to_owned(); count],
        ..pb::VerifyTokenRequest::default()
    };
    names(&client.verify_token(with_roles(33)).await.expect_err("a refusal"), &["required_roles"]);
    let requests = vec![with_roles(0), with_roles(33), with_roles(34)];
    let failure = client.batch_verify_tokens(pb::BatchVerifyTokensRequest { requests }).await.expect_err("a refusal");
    names(&failure, &["requests[1].required_roles", "requests[2].required_roles"]);
    let mut requests = vec![with_roles(33)];
    requests.resize(1_001, pb::VerifyTokenRequest::default());
    let failure = client.batch_verify_tokens(pb::BatchVerifyTokensRequest { requests }).await.expect_err("a refusal");
    names(&failure, &["requests", "requests[0].required_roles"]);
}

on_each_backend!(register_names_every_field, login_names_every_field, the_other_rpcs_name_theirs);
