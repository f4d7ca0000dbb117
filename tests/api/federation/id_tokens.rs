//! ID tokens that are wrong in one thing each, and a provider that documents itself wrongly.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use tonic::Code;

use super::Scene;
use crate::harness::federation::{IDP, challenge_of, new_verifier};
use crate::harness::provider::{CLIENT_ID, Forgery, Odd, Provider, REDIRECT};
use crate::harness::token::{Forger, Jwt, encode};
use crate::harness::{Backend, Setup, on_each_backend};

const REFUSED: (Code, &str) = (Code::Unauthenticated, "PROVIDER_REFUSED");
const UNAVAILABLE: (Code, &str) = (Code::Unavailable, "PROVIDER_UNAVAILABLE");

fn claim(name: &'static str, value: Value) -> Forgery {
    Arc::new(move |jwt: Jwt, key: &Forger| jwt.claim(name, value.clone()).signed_by(key))
}

fn header(name: &'static str, value: Value) -> Forgery {
    Arc::new(move |jwt: Jwt, key: &Forger| jwt.header(name, value.clone()).signed_by(key))
}

fn keyed(secret: &str, with_public_key: bool) -> Forgery {
    let secret = secret.to_owned();
    Arc::new(move |jwt: Jwt, key: &Forger| {
        let jwt = jwt.header("alg", json!("HS256"));
        let public = key.jwk("k1").to_string();
        let secret = if with_public_key { &public } else { &secret };
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), jwt.signing_input().as_bytes());
        Jwt { signature: tag.as_ref().to_vec(), ..jwt }.compact()
    })
}

fn signed(header: &str, claims: &str, key: &Forger) -> String {
    let input = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    format!("{input}.{}", encode(&key.sign(input.as_bytes())))
}

fn forgeries(provider: &Provider) -> Vec<(&'static str, Forgery)> {
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let other = "http://127.0.0.1:1";
    vec![
        (
            "no signature, by none",
            Arc::new(|jwt: Jwt, _: &Forger| jwt.header("alg", json!("none")).compact()) as Forgery,
        ),
        ("no signature", Arc::new(|jwt: Jwt, _: &Forger| jwt.compact())),
        ("the client's secret as key", keyed(&provider.client_secret, false)),
        ("the public key as secret", keyed("", true)),
        ("a foreign key", Arc::new(|jwt: Jwt, _: &Forger| jwt.signed_by(&Forger::default()))),
        ("an unknown key", header("kid", json!("k2"))),
        ("no key", header("kid", Value::Null)),
        ("another algorithm", header("alg", json!("ES384"))),
        ("a key of its own", header("jwk", json!({ "kty": "EC" }))),
        ("a key elsewhere", header("jku", json!("https://evil.example/jwks"))),
        ("a critical extension", header("crit", json!(["exp"]))),
        ("an access token", header("typ", json!("at+jwt"))),
        ("another issuer", claim("iss", json!(other))),
        ("the issuer with a slash", claim("iss", json!(format!("{}/", provider.issuer())))),
        ("issuers", claim("iss", json!([provider.issuer()]))),
        ("no issuer", claim("iss", Value::Null)),
        ("another audience", claim("aud", json!("somebody-else"))),
        ("an audience beside", claim("aud", json!([CLIENT_ID, "somebody-else"]))),
        ("an empty audience", claim("aud", json!([]))),
        ("no audience", claim("aud", Value::Null)),
        ("another party", claim("azp", json!("somebody-else"))),
        ("another nonce", claim("nonce", json!("x"))),
        ("no nonce", claim("nonce", Value::Null)),
        ("expired", claim("exp", json!(now - 60))),
        ("no expiry", claim("exp", Value::Null)),
        ("an expiry in words", claim("exp", json!("2999-01-01"))),
        ("of tomorrow", claim("iat", json!(now + 86_400))),
        ("no time of issue", claim("iat", Value::Null)),
        ("not yet valid", claim("nbf", json!(now + 600))),
        ("no subject", claim("sub", Value::Null)),
        ("an empty subject", claim("sub", json!(""))),
        ("a subject that is a number", claim("sub", json!(1))),
        ("no token", Arc::new(|_: Jwt, _: &Forger| "garbage".to_owned())),
    ]
}

/// Of forms that two readers could take for different things.
fn ambiguities() -> Vec<(&'static str, Forgery)> {
    vec![
        (
            "two of a claim",
            Arc::new(|jwt: Jwt, key: &Forger| {
                let claims = jwt.claims.to_string().replacen('{', "{\"nonce\":\"x\",", 1);
                signed(&jwt.header.to_string(), &claims, key)
            }) as Forgery,
        ),
        (
            "a list as header",
            Arc::new(|jwt: Jwt, key: &Forger| {
                let mut header: Vec<Value> = ["alg", "kid"].map(|name| jwt.header[name].clone()).into();
                header.resize(9, Value::Null);
                signed(&json!(header).to_string(), &jwt.claims.to_string(), key)
            }),
        ),
        (
            "a list of claims",
            Arc::new(|jwt: Jwt, key: &Forger| {
                let names = ["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp"];
                let mut claims: Vec<Value> = names.map(|name| jwt.claims[name].clone()).into();
                claims.resize(12, Value::Null);
                signed(&jwt.header.to_string(), &json!(claims).to_string(), key)
            }),
        ),
    ]
}

// promise O3
async fn an_id_token_that_is_wrong_in_anything_opens_nothing(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    for (what, forgery) in forgeries(&provider).into_iter().chain(ambiguities()) {
        provider.script().forgery = Some(forgery);
        let failure = keystead.sign_in_at(&client, &provider).await.err();
        let failure = failure.unwrap_or_else(|| panic!("accepted: {what}"));
        assert_eq!((failure.code, &*failure.reason), REFUSED, "{what}");
    }
    assert_eq!(keystead.rows().await.number("SELECT count(*) FROM users").await, 0);
    for (what, forgery) in [
        ("one audience in a list", claim("aud", json!([CLIENT_ID]))),
        ("ourselves as the party", claim("azp", json!(CLIENT_ID))),
        ("its type", header("typ", json!("JWT"))),
        ("a claim that nobody knows", claim("x", json!({ "y": 1 }))),
    ] {
        provider.script().forgery = Some(forgery);
        let signed_in = keystead.sign_in_at(&client, &provider).await;
        assert!(signed_in.is_ok(), "{what}: {signed_in:?}");
    }
}

// promise O3
async fn keys_rotate_and_unknown_ones_are_asked_for_every_half_minute_at_most(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    keystead.sign_in_at(&client, &provider).await.expect("tokens");
    provider.rotate_key("k2");
    for _ in 0..3 {
        let failure = keystead.sign_in_at(&client, &provider).await.expect_err("asked for just now");
        failure.is(REFUSED.0, REFUSED.1);
    }
    assert_eq!(provider.times_asked("/jwks"), 1);
    keystead.clock.advance(Duration::from_secs(30));
    // The provider's clock is the machine's: only a little of the leeway is left.
    keystead.clock.step(-30_000);
    keystead.sign_in_at(&client, &provider).await.expect("tokens under the new key");
    assert_eq!(provider.times_asked("/jwks"), 2);
    assert_eq!(provider.times_asked("/.well-known/openid-configuration"), 1);
}

// promises O3, O8
async fn a_provider_that_documents_itself_wrongly_is_not_spoken_to(backend: Backend) {
    for (name, value) in [
        ("issuer", json!("http://127.0.0.1:1")),
        ("issuer", Value::Null),
        ("authorization_endpoint", json!("http://idp.example.com/authorize")),
        ("token_endpoint", json!("http://idp.example.com/token")),
        ("jwks_uri", json!("http://idp.example.com/jwks")),
        ("userinfo_endpoint", json!("file:///etc/passwd")),
        ("token_endpoint", Value::Null),
    ] {
        let Scene { provider, client, .. } = Scene::set(backend).await;
        provider.script().metadata.push((name, value.clone()));
        let failure = client.begin_at(IDP, REDIRECT, &"A".repeat(43)).await.expect_err("no flow");
        failure.is(UNAVAILABLE.0, UNAVAILABLE.1);
        assert!(failure.retry_after.is_some());
        assert!(!provider.script().asked.iter().any(|path| path != "/.well-known/openid-configuration"), "{name}");
    }
}

// promise O8
async fn an_odd_answer_is_no_answer(backend: Backend) {
    let elsewhere = Provider::start().await;
    let odd = |path: &'static str| {
        [
            Odd::Status(500),
            Odd::Status(404),
            Odd::Text("no JSON".to_owned()),
            Odd::Text("[]".to_owned()),
            Odd::Huge,
            Odd::Redirect(format!("{}{path}", elsewhere.issuer())),
        ]
    };
    for odd in odd("/.well-known/openid-configuration") {
        let Scene { provider, client, .. } = Scene::set(backend).await;
        provider.script().odd.insert("/.well-known/openid-configuration", odd.clone());
        let failure = client.begin_at(IDP, REDIRECT, &"A".repeat(43)).await.expect_err("no flow");
        assert_eq!((failure.code, &*failure.reason), UNAVAILABLE, "{odd:?}");
        assert!(!failure.message.contains("words of the provider's own"));
    }
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    for path in ["/token", "/jwks"] {
        for odd in odd(path) {
            provider.script().odd.insert(path, odd.clone());
            let failure = keystead.sign_in_at(&client, &provider).await.expect_err("no tokens");
            assert_eq!((failure.code, &*failure.reason), UNAVAILABLE, "{path}: {odd:?}");
            provider.script().odd.remove(path);
            keystead.clock.advance(Duration::from_secs(5));
            keystead.clock.step(-5_000);
        }
    }
    provider.script().odd.insert("/token", Odd::Status(400));
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("a refused code");
    failure.is(REFUSED.0, REFUSED.1);
    assert!(elsewhere.script().asked.is_empty(), "no redirect is followed");
}

// promise O8
#[tokio::test]
async fn a_silent_provider_is_waited_for_five_seconds_by_all_together() {
    let Scene { provider, client, .. } = Scene::set(Backend::Sqlite).await;
    provider.script().odd.insert("/.well-known/openid-configuration", Odd::Silence);
    let challenge = "A".repeat(43);
    let begun = futures_util::future::join_all((0..8).map(|_| client.begin_at(IDP, REDIRECT, &challenge)));
    for begun in tokio::time::timeout(Duration::from_secs(10), begun).await.expect("answers in time") {
        begun.expect_err("no flow").is(UNAVAILABLE.0, UNAVAILABLE.1);
    }
    assert_eq!(provider.times_asked("/.well-known/openid-configuration"), 1);
}

// promise O8
#[tokio::test]
async fn no_provider_is_spoken_to_in_clear_text_unless_that_is_asked_for() {
    let provider = Provider::start().await;
    let setup = Setup::on(Backend::Sqlite).at_provider(IDP, "oidc", &provider);
    let values = setup.with("oauth.allow_loopback_http", "false").values();
    let sources = keystead::config::sources::Sources { file: Some(values.toml()), ..Default::default() };
    let faults = keystead::config::Settings::load(sources).expect_err("a fault").to_string();
    assert!(faults.contains("oauth.providers.idp.issuer") && faults.contains("https"), "{faults}");
}

// promise O4
async fn an_answer_names_its_issuer_where_the_provider_says_that_it_does(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    provider.script().answered_issuer = Some("http://127.0.0.1:1".to_owned());
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("a mix-up");
    failure.is(REFUSED.0, REFUSED.1);
    assert_eq!(provider.times_asked("/token"), 0, "the code of one is not taken to another");
    let issuer = provider.issuer();
    provider.script().answered_issuer = Some(issuer);
    keystead.sign_in_at(&client, &provider).await.expect("tokens");

    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    provider.script().metadata.push(("authorization_response_iss_parameter_supported", json!(true)));
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("an answer without issuer");
    failure.is(REFUSED.0, REFUSED.1);
    let issuer = provider.issuer();
    provider.script().answered_issuer = Some(issuer);
    keystead.sign_in_at(&client, &provider).await.expect("tokens");
}

async fn what_the_id_token_does_not_tell_the_userinfo_endpoint_does(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.script().person = json!({ "sub": "sub-1" });
    provider.script().userinfo = json!({ "sub": "sub-2", "email": "ada@example.com", "email_verified": true });
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("somebody else's");
    failure.is(REFUSED.0, REFUSED.1);
    provider.script().userinfo = json!({ "sub": "sub-1", "email": "ada@example.com", "email_verified": true });
    assert!(keystead.sign_in_at(&client, &provider).await.expect("tokens").is_new_user);
}

// promise O7
async fn google_is_believed_about_mailboxes_that_it_has_itself(backend: Backend) {
    let provider = Provider::start().await;
    let keystead = Setup::on(backend).at_provider(IDP, "google", &provider).start().await;
    let client = keystead.client().await;
    provider.script().person = json!({ "sub": "sub-1", "email": "ada@example.com", "email_verified": true });
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("verified once, and whose by now?");
    failure.is(Code::FailedPrecondition, "PROVIDER_EMAIL_NOT_VERIFIED");
    provider.script().person["hd"] = json!("example.com");
    assert!(keystead.sign_in_at(&client, &provider).await.expect("tokens").is_new_user);
    provider.script().person = json!({ "sub": "sub-2", "email": "ada@gmail.com", "email_verified": true });
    assert!(keystead.sign_in_at(&client, &provider).await.expect("tokens").is_new_user);
}

// promises O1, O6
async fn github_tells_who_it_is_by_its_api(backend: Backend) {
    let provider = Provider::start().await;
    let keystead = Setup::on(backend).at_provider(IDP, "github", &provider).start().await;
    let client = keystead.client().await;
    provider.script().person = json!({});
    provider.script().userinfo =
        json!({ "id": 583_231, "login": "octocat", "name": "Mona", "email": "public@example.com" });
    provider.script().emails = json!([
        { "email": "other@example.com", "primary": false, "verified": true },
        { "email": "mona@example.com", "primary": true, "verified": true },
    ]);
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    let bearer = client.bearing(&signed_in.tokens.access_token);
    let me = bearer.me().await.expect("the account");
    assert_eq!((&*me.email, me.email_verified, &*me.display_name), ("mona@example.com", true, "Mona"));
    assert_eq!(bearer.identities().await[0].subject, "583231", "the id, which stays, and not the login, which may not");
    provider.script().userinfo = json!({ "id": 2, "login": "octocat", "name": null });
    for verified in [json!(false), json!("true"), Value::Null] {
        provider.script().emails = json!([{ "email": "new@example.com", "primary": true, "verified": verified }]);
        let failure = keystead.sign_in_at(&client, &provider).await.expect_err("not verified");
        failure.is(Code::FailedPrecondition, "PROVIDER_EMAIL_NOT_VERIFIED");
    }
    provider.script().userinfo = json!({ "id": "2", "login": "octocat" });
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("no id");
    failure.is(UNAVAILABLE.0, UNAVAILABLE.1);
    let verifier = new_verifier();
    let flow = client.begin_at(IDP, REDIRECT, &challenge_of(&verifier)).await.expect("a flow");
    assert!(flow.authorization_url.starts_with(&format!("{}/login/oauth/authorize?", provider.issuer())));
    let callback = format!("/oauth/{IDP}/callback?code=nobodys&state={}", flow.state);
    let visit = crate::harness::federation::redirected(&keystead.come_back(&callback, &[]).await, verifier);
    client.end_visit(&visit).await.expect_err("a code of nobody's").is(REFUSED.0, REFUSED.1);
}

on_each_backend!(
    an_id_token_that_is_wrong_in_anything_opens_nothing,
    keys_rotate_and_unknown_ones_are_asked_for_every_half_minute_at_most,
    a_provider_that_documents_itself_wrongly_is_not_spoken_to,
    an_odd_answer_is_no_answer,
    an_answer_names_its_issuer_where_the_provider_says_that_it_does,
    what_the_id_token_does_not_tell_the_userinfo_endpoint_does,
    google_is_believed_about_mailboxes_that_it_has_itself,
    github_tells_who_it_is_by_its_api,
);
