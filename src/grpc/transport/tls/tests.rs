//! Certificates that are good, bad and renewed.

use std::fs;

use tempfile::TempDir;

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write_pair();
        folder
    }

    fn write_pair(&self) {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(self.files().certificate, pair.cert.pem()).unwrap();
        fs::write(self.files().private_key, pair.signing_key.serialize_pem()).unwrap();
        self.set_key_mode(0o600);
    }

    fn set_key_mode(&self, mode: u32) {
        fs::set_permissions(self.files().private_key, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn files(&self) -> TlsFiles {
        let path = |name: &str| self.0.path().join(name);
        TlsFiles { certificate: path("tls.crt"), private_key: path("tls.key"), client_ca: None }
    }
}

// promise N1
#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_a_bad_one_is_not() {
    let folder = Folder::new();
    let tls = Tls::load(folder.files()).await.unwrap();
    assert!(matches!(tls.reload().await, Reload::Unchanged));
    folder.write_pair();
    assert!(matches!(tls.reload().await, Reload::Renewed));
    let kept = Arc::clone(&tls.current.load().config);
    fs::write(folder.files().certificate, "no certificate").unwrap();
    assert!(matches!(tls.reload().await, Reload::Failed(_)));
    assert!(Arc::ptr_eq(&kept, &tls.current.load().config));
}

// promise S3
#[tokio::test]
async fn a_key_that_everybody_can_read_is_refused() {
    let folder = Folder::new();
    folder.set_key_mode(0o644);
    assert!(matches!(Tls::load(folder.files()).await, Err(TlsFault::KeyOpenToAll(_))));
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let folder = Folder::new();
    fs::remove_file(folder.files().certificate).unwrap();
    let Err(fault) = Tls::load(folder.files()).await else { panic!("a missing certificate was taken") };
    assert!(fault.to_string().contains("tls.crt"), "{fault}");
}
