//! Compiles what the client calls of the contract, and the server's side of it for the issuer for tests.

const PROTO: &str = "../proto";

const PROTOS: [&str; 2] = ["keystead/v1/auth_service.proto", "keystead/v1/token_service.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    println!("cargo:rerun-if-changed=build.rs");
    #[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
    let testing = std::env::var_os("CARGO_FEATURE_TESTING").is_some();

    let mut compiler = protox::Compiler::new([PROTO])?;
    compiler.include_imports(true).open_files(PROTOS)?;
    tonic_prost_build::configure()
        .build_server(testing)
        // Requests and answers hold tokens and secrets.
        .skip_debug(["."])
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
