//! Compiles the contract: Rust code for the edge, and the descriptors, comments included, for reflection.

use std::path::PathBuf;

use prost::Message as _;

const PROTOS: [&str; 5] = [
    "keystead/v1/auth_service.proto",
    "keystead/v1/error_reason.proto",
    "keystead/v1/token.proto",
    "keystead/v1/token_service.proto",
    "keystead/v1/user.proto",
];

/// Messages that hold a secret or an address: `src/grpc/pb.rs` writes their `Debug` by hand.
const REDACTED: [&str; 11] = [
    ".keystead.v1.RegisterRequest",
    ".keystead.v1.LoginRequest",
    ".keystead.v1.TokenSet",
    ".keystead.v1.RefreshRequest",
    ".keystead.v1.LogoutRequest",
    ".keystead.v1.VerifyTokenRequest",
    ".keystead.v1.RequestResetRequest",
    ".keystead.v1.ConfirmResetRequest",
    ".keystead.v1.RequestEmailVerificationRequest",
    ".keystead.v1.ConfirmEmailRequest",
    ".keystead.v1.User",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A directory is watched with all that is in it.
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");

    let descriptors = protox::compile(PROTOS, ["proto"])?;
    #[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
    let out_dir = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out_dir.join("keystead_descriptor.bin"), descriptors.encode_to_vec())?;

    tonic_prost_build::configure()
        .codec_path("crate::grpc::codec::StrictCodec")
        .skip_debug(REDACTED)
        .compile_fds(descriptors)?;
    Ok(())
}
