//! Every kind of token presented to every RPC, and every endpoint of OAuth, that takes one: only the diagonal is accepted.

use keystead::grpc::pb::{LogoutScope, TokenStatus};
use serde_json::json;
use tonic::Code;

use crate::harness::federation::{IDP, Visit};
use crate::harness::oauth::{As, OAuth};
use crate::harness::provider::Provider;
use crate::harness::{Authenticator, Backend, Client, Keystead, Machine, Person, Setup, on_each_backend};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Access,
    Refresh,
    Reset,
    Verification,
    EmailChange,
    /// Of a sign-in that waits for its second factor.
    Challenge,
    /// Of an authenticator that is not confirmed.
    Enrollment,
    /// The state of a sign-in at a provider.
    OAuthState,
    /// The one-time code that ends it.
    OAuthCode,
    /// No token of this service.
    Foreign,
}

const TAKEN: [Kind; 9] = [
    Kind::Access,
    Kind::Refresh,
    Kind::Reset,
    Kind::Verification,
    Kind::EmailChange,
    Kind::Challenge,
    Kind::Enrollment,
    Kind::OAuthState,
    Kind::OAuthCode,
];

/// How the tokens begin that are no access tokens.
const PREFIXES: [&str; 8] = ["ksr_", "kspr_", "ksev_", "ksec_", "ksmc_", "kste_", "ksos_", "ksoc_"];

/// A person, and one unused token of each kind that is theirs.
struct Holder {
    tokens: Vec<(Kind, String)>,
    /// Shows the access token, where one is asked for beside the token that is tried.
    client: Client,
    recovery_codes: Vec<String>,
    /// The authenticator that is not confirmed.
    authenticator: Authenticator,
    visit: Visit,
}

impl Holder {
    async fn new(keystead: &Keystead, client: &Client, provider: &Provider) -> Self {
        let person = Person::new("ada");
        person.register(client).await;
        let enrolled = person.enroll(keystead, client).await;
        let challenge = client.challenged(&person).await.challenge_token;
        let set = client.meet_by_recovery(&challenge, &enrolled.codes[0]).await.expect("tokens");
        client.ask_for_reset(&person.email).await.expect("taken");
        let reset = keystead.mailbox().reset_token(&person.email).await;
        // The person's own address is verified: an authenticator wants that.
        let late = Person::new("late");
        late.register(client).await;
        let verification = keystead.mailbox().verification_token(&late.email).await;
        let wanted = Person::new("wanted").email;
        client.bearing(&set.access_token).ask_for_email(&wanted).await.expect("taken");
        let email_change = keystead.mailbox().email_change_token(&wanted).await;
        let own = client.bearing(&set.access_token);
        let enrollment = own.begin_totp().await.expect("an enrolment");
        let authenticator = Authenticator::reading(&enrollment);
        let challenge = client.challenged(&person).await.challenge_token;
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
            (Kind::Challenge, challenge),
            (Kind::Enrollment, enrollment.enrollment_token),
        ];
        Self { tokens, client: own, recovery_codes: enrolled.codes, authenticator, visit }
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
async fn refused(holder: &Holder, rpc: Kind, (kind, token): &(Kind, String)) {
    let client = &holder.client;
    let what = format!("{kind:?} {token:?} where {rpc:?} is asked for");
    let failure = match rpc {
        Kind::Access => {
            let verdict = client.verdict(token).await.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
            let is_of_ours = PREFIXES.iter().any(|prefix| token.starts_with(prefix));
            let expected = if is_of_ours { TokenStatus::WrongType } else { TokenStatus::Malformed };
            assert_eq!((verdict.status(), verdict.claims), (expected, None), "{what}");
            return;
        }
        Kind::Refresh => client.use_refresh_token(token).await.err(),
        Kind::Reset => client.set_password(token, NEW_PASSWORD).await.err(),
        Kind::Verification => client.verify_email(token).await.err(),
        Kind::EmailChange => client.take_email(token).await.err(),
        Kind::Challenge => client.meet_by_totp(token, "000000").await.err(),
        Kind::Enrollment => client.confirm_totp(token, "000000").await.err(),
        Kind::OAuthState | Kind::OAuthCode => {
            let failure = client.end_visit(&with(&holder.visit, rpc, token)).await.err();
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

async fn accepted(keystead: &Keystead, holder: &Holder, kind: Kind) {
    let (client, token) = (&holder.client, holder.token(kind));
    match kind {
        Kind::Access => assert_eq!(client.status_of(token).await, TokenStatus::Active),
        Kind::Refresh => drop(client.use_refresh_token(token).await.expect("a successor")),
        Kind::Reset => client.set_password(token, NEW_PASSWORD).await.expect("a new password"),
        Kind::Verification => assert!(client.verify_email(token).await.expect("the account").email_verified),
        Kind::EmailChange => drop(client.take_email(token).await.expect("the account")),
        Kind::Challenge => drop(client.meet_by_recovery(token, &holder.recovery_codes[1]).await.expect("tokens")),
        Kind::Enrollment => {
            let code = holder.authenticator.code(keystead, 0);
            assert_eq!(client.confirm_totp(token, &code).await.expect("recovery codes").len(), 10);
        }
        Kind::OAuthState | Kind::OAuthCode => {
            drop(client.end_visit(&with(&holder.visit, kind, token)).await.expect("tokens"));
        }
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
            refused(&holder, taken, &presented).await;
        }
    }
    // The enrolment has the access token refused, and the reset comes last: it ends the session.
    let kinds = [
        Kind::Access,
        Kind::Verification,
        Kind::OAuthCode,
        Kind::Challenge,
        Kind::Refresh,
        Kind::Enrollment,
        Kind::Reset,
    ];
    for kind in kinds {
        accepted(&keystead, &holder, kind).await;
    }
    // Either of reset and change of address kills the other.
    let holder = Holder::new(&keystead, &client, &provider).await;
    accepted(&keystead, &holder, Kind::EmailChange).await;
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

/// Presents a token at the endpoint where one of another kind is asked for.
async fn refused_over_http(oauth: OAuth, verifier: &Machine, wanted: Kind, (kind, token): &(Kind, String)) {
    let what = format!("{kind:?} {token:?} where {wanted:?} is asked for");
    let is_introspected = wanted == Kind::Access;
    let told =
        if is_introspected { oauth.introspect(As::Basic(verifier), token).await } else { oauth.refresh(token).await };
    match token.as_str() {
        "" => told.is(400, "invalid_request"),
        _ if is_introspected => {
            assert_eq!((told.status, told.json), (200, serde_json::json!({ "active": false })), "{what}");
        }
        _ => told.is(400, "invalid_grant"),
    }
}

// promise T6
async fn only_the_right_kind_of_token_opens_an_endpoint_of_oauth(backend: Backend) {
    let provider = Provider::start().await;
    let keystead = Setup::on(backend).at_provider(IDP, "oidc", &provider).start().await;
    let (client, oauth) = (keystead.client().await, keystead.oauth());
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let verifier = Machine::create(&admin, &["verifier"]).await;
    let holder = Holder::new(&keystead, &client, &provider).await;
    for taken in [Kind::Access, Kind::Refresh] {
        for presented in holder.refused_as(taken) {
            refused_over_http(oauth, &verifier, taken, &presented).await;
        }
    }
    let (access, refresh) = (holder.token(Kind::Access), holder.token(Kind::Refresh));
    for (kind, token) in holder.refused_as(Kind::Refresh).into_iter().filter(|(_, token)| token != access) {
        let told = oauth.revoke(As::Nobody, &token).await;
        assert_eq!(told.status, if token.is_empty() { 400 } else { 200 }, "{kind:?} {token:?}");
        assert_eq!(client.status_of(access).await, TokenStatus::Active, "{kind:?} {token:?} ended a session");
    }
    assert_eq!(oauth.introspect(As::Basic(&verifier), access).await.json["active"], true);
    assert_eq!(oauth.refresh(refresh).await.status, 200);
    assert_eq!(oauth.revoke(As::Nobody, refresh).await.status, 200);
    assert_eq!(client.status_of(access).await, TokenStatus::Revoked);
}

on_each_backend!(
    only_the_right_kind_of_token_opens_an_endpoint_of_oauth,
    only_the_right_kind_of_token_opens_an_rpc_and_the_wrong_ones_cost_nothing,
    a_logout_with_a_token_of_another_kind_ends_nothing,
);
