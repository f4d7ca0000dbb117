//! Signatures of other tokens, of no token, and in other forms.

use keystead::grpc::pb::TokenStatus::{BadSignature, Malformed};
use serde_json::json;

use super::{Forgery, Workshop};
use crate::harness::token::Jwt;

/// The order of P-256 (SEC 2, section 2.4.2): no `r` or `s` is as large.
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

pub fn table(workshop: &Workshop) -> Vec<Forgery> {
    let Workshop { good, key, .. } = workshop;
    let signature = &good.signature;
    let (r, s) = signature.split_at(32);
    let order = order();
    let zero = [0; 32];
    let other = good.clone().claim("roles", json!(["admin"]));
    let swapped = key.sign(other.signing_input().as_bytes());
    let mut bit = signature.clone();
    bit[40] ^= 1;
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("r and s zero", vec![0; 64]),
        ("r zero", [&zero, s].concat()),
        ("s zero", [r, &zero].concat()),
        ("r and s the order", [order.as_slice(), &order].concat()),
        ("r and s all ones", vec![0xff; 64]),
        ("r and s exchanged", [s, r].concat()),
        ("in DER", der(r, s)),
        ("one bit changed", bit),
        ("a byte short", signature[..63].to_vec()),
        ("a byte more", [signature.as_slice(), &[0]].concat()),
        ("a zero before", [&[0], signature.as_slice()].concat()),
        ("twice", signature.repeat(2)),
        ("one byte", vec![0]),
        ("of a token with other claims", swapped),
    ];
    let forge = |(what, signature): (&str, Vec<u8>)| {
        Forgery::new(format!("signature: {what}"), Jwt { signature, ..good.clone() }.compact(), BadSignature)
    };
    let mut table: Vec<Forgery> = forms.into_iter().map(forge).collect();
    let of_the_good = Jwt { signature: signature.clone(), ..other }.compact();
    table.push(Forgery::new("more roles under the old signature", of_the_good, BadSignature));
    let none = Jwt { signature: Vec::new(), ..good.clone() }.compact();
    table.push(Forgery::new("signature: none", none, Malformed));
    table
}

fn order() -> Vec<u8> {
    (0..ORDER.len()).step_by(2).map(|at| u8::from_str_radix(&ORDER[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// ECDSA-Sig-Value (RFC 3279, section 2.2.3), in which JWS does not sign.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let significant = bytes.iter().position(|byte| *byte != 0).expect("not zero");
        let mut value = bytes[significant..].to_vec();
        if value[0] >= 0x80 {
            value.insert(0, 0);
        }
        [vec![2, u8::try_from(value.len()).expect("short")], value].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).expect("short")], body].concat()
}
