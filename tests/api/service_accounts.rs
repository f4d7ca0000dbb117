//! Service accounts: how they come to be, what their secrets and tokens open, and how they end.

use std::time::Duration;

use keystead::grpc::pb::{
    CreateServiceAccountRequest, DeleteServiceAccountRequest, GetMeRequest, IssueServiceTokenRequest, ListRolesRequest,
    ListServiceAccountsRequest, RevokeTokenRequest, RotateServiceAccountSecretRequest, ServiceAccount, TokenStatus,
    VerifyTokenRequest,
};
use tonic::Code;

use crate::harness::token::Jwt;
use crate::harness::{Backend, Client, Keystead, Person, Setup, on_each_backend, until};

const DAY: Duration = Duration::from_hours(24);

/// A service account and its newest secret.
struct Machine {
    account: ServiceAccount,
    secret: String,
}

fn wanted(roles: &[&str]) -> CreateServiceAccountRequest {
    CreateServiceAccountRequest {
        display_name: "The shop".to_owned(),
        audiences: vec!["keystead".to_owned(), "shop".to_owned()],
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

impl Machine {
    async fn new(admin: &Client, roles: &[&str]) -> Self {
        let created = admin.create_service_account(wanted(roles)).await.expect("a service account");
        Self { account: created.service_account.expect("the account"), secret: created.secret }
    }

    fn request(&self, audience: &str) -> IssueServiceTokenRequest {
        IssueServiceTokenRequest {
            service_account_id: self.account.id.clone(),
            secret: self.secret.clone(),
            audience: audience.to_owned(),
        }
    }

    async fn token(&self, client: &Client) -> String {
        client.issue_service_token(self.request("")).await.expect("a token").access_token
    }

    async fn rotate(&mut self, admin: &Client, overlap: Option<Duration>) -> String {
        let overlap = overlap.map(|span| prost_types::Duration::try_from(span).expect("a span"));
        let request = RotateServiceAccountSecretRequest { service_account_id: self.account.id.clone(), overlap };
        let rotated = admin.rotate_service_account_secret(request).await.expect("a new secret");
        std::mem::replace(&mut self.secret, rotated.secret)
    }
}

async fn setup(backend: Backend) -> Keystead {
    Setup::on(backend)
        .replicas(backend.replicas())
        .with("tokens.audiences", "['keystead', 'shop', 'bank']")
        .start()
        .await
}

async fn administrator(keystead: &Keystead, client: &Client) -> Client {
    Person::new("root").register_as_administrator(keystead, client).await.0
}

async fn a_secret_becomes_a_token_of_the_account(backend: Backend) {
    let keystead = setup(backend).await;
    let [here, there] = keystead.pair().await;
    let admin = administrator(&keystead, &here).await;
    let machine = Machine::new(&admin, &["verifier", "verifier"]).await;
    assert_eq!(
        (machine.account.roles.as_slice(), machine.account.secrets.len()),
        (["verifier".to_owned()].as_slice(), 1)
    );
    let token = there.issue_service_token(machine.request("shop")).await.expect("a token");
    let claims = Jwt::parse(&token.access_token).claims;
    assert_eq!((&claims["sub"], &claims["client_id"]), (&machine.account.id.as_str().into(), &claims["sub"]));
    assert_eq!((&claims["aud"], &claims["roles"]), (&serde_json::json!(["shop"]), &serde_json::json!(["verifier"])));
    assert_eq!(token.expire_time.expect("a time").seconds, claims["exp"].as_i64().expect("a time"));
    let verify = |audience: &str| VerifyTokenRequest {
        access_token: token.access_token.clone(),
        expected_audience: audience.to_owned(),
        required_roles: vec!["verifier".to_owned()],
    };
    assert_eq!(here.verify_token(verify("shop")).await.expect("a verdict").status(), TokenStatus::Active);
    assert_eq!(here.verify_token(verify("keystead")).await.expect("a verdict").status(), TokenStatus::WrongAudience);
    let all = machine.token(&here).await;
    assert_eq!(Jwt::parse(&all).claims["aud"], serde_json::json!(["keystead", "shop"]));
    let failure = here.issue_service_token(machine.request("bank")).await.expect_err("not its audience");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["audience"]);
}

// promises A1, A2
async fn a_machine_does_what_its_roles_allow_and_has_no_account(backend: Backend) {
    let keystead = setup(backend).await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let verifier = client.bearing(&Machine::new(&admin, &["verifier"]).await.token(&client).await);
    let failure = verifier.list_roles(ListRolesRequest {}).await.expect_err("no administrator");
    failure.is(Code::PermissionDenied, "ROLE_REQUIRED");
    let failure = verifier.get_me(GetMeRequest {}).await.expect_err("nobody's account");
    failure.is(Code::PermissionDenied, "ROLE_REQUIRED");
    let operator = client.bearing(&Machine::new(&admin, &["admin"]).await.token(&client).await);
    operator.list_roles(ListRolesRequest {}).await.expect("an administrator");
}

// promises L6, T6
async fn whatever_is_wrong_is_refused_alike(backend: Backend) {
    let keystead = setup(backend).await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let (machine, other) = (Machine::new(&admin, &[]).await, Machine::new(&admin, &[]).await);
    let person = Person::new("ada").register(&client).await;
    let right = machine.request("");
    let wrong = |id: &str, secret: &str| IssueServiceTokenRequest {
        service_account_id: id.to_owned(),
        secret: secret.to_owned(),
        ..right.clone()
    };
    let mut messages = std::collections::BTreeSet::new();
    for request in [
        wrong(&other.account.id, &machine.secret),
        wrong(&person.user.id, &machine.secret),
        wrong("0190163d-8694-739b-aea5-966c26f8ad91", &machine.secret),
        wrong(&machine.account.id, ""),
        wrong(&machine.account.id, &format!("{} ", machine.secret)),
        wrong(&machine.account.id, &machine.secret[..machine.secret.len() - 1]),
        wrong(&machine.account.id, &format!("kss_{}", "A".repeat(43))),
        wrong(&machine.account.id, &person.set.refresh_token),
        wrong(&machine.account.id, &person.set.access_token),
    ] {
        let failure = client.issue_service_token(request).await.expect_err("refused");
        failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        messages.insert(failure.message);
    }
    assert_eq!(messages.len(), 1, "one text");
    let failure = client.issue_service_token(wrong("no id", &machine.secret)).await.expect_err("no id");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    let verdict = client.verdict(&machine.secret).await.expect("a verdict");
    assert_eq!(verdict.status(), TokenStatus::WrongType);
    client
        .use_refresh_token(&machine.secret)
        .await
        .expect_err("no refresh token")
        .is(Code::Unauthenticated, "INVALID_TOKEN");
    let bearer = client.bearing(&machine.secret).get_me(GetMeRequest {}).await.expect_err("no access token");
    bearer.is(Code::Unauthenticated, "BEARER_REQUIRED");
    machine.token(&client).await;
}

// promise L1
async fn wrong_secrets_spend_the_budget_of_their_source_and_right_ones_do_not(backend: Backend) {
    let keystead = Setup::on(backend)
        .with("limits.per_source_burst", "5")
        .with("limits.per_source_period", "\"1d\"")
        .start()
        .await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let request = CreateServiceAccountRequest { audiences: vec!["keystead".to_owned()], ..wanted(&[]) };
    let created = admin.create_service_account(request).await.expect("a service account");
    let machine = Machine { account: created.service_account.expect("the account"), secret: created.secret };
    let guesses = (0..40).map(|_| {
        let client = client.clone();
        let guess = IssueServiceTokenRequest { secret: format!("kss_{}", "A".repeat(43)), ..machine.request("") };
        async move { client.issue_service_token(guess).await.expect_err("a wrong secret").reason }
    });
    let reasons = futures_util::future::join_all(guesses).await;
    let judged = reasons.iter().filter(|reason| *reason == "INVALID_CREDENTIALS").count();
    assert!(judged <= 5, "{judged} guesses were judged");
    assert!(reasons.iter().all(|reason| ["INVALID_CREDENTIALS", "RATE_LIMITED"].contains(&reason.as_str())));
    for _ in 0..10 {
        machine.token(&client).await;
    }
}

async fn both_secrets_open_during_the_overlap(backend: Backend) {
    let mut keystead = setup(backend).await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let mut machine = Machine::new(&admin, &[]).await;
    let first = machine.rotate(&admin, None).await;
    let with_first = IssueServiceTokenRequest { secret: first.clone(), ..machine.request("") };
    client.issue_service_token(with_first.clone()).await.expect("the one before, for a day");
    machine.token(&client).await;
    keystead.clock.advance(DAY);
    // Reads the key ring at once, instead of within 30 seconds.
    keystead.restart().await;
    let client = keystead.client().await;
    let failure = client.issue_service_token(with_first).await.expect_err("the day is over");
    failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    machine.token(&client).await;
}

// promise T8
async fn without_overlap_the_secret_before_ends_at_once_and_its_tokens_too(backend: Backend) {
    let keystead = setup(backend).await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let mut machine = Machine::new(&admin, &[]).await;
    let stolen = machine.token(&client).await;
    let first = machine.rotate(&admin, Some(Duration::ZERO)).await;
    let with_first = IssueServiceTokenRequest { secret: first, ..machine.request("") };
    let failure = client.issue_service_token(with_first).await.expect_err("gone");
    failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    assert_eq!(client.status_of(&stolen).await, TokenStatus::Revoked);
    let fresh = machine.token(&client).await;
    assert_eq!(client.status_of(&fresh).await, TokenStatus::Active);
}

// promises A7, S1
async fn a_secret_is_shown_once_and_stored_nowhere(backend: Backend) {
    let keystead = setup(backend).await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let mut machine = Machine::new(&admin, &[]).await;
    let first = machine.rotate(&admin, None).await;
    let listed = admin.list_service_accounts(ListServiceAccountsRequest::default()).await.expect("a page");
    assert_eq!(listed.service_accounts.len(), 1);
    assert_eq!(listed.service_accounts[0].secrets.len(), 2);
    let dump = keystead.records().await.dump().await;
    for secret in [&first, &machine.secret] {
        assert!(!format!("{listed:?}").contains(secret.as_str()));
        assert!(!dump.contains(secret.trim_start_matches("kss_")), "a secret is at rest");
    }
}

// promise T8
async fn the_tokens_of_a_deleted_account_are_refused_everywhere(backend: Backend) {
    let keystead = setup(backend).await;
    let [here, there] = keystead.pair().await;
    let admin = administrator(&keystead, &here).await;
    let machine = Machine::new(&admin, &["admin"]).await;
    let token = machine.token(&there).await;
    let delete = DeleteServiceAccountRequest { service_account_id: machine.account.id.clone() };
    admin.delete_service_account(delete.clone()).await.expect("gone");
    assert_eq!(here.status_of(&token).await, TokenStatus::Revoked, "at once where it was done");
    let failure =
        there.bearing(&token).list_roles(ListRolesRequest {}).await.expect_err("read again from the database");
    failure.is(Code::Unauthenticated, "BEARER_REQUIRED");
    until("the revocation to arrive", || async { there.status_of(&token).await == TokenStatus::Revoked }).await;
    let failure = there.issue_service_token(machine.request("")).await.expect_err("gone");
    failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let failure = admin.delete_service_account(delete).await.expect_err("gone already");
    failure.is(Code::NotFound, "SERVICE_ACCOUNT_UNKNOWN");
}

async fn a_service_account_is_made_of_what_exists(backend: Backend) {
    let keystead = setup(backend).await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let request = CreateServiceAccountRequest { roles: vec!["nothing".to_owned()], ..wanted(&[]) };
    admin.create_service_account(request).await.expect_err("no role").is(Code::NotFound, "ROLE_UNKNOWN");
    for (request, field) in [
        (CreateServiceAccountRequest { audiences: Vec::new(), ..wanted(&[]) }, "audiences"),
        (
            CreateServiceAccountRequest { audiences: vec!["shop".to_owned(), "moon".to_owned()], ..wanted(&[]) },
            "audiences[1]",
        ),
        (CreateServiceAccountRequest { audiences: vec!["shop".to_owned(); 33], ..wanted(&[]) }, "audiences"),
        (CreateServiceAccountRequest { roles: vec!["No".to_owned()], ..wanted(&[]) }, "roles[0]"),
        (CreateServiceAccountRequest { display_name: "\u{202e}x".to_owned(), ..wanted(&[]) }, "display_name"),
    ] {
        let failure = admin.create_service_account(request).await.expect_err("at fault");
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(failure.fields, [field]);
    }
    let listed = admin.list_service_accounts(ListServiceAccountsRequest::default()).await.expect("a page");
    assert_eq!(listed.service_accounts, []);
}

// promise A6
async fn the_list_goes_on_by_page_tokens_that_nobody_can_make(backend: Backend) {
    let keystead = setup(backend).await;
    let client = keystead.client().await;
    let admin = administrator(&keystead, &client).await;
    let other = administrator(&keystead, &client).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(Machine::new(&admin, &[]).await.account.id);
    }
    let page = |page_token: &str| ListServiceAccountsRequest { page_size: 2, page_token: page_token.to_owned() };
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let answer = admin.list_service_accounts(page(&token)).await.expect("a page");
        seen.extend(answer.service_accounts.into_iter().map(|account| account.id));
        if answer.next_page_token.is_empty() {
            break;
        }
        let failure = other.list_service_accounts(page(&answer.next_page_token)).await.expect_err("not theirs");
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        token = answer.next_page_token;
    }
    assert_eq!(seen, ids);
    for forged in ["x", &format!("{token}A"), &token[1..], &token.to_ascii_uppercase()] {
        let failure = admin.list_service_accounts(page(forged)).await.expect_err("forged");
        assert_eq!(failure.fields, ["page_token"], "{forged}");
    }
}

// promise T8
async fn revoking_ends_what_a_token_belongs_to_and_no_more(backend: Backend) {
    let keystead = setup(backend).await;
    let [here, there] = keystead.pair().await;
    let admin = administrator(&keystead, &here).await;
    let revoke = |token: &str| RevokeTokenRequest { token: token.to_owned() };

    let machine = Machine::new(&admin, &[]).await;
    let [one, two] = [machine.token(&here).await, machine.token(&here).await];
    here.revoke_token(revoke(&one)).await.expect("revoked");
    assert_eq!(here.status_of(&one).await, TokenStatus::Revoked, "at once where it was done");
    until("the revocation to arrive", || async { there.status_of(&one).await == TokenStatus::Revoked }).await;
    assert_eq!(here.status_of(&two).await, TokenStatus::Active, "the one token alone");

    let person = Person::new("ada");
    let (first, second) = (person.register(&here).await.set, person.log_in(&here).await.expect("tokens"));
    here.revoke_token(revoke(&first.access_token)).await.expect("revoked");
    assert_eq!(here.status_of(&first.access_token).await, TokenStatus::Revoked);
    here.use_refresh_token(&first.refresh_token)
        .await
        .expect_err("its session")
        .is(Code::Unauthenticated, "INVALID_TOKEN");
    assert_eq!(here.status_of(&second.access_token).await, TokenStatus::Active, "the one session alone");
    here.revoke_token(revoke(&second.refresh_token)).await.expect("revoked");
    assert_eq!(here.status_of(&second.access_token).await, TokenStatus::Revoked);

    for nothing in ["", "garbage", &one, &first.refresh_token, &format!("{}x", &two[..two.len() - 1]), &machine.secret]
    {
        here.revoke_token(revoke(nothing)).await.expect("as good as revoked");
    }
    assert_eq!(here.status_of(&two).await, TokenStatus::Active);
    assert_eq!(keystead.rows().await.events("authn_token_revoked").await, 1);
}

on_each_backend!(
    a_secret_becomes_a_token_of_the_account,
    a_machine_does_what_its_roles_allow_and_has_no_account,
    whatever_is_wrong_is_refused_alike,
    wrong_secrets_spend_the_budget_of_their_source_and_right_ones_do_not,
    both_secrets_open_during_the_overlap,
    without_overlap_the_secret_before_ends_at_once_and_its_tokens_too,
    a_secret_is_shown_once_and_stored_nowhere,
    the_tokens_of_a_deleted_account_are_refused_everywhere,
    a_service_account_is_made_of_what_exists,
    the_list_goes_on_by_page_tokens_that_nobody_can_make,
    revoking_ends_what_a_token_belongs_to_and_no_more,
);
