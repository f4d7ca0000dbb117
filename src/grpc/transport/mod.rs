//! Connections: encrypted where that is set, spoken to in HTTP/2, closed when unfinished or old.

pub mod connection;
pub mod metered;
pub mod tls;
