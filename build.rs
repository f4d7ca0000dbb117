//! Compiles the contract: Rust code for the edge, and the descriptors, comments included, for reflection.

use std::path::PathBuf;

const PROTOS: [&str; 6] = [
    "envoy/service/auth/v3/external_auth.proto",
    "keystead/v1/account_service.proto",
    "keystead/v1/admin_service.proto",
    "keystead/v1/auth_service.proto",
    "keystead/v1/error_reason.proto",
    "keystead/v1/token_service.proto",
];

/// Messages that hold a secret or an address: `src/grpc/pb.rs` writes their `Debug` by hand.
const REDACTED: [&str; 41] = [
    ".envoy.service.auth.v3.CheckRequest",
    ".envoy.service.auth.v3.AttributeContext",
    ".envoy.service.auth.v3.CheckResponse",
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
    ".keystead.v1.ConfirmEmailChangeRequest",
    ".keystead.v1.ChangePasswordRequest",
    ".keystead.v1.ChangeEmailRequest",
    ".keystead.v1.CreateUserRequest",
    ".keystead.v1.UserImport",
    ".keystead.v1.ExportedUser",
    ".keystead.v1.UserFilter",
    ".keystead.v1.CreateServiceAccountResponse",
    ".keystead.v1.RotateServiceAccountSecretResponse",
    ".keystead.v1.IssueServiceTokenRequest",
    ".keystead.v1.IssueServiceTokenResponse",
    ".keystead.v1.RevokeTokenRequest",
    ".keystead.v1.CompleteMfaRequest",
    ".keystead.v1.BeginMfaEnrollmentRequest",
    ".keystead.v1.ConfirmMfaEnrollmentRequest",
    ".keystead.v1.ConfirmMfaEnrollmentResponse",
    ".keystead.v1.ConfirmTotpEnrollmentRequest",
    ".keystead.v1.ConfirmTotpEnrollmentResponse",
    ".keystead.v1.RegenerateRecoveryCodesResponse",
    ".keystead.v1.MfaChallenge",
    ".keystead.v1.TotpEnrollment",
    ".keystead.v1.User",
    ".keystead.v1.OAuthFlow",
    ".keystead.v1.StartOAuthRequest",
    ".keystead.v1.CompleteOAuthRequest",
    ".keystead.v1.LinkIdentityRequest",
    ".keystead.v1.CompleteLinkIdentityRequest",
    ".keystead.v1.Identity",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A directory is watched with all that is in it.
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(PROTOS)?;
    #[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
    let out_dir = PathBuf::from(std::env::var("OUT_DIR")?);
    // As bytes: the generated types of the descriptors would drop the options of our own.
    std::fs::write(out_dir.join("keystead_descriptor.bin"), compiler.encode_file_descriptor_set())?;

    tonic_prost_build::configure()
        .codec_path("crate::grpc::codec::StrictCodec")
        .skip_debug(REDACTED)
        .extern_path(".keystead.v1.AccessTokenClaims", "crate::grpc::claims::AccessTokenClaims")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
