//! Every kind of token presented to every RPC that takes one: only the diagonal is accepted.

use keystead::grpc::pb::{LogoutScope, TokenStatus};
use serde_json::json;
use tonic::Code;

use crate::harness::federation::{IDP, Visit};
use crate::harness::provider::Provider;
use crate::harness::{Backend, Client, Keystead, Person, Setup, on_each_backend};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Access,
    Refresh,
    Reset,
    Verification,
    EmailChange,
    /// The state of a sign-in at a provider.
    OAuthState,
    /// The one-time code that ends it.
    OAuthCode,
    /// No token of this service.
    Foreign,
}

const TAKEN: [Kind; 7] = [
    Kind::Access,
    Kind::Refresh,
    Kind::Reset,
    Kind::Verification,
    Kind::EmailChange,
    Kind::OAuthState,
    Kind::OAuthCode,
];

/// A person, and one unused token of each kind that is theirs.
struct Holder {
    tokens: Vec<(Kind, String)>,
    visit: Visit,
}

impl Holder {
    async fn new(keystead: &Keystead, client: &Client, provider: &Provider) -> Self {
        let person = Person::new("ada");
        let set = person.register(client).await.set;
        client.ask_for_reset(&person.email).await.expect("taken");
        let reset = keystead.mailbox().reset_token(&person.email).await;
        let verification = keystead.mailbox().verification_token(&person.email).await;
        let wanted = Person::new("wanted").email;
        client.bearing(&set.access_token).ask_for_email(&wanted).await.expect("taken");
        let email_change = keystead.mailbox().email_change_token(&wanted).await;
        provider.person(&person.email, &format!("at-the-provider-{}", person.email), &json!(true));
        let visit = keystead.visit(client, provider).await;
        let tokens = vec![
            (Kind::OAuthState, visit.state.clone()),
            (Kind::OAuthCode, visit.code.clone()),
            (Kind::Access, set.access_token),
            (Kind::Refresh, set.refresh_token),
            (Kind::Reset, reset),
            (Kind::Verification, verification),
            (Kind::EmailChange, email_change),
        ];
        Self { tokens, visit }
    }

    fn token(&self, wanted: Kind) -> &str {
        self.tokens.iter().find(|(kind, _)| *kind == wanted).map(|(_, token)| token.as_str()).expect("a token")
    }

    /// Whatever must be refused where `taken` is asked for: the other kinds, garbage, and each with blanks around.
    fn refused_as(&self, taken: Kind) -> Vec<(Kind, String)> {
        let prefix = self.token(taken).chars().take(5).collect::<String>();
        let others = self.tokens.iter().filter(|(kind, _)| *kind != taken).cloned();
        let garbage = ["", " ", "garbage", "null", "é", "0", "\0", &prefix, &format!("{prefix}{}", "A".repeat(43))];
        let garbage = garbage.map(|text| (Kind::Foreign, text.to_owned()));
        let right = self.token(taken);
        let around = [format!(" {right}"), format!("{right} "), format!("{right}\n"), format!("\t{right}\r\n")];
        let dressed = self.tokens.iter().map(|(kind, token)| (*kind, format!(" {token}\n")));
        others.chain(garbage).chain(around.map(|text| (taken, text))).chain(dressed).collect()
    }
}

/// Presents a token that must be refused, and checks the refusal.
async fn refused(client: &Client, rpc: Kind, (kind, token): &(Kind, String), visit: &Visit) {
    let what = format!("{kind:?} {token:?} where {rpc:?} is asked for");
    let failure = match rpc {
        Kind::Access => {
            let verdict = client.verdict(token).await.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
            let is_of_ours =
                ["ksr_", "kspr_", "ksev_", "ksec_", "ksos_", "ksoc_"].iter().any(|prefix| token.starts_with(prefix));
            let expected = if is_of_ours { TokenStatus::WrongType } else { TokenStatus::Malformed };
            assert_eq!((verdict.status(), verdict.claims), (expected, None), "{what}");
            return;
        }
        Kind::Refresh => client.use_refresh_token(token).await.err(),
        Kind::Reset => client.set_password(token, NEW_PASSWORD).await.err(),
        Kind::Verification => client.verify_email(token).await.err(),
        Kind::EmailChange => client.take_email(token).await.err(),
        Kind::OAuthState | Kind::OAuthCode => {
            let failure = client.end_visit(&with(visit, rpc, token)).await.err();
            let failure = failure.unwrap_or_else(|| panic!("accepted: {what}"));
            assert_eq!(
                (failure.code, failure.reason.as_str()),
                (Code::Unauthenticated, "OAUTH_STATE_INVALID"),
                "{what}"
            );
            return;
        }
        Kind::Foreign => None,
    };
    let failure = failure.unwrap_or_else(|| panic!("accepted: {what}"));
    assert_eq!((failure.code, failure.reason.as_str()), (Code::Unauthenticated, "INVALID_TOKEN"), "{what}");
    assert_eq!(failure.message, "the token is not valid", "{what}");
}

/// The visit with a token in the place of the one of this kind.
fn with(visit: &Visit, kind: Kind, token: &str) -> Visit {
    let token = token.to_owned();
    if kind == Kind::OAuthState {
        Visit { state: token, ..visit.clone() }
    } else {
        Visit { code: token, ..visit.clone() }
    }
}

async fn accepted(client: &Client, kind: Kind, token: &str, visit: &Visit) {
    match kind {
        Kind::Access => assert_eq!(client.status_of(token).await, TokenStatus::Active),
        Kind::Refresh => drop(client.use_refresh_token(token).await.expect("a successor")),
        Kind::Reset => client.set_password(token, NEW_PASSWORD).await.expect("a new password"),
        Kind::Verification => assert!(client.verify_email(token).await.expect("the account").email_verified),
        Kind::EmailChange => drop(client.take_email(token).await.expect("the account")),
        Kind::OAuthState | Kind::OAuthCode => drop(client.end_visit(&with(visit, kind, token)).await.expect("tokens")),
        Kind::Foreign => panic!("nothing takes it"),
    }
}

// promise T6
async fn only_the_right_kind_of_token_opens_an_rpc_and_the_wrong_ones_cost_nothing(backend: Backend) {
    let provider = Provider::start().await;
    let keystead = Setup::on(backend).at_provider(IDP, "oidc", &provider).start().await;
    let client = keystead.client().await;
    let holder = Holder::new(&keystead, &client, &provider).await;
    for taken in TAKEN {
        for presented in holder.refused_as(taken) {
            refused(&client, taken, &presented, &holder.visit).await;
        }
    }
    // The reset comes last: it ends the session.
    for kind in [Kind::Access, Kind::Verification, Kind::OAuthCode, Kind::Refresh, Kind::Reset] {
        accepted(&client, kind, holder.token(kind), &holder.visit).await;
    }
    // Either of the last two kills the other.
    let holder = Holder::new(&keystead, &client, &provider).await;
    accepted(&client, Kind::EmailChange, holder.token(Kind::EmailChange), &holder.visit).await;
}

// promise T6
async fn a_logout_with_a_token_of_another_kind_ends_nothing(backend: Backend) {
    let provider = Provider::start().await;
    let keystead = Setup::on(backend).at_provider(IDP, "oidc", &provider).start().await;
    let client = keystead.client().await;
    let holder = Holder::new(&keystead, &client, &provider).await;
    for (kind, token) in holder.refused_as(Kind::Refresh) {
        for scope in [LogoutScope::ThisSession, LogoutScope::OtherSessions, LogoutScope::AllSessions] {
            client.log_out(&token, scope).await.expect("as good as logged out");
            let status = client.status_of(holder.token(Kind::Access)).await;
            assert_eq!(status, TokenStatus::Active, "{kind:?} {token:?} ended a session");
        }
    }
    client.log_out(holder.token(Kind::Refresh), LogoutScope::ThisSession).await.expect("logged out");
    assert_eq!(client.status_of(holder.token(Kind::Access)).await, TokenStatus::Revoked);
}

on_each_backend!(
    only_the_right_kind_of_token_opens_an_rpc_and_the_wrong_ones_cost_nothing,
    a_logout_with_a_token_of_another_kind_ends_nothing,
);
