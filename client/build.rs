//! Compiles what the client calls of the contract; for tests and examples also the server's side of it, and the service
//! that the examples protect.

const PROTO: &str = "../proto";
const EXAMPLES: &str = "examples/proto";

const PROTOS: [&str; 2] = ["keystead/v1/auth_service.proto", "keystead/v1/token_service.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for watched in [PROTO, EXAMPLES, "build.rs"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    #[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
    let testing = std::env::var_os("CARGO_FEATURE_TESTING").is_some();

    let mut compiler = protox::Compiler::new([PROTO])?;
    compiler.include_imports(true).open_files(PROTOS)?;
    tonic_prost_build::configure()
        .build_server(testing)
        // Requests and answers hold tokens and secrets.
        .skip_debug(["."])
        .compile_fds(compiler.file_descriptor_set())?;
    if testing {
        let greeter = protox::compile(["greeter/v1/greeter.proto"], [EXAMPLES])?;
        tonic_prost_build::configure().compile_fds(greeter)?;
    }
    Ok(())
}
