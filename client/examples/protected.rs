//! A greeter that only verified callers reach, on 127.0.0.1:50063.
//!
//! With the service running as its README says, an administrator makes a service account that may follow the feed of
//! revocations, and this process shows it:
//!
//! ```sh
//! grpcurl -plaintext -H "authorization: Bearer $(cat admin-token)" \
//!   -d '{"display_name": "Greeter", "audiences": ["keystead"], "roles": ["verifier"]}' \
//!   127.0.0.1:50051 keystead.v1.AdminService/CreateServiceAccount > machine.json
//! GREETER_ID=$(jq -r .serviceAccount.id machine.json) GREETER_SECRET=$(jq -r .secret machine.json) \
//!   cargo run -p keystead-client --example protected
//! grpcurl -plaintext -import-path client/examples/proto -proto greeter/v1/greeter.proto \
//!   -H "authorization: Bearer $(jq -r .accessToken tokens.json)" 127.0.0.1:50063 greeter.v1.Greeter/Greet
//! ```

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use keystead_client::{ClaimsExt as _, Credentials, KeysteadClient};
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use self::pb::greeter_server::{Greeter, GreeterServer};
use self::pb::{GreetRequest, GreetResponse};

mod pb {
    #![expect(clippy::pedantic, clippy::allow_attributes, reason = "generated")]
    #![allow(dead_code, reason = "the client's side is not called here")]
    tonic::include_proto!("greeter.v1");
}

/// Where the service listens, and the issuer that its tokens name, where nothing is set.
const KEYSTEAD: &str = "http://127.0.0.1:50051";
const ISSUER: &str = "http://localhost:8080";

struct Polite;

#[tonic::async_trait]
impl Greeter for Polite {
    async fn greet(&self, request: Request<GreetRequest>) -> Result<Response<GreetResponse>, Status> {
        let caller = request.require_role("user")?;
        Ok(Response::new(GreetResponse { text: format!("Hello, {}", caller.sub) }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "an example is set up by its environment")]
    let (id, secret) = (std::env::var("GREETER_ID")?, std::env::var("GREETER_SECRET")?);
    let credentials = Credentials::service_account(id, secret);
    // The service's own audience is what a sign-in gets that names none; a service of yours has a name of its own.
    let keystead = KeysteadClient::builder(Endpoint::from_static(KEYSTEAD), ISSUER, "keystead", credentials).start();
    keystead.ready().await;
    Server::builder()
        .layer(keystead.layer())
        .add_service(GreeterServer::new(Polite))
        .serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 50_063)))
        .await?;
    Ok(())
}
