//! A table of forged and malformed access tokens: each gets its verdict, none an error, none is active.

use keystead::grpc::pb::TokenStatus::{self, BadSignature, Malformed, UnknownKey, WrongType};
use serde_json::{Value, json};

use crate::harness::token::{Forger, Jwt, encode};
use crate::harness::{Backend, Keystead, Person, on_each_backend};

/// A forged token: what it is, its text, and the verdicts that may be given on it.
type Forgery = (String, String, &'static [TokenStatus]);

/// The checks before the signature may differ in order: each of these is a refusal.
const REFUSED: &[TokenStatus] = &[Malformed, BadSignature, UnknownKey, WrongType];

fn foreign_signatures(good: &Jwt, forger: &Forger) -> Vec<Forgery> {
    let foreign = |what: &str, jwt: Jwt, verdicts| (what.to_owned(), jwt.signed_by(forger), verdicts);
    let mut table = vec![
        foreign("signed by a foreign key", good.clone(), &[BadSignature][..]),
        foreign("more roles, signed by a foreign key", good.clone().claim("roles", json!(["admin"])), &[BadSignature]),
        foreign("foreign key, unknown kid", good.clone().header("kid", json!("nobody")), &[UnknownKey]),
        foreign("no kid", good.clone().header("kid", Value::Null), &[Malformed, UnknownKey]),
        foreign("kid that is a path", good.clone().header("kid", json!("../../etc/passwd")), &[UnknownKey, Malformed]),
        foreign("kid that is SQL", good.clone().header("kid", json!("' OR 1=1 --")), &[UnknownKey, Malformed]),
        foreign("kid that is a number", good.clone().header("kid", json!(7)), &[Malformed]),
        foreign("kid of 4,000 bytes", good.clone().header("kid", json!("k".repeat(4_000))), &[UnknownKey, Malformed]),
    ];
    for typ in [json!("JWT"), json!("rt+jwt"), json!("logout+jwt"), json!(""), json!(1), Value::Null] {
        let verdicts = if typ.is_number() { &[Malformed, WrongType][..] } else { &[WrongType, Malformed] };
        table.push(foreign(&format!("typ {typ}"), good.clone().header("typ", typ), verdicts));
    }
    for alg in ["none", "None", "HS256", "HS512", "RS256", "ES384", "EdDSA", "es256", ""] {
        table.push(foreign(&format!("alg {alg:?}"), good.clone().header("alg", json!(alg)), REFUSED));
    }
    for name in ["jku", "x5u", "jwk", "x5c", "x5t", "crit", "b64", "zip", "enc"] {
        let jwt = good.clone().header(name, header_value(name));
        table.push(foreign(&format!("header {name}"), jwt, &[Malformed, BadSignature]));
    }
    table
}

fn header_value(name: &str) -> Value {
    match name {
        "jku" | "x5u" => json!("http://127.0.0.1:1/keys"),
        "jwk" => json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        "x5c" => json!(["AA"]),
        "crit" => json!(["exp"]),
        "b64" => json!(false),
        _ => json!("DEF"),
    }
}

/// The good token's own header and signature with other claims: whatever they say, the signature is not theirs.
fn altered_claims(good: &Jwt) -> Vec<Forgery> {
    let mut table = Vec::new();
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "epoch", "client_id"] {
        for value in [Value::Null, json!([1]), json!("x")] {
            let what = format!("claim {name} = {value}");
            table.push((what, good.clone().claim(name, value).compact(), &[Malformed, BadSignature][..]));
        }
    }
    for signature in [Vec::new(), vec![0; 64], vec![0xff; 64], good.signature[..63].to_vec()] {
        let what = format!("a signature of {} bytes", signature.len());
        table.push((what, Jwt { signature, ..good.clone() }.compact(), REFUSED));
    }
    table
}

/// Spellings of a good token that are not the one canonical spelling.
fn misspelt(token: &str, good: &Jwt) -> Vec<Forgery> {
    let input = good.signing_input();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let twice = format!("{{\"alg\":\"ES256\",{}", &good.header.to_string()[1..]);
    let texts = [
        ("nothing", String::new()),
        ("dots alone", "..".to_owned()),
        ("two parts", input.clone()),
        ("four parts", format!("{token}.")),
        ("five parts, as in JWE", format!("{token}.AA.AA")),
        ("padding", format!("{token}==")),
        ("a blank before", format!(" {token}")),
        ("a line break behind", format!("{token}\n")),
        ("a scheme before", format!("Bearer {token}")),
        ("plain base64", format!("{header}.{claims}.{}", signature.replace('-', "+").replace('_', "/") + "+/")),
        ("bits left over", format!("{header}.{claims}.{}", with_stray_bits(signature))),
        ("a header that is no JSON", format!("{}.{claims}.{signature}", encode(b"{"))),
        ("a header that is a list", format!("{}.{claims}.{signature}", encode(b"[]"))),
        ("claims that are a list", format!("{header}.{}.{signature}", encode(b"[]"))),
        ("a name twice in the header", format!("{}.{claims}.{signature}", encode(twice.as_bytes()))),
        ("JSON serialization", json!({"payload": claims, "protected": header, "signature": signature}).to_string()),
        ("over 8 KiB", format!("{token}{}", "A".repeat(8 * 1024))),
        ("40,000 dots", ".".repeat(40_000)),
        ("beyond ASCII", "é.é.é".to_owned()),
        ("a NUL", format!("{token}\0")),
    ];
    let misspellings = texts.into_iter().map(|(what, text)| (what.to_owned(), text, &[Malformed][..]));
    misspellings.collect()
}

/// 64 bytes in base64url leave four bits of the last character unused; canonical text has them zero.
fn with_stray_bits(signature: &str) -> String {
    let (head, last) = signature.split_at(signature.len() - 1);
    let stray = match last {
        "A" => 'B',
        "Q" => 'R',
        "g" => 'h',
        "w" => 'x',
        other => panic!("{other} ends no canonical signature"),
    };
    format!("{head}{stray}")
}

// promises T1, T2, T3, T4, T5
async fn no_forged_token_is_ever_active(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    let good = Jwt::parse(&token);
    let mut table = foreign_signatures(&good, &Forger::default());
    table.extend(altered_claims(&good));
    table.extend(misspelt(&token, &good));
    assert!(table.len() >= 60, "only {} forgeries", table.len());
    for (what, text, verdicts) in table {
        let verdict = client.verdict(&text).await.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert!(verdicts.contains(&verdict.status()), "{what}: {:?}", verdict.status());
        assert!(verdict.claims.is_none(), "{what}: claims of a forged token");
    }
    assert_eq!(client.status_of(&token).await, TokenStatus::Active, "the good one is still good");
}

on_each_backend!(no_forged_token_is_ever_active);
