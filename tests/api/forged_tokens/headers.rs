//! Headers that name another key, another algorithm, another type, or another way to read the token.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keystead::grpc::pb::TokenStatus::{self, BadSignature, Malformed, UnknownKey, WrongType};
use serde_json::{Value, json};

use super::{Forgery, Workshop};
use crate::harness::token::{Jwt, encode};

pub fn table(workshop: &Workshop) -> Vec<Forgery> {
    let mut table = algorithms(workshop);
    table.extend(shared_secrets(workshop));
    table.extend(foreign_keys(workshop));
    table.extend(parameters(workshop, "kid", kids()));
    table.extend(parameters(workshop, "typ", types()));
    table.extend(bearers_of_keys(workshop));
    table
}

/// The good token with one parameter changed, signed with the service's key.
fn parameters(workshop: &Workshop, name: &str, values: Vec<(Value, TokenStatus)>) -> Vec<Forgery> {
    let forge = |(value, verdict): (Value, TokenStatus)| {
        let shown: String = value.to_string().chars().take(40).collect();
        let header = with(&workshop.good.header, name, &value);
        let token = workshop.key.compact_raw(header.as_bytes(), workshop.good.claims.to_string().as_bytes());
        Forgery::new(format!("{name} = {shown}"), token, verdict)
    };
    let mut table: Vec<Forgery> = values.into_iter().map(forge).collect();
    let absent = workshop.key.compact(workshop.good.clone().header(name, Value::Null));
    table.push(Forgery::new(format!("no {name}"), absent, if name == "typ" { WrongType } else { Malformed }));
    table
}

/// `null` stands in the text here, where [`Jwt::header`] would leave the member out.
fn with(header: &Value, name: &str, value: &Value) -> String {
    let mut header = header.clone();
    header[name] = value.clone();
    header.to_string()
}

fn algorithms(workshop: &Workshop) -> Vec<Forgery> {
    let other = ["none", "None", "NONE", "HS256", "HS512", "RS256", "PS256", "ES384", "ES256K", "EdDSA", "es256", ""];
    let mut values: Vec<_> = other.into_iter().map(|alg| (json!(alg), BadSignature)).collect();
    values.extend([(json!(0), Malformed), (json!(["ES256"]), Malformed), (Value::Null, Malformed)]);
    let mut table = parameters(workshop, "alg", values);
    for alg in ["none", "None", "NONE", "nOnE"] {
        let unsigned = Jwt { signature: Vec::new(), ..workshop.good.clone() }.header("alg", json!(alg)).compact();
        table.push(Forgery::new(format!("alg {alg} without a signature"), unsigned, Malformed));
    }
    table
}

/// The public key, which everybody has, taken for a shared secret (RFC 8725, section 2.1).
fn shared_secrets(workshop: &Workshop) -> Vec<Forgery> {
    let point = workshop.key.public_point();
    // SubjectPublicKeyInfo of P-256 (RFC 5480, section 2): a fixed head, then the point.
    let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let head = (0..head.len()).step_by(2).map(|at| u8::from_str_radix(&head[at..at + 2], 16).expect("hexadecimal"));
    let der: Vec<u8> = head.chain(point.iter().copied()).collect();
    let body = STANDARD.encode(&der);
    let lines = format!("{}\n{}", &body[..64], &body[64..]);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
    let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let secrets: [(&str, &[u8]); 8] = [
        ("PEM", pem.as_bytes()),
        ("PEM without its last line break", pem.trim_end().as_bytes()),
        ("DER", &der),
        ("JWK", jwk.as_bytes()),
        ("point", point),
        ("x coordinate", &point[1..33]),
        ("x coordinate in base64url", x.as_bytes()),
        ("kid", workshop.key.kid.as_bytes()),
    ];
    let jwt = workshop.good.clone().header("alg", json!("HS256"));
    let forge = |(what, secret): (&str, &[u8])| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), jwt.signing_input().as_bytes());
        let token = Jwt { signature: tag.as_ref().to_vec(), ..jwt.clone() }.compact();
        Forgery::new(format!("HS256 with the public key as secret: {what}"), token, BadSignature)
    };
    secrets.into_iter().map(forge).collect()
}

fn foreign_keys(workshop: &Workshop) -> Vec<Forgery> {
    let good = &workshop.good;
    let foreign = |jwt: Jwt| jwt.signed_by(&workshop.stranger);
    let as_admin = good.clone().claim("roles", json!(["admin"]));
    let ed = Ed25519KeyPair::generate().expect("a key");
    let by_ed = good.clone().header("alg", json!("EdDSA"));
    let by_ed = Jwt { signature: ed.sign(by_ed.signing_input().as_bytes()).as_ref().to_vec(), ..by_ed };
    vec![
        Forgery::new("ES256 by another key", foreign(good.clone()), BadSignature),
        Forgery::new("more roles, by another key", foreign(as_admin), BadSignature),
        Forgery::new("by another key that nobody knows", foreign(good.clone().header("kid", json!("me"))), UnknownKey),
        Forgery::new("EdDSA by another key", by_ed.compact(), BadSignature),
        Forgery::new("RS256 by another key", by_rsa(good), BadSignature),
    ]
}

fn by_rsa(good: &Jwt) -> String {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let jwt = good.clone().header("alg", json!("RS256"));
    let mut signature = vec![0; key.public_modulus_len()];
    let message = jwt.signing_input();
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("a signature");
    Jwt { signature, ..jwt }.compact()
}

fn kids() -> Vec<(Value, TokenStatus)> {
    let huge = "k".repeat(5_000);
    let unknown = ["", "another", "../../etc/passwd", "/dev/null", "' OR 1=1 --", "key\0id", "%2e%2e", "é", &huge];
    let mut values: Vec<_> = unknown.into_iter().map(|kid| (json!(kid), UnknownKey)).collect();
    values.extend([json!(7), Value::Null, json!([]), json!({}), json!(true)].map(|kid| (kid, Malformed)));
    values
}

fn types() -> Vec<(Value, TokenStatus)> {
    let wrong = [
        "JWT",
        "jwt",
        "AT+JWT",
        "At+Jwt",
        "at+JWT",
        "application/at+jwt",
        "at+jwt ",
        " at+jwt",
        "at-jwt",
        "rt+jwt",
        "logout+jwt",
        "id+jwt",
        "",
    ];
    let mut values: Vec<_> = wrong.into_iter().map(|typ| (json!(typ), WrongType)).collect();
    values.extend([json!(1), Value::Null, json!(["at+jwt"])].map(|typ| (typ, Malformed)));
    values
}

// promise T2
fn bearers_of_keys(workshop: &Workshop) -> Vec<Forgery> {
    let point = workshop.key.public_point();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])});
    let parameters = [
        ("jku", json!(workshop.trap)),
        ("x5u", json!(workshop.trap)),
        ("jwk", jwk),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("jku", Value::Null),
    ];
    let forge = |(name, value): (&str, Value)| {
        let header = with(&workshop.good.header, name, &value);
        let token = workshop.key.compact_raw(header.as_bytes(), workshop.good.claims.to_string().as_bytes());
        Forgery::new(format!("a header with {name}"), token, Malformed)
    };
    parameters.into_iter().map(forge).collect()
}
