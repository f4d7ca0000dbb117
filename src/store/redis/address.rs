//! Where Redis is: one server, or the nodes of a cluster by which it is found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deadpool_redis::redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};

use super::SettingsFault;

/// A parsed URL. Holds a password.
#[derive(Clone)]
pub struct Address {
    pub nodes: Vec<ConnectionInfo>,
    pub is_cluster: bool,
    /// What vouches for the nodes by TLS, where it is not the system's authorities alone.
    pub certificates: Option<TlsCertificates>,
}

impl Address {
    /// `redis://` and `rediss://` (TLS) name one server; `redis+cluster://` and `rediss+cluster://` name some nodes,
    /// separated by commas, behind one user and password.
    pub fn parse(url: &str) -> Result<Self, SettingsFault> {
        let (scheme, rest) = url.split_once("://").ok_or(SettingsFault::Url)?;
        // The fragment is where the client takes "do not check the certificate" from.
        if rest.contains('#') {
            return Err(SettingsFault::Url);
        }
        let (base, is_cluster) = match scheme {
            "redis" | "rediss" => (scheme, false),
            "redis+cluster" => ("redis", true),
            "rediss+cluster" => ("rediss", true),
            _ => return Err(SettingsFault::Url),
        };
        let (access, hosts) = rest.rsplit_once('@').map_or((String::new(), rest), |(a, h)| (format!("{a}@"), h));
        let hosts: Vec<&str> = if is_cluster { hosts.split(',').collect() } else { vec![hosts] };
        let nodes = hosts.into_iter().map(|host| node(&format!("{base}://{access}{host}")));
        Ok(Self { nodes: nodes.collect::<Result<_, _>>()?, is_cluster, certificates: None })
    }

    /// The same nodes, for which certificates of these authorities (PEM) may vouch as well. In clear text nobody vouches.
    pub fn trusting(self, authorities: &str) -> Result<Self, SettingsFault> {
        if !self.nodes.iter().all(|node| matches!(node.addr(), ConnectionAddr::TcpTls { .. })) {
            return Ok(self);
        }
        let root_cert = [system_authorities().as_bytes(), authorities.as_bytes()].concat();
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
        let trusting = |node: ConnectionInfo| {
            let client = Client::build_with_tls(node, certificates.clone()).map_err(|_| SettingsFault::Authorities)?;
            Ok(client.get_connection_info().clone())
        };
        let nodes = self.nodes.into_iter().map(trusting).collect::<Result<_, _>>()?;
        Ok(Self { nodes, certificates: Some(certificates), ..self })
    }
}

/// In PEM, since the client takes the place of the system's authorities by what it is given.
fn system_authorities() -> String {
    let certificates = rustls_native_certs::load_native_certs().certs.into_iter();
    let pem = |text: String| format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    certificates.map(|certificate| pem(STANDARD.encode(&certificate))).collect()
}

fn node(url: &str) -> Result<ConnectionInfo, SettingsFault> {
    url.into_connection_info().map_err(|_| SettingsFault::Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> Result<Vec<String>, SettingsFault> {
        Address::parse(url).map(|address| address.nodes.iter().map(|node| node.addr().to_string()).collect())
    }

    #[test]
    fn one_server_or_the_nodes_of_a_cluster() {
        assert_eq!(nodes("redis://cache:6380/2"), Ok(vec!["cache:6380".to_owned()]));
        assert_eq!(nodes("rediss://u:p%40ss@cache"), Ok(vec!["cache:6379".to_owned()]));
        let cluster = "redis+cluster://u:p@a:7000,b:7001,c:7002";
        assert_eq!(nodes(cluster), Ok(vec!["a:7000".to_owned(), "b:7001".to_owned(), "c:7002".to_owned()]));
        assert!(Address::parse(cluster).is_ok_and(|address| address.is_cluster));
        assert!(Address::parse("redis://cache").is_ok_and(|address| !address.is_cluster));
    }

    #[test]
    fn what_names_no_redis_is_a_fault() {
        for url in
            ["", "cache:6379", "http://cache", "redis://", "redis+cluster://a:1,,b:2", "rediss://cache/#insecure"]
        {
            assert_eq!(nodes(url), Err(SettingsFault::Url), "{url}");
        }
    }
}
