//! A table of forged and malformed access tokens: each gets its verdict, none an error, none is active.
//!
//! Nearly all are signed with the service's own key, taken out of its database: what refuses them is the one fault that
//! their row names, and never a signature that does not fit. The rows of [`controls`] show that the forger can sign.

mod claims;
mod controls;
mod headers;
mod signatures;
mod spellings;

use std::io::ErrorKind;
use std::net::TcpListener;

use keystead::grpc::pb::{BatchVerifyTokensRequest, TokenStatus, VerifyTokenRequest};

use crate::harness::token::{Forger, Jwt};
use crate::harness::{Backend, Client, Keystead, Person, ServiceKey, on_each_backend};

/// A token, and the verdict that must be given on it.
struct Forgery {
    what: String,
    token: String,
    verdict: TokenStatus,
}

impl Forgery {
    fn new(what: impl Into<String>, token: String, verdict: TokenStatus) -> Self {
        Self { what: what.into(), token, verdict }
    }
}

/// What a forger has.
struct Workshop {
    /// A good token, as it was issued.
    token: String,
    good: Jwt,
    key: ServiceKey,
    stranger: Forger,
    /// The address of a server that must never be asked.
    trap: String,
}

async fn judged(client: &Client, table: &[Forgery]) {
    for forgery in table {
        let verdict = client.verdict(&forgery.token).await.unwrap_or_else(|told| panic!("{}: {told:?}", forgery.what));
        assert_eq!(verdict.status(), forgery.verdict, "{}", forgery.what);
        let is_active = forgery.verdict == TokenStatus::Active;
        assert_eq!(verdict.claims.is_some(), is_active, "claims of: {}", forgery.what);
    }
}

async fn judged_in_a_batch(client: &Client, table: &[Forgery]) {
    let request =
        |forgery: &Forgery| VerifyTokenRequest { access_token: forgery.token.clone(), ..VerifyTokenRequest::default() };
    let requests = table.iter().map(request).collect();
    let answer = client.batch_verify_tokens(BatchVerifyTokensRequest { requests }).await.expect("verdicts");
    assert_eq!(answer.verdicts.len(), table.len());
    for (forgery, verdict) in table.iter().zip(&answer.verdicts) {
        assert_eq!(verdict.status(), forgery.verdict, "in a batch: {}", forgery.what);
    }
}

// promises T1, T2, T3, T4, T5
async fn every_forged_token_gets_the_verdict_on_its_fault(backend: Backend) {
    let trap = TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("a socket option");
    let address = trap.local_addr().expect("an address");
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    let workshop = Workshop {
        good: Jwt::parse(&token),
        token,
        key: ServiceKey::steal(&keystead).await,
        stranger: Forger::default(),
        trap: format!("http://{address}/keys"),
    };
    let controls = controls::table(&workshop);
    judged(&client, &controls).await;
    let mut table = headers::table(&workshop);
    table.extend(claims::table(&workshop));
    table.extend(signatures::table(&workshop));
    table.extend(spellings::table(&workshop));
    assert!(table.len() >= 60, "only {} forgeries", table.len());
    assert!(table.iter().all(|forgery| forgery.verdict != TokenStatus::Active));
    judged(&client, &table).await;
    judged_in_a_batch(&client, &table).await;
    let called = trap.accept().expect_err("nobody follows what a token names").kind();
    assert_eq!(called, ErrorKind::WouldBlock);
    judged(&client, &controls).await;
}

on_each_backend!(every_forged_token_gets_the_verdict_on_its_fault);
