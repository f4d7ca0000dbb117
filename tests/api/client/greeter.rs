//! The service that the client's examples protect, in a process of its own.

use std::process::Stdio;

use http::uri::PathAndQuery;
use keystead::grpc::pb::LogoutScope;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::harness::{Client, Person, until};

/// A running example; it is killed when it is dropped.
pub struct Greeter {
    _process: Child,
    channel: Channel,
}

impl Greeter {
    /// Runs an example that says on which port of the loopback it listens.
    pub async fn launch(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the example starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let port = line.strip_prefix("listening on port ").expect("the port");
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).expect("an address");
        Self { _process: process, channel: endpoint.connect().await.expect("the example listens") }
    }

    /// Calls `Greet`: a message without fields, and one whose first field is a text.
    pub async fn greet(&self, authorization: &[&str]) -> Result<String, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.expect("a connection");
        let mut request = Request::new(());
        for value in authorization {
            request.metadata_mut().append("authorization", value.parse().expect("a header's value"));
        }
        let path = PathAndQuery::from_static("/greeter.v1.GreeterService/Greet");
        grpc.unary(request, path, ProstCodec::<(), String>::default()).await.map(tonic::Response::into_inner)
    }

    /// Fails the test unless whoever has a good token is greeted, until they log out, and nobody else.
    pub async fn greets_by_the_token_alone(&self, client: &Client) {
        let registered = Person::new("ada").register(client).await;
        let bearer = format!("Bearer {}", registered.set.access_token);
        assert_eq!(self.greet(&[&bearer]).await.expect("a greeting"), format!("Hello, {}", registered.user.id));
        for nobody in [&[][..], &["Bearer abc"], &[&bearer[..]; 2], &[&bearer["Bearer ".len()..]], &["Basic abc"]] {
            let refused = self.greet(nobody).await.expect_err("a refusal");
            assert_eq!(refused.code(), Code::Unauthenticated, "{nobody:?}");
            assert!(refused.metadata().contains_key("www-authenticate"), "{nobody:?}");
        }
        client.log_out(&registered.set.refresh_token, LogoutScope::ThisSession).await.expect("ended");
        until("the token to be refused", || async { self.greet(&[&bearer]).await.is_err() }).await;
        assert_eq!(self.greet(&[&bearer]).await.expect_err("revoked").code(), Code::Unauthenticated);
    }
}
