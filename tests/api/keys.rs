//! The published keys, and their rotation by the clock.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use keystead::domain::clock::Clock as _;
use keystead::grpc::pb::{GetJwksRequest, JsonWebKey, TokenSet, TokenStatus};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::token::Jwt;
use crate::harness::{Backend, Client, Keystead, Person, Setup, eventually, on_each_backend, until};

const PATH: &str = "/.well-known/jwks.json";
const HOUR: Duration = Duration::from_hours(1);
/// No token lives longer, however the lifetime was set when it was signed.
const LONGEST_LIFETIME: Duration = Duration::from_hours(1);
/// `keys.jwks_max_age` of the rotation tests and three readings of the ring, one each 30 seconds.
const LEAD: Duration = Duration::from_secs(1 + 3 * 30);

async fn keys(client: &Client) -> Vec<JsonWebKey> {
    client.get_jwks(GetJwksRequest {}).await.expect("keys").keys
}

async fn kids(client: &Client) -> BTreeSet<String> {
    keys(client).await.into_iter().map(|key| key.kid).collect()
}

fn kid(tokens: &TokenSet) -> String {
    Jwt::parse(&tokens.access_token).header["kid"].as_str().expect("a kid").to_owned()
}

/// The public members of each kind of key (RFC 7518, section 6; RFC 8037), sorted; nothing else may be there.
fn public_members(algorithm: &str) -> Vec<&'static str> {
    match algorithm {
        "ES256" => vec!["alg", "crv", "kid", "kty", "use", "x", "y"],
        "EdDSA" => vec!["alg", "crv", "kid", "kty", "use", "x"],
        _ => vec!["alg", "e", "kid", "kty", "n", "use"],
    }
}

// promise T7
async fn every_algorithm_works_and_publishes_public_members_alone(backend: Backend) {
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        let keystead = Setup::on(backend).with("keys.algorithm", &format!("\"{algorithm}\"")).start().await;
        let client = keystead.client().await;
        let set = Person::new("ada").register(&client).await.set;
        assert_eq!(client.status_of(&set.access_token).await, TokenStatus::Active, "{algorithm}");
        let jwt = Jwt::parse(&set.access_token);
        assert_eq!(jwt.header["alg"], algorithm);
        let answer = keystead.replica(0).get(PATH, &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jwk-set+json")));
        let published: Value = serde_json::from_str(&answer.body).expect("JSON");
        let [key] = published["keys"].as_array().expect("keys").as_slice() else { panic!("{published}") };
        let mut members: Vec<&str> = key.as_object().expect("an object").keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, public_members(algorithm), "{algorithm}");
        assert_eq!((&key["kid"], &key["alg"], &key["use"]), (&jwt.header["kid"], &jwt.header["alg"], &"sig".into()));
        same(key, &keys(&client).await[0]);
    }
}

/// Over gRPC an absent member is an empty text.
fn same(json: &Value, message: &JsonWebKey) {
    let JsonWebKey { kid, kty, r#use, alg, crv, x, y, n, e } = message;
    for (name, value) in
        [("kid", kid), ("kty", kty), ("use", r#use), ("alg", alg), ("crv", crv), ("x", x), ("y", y), ("n", n), ("e", e)]
    {
        assert_eq!(json[name].as_str().unwrap_or_default(), value, "{name}");
    }
}

async fn the_set_is_cacheable_under_its_validator(backend: Backend) {
    let keystead = Setup::on(backend).with("keys.jwks_max_age", "\"2m\"").start().await;
    let replica = keystead.replica(0);
    let answer = replica.get(PATH, &[]).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=120"));
    let etag = answer.header("etag").expect("a validator").to_owned();
    for known in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
        let again = replica.get(PATH, &[("if-none-match", &known)]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{known}");
        assert_eq!(again.header("etag"), Some(etag.as_str()));
        assert_eq!(again.header("cache-control"), Some("public, max-age=120"));
    }
    let other = replica.get(PATH, &[("if-none-match", "\"other\"")]).await;
    assert_eq!((other.status, other.body), (200, answer.body.clone()));
    let head = head(replica.http).await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains(&format!("etag: {}", etag.to_ascii_lowercase())), "{head}");
    let max_age = keystead.client().await.get_jwks(GetJwksRequest {}).await.expect("keys").max_age;
    assert_eq!(max_age.map(|age| age.seconds), Some(120));
}

async fn head(address: SocketAddr) -> String {
    let mut connection = TcpStream::connect(address).await.expect("the HTTP port is open");
    let request = format!("HEAD {PATH} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("a written request");
    let mut text = String::new();
    connection.read_to_string(&mut text).await.expect("an answer in text");
    text
}

async fn two_replicas_share_the_ring(backend: Backend) {
    let keystead = Setup::on(backend).replicas(2).start().await;
    let [first, second] = [keystead.client_of(0).await, keystead.client_of(1).await];
    assert_eq!(keys(&first).await, keys(&second).await);
    let person = Person::new("ada");
    let here = person.register(&first).await.set;
    let there = person.log_in(&second).await.expect("tokens");
    assert_eq!(kid(&here), kid(&there));
    assert_eq!(second.status_of(&here.access_token).await, TokenStatus::Active);
    assert_eq!(first.status_of(&there.access_token).await, TokenStatus::Active);
    second.use_refresh_token(&here.refresh_token).await.expect("a successor");
}

/// Puts the clock forward and starts the replica anew, which reads the ring at once instead of within 30 seconds.
async fn go_to(keystead: &mut Keystead, span: Duration) -> Client {
    keystead.clock.advance(span);
    keystead.restart().await;
    keystead.client().await
}

async fn signed_in(client: &Client, person: &Person) -> TokenSet {
    eventually("a ring fresh enough to sign with", || async { person.log_in(client).await.ok() }).await
}

// promise T9
async fn a_key_is_published_before_it_signs_and_goes_after_its_last_token(backend: Backend) {
    let mut keystead =
        Setup::on(backend).with("keys.rotation_period", "\"1h\"").with("keys.jwks_max_age", "\"1s\"").start().await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let old = kid(&person.register(&client).await.set);
    assert_eq!(kids(&client).await, BTreeSet::from([old.clone()]));

    // The old key has had its time, but the next one is not yet known to everybody.
    let mut client = go_to(&mut keystead, HOUR).await;
    until("the next key to be published", || async { kids(&client).await.len() == 2 }).await;
    for _ in 0..2 {
        assert_eq!(kid(&signed_in(&client, &person).await), old, "a key signs only once everybody has it");
        client = go_to(&mut keystead, LEAD / 4).await;
    }
    let last = signed_in(&client, &person).await;
    assert_eq!(kid(&last), old);
    assert_eq!(keystead.replica(0).get(PATH, &[]).await.body.matches("\"kid\"").count(), 2);

    let client = go_to(&mut keystead, LEAD).await;
    let next = eventually("the next key to sign", || async {
        let set = person.log_in(&client).await.ok()?;
        (kid(&set) != old).then_some(set)
    })
    .await;
    assert_eq!(kids(&client).await, BTreeSet::from([old.clone(), kid(&next)]));
    assert_eq!(client.status_of(&next.access_token).await, TokenStatus::Active);
    assert_eq!(client.status_of(&last.access_token).await, TokenStatus::Active, "tokens of the old key live on");

    let expires_at = last.access_token_expire_time.expect("a time").seconds * 1_000;
    let left = u64::try_from(expires_at - keystead.clock.now().as_millis()).expect("still alive");
    let mut client =
        go_to(&mut keystead, Duration::from_millis(left).checked_sub(Duration::from_mins(1)).unwrap()).await;
    for _ in 0..2 {
        assert_eq!(client.status_of(&last.access_token).await, TokenStatus::Active, "until they expire");
        signed_in(&client, &person).await;
        client = go_to(&mut keystead, Duration::from_secs(10)).await;
    }
    assert_eq!(client.status_of(&last.access_token).await, TokenStatus::Active);

    let client = go_to(&mut keystead, LEAD + LONGEST_LIFETIME).await;
    until("the old key to go", || async { !kids(&client).await.contains(&old) }).await;
    assert_eq!(client.status_of(&last.access_token).await, TokenStatus::UnknownKey);
    let fresh = signed_in(&client, &person).await;
    assert_eq!(client.status_of(&fresh.access_token).await, TokenStatus::Active);
}

on_each_backend!(
    every_algorithm_works_and_publishes_public_members_alone,
    the_set_is_cacheable_under_its_validator,
    two_replicas_share_the_ring,
    a_key_is_published_before_it_signs_and_goes_after_its_last_token,
);
