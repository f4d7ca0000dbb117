//! Spellings of a good token that are not the one canonical spelling, and JSON that can be read in two ways.

use keystead::grpc::pb::TokenStatus::{Malformed, WrongType};
use serde_json::json;

use super::controls::{MAX_BYTES, of_length};
use super::{Forgery, Workshop};
use crate::harness::token::encode;

pub fn table(workshop: &Workshop) -> Vec<Forgery> {
    let mut table = shapes(workshop);
    table.extend(encodings(workshop));
    table.extend(ambiguous(workshop));
    table.push(Forgery::new("a byte over 8 KiB", of_length(workshop, MAX_BYTES + 1), Malformed));
    for prefix in ["ksr_", "kspr_", "ksev_", "ksec_", "ksmc_", "ksme_", "kste_"] {
        let token = format!("{prefix}{}", workshop.token);
        table.push(Forgery::new(format!("under the prefix {prefix}"), token, WrongType));
    }
    table
}

// promise T5
fn shapes(workshop: &Workshop) -> Vec<Forgery> {
    let token = &workshop.token;
    let (header, claims, signature) = parts(token);
    let flattened = json!({"payload": claims, "protected": header, "signature": signature});
    let general = json!({"payload": claims, "signatures": [{"protected": header, "signature": signature}]});
    [
        ("nothing", String::new()),
        ("a blank", " ".to_owned()),
        ("a dot", ".".to_owned()),
        ("dots alone", "..".to_owned()),
        ("40,000 dots", ".".repeat(40_000)),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("no header", format!(".{claims}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("four parts", format!("{token}.")),
        ("four parts, the last of them good", format!("{token}.{signature}")),
        ("five parts, as in JWE", format!("{token}.AA.AA")),
        ("a blank before", format!(" {token}")),
        ("a blank behind", format!("{token} ")),
        ("a line break behind", format!("{token}\n")),
        ("a tab within", token.replacen('.', "\t.", 1)),
        ("a NUL behind", format!("{token}\0")),
        ("a BOM before", format!("\u{feff}{token}")),
        ("a scheme before", format!("Bearer {token}")),
        ("quoted", format!("\"{token}\"")),
        ("twice", format!("{token}{token}")),
        ("flattened JSON", flattened.to_string()),
        ("general JSON", general.to_string()),
        ("beyond ASCII", "é.é.é".to_owned()),
        ("full-width dots", token.replace('.', "\u{ff0e}")),
    ]
    .into_iter()
    .map(|(what, token)| Forgery::new(what, token, Malformed))
    .collect()
}

fn encodings(workshop: &Workshop) -> Vec<Forgery> {
    let (header, claims, signature) = parts(&workshop.token);
    let key = &workshop.key;
    let escaped = signature.replacen(&signature[..1], &format!("%{:02x}", signature.as_bytes()[0]), 1);
    let plain = format!("{header}.{claims}.{}+/", &signature[..signature.len() - 2]);
    let mut table = vec![
        Forgery::new("a padded signature", format!("{header}.{claims}.{signature}=="), Malformed),
        Forgery::new("the plain alphabet", plain, Malformed),
        Forgery::new("percent-encoded", format!("{header}.{claims}.{escaped}"), Malformed),
        Forgery::new("stray bits in the signature", format!("{header}.{claims}.{}", stray(signature)), Malformed),
    ];
    // Signed as they stand: nothing but the spelling is wrong with them.
    for text in [format!("{}  ", workshop.good.claims), format!("{} ", workshop.good.claims)] {
        let encoded = encode(text.as_bytes());
        if !encoded.len().is_multiple_of(4) {
            let (padding, stray) = ("=".repeat(4 - encoded.len() % 4), stray(&encoded));
            let padded = key.compact_encoded(header, &format!("{encoded}{padding}"));
            table.push(Forgery::new("a padded payload, signed", padded, Malformed));
            table.push(Forgery::new(
                "stray bits in the payload, signed",
                key.compact_encoded(header, &stray),
                Malformed,
            ));
        }
    }
    let broken = key.compact_encoded(&format!("{}\n{}", &header[..8], &header[8..]), claims);
    table.push(Forgery::new("a line break in the header, signed", broken, Malformed));
    table
}

/// JSON that is none, or that two parsers read in two ways; signed with the service's key.
fn ambiguous(workshop: &Workshop) -> Vec<Forgery> {
    let (header, claims) = (workshop.good.header.to_string(), workshop.good.claims.to_string());
    let first = |object: &str, member: &str| format!("{{{member},{}", &object[1..]);
    let headers: Vec<Vec<u8>> = vec![
        first(&header, r#""alg":"none""#).into(),
        first(&header, r#""kid":"other""#).into(),
        first(&header, r#""typ":"JWT""#).into(),
        first(&header, r#""\u0061lg":"none""#).into(),
        first(&header, r#""x":1,"x":1"#).into(),
        first(&header, r#""x":{"y":1,"y":2}"#).into(),
        b"[]".to_vec(),
        b"\"at+jwt\"".to_vec(),
        b"{".to_vec(),
        format!("{header}{header}").into(),
        format!("\u{feff}{header}").into(),
        [b"\xff", header.as_bytes()].concat(),
        header.replace('"', "'").into(),
        header.replace('}', ",}").into(),
    ];
    let payloads: Vec<Vec<u8>> = vec![
        first(&claims, r#""sub":"0190c0de-0000-7000-8000-000000000000""#).into(),
        first(&claims, r#""exp":9999999999"#).into(),
        first(&claims, r#""roles":["admin"]"#).into(),
        first(&claims, r#""\u0072oles":["admin"]"#).into(),
        first(&claims, r#""x":1,"x":2"#).into(),
        first(&claims, r#""x":[{"y":1,"y":2}]"#).into(),
        first(&claims, &format!(r#""x":{}1{}"#, "[".repeat(2_000), "]".repeat(2_000))).into(),
        first(&claims, "\"x\":\"\u{1}\"").into(),
        first(&claims, r#""x":NaN"#).into(),
        first(&claims, r#""x":"\ud800""#).into(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        format!("[{claims}]").into(),
        format!("{claims}x").into(),
        [claims.as_bytes(), b"\0"].concat(),
    ];
    let in_header = headers.iter().map(|text| (text, workshop.key.compact_raw(text, claims.as_bytes())));
    let in_payload = payloads.iter().map(|text| (text, workshop.key.compact_raw(header.as_bytes(), text)));
    let forge = |(text, token): (&Vec<u8>, String)| {
        let shown: String = String::from_utf8_lossy(text).chars().take(60).collect();
        Forgery::new(format!("JSON {shown}"), token, Malformed)
    };
    in_header.chain(in_payload).map(forge).collect()
}

fn parts(token: &str) -> (&str, &str, &str) {
    let mut parts = token.split('.');
    let mut next = || parts.next().expect("three parts");
    (next(), next(), next())
}

/// The same bytes in a spelling whose last character has bits that no byte takes up.
fn stray(text: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.find(last).expect("base64url");
    format!("{head}{}", &ALPHABET[value + 1..=value + 1])
}
