//! Connects, and notices a link that is silent.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use tonic::transport::{Channel, Endpoint};

/// A link that is silent is noticed after this and [`KEEP_ALIVE_TIMEOUT`].
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(1);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How long it may take until something can be asked, the handshake of TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The endpoint, made to notice a silent link.
pub(crate) fn connected_lazily(endpoint: Endpoint) -> Channel {
    let endpoint = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    // The time-out of tonic's own connector ends with TCP: a handshake without an answer would last for ever. Around a
    // connector that is handed in, it holds all. Endpoints without TLS may be Unix sockets, which this one does not know.
    if endpoint.uri().scheme_str() == Some("https") {
        endpoint.connect_with_connector_lazy(tcp(&endpoint))
    } else {
        endpoint.connect_lazy()
    }
}

/// A connector that does as the endpoint's own.
fn tcp(endpoint: &Endpoint) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(endpoint.get_connect_timeout());
    tcp.set_nodelay(endpoint.get_tcp_nodelay());
    tcp.set_keepalive(endpoint.get_tcp_keepalive());
    tcp.set_keepalive_interval(endpoint.get_tcp_keepalive_interval());
    tcp.set_keepalive_retries(endpoint.get_tcp_keepalive_retries());
    tcp
}
