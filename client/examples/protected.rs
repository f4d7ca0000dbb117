//! A greeter that only verified callers reach, on 127.0.0.1:50063.
//!
//! With the service running as the README of the repository says, and its administrator's `admin-token`, which is good
//! for ten minutes: make a service account that may follow the feed of revocations, and run this with it. From the root
//! of the repository:
//!
//! ```sh
//! grpcurl -plaintext -H "authorization: Bearer $(cat admin-token)" \
//!   -d '{"display_name": "Greeter", "audiences": ["keystead"], "roles": ["verifier"]}' \
//!   127.0.0.1:50051 keystead.v1.AdminService/CreateServiceAccount > machine.json
//! GREETER_ID=$(jq -r .serviceAccount.id machine.json) GREETER_SECRET=$(jq -r .secret machine.json) \
//!   cargo run -p keystead-client --example protected
//! ```
//!
//! Then sign in, with the password that the README ends with, and be greeted:
//!
//! ```sh
//! grpcurl -plaintext -d '{"email": "ada@example.com", "password": "a quieter gate"}' \
//!   127.0.0.1:50051 keystead.v1.AuthService/Login | jq .tokenSet > tokens.json
//! grpcurl -plaintext -import-path client/examples/proto -proto greeter/v1/greeter.proto \
//!   -H "authorization: Bearer $(jq -r .accessToken tokens.json)" 127.0.0.1:50063 greeter.v1.GreeterService/Greet
//! ```
//!
//! `GREETER_KEYSTEAD`, `GREETER_ISSUER`, `GREETER_AUDIENCE` and `GREETER_LISTEN` say what is not as the README has it.

use std::error::Error;

use keystead_client::{ClaimsExt as _, Credentials, KeysteadClient};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use self::pb::greeter_service_server::{GreeterService, GreeterServiceServer};
use self::pb::{GreetRequest, GreetResponse};

mod pb {
    #![expect(clippy::pedantic, clippy::allow_attributes, reason = "generated")]
    #![allow(dead_code, reason = "the client's side is not called here")]
    tonic::include_proto!("greeter.v1");
}

struct Polite;

#[tonic::async_trait]
impl GreeterService for Polite {
    async fn greet(&self, request: Request<GreetRequest>) -> Result<Response<GreetResponse>, Status> {
        let caller = request.require_role("user")?;
        Ok(Response::new(GreetResponse { text: format!("Hello, {}", caller.sub) }))
    }
}

/// A variable of the environment, or what it is where nothing is set.
fn variable(name: &str, default: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "an example is set up by its environment")]
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn client() -> Result<KeysteadClient, Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "an example is set up by its environment")]
    let (id, secret) = (std::env::var("GREETER_ID")?, std::env::var("GREETER_SECRET")?);
    let endpoint = Endpoint::from_shared(variable("GREETER_KEYSTEAD", "http://127.0.0.1:50051"))?;
    let issuer = variable("GREETER_ISSUER", "http://localhost:8080");
    // The service's own audience is what a sign-in gets that names none; a service of yours has a name of its own.
    let audience = variable("GREETER_AUDIENCE", "keystead");
    Ok(KeysteadClient::builder(endpoint, issuer, audience, Credentials::service_account(id, secret)).start())
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn main() -> Result<(), Box<dyn Error>> {
    let keystead = client()?;
    keystead.ready().await;
    let incoming = TcpIncoming::bind(variable("GREETER_LISTEN", "127.0.0.1:50063").parse()?)?;
    println!("listening on port {}", incoming.local_addr()?.port());
    let greeter = GreeterServiceServer::new(Polite);
    Server::builder().layer(keystead.layer()).add_service(greeter).serve_with_incoming(incoming).await?;
    Ok(())
}
