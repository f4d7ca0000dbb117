//! A message that is held back: its caller's leave is asked for again when it has come.

use bytes::Bytes;
use h2::SendStream;
use h2::client::ResponseFuture;
use keystead::grpc::pb::{DeleteMeRequest, LogoutScope, User};
use prost::Message as _;
use tonic::Code;

use crate::harness::bare::{Bare, framed, whole};
use crate::harness::{Backend, Client, Keystead, Person, on_each_backend};
use crate::rights::{disable, grant, revoke};

const GRANT_ROLE: &str = "/keystead.v1.AdminService/GrantRole";
const GET_JWKS: &str = "/keystead.v1.TokenService/GetJwks";
const DELETE_ME: &str = "/keystead.v1.AccountService/DeleteMe";

/// A call that was let in, and whose stream its caller does not end.
struct Held {
    response: ResponseFuture,
    stream: SendStream<Bytes>,
}

impl Held {
    async fn begin(bare: &Bare, path: &str, access_token: &str, message: &[u8]) -> Self {
        let mut request = bare.call(path);
        let bearer = format!("Bearer {access_token}").parse().expect("a value");
        request.headers_mut().insert("authorization", bearer);
        let (response, mut stream) = bare.begin(request).await.expect("a begun call");
        stream.send_data(framed(message).into(), false).expect("the message");
        // Answered on the same connection, and so after the held call has come.
        assert!(bare.send(bare.call(GET_JWKS), framed(&[])).await.is_ok());
        Self { response, stream }
    }

    async fn end(mut self) -> Result<(), (Code, String)> {
        self.stream.send_data(Bytes::new(), true).expect("the stream's end");
        let answer = whole(self.response).await.expect("an answer");
        if answer.is_ok() {
            return Ok(());
        }
        let refusal = answer.refusal();
        Err((refusal.code, refusal.reason))
    }
}

fn bearer_required() -> (Code, String) {
    (Code::Unauthenticated, "BEARER_REQUIRED".to_owned())
}

/// An administrator who holds the grant of their own role to an accomplice.
struct Grant {
    root: Client,
    mallory: User,
    accomplice: User,
    held: Held,
}

impl Grant {
    async fn begin(keystead: &Keystead) -> Self {
        let client = keystead.client().await;
        let (root, _) = Person::new("root").register_as_administrator(keystead, &client).await;
        let mallory = Person::new("mallory");
        let (_, user) = mallory.register_as_administrator(keystead, &client).await;
        let access_token = mallory.log_in(&client).await.expect("tokens").access_token;
        let accomplice = Person::new("eve").register(&client).await.user;
        let bare = Bare::connect(keystead.replica(0).grpc).await.expect("a connection");
        let message = grant(&accomplice, "admin").encode_to_vec();
        let held = Held::begin(&bare, GRANT_ROLE, &access_token, &message).await;
        Self { root, mallory: user, accomplice, held }
    }
}

async fn a_message_that_is_merely_slow_is_carried_out(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let Grant { held, .. } = Grant::begin(&keystead).await;
    held.end().await.expect("granted");
}

// promise T8
async fn who_is_disabled_while_they_hold_a_message_back_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let Grant { root, mallory, accomplice, held } = Grant::begin(&keystead).await;
    root.disable_user(disable(&mallory)).await.expect("disabled");
    assert_eq!(held.end().await, Err(bearer_required()));
    let unchanged = root.grant_role(grant(&accomplice, "user")).await.expect("as it was").user.expect("the user");
    assert_eq!(unchanged.roles, ["user"]);
}

// promise T8
async fn who_is_demoted_while_they_hold_a_message_back_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let Grant { root, mallory, accomplice, held } = Grant::begin(&keystead).await;
    root.revoke_role(revoke(&mallory, "admin")).await.expect("demoted");
    assert_eq!(held.end().await, Err(bearer_required()));
    let unchanged = root.grant_role(grant(&accomplice, "user")).await.expect("as it was").user.expect("the user");
    assert_eq!(unchanged.roles, ["user"]);
}

// promise T8
async fn who_is_signed_out_while_they_hold_a_message_back_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let tokens = ada.register(&client).await.set;
    let bare = Bare::connect(keystead.replica(0).grpc).await.expect("a connection");
    let held = Held::begin(&bare, DELETE_ME, &tokens.access_token, &DeleteMeRequest {}.encode_to_vec()).await;
    client.log_out(&tokens.refresh_token, LogoutScope::ThisSession).await.expect("signed out");
    assert_eq!(held.end().await, Err(bearer_required()));
    ada.log_in(&client).await.expect("the account is still there");
}

on_each_backend!(
    a_message_that_is_merely_slow_is_carried_out,
    who_is_disabled_while_they_hold_a_message_back_is_refused,
    who_is_demoted_while_they_hold_a_message_back_is_refused,
    who_is_signed_out_while_they_hold_a_message_back_is_refused,
);
