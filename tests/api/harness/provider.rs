//! A provider of the test's own, OpenID Connect and GitHub's way: honest unless it is told to be otherwise.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::encrypted::encrypting;
use super::records::canary;
use super::token::{Forger, Jwt, encode};
use super::{Setup, Values};

/// What the provider does instead of answering well.
#[derive(Clone, Debug)]
pub enum Odd {
    Status(u16),
    Text(String),
    /// The honest answer, and blanks after it: more than anybody would read.
    Huge,
    Redirect(String),
    /// Accepts, and never answers.
    Silence,
}

/// What the provider puts in the place of an ID token.
pub type Forgery = Arc<dyn Fn(Jwt, &Forger) -> String + Send + Sync>;

/// What the provider says.
#[derive(Default)]
pub struct Script {
    /// Whoever signs in: `sub`, `email`, `email_verified`, `name`, in the ID token.
    pub person: Value,
    /// What the userinfo endpoint tells.
    pub userinfo: Value,
    /// GitHub's `/user/emails`.
    pub emails: Value,
    /// Members of the metadata that are otherwise; `null` removes one.
    pub metadata: Vec<(&'static str, Value)>,
    pub forgery: Option<Forgery>,
    pub odd: HashMap<&'static str, Odd>,
    /// The `iss` of the answer (RFC 9207), if there is one.
    pub answered_issuer: Option<String>,
    /// What was asked for, by path.
    pub asked: Vec<String>,
    /// The tokens that were given out.
    pub given: Vec<String>,
    /// Codes that are out, with nonce and challenge.
    codes: HashMap<String, (String, String)>,
    key: Forger,
    kid: String,
}

/// A running provider.
#[derive(Clone)]
pub struct Provider {
    issuer: String,
    pub client_secret: String,
    script: Arc<Mutex<Script>>,
}

pub const CLIENT_ID: &str = "keystead-at-the-provider";

impl Provider {
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// The same by TLS, as `localhost`, with this certificate and its key.
    pub async fn start_with_tls(certificate: &str, key: &str) -> Self {
        Self::listen(Some((certificate, key))).await
    }

    async fn listen(pair: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its number");
        let script = Script { kid: "k1".to_owned(), emails: json!([]), ..Script::default() };
        let issuer = match pair {
            None => format!("http://{address}"),
            Some((certificate, key)) => {
                format!("https://localhost:{}", encrypting(address.port(), certificate, key).await)
            }
        };
        let provider = Self { issuer, client_secret: canary("secret"), script: Arc::new(Mutex::new(script)) };
        let router = Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no poison")
    }

    pub fn issuer(&self) -> String {
        self.issuer.clone()
    }

    /// The next one to sign in.
    pub fn person(&self, subject: &str, email: &str, email_verified: &Value) {
        self.script().person =
            json!({ "sub": subject, "email": email, "email_verified": email_verified, "name": "Somebody" });
    }

    /// Replaces the signing key, under another name.
    pub fn rotate_key(&self, kid: &str) {
        let mut script = self.script();
        script.key = Forger::default();
        kid.clone_into(&mut script.kid);
    }

    pub fn times_asked(&self, path: &str) -> usize {
        self.script().asked.iter().filter(|asked| *asked == path).count()
    }

    /// Signs the person in, as the page at the URL does: where the browser goes then.
    pub fn consent(&self, authorization_url: &str) -> String {
        let (_, query) = authorization_url.split_once('?').expect("a query");
        let asked = parameters(query);
        assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", CLIENT_ID));
        assert_eq!(asked["code_challenge_method"], "S256", "promise O2");
        let code = canary("provider-code");
        let nonce = asked.get("nonce").cloned().unwrap_or_default();
        let mut script = self.script();
        script.codes.insert(code.clone(), (nonce, asked["code_challenge"].clone()));
        let issuer = script.answered_issuer.as_ref().map(|issuer| format!("&iss={issuer}")).unwrap_or_default();
        format!("{}?code={code}&state={}{issuer}", asked["redirect_uri"], asked["state"])
    }

    fn metadata(&self) -> Value {
        let issuer = self.issuer();
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        });
        let members = metadata.as_object_mut().expect("an object");
        for (name, value) in &self.script().metadata {
            members.insert((*name).to_owned(), value.clone());
        }
        members.retain(|_, value| !value.is_null());
        metadata
    }

    /// An honest token endpoint: the code once, by its client, with the verifier of its challenge.
    fn exchange(&self, form: &HashMap<String, String>, is_ours: bool) -> Result<Value, u16> {
        if !is_ours {
            return Err(401);
        }
        let (nonce, challenge) = self.script().codes.remove(&form["code"]).ok_or(400_u16)?;
        let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
        assert_eq!(encode(digest(&SHA256, verifier.as_bytes()).as_ref()), challenge, "promise O2");
        let mut script = self.script();
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let mut claims = json!({
            "iss": self.issuer(), "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": nonce,
        });
        let person = script.person.as_object().expect("a person").clone();
        claims.as_object_mut().expect("an object").extend(person);
        let header = json!({ "alg": "ES256", "kid": script.kid });
        let jwt = Jwt { header, claims, signature: Vec::new() };
        let id_token = match &script.forgery {
            None => jwt.signed_by(&script.key),
            Some(forgery) => forgery(jwt, &script.key),
        };
        let access_token = canary("provider-access");
        script.given.extend([id_token.clone(), access_token.clone()]);
        Ok(json!({ "id_token": id_token, "access_token": access_token, "token_type": "Bearer" }))
    }
}

impl Setup {
    /// One provider that the test plays, by its name and kind.
    pub fn at_provider(mut self, name: &str, kind: &str, provider: &Provider) -> Self {
        self.values.at_provider(name, kind, provider);
        self
    }
}

impl Values {
    pub fn at_provider(&mut self, name: &str, kind: &str, provider: &Provider) {
        let path = |setting: &str| format!("oauth.providers.{name}.{setting}");
        if provider.issuer.starts_with("http://") {
            self.set("oauth.allow_loopback_http", "true");
        }
        self.set(&path("kind"), &format!("\"{kind}\""));
        self.set(&path("issuer"), &format!("\"{}\"", provider.issuer()));
        self.set(&path("client_id"), &format!("\"{CLIENT_ID}\""));
        self.set(&path("client_secret"), &format!("\"{}\"", provider.client_secret));
        self.set(&path("redirects"), &format!("[\"{REDIRECT}\"]"));
    }
}

/// Where the tests' browsers end.
pub const REDIRECT: &str = "https://app.example.com/signed-in";

pub fn parameters(query: &str) -> HashMap<String, String> {
    form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

async fn answer(State(provider): State<Provider>, RawQuery(query): RawQuery, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    provider.script().asked.push(path.clone());
    let odd = provider.script().odd.get(&*path).cloned();
    match odd {
        None => honest(&provider, &path, query, request).await,
        Some(Odd::Huge) => padded(honest(&provider, &path, query, request).await).await,
        Some(odd) => oddly(odd).await,
    }
}

async fn honest(provider: &Provider, path: &str, query: Option<String>, request: Request) -> Response {
    let headers = request.headers().clone();
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let form = parameters(&String::from_utf8_lossy(&body));
    match path {
        "/.well-known/openid-configuration" => json_of(&provider.metadata()),
        "/authorize" => {
            let url = format!("?{}", query.unwrap_or_default());
            redirect(&provider.consent(&url))
        }
        "/jwks" => {
            let script = provider.script();
            json_of(&json!({ "keys": [script.key.jwk(&script.kid)] }))
        }
        "/token" => exchanged(provider.exchange(&form, is_basic(&headers, &provider.client_secret))),
        "/login/oauth/access_token" => {
            let is_ours = form.get("client_secret") == Some(&provider.client_secret);
            match provider.exchange(&form, is_ours) {
                Ok(tokens) => json_of(&tokens),
                // As GitHub does.
                Err(_) => json_of(&json!({ "error": "bad_verification_code" })),
            }
        }
        "/userinfo" | "/api/v3/user" => json_of(&provider.script().userinfo),
        "/api/v3/user/emails" => json_of(&provider.script().emails),
        _ => status(404),
    }
}

async fn padded(answer: Response) -> Response {
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    Response::new(Body::from([&body, " ".repeat(70_000).as_bytes()].concat()))
}

async fn oddly(odd: Odd) -> Response {
    match odd {
        Odd::Status(code) => status(code),
        Odd::Text(text) => Response::new(Body::from(text)),
        Odd::Redirect(to) => redirect(&to),
        Odd::Huge | Odd::Silence => std::future::pending().await,
    }
}

fn is_basic(headers: &HeaderMap, secret: &str) -> bool {
    use base64::Engine as _;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT_ID}:{secret}"));
    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) == Some(&format!("Basic {expected}"))
}

fn exchanged(answer: Result<Value, u16>) -> Response {
    match answer {
        Ok(tokens) => json_of(&tokens),
        Err(code) => status(code),
    }
}

fn json_of(value: &Value) -> Response {
    Response::new(Body::from(value.to_string()))
}

fn status(code: u16) -> Response {
    let mut response = Response::new(Body::from("{\"error\":\"words of the provider's own\"}"));
    *response.status_mut() = StatusCode::from_u16(code).expect("a status");
    response
}

fn redirect(to: &str) -> Response {
    let mut response = status(302);
    response.headers_mut().insert(header::LOCATION, to.parse().expect("a location"));
    response
}
