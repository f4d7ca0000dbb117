//! The message against the contract's own description of it.

use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _, Value};

use super::*;
use crate::grpc::pb::FILE_DESCRIPTOR_SET;

const NAME: &str = "keystead.v1.AccessTokenClaims";

fn full() -> AccessTokenClaims {
    let texts = |prefix: &str| vec![format!("{prefix}-1"), format!("{prefix}-2")];
    AccessTokenClaims(Arc::new(Claims {
        iss: "https://issuer.example".to_owned(),
        sub: Uuid::from_u128(1),
        aud: texts("audience"),
        client_id: "client".to_owned(),
        exp: 1_700_000_600,
        iat: 1_700_000_001,
        nbf: 1_700_000_002,
        jti: Uuid::from_u128(2),
        sid: Uuid::from_u128(3),
        epoch: 7,
        auth_time: 1_700_000_003,
        amr: texts("method"),
        roles: texts("role"),
        scope: texts("scope"),
    }))
}

/// As whoever has nothing but the contract reads it.
fn reflected(message: &AccessTokenClaims) -> DynamicMessage {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let descriptor = pool.get_message_by_name(NAME).expect("the message");
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).expect("a message")
}

fn texts(message: &DynamicMessage, name: &str) -> Vec<String> {
    let field = message.get_field_by_name(name).expect("a field");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    field.as_list().map_or_else(|| vec![text(&field)], |list| list.iter().map(text).collect())
}

fn seconds(message: &DynamicMessage, name: &str) -> i64 {
    let field = message.get_field_by_name(name).expect("a field");
    let time = field.as_message().expect("a time");
    assert!(!time.has_field_by_name("nanos"));
    time.get_field_by_name("seconds").and_then(|seconds| seconds.as_i64()).expect("seconds")
}

#[test]
fn every_field_is_where_the_contract_says() {
    let full = full();
    let (claims, read) = (&full.0, reflected(&full));
    assert_eq!(read.descriptor().fields().count(), 14, "a new field is to be written too");
    assert_eq!(read.unknown_fields().count(), 0);
    assert_eq!(texts(&read, "issuer"), [claims.iss.as_str()]);
    assert_eq!(texts(&read, "client_id"), [claims.client_id.as_str()]);
    assert_eq!(texts(&read, "subject"), [claims.sub.to_string()]);
    assert_eq!(texts(&read, "token_id"), [claims.jti.to_string()]);
    assert_eq!(texts(&read, "session_id"), [claims.sid.to_string()]);
    assert_eq!(texts(&read, "audiences"), claims.aud);
    assert_eq!(texts(&read, "authentication_methods"), claims.amr);
    assert_eq!(texts(&read, "roles"), claims.roles);
    assert_eq!(texts(&read, "scopes"), claims.scope);
    assert_eq!(seconds(&read, "expire_time"), claims.exp);
    assert_eq!(seconds(&read, "issue_time"), claims.iat);
    assert_eq!(seconds(&read, "not_before_time"), claims.nbf);
    assert_eq!(seconds(&read, "authentication_time"), claims.auth_time);
    assert_eq!(read.get_field_by_name("epoch").and_then(|epoch| epoch.as_i64()), Some(claims.epoch));
}

#[test]
fn what_is_written_is_as_long_as_it_was_said_to_be_and_reads_the_same() {
    for message in [full(), AccessTokenClaims::default()] {
        let bytes = message.encode_to_vec();
        assert_eq!(bytes.len(), message.encoded_len());
        assert_eq!(AccessTokenClaims::decode(bytes.as_slice()), Ok(message));
    }
}

#[test]
fn a_field_of_a_later_contract_is_passed_over() {
    let mut bytes = full().encode_to_vec();
    string::encode(99, &"later".to_owned(), &mut bytes);
    assert_eq!(AccessTokenClaims::decode(bytes.as_slice()), Ok(full()));
}
