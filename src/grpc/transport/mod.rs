//! Connections: encrypted where that is set, spoken to in HTTP/2, closed when unfinished or old.

pub mod connection;
pub mod inbound;
pub mod late_streams;
pub mod tls;
