//! The HTTP edge.

use std::net::{Ipv4Addr, SocketAddr};

use crate::config::reader::Reader;

#[derive(Clone, Debug)]
pub struct HttpSettings {
    pub listen: SocketAddr,
}

pub fn read(reader: &mut Reader) -> HttpSettings {
    HttpSettings {
        listen: reader.value(
            "http.listen",
            SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            "Where the published keys and the health probes are served; port 0 takes a free one.",
        ),
    }
}
