//! Compiles what the bench calls of the contract, and the empty service that it compares with.

const OURS: [&str; 3] =
    ["keystead/v1/auth_service.proto", "keystead/v1/token_service.proto", "keystead/v1/admin_service.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for watched in ["../proto", "proto", "build.rs"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    let ours = protox::compile(OURS, ["../proto"])?;
    tonic_prost_build::configure().build_server(false).skip_debug(["."]).compile_fds(ours)?;
    let empty = protox::compile(["bench/v1/empty.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(empty)?;
    Ok(())
}
