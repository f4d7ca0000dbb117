//! Real gateways in front of a service, with the configurations of the page that operators copy.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use keystead::grpc::pb::LogoutScope;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::feed::Feed;
use crate::harness::token::Jwt;
use crate::harness::{Backend, Client, Keystead, Machine, Person, http_get, on_each_backend, until};
use crate::support::gateway::Gateway;

/// A service behind a gateway: answers with the head of the request as it came, in lower case.
struct Mirror {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Mirror {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its number");
        let serving = tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.expect("a connection");
                tokio::spawn(async move {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        match connection.read_u8().await {
                            Ok(byte) => head.push(char::from(byte)),
                            Err(_gone) => return,
                        }
                    }
                    let body = head.to_ascii_lowercase();
                    let length = body.len();
                    let answer =
                        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
                    connection.write_all(answer.as_bytes()).await.unwrap_or_default();
                });
            }
        });
        Self { address, serving }
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The page's block of this language that holds the word.
fn block(language: &str, word: &str) -> String {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gateways.md")).expect("the page");
    let mut blocks = page.split("\n```").filter_map(|block| block.strip_prefix(&format!("{language}\n")));
    blocks.find(|block| block.contains(word)).expect("a block").to_owned()
}

/// The same with the ports of a test in it.
fn configuration(language: &str, word: &str, keystead: &Keystead, service: SocketAddr) -> String {
    let block = block(language, word);
    let replica = keystead.replica(0);
    let block = block.replace("50051", &replica.grpc.port().to_string()).replace("9000", &service.port().to_string());
    // The issuer is a name, and keeps its port.
    let http = replica.http.port();
    block
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{http}"))
        .replace("port_value: 8080", &format!("port_value: {http}"))
}

/// Somebody who is signed in, and a gateway's answers to them.
struct Visitor {
    gateway: SocketAddr,
    authorization: String,
}

impl Visitor {
    fn at(gateway: &Gateway, access_token: &str) -> Self {
        let gateway = SocketAddr::from((Ipv4Addr::LOCALHOST, gateway.port));
        Self { gateway, authorization: format!("Bearer {access_token}") }
    }

    /// The status, and what the service behind was sent.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let answer = http_get(self.gateway, path, headers).await;
        (answer.status, answer.body)
    }

    async fn get_signed_in(&self, path: &str) -> (u16, String) {
        self.get(path, &[("authorization", &self.authorization)]).await
    }
}

/// Claims of the token: `sub` and `sid`.
fn identity(access_token: &str) -> [String; 2] {
    let claims = Jwt::parse(access_token).claims;
    ["sub", "sid"].map(|name| claims[name].as_str().expect("a claim").to_owned())
}

const SPOOFED: [(&str, &str); 3] =
    [("x-auth-subject", "spoofed"), ("X-Auth-Session", "spoofed"), ("X-AUTH-ROLES", "spoofed")];

/// Read by services in the manner of CGI as if they were the others.
const LOOK_ALIKES: [(&str, &str); 2] = [("x_auth_roles", "spoofed"), ("X_Auth_Subject", "spoofed")];

/// What every gateway that asks with each request does.
async fn asks_with_each_request(client: &Client, gateway: &Gateway) {
    let ada = Person::new("ada").register(client).await.set;
    let visitor = Visitor::at(gateway, &ada.access_token);
    let [subject, session] = identity(&ada.access_token);
    let signed_in = [&SPOOFED[..], &[("authorization", visitor.authorization.as_str())]].concat();
    let (status, sent) = visitor.get("/page?x=1", &signed_in).await;
    assert_eq!(status, 200, "{sent}");
    for header in [format!("x-auth-subject: {subject}\r\n"), format!("x-auth-session: {session}\r\n")] {
        assert_eq!(sent.matches(&header).count(), 1, "{sent}");
    }
    assert!(sent.contains("x-auth-roles: user\r\n") && !sent.contains("spoofed"), "{sent}");

    let answer = http_get(visitor.gateway, "/page", &SPOOFED).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    let answer = http_get(visitor.gateway, "/page", &[("authorization", "Bearer x")]).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer error=\"invalid_token\"")));
    let bearer = visitor.authorization.as_str();
    let two = http_get(visitor.gateway, "/page", &[("authorization", bearer), ("authorization", bearer)]).await;
    assert_ne!(two.status, 200, "two bearers are none");

    let (status, sent) = visitor.get("/public/page", &SPOOFED).await;
    assert_eq!(status, 200);
    assert!(!sent.contains("x-auth-") && !sent.contains("spoofed"), "{sent}");
    let hidden =
        ["/public/../page", "/public/%2e%2e/page", "/public/..%2fpage", "/public/..%5cpage", "/public%2f..%2fpage"];
    for path in hidden.into_iter().chain(["/public", "//page", "/PUBLIC/page"]) {
        let (status, sent) = visitor.get(path, &[]).await;
        assert!([301, 400, 401, 404].contains(&status), "{path}: {status} {sent}");
    }
    for path in ["/secret/../public/x", "/secret/%2e%2e/public/x", "/secret/..%2fpublic/x", "/secret/x;/../../public/"]
    {
        let (status, sent) = visitor.get(path, &[]).await;
        let is_public = status == 200 && sent.starts_with("get /public/");
        assert!(is_public || [301, 307, 400, 401].contains(&status), "{path}: {status} {sent}");
    }
    for authorization in [None, Some(("authorization", visitor.authorization.as_str()))] {
        for path in ["/page", "/public/page"] {
            let headers: Vec<_> = LOOK_ALIKES.into_iter().chain(authorization).collect();
            let (_, sent) = visitor.get(path, &headers).await;
            assert!(!sent.contains("spoofed"), "{path}: {sent}");
        }
    }

    client.log_out(&ada.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    assert_eq!(visitor.get_signed_in("/page").await.0, 401, "at once");
}

// promise T8
async fn nginx_asks_with_each_request(backend: Backend) {
    let (keystead, mirror) = (Keystead::start(backend).await, Mirror::start().await);
    let client = keystead.client().await;
    let gateway = Gateway::nginx(&configuration("nginx", "auth_request", &keystead, mirror.address));
    asks_with_each_request(&client, &gateway).await;
}

// promise T8
async fn envoy_asks_with_each_request(backend: Backend) {
    let (keystead, mirror) = (Keystead::start(backend).await, Mirror::start().await);
    let client = keystead.client().await;
    let told = "request_headers_to_add: [{header: {key: x-told, \
        value: \"%DYNAMIC_METADATA(envoy.filters.http.ext_authz:sub)%\"}}]";
    let configuration = configuration("yaml", "ext_authz", &keystead, mirror.address);
    let configuration = configuration.replacen("virtual_hosts:", &format!("{told}\n            virtual_hosts:"), 1);
    let gateway = Gateway::envoy(&configuration);
    asks_with_each_request(&client, &gateway).await;

    let eve = Person::new("eve").register(&client).await.set.access_token;
    let (_, sent) = Visitor::at(&gateway, &eve).get_signed_in("/page").await;
    assert!(sent.contains(&format!("x-told: {}\r\n", identity(&eve)[0])), "the claims as metadata: {sent}");
    let bob = Visitor::at(&gateway, &Person::new("bob").register(&client).await.set.access_token);
    let answer = http_get(bob.gateway, "/admin/page", &[("authorization", bob.authorization.as_str())]).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (403, Some("Bearer error=\"insufficient_scope\"")));
    assert_eq!(bob.get_signed_in("/typing-error/page").await.0, 500, "nobody passes by a typing error");
    let root = Person::new("root");
    root.register_as_administrator(&keystead, &client).await;
    let root = Visitor::at(&gateway, &root.log_in(&client).await.expect("tokens").access_token);
    let (status, sent) = root.get_signed_in("/admin/page").await;
    assert!(status == 200 && sent.contains("x-auth-roles: admin,user"), "{sent}");
}

// promise T8
async fn traefik_asks_with_each_request(backend: Backend) {
    let (keystead, mirror) = (Keystead::start(backend).await, Mirror::start().await);
    let client = keystead.client().await;
    let command = block("sh", "traefik ");
    let options = command.split_whitespace().filter(|word| word.starts_with("--entrypoints.web.http."));
    let options: Vec<_> = options.map(str::to_owned).collect();
    let gateway = Gateway::traefik(&configuration("yaml", "forwardAuth", &keystead, mirror.address), &options);
    // It listens before it has read its routes.
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, gateway.port));
    until("the routes to be read", || async { http_get(at, "/page", &[]).await.status != 404 }).await;
    asks_with_each_request(&client, &gateway).await;
}

// promise T8
async fn caddy_asks_with_each_request(backend: Backend) {
    let (keystead, mirror) = (Keystead::start(backend).await, Mirror::start().await);
    let client = keystead.client().await;
    let gateway = Gateway::caddy(&configuration("caddyfile", "forward_auth", &keystead, mirror.address));
    asks_with_each_request(&client, &gateway).await;
}

async fn envoy_verifies_by_the_published_keys(backend: Backend) {
    let (keystead, mirror) = (Keystead::start(backend).await, Mirror::start().await);
    let client = keystead.client().await;
    let gateway = Gateway::envoy(&configuration("yaml", "jwt_authn", &keystead, mirror.address));
    let token = Person::new("ada").register(&client).await.set.access_token;
    let visitor = Visitor::at(&gateway, &token);
    until("the keys to be fetched", || async { visitor.get_signed_in("/page").await.0 == 200 }).await;
    let [subject, _] = identity(&token);
    let signed_in = [&SPOOFED[..], &[("authorization", visitor.authorization.as_str())]].concat();
    let (_, sent) = visitor.get("/page", &signed_in).await;
    assert!(sent.contains(&format!("x-auth-subject: {subject}")) && !sent.contains("spoofed"), "{sent}");
    assert_eq!(visitor.get("/page", &LOOK_ALIKES).await.0, 400);
    assert_eq!(visitor.get(&format!("/page?access_token={token}"), &[]).await.0, 401, "no token in a URL");
    let (signed, signature) = visitor.authorization.rsplit_once('.').expect("a signature");
    let changed = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{changed}{}", &signature[1..]);
    assert_eq!(visitor.get("/page", &[("authorization", &forged)]).await.0, 401);
    assert_eq!(visitor.get("/page", &[]).await.0, 401);
}

async fn nginx_passes_calls_and_streams_on(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let direct = keystead.client().await;
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let gateway = Gateway::nginx(&configuration("nginx", "grpc_pass", &keystead, nobody));
    let through = Client::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, gateway.port))).await;
    let ada = Person::new("ada");
    ada.register(&through).await;
    let token = ada.log_in(&through).await.expect("tokens").access_token;
    assert_eq!(through.bearing(&token).me().await.expect("the account").email, ada.email);
    through
        .log_in(&ada.email, "wrong")
        .await
        .expect_err("refused")
        .is(tonic::Code::Unauthenticated, "INVALID_CREDENTIALS");

    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &direct).await;
    let verifier = Machine::create(&admin, &["verifier"]).await.access_token(&direct).await;
    let mut feed = Feed::begin(&through.bearing(&verifier), "").await.expect("a stream");
    feed.caught_up().await;
    let gone = Person::new("gone").register(&direct).await.set;
    direct.log_out(&gone.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    feed.hears_of(&identity(&gone.access_token)[1]).await;
}

on_each_backend!(
    nginx_asks_with_each_request,
    envoy_asks_with_each_request,
    traefik_asks_with_each_request,
    caddy_asks_with_each_request,
    envoy_verifies_by_the_published_keys,
    nginx_passes_calls_and_streams_on,
);
