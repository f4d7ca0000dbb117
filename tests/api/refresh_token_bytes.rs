//! A refresh token counts whole or not at all, and what is no token is never taken for a replay.

use tonic::Code;

use crate::harness::{Backend, Client, Keystead, Person, on_each_backend};

/// The URL-safe alphabet, and what careless decoders take for one of its signs or pass over.
const REPLACEMENTS: &str = "Az0-_+/=. \n\u{e9}";
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A token that was used once and its successor: were a variant taken for a replay, the session would end.
struct Issued {
    keystead: Keystead,
    client: Client,
    token: String,
}

impl Issued {
    async fn on(backend: Backend) -> Self {
        let keystead = Keystead::start(backend).await;
        let client = keystead.client().await;
        let first = Person::new("ada").register(&client).await.set;
        let token = client.use_refresh_token(&first.refresh_token).await.expect("a successor").refresh_token;
        Self { keystead, client, token }
    }

    async fn refuses(&self, variant: &str) {
        match self.client.use_refresh_token(variant).await {
            Ok(_) => panic!("{variant:?} was taken for {:?}", self.token),
            Err(failure) => failure.is(Code::Unauthenticated, "INVALID_TOKEN"),
        }
    }

    async fn was_not_harmed(self) {
        assert_eq!(self.keystead.rows().await.events("authn_token_reuse").await, 0);
        self.client.use_refresh_token(&self.token).await.expect("the token itself still works");
    }
}

// promise R9
async fn every_prefix_of_a_token_is_refused_and_harms_nothing(backend: Backend) {
    let issued = Issued::on(backend).await;
    for length in 0..issued.token.len() {
        issued.refuses(&issued.token[..length]).await;
    }
    issued.was_not_harmed().await;
}

// promise R9
async fn every_change_of_one_byte_is_refused_and_harms_nothing(backend: Backend) {
    let issued = Issued::on(backend).await;
    for at in 0..issued.token.len() {
        for replacement in REPLACEMENTS.chars().filter(|sign| !issued.token[at..].starts_with(*sign)) {
            let (before, after) = (&issued.token[..at], &issued.token[at + 1..]);
            issued.refuses(&format!("{before}{replacement}{after}")).await;
        }
    }
    issued.was_not_harmed().await;
}

/// The last sign carries two bits that decode to nothing: a lax decoder takes four texts for one token.
// promise R9
async fn every_other_last_sign_is_refused_and_harms_nothing(backend: Backend) {
    let issued = Issued::on(backend).await;
    let (before, last) = issued.token.split_at(issued.token.len() - 1);
    for replacement in ALPHABET.chars().filter(|sign| !last.starts_with(*sign)) {
        issued.refuses(&format!("{before}{replacement}")).await;
    }
    issued.was_not_harmed().await;
}

// promise R9
async fn what_is_added_swapped_or_left_out_is_refused_and_harms_nothing(backend: Backend) {
    let issued = Issued::on(backend).await;
    for added in ["A", "=", "==", " ", "\n", "\0", ".", "AAAA"] {
        issued.refuses(&format!("{}{added}", issued.token)).await;
        issued.refuses(&format!("{added}{}", issued.token)).await;
    }
    for at in 0..issued.token.len() - 1 {
        let signs: Vec<char> = issued.token.chars().collect();
        let mut swapped = signs.clone();
        swapped.swap(at, at + 1);
        if swapped != signs {
            issued.refuses(&swapped.into_iter().collect::<String>()).await;
        }
        let left_out: String = signs[..at].iter().chain(&signs[at + 1..]).collect();
        issued.refuses(&left_out).await;
    }
    issued.was_not_harmed().await;
}

on_each_backend!(
    every_prefix_of_a_token_is_refused_and_harms_nothing,
    every_change_of_one_byte_is_refused_and_harms_nothing,
    every_other_last_sign_is_refused_and_harms_nothing,
    what_is_added_swapped_or_left_out_is_refused_and_harms_nothing,
);
