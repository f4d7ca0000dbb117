//! What people do to their own account, in the words of the tests.

use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use keystead::grpc::pb::{self, login_response};
use prost_types::FieldMask;

use super::client::{Answer, Client};
use super::failure::Failure;
use super::person::Person;

impl Client {
    /// The account of whoever's token the client bears.
    pub async fn me(&self) -> Answer<pb::User> {
        self.get_me(pb::GetMeRequest {}).await.map(|response| response.user.expect("the account"))
    }

    /// Changes what the paths name to the values.
    pub async fn update(&self, paths: &[&str], values: pb::User) -> Answer<pb::User> {
        let mask = FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
        let request = pb::UpdateMeRequest { user: Some(values), update_mask: Some(mask) };
        self.update_me(request).await.map(|response| response.user.expect("the account"))
    }

    pub async fn replace_password(&self, current: &str, new: &str) -> Answer<()> {
        let request = pb::ChangePasswordRequest { current_password: current.to_owned(), new_password: new.to_owned() };
        self.change_password(request).await.map(|_| ())
    }

    /// The open sessions of whoever's token the client bears.
    pub async fn sessions(&self) -> Vec<pb::Session> {
        self.list_sessions(pb::ListSessionsRequest {}).await.expect("sessions").sessions
    }

    pub async fn end_session(&self, session_id: &str) -> Answer<()> {
        let request = pb::RevokeSessionRequest { session_id: session_id.to_owned() };
        self.revoke_session(request).await.map(|_| ())
    }
}

impl Person {
    /// Signs in on a device, by a proxy that says where it is.
    pub async fn log_in_on(&self, client: &Client, device_name: &str, source: &str) -> pb::TokenSet {
        let mut request = client.shown(pb::LoginRequest {
            email: self.email.clone(),
            password: self.password.clone(),
            device_name: device_name.to_owned(),
            ..pb::LoginRequest::default()
        });
        request.metadata_mut().insert("x-forwarded-for", source.parse().expect("a header's value"));
        let response = AuthServiceClient::new(client.channel.clone()).login(request).await.map_err(Failure::checked);
        match response.expect("a sign-in").into_inner().result.expect("exactly one result") {
            login_response::Result::TokenSet(tokens) => tokens,
            login_response::Result::MfaChallenge(challenge) => panic!("a second factor is asked for: {challenge:?}"),
        }
    }
}
