//! TLS 1.2 and 1.3 by rustls, HTTP/2 alone by ALPN, and certificates that are renewed while connections go on.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// Anybody beside the owner and the group.
const OTHERS: u32 = 0o007;

/// Where the PEM files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub private_key: PathBuf,
    pub client_ca: Option<PathBuf>,
}

/// Why the files give no TLS. Holds nothing of what is in them.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    #[error("{}: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
    #[error("{}: must not be open to everybody (chmod o-rwx)", .0.display())]
    KeyOpenToAll(PathBuf),
    #[error("a PEM file is at fault: {0}")]
    Pem(#[from] pem::Error),
    #[error("certificate and key make no TLS: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("the clients' authorities are at fault: {0}")]
    ClientCa(#[from] VerifierBuilderError),
}

/// What a look at the files gave.
#[must_use]
#[derive(Debug)]
pub enum Reload {
    Unchanged,
    Renewed,
    /// The old certificate stays.
    Failed(TlsFault),
}

/// The configuration in use.
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<Loaded>,
}

struct Loaded {
    material: Material,
    config: Arc<ServerConfig>,
}

/// The bytes of the files: what tells whether they have changed.
#[derive(PartialEq, Eq)]
struct Material {
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

impl Tls {
    pub async fn load(files: TlsFiles) -> Result<Self, TlsFault> {
        let material = Material::read(&files).await?;
        let config = Arc::new(material.config()?);
        Ok(Self { files, current: ArcSwap::from_pointee(Loaded { material, config }) })
    }

    /// What the next connection is accepted with.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.load().config))
    }

    /// Takes up the files if they have changed and are good.
    pub async fn reload(&self) -> Reload {
        match self.changed().await {
            Ok(None) => Reload::Unchanged,
            Ok(Some(loaded)) => {
                self.current.store(Arc::new(loaded));
                Reload::Renewed
            }
            Err(fault) => Reload::Failed(fault),
        }
    }

    async fn changed(&self) -> Result<Option<Loaded>, TlsFault> {
        let material = Material::read(&self.files).await?;
        if material == self.current.load().material {
            return Ok(None);
        }
        let config = Arc::new(material.config()?);
        Ok(Some(Loaded { material, config }))
    }
}

impl Material {
    async fn read(files: &TlsFiles) -> Result<Self, TlsFault> {
        check_mode(&files.private_key).await?;
        let client_ca = match &files.client_ca {
            Some(path) => Some(read(path).await?),
            None => None,
        };
        Ok(Self {
            certificate: read(&files.certificate).await?,
            private_key: Zeroizing::new(read(&files.private_key).await?),
            client_ca,
        })
    }

    fn config(&self) -> Result<ServerConfig, TlsFault> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.private_key)?;
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(authorities) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(authorities)? {
                    roots.add(authority)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    CertificateDer::pem_slice_iter(pem).collect()
}

async fn read(path: &Path) -> Result<Vec<u8>, TlsFault> {
    tokio::fs::read(path).await.map_err(|error| TlsFault::Unreadable(path.to_owned(), error))
}

/// A key that everybody can read is no secret (promise S3).
async fn check_mode(path: &Path) -> Result<(), TlsFault> {
    let metadata = tokio::fs::metadata(path).await.map_err(|error| TlsFault::Unreadable(path.to_owned(), error))?;
    if metadata.permissions().mode() & OTHERS == 0 { Ok(()) } else { Err(TlsFault::KeyOpenToAll(path.to_owned())) }
}

#[cfg(test)]
mod tests;
