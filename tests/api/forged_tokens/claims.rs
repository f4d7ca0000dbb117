//! Claims that are missing, ill-typed, out of their time or somebody else's, under a signature that is good.

use keystead::grpc::pb::TokenStatus::{self, Expired, Malformed, NotYetValid, WrongIssuer};
use serde_json::{Value, json};

use super::{Forgery, Workshop};

const REQUIRED: [&str; 13] =
    ["iss", "sub", "aud", "client_id", "exp", "iat", "nbf", "jti", "sid", "epoch", "auth_time", "amr", "roles"];

pub fn table(workshop: &Workshop) -> Vec<Forgery> {
    let mut table = Vec::new();
    for name in REQUIRED {
        let without = workshop.key.compact(workshop.good.clone().claim(name, Value::Null));
        table.push(Forgery::new(format!("no {name}"), without, Malformed));
        table.extend(ill_typed(name).into_iter().map(|value| changed(workshop, &[(name, value)], Malformed)));
    }
    table.extend(out_of_time(workshop));
    for issuer in ["http://localhost:8081", "http://localhost:8080/", "HTTP://LOCALHOST:8080", " ", ""] {
        table.push(changed(workshop, &[("iss", json!(issuer))], WrongIssuer));
    }
    table.push(changed(workshop, &[("scope", json!(["a"]))], Malformed));
    table
}

/// The good token with other claims, signed with the service's key.
fn changed(workshop: &Workshop, values: &[(&str, Value)], verdict: TokenStatus) -> Forgery {
    let mut claims = workshop.good.claims.clone();
    for (name, value) in values {
        claims[*name] = value.clone();
    }
    let header = workshop.good.header.to_string();
    let token = workshop.key.compact_raw(header.as_bytes(), claims.to_string().as_bytes());
    let what: Vec<String> = values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    Forgery::new(what.join(", "), token, verdict)
}

// promise T4
fn ill_typed(name: &str) -> Vec<Value> {
    let mut values = vec![Value::Null, json!(true), json!({})];
    values.extend(match name {
        "iss" | "client_id" => vec![json!(1), json!(["http://localhost:8080"])],
        "aud" => vec![json!(""), json!([]), json!([""]), json!([1]), json!(["keystead", null]), json!([["keystead"]])],
        "amr" | "roles" => vec![json!("admin"), json!([1]), json!([null])],
        "sub" | "jti" | "sid" => not_a_uuid(),
        _ => vec![json!("2000000000"), json!(2_000_000_000.5), json!(2e9), json!([2_000_000_000])],
    });
    values
}

fn not_a_uuid() -> Vec<Value> {
    vec![
        json!(7),
        json!(""),
        json!("admin"),
        json!("0190C0DE-0000-7000-8000-000000000000"),
        json!("0190c0de000070008000000000000000"),
        json!("{0190c0de-0000-7000-8000-000000000000}"),
        json!("urn:uuid:0190c0de-0000-7000-8000-000000000000"),
        json!(" 0190c0de-0000-7000-8000-000000000000"),
    ]
}

fn out_of_time(workshop: &Workshop) -> Vec<Forgery> {
    let now = workshop.good.claims["iat"].as_i64().expect("seconds");
    let times = |iat: i64, nbf: i64, exp: i64| [("iat", json!(iat)), ("nbf", json!(nbf)), ("exp", json!(exp))];
    [
        (times(now - 700, now - 700, now - 100), Expired),
        (times(now - 600, now - 600, now - 6), Expired),
        (times(now, now + 300, now + 600), NotYetValid),
        (times(now + 300, now + 300, now + 600), NotYetValid),
        (times(now + 300, now, now + 600), NotYetValid),
        (times(now, now, now + 3_601), Malformed),
        (times(now, now, now + 100 * 365 * 86_400), Malformed),
        (times(now, now, now), Malformed),
        (times(now, now, now - 1), Malformed),
        (times(now, now, i64::MAX), Malformed),
        (times(i64::MIN, now, i64::MAX), Malformed),
        (times(-1, -1, -1), Malformed),
        (times(0, 0, 600), Expired),
    ]
    .into_iter()
    .map(|(values, verdict)| changed(workshop, &values, verdict))
    .collect()
}
