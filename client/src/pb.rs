//! The generated code of `keystead.v1`: nothing of it is shown to the users of the crate.

#![expect(clippy::pedantic, reason = "generated")]
#![cfg_attr(feature = "testing", expect(clippy::allow_attributes, reason = "generated"))]
#![allow(dead_code, reason = "the client calls a part of the contract; `expect` does not see into it")]

tonic::include_proto!("keystead.v1");
