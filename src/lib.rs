//! Keystead: a self-hosted gRPC authentication service.
//!
//! A request comes in at the edge (`grpc`, `http`), one use case (`service`) decides, ports (`domain::ports`) do the
//! I/O (`store`, `outbound`). Arrows only go down; `app` alone sees everybody. ARCHITECTURE.md holds the whole map.

pub mod app;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod grpc;
pub mod http;
pub mod net;
pub mod outbound;
pub mod service;
pub mod store;
pub mod telemetry;
