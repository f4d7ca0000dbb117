//! Authorities of the operator's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::reader::Reader;

const CA_FILE: &str = "tls.ca_file";

/// Certificates that are trusted beside those of the public authorities.
#[derive(Clone, Debug)]
pub struct Authorities {
    pub file: PathBuf,
    /// What the file holds.
    pub pem: Arc<str>,
}

/// `None` where public authorities alone are trusted.
pub fn read(reader: &mut Reader) -> Option<Authorities> {
    let file: PathBuf = reader.optional(
        CA_FILE,
        "PEM file with authorities that are trusted beside the public ones: by them PostgreSQL, Redis, the mail server, \
         identity providers and the collector of traces may vouch for themselves. Read at the start.",
    )?;
    match certificates(&file) {
        Ok(pem) => Some(Authorities { file, pem: pem.into() }),
        Err(problem) => {
            reader.fault(CA_FILE, problem);
            None
        }
    }
}

/// The file's text, if it holds certificates and nothing that is broken.
fn certificates(file: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("names a file that cannot be read: {}", error.kind()))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let added = certificate.ok().and_then(|certificate| store.add(certificate).ok());
        added.ok_or("names a file with something in it that is no certificate")?;
    }
    if store.is_empty() { Err("names a file without a certificate in PEM".to_owned()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        certificates(file.path())
    }

    #[test]
    fn a_file_with_certificates_alone_will_do() {
        let one = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap().cert.pem();
        let two = format!("# ours\n{one}\n{one}");
        assert_eq!(verdict(&two), Ok(two));
        for text in ["", "no PEM", &one[..one.len() / 2], &one.replace("MII", "AAA")] {
            assert!(verdict(text).is_err(), "{text}");
        }
        assert!(certificates(Path::new("/nowhere")).unwrap_err().contains("cannot be read"));
    }
}
