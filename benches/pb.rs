//! The generated code: `keystead.v1` as its clients see it, and the empty service.

#![expect(clippy::pedantic, reason = "generated")]
#![expect(clippy::allow_attributes, reason = "generated")]
#![allow(dead_code, reason = "the bench calls a part of the contract; `expect` does not see into it")]

tonic::include_proto!("keystead.v1");

pub mod empty {
    tonic::include_proto!("bench.v1");
}
