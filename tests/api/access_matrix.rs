//! Every method of the contract with every kind of bearer: who is let in, and how the others are refused.

mod bearers;
mod table;

use std::collections::BTreeSet;

use bytes::{Buf as _, Bytes};
use http::uri::PathAndQuery;
use keystead::grpc::pb;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

use self::bearers::{Bearer, Holder};
use self::table::{Needs, TABLE};
use crate::harness::{Backend, Client, Failure, Keystead, on_each_backend};

/// Speaks bytes, whatever they mean.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put(buffer, item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}

/// Calls a method with an empty message; of a stream the first answer counts.
async fn call(client: &Client, path: &'static str, authorization: &[String]) -> Result<(), Failure> {
    let mut request = Request::new(Bytes::new());
    for value in authorization {
        request.metadata_mut().append("authorization", value.parse().expect("a header's value"));
    }
    let mut grpc = Grpc::new(client.channel.clone());
    grpc.ready().await.expect("a connection");
    let answer = grpc.server_streaming(request, PathAndQuery::from_static(path), Raw).await;
    let mut answers = answer.map_err(Failure::checked)?.into_inner();
    answers.message().await.map(drop).map_err(Failure::checked)
}

/// The refusal of the table, or `None` where the caller is let in.
fn refusal(needs: Needs, holder: Holder) -> Option<(Code, &'static str)> {
    const BEARER: (Code, &str) = (Code::Unauthenticated, "BEARER_REQUIRED");
    const ROLE: (Code, &str) = (Code::PermissionDenied, "ROLE_REQUIRED");
    const RECENT: (Code, &str) = (Code::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
    match (needs, holder) {
        (Needs::Nothing, _)
        | (Needs::Own, Holder::User | Holder::UserOfLongAgo | Holder::Administrator)
        | (Needs::OwnRecent, Holder::User | Holder::Administrator)
        | (Needs::Admin, Holder::Administrator | Holder::MachineAdministrator)
        | (Needs::Verifier, Holder::MachineVerifier) => None,
        (Needs::Own | Needs::OwnRecent | Needs::Admin | Needs::Verifier, Holder::Nobody) => Some(BEARER),
        (Needs::OwnRecent, Holder::UserOfLongAgo) => Some(RECENT),
        (Needs::Own | Needs::OwnRecent, Holder::Machine | Holder::MachineVerifier | Holder::MachineAdministrator)
        | (Needs::Admin, Holder::User | Holder::UserOfLongAgo | Holder::Machine | Holder::MachineVerifier)
        | (
            Needs::Verifier,
            Holder::User
            | Holder::UserOfLongAgo
            | Holder::Administrator
            | Holder::Machine
            | Holder::MachineAdministrator,
        ) => Some(ROLE),
    }
}

async fn judge(client: &Client, path: &'static str, needs: Needs, bearer: &Bearer) {
    let what = format!("{path} with {}", bearer.name);
    let authorization: Vec<_> = bearer.token.iter().map(|token| format!("Bearer {token}")).collect();
    let answer = call(client, path, &authorization).await;
    match (refusal(needs, bearer.holder), answer) {
        (Some((code, reason)), answer) => {
            let failure = answer.expect_err(&what);
            assert_eq!((failure.code, failure.reason.as_str()), (code, reason), "{what}: {failure:?}");
            assert!(failure.fields.is_empty(), "nothing of the message was looked at: {what}");
        }
        (None, Ok(())) => {}
        (None, Err(failure)) => {
            let ours = ["BEARER_REQUIRED", "ROLE_REQUIRED", "REAUTHENTICATION_REQUIRED"];
            assert!(!ours.contains(&failure.reason.as_str()), "{what}: {failure:?}");
            assert_ne!(failure.code, Code::Unimplemented, "{what}");
        }
    }
}

// promise A1
async fn every_method_lets_in_whom_the_table_names_and_nobody_else(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let bearers = bearers::all(&keystead, &client).await;
    for (path, needs) in TABLE {
        for bearer in &bearers {
            judge(&client, path, *needs, bearer).await;
        }
    }
}

// promise A1
#[test]
fn the_table_has_every_method_of_the_contract_and_no_other() {
    let set = FileDescriptorSet::decode(pb::FILE_DESCRIPTOR_SET).expect("descriptors");
    let mut declared = BTreeSet::new();
    for file in set.file {
        for service in &file.service {
            for method in &service.method {
                declared.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    let listed: BTreeSet<_> = TABLE.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(listed, declared);
    assert_eq!(listed.len(), TABLE.len(), "each once");
}

// promise A1
async fn only_one_bearer_in_its_own_words_is_looked_at(backend: Backend) {
    const LIST: &str = "/keystead.v1.AdminService/ListRoles";
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let bearers = bearers::all(&keystead, &client).await;
    let administrator = bearers.iter().find(|bearer| bearer.holder == Holder::Administrator).expect("one");
    let token = administrator.token.as_deref().expect("a token");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        call(&client, LIST, &[format!("{scheme} {token}")]).await.expect("let in");
    }
    let good = format!("Bearer {token}");
    for sent in [
        vec![good.clone(), good.clone()],
        vec![good.clone(), "Bearer x".to_owned()],
        vec!["Bearer x".to_owned(), good.clone()],
        vec![format!("Basic {token}")],
        vec![token.to_owned()],
        vec![format!("Bearer{token}")],
        vec![format!("Bearer {token} {token}")],
        vec![format!("Bearer,{token}")],
    ] {
        call(&client, LIST, &sent).await.expect_err("no bearer").is(Code::Unauthenticated, "BEARER_REQUIRED");
    }
    for path in [
        "/keystead.v1.AdminService/listRoles",
        "/keystead.v1.AdminService/ListRoles/",
        "//keystead.v1.AdminService/ListRoles",
        "/keystead.v1.adminservice/ListRoles",
        "/AdminService/ListRoles",
    ] {
        let failure = call(&client, path, std::slice::from_ref(&good)).await.expect_err("no method");
        failure.is(Code::Unimplemented, "UNKNOWN_METHOD");
    }
}

on_each_backend!(
    every_method_lets_in_whom_the_table_names_and_nobody_else,
    only_one_bearer_in_its_own_words_is_looked_at,
);
