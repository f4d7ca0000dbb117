//! Hashes that come in: those that are refused are nowhere afterwards, those that are taken lie in their row alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keystead::grpc::pb::{self, ImportStatus, UserImport};

use super::forms::Secret;
use super::notes::Notes;
use crate::harness::Program;
use crate::harness::records::canary;

/// Imports rows, good and bad, and exports them; the hashes that are stored from then on.
pub async fn take_in(program: &Program, notes: &mut Notes, administrator: &pb::TokenSet) -> Vec<Secret> {
    let admin = program.client().await.bearing(&administrator.access_token);
    let refused = canary("a hash of no known form ");
    notes.secrets.push(Secret::new("a hash that is refused", &refused));
    let kept = canary("thirty-two-bytes-of-a-hash-and-more");
    let encoded = STANDARD_NO_PAD.encode(kept.as_bytes());
    let row = |email: &str, password_hash: String| UserImport {
        email: email.to_owned(),
        password_hash,
        ..UserImport::default()
    };
    let rows = vec![
        row("heron@example.com", format!("$pbkdf2-sha256$i=1000$MDEyMzQ1Njc4OWFiY2RlZg${encoded}")),
        row("crane@example.com", refused.clone()),
        row("stork@example.com", format!("$2b$31${refused}")),
    ];
    let results = admin.import(rows).await.expect("results");
    let statuses: Vec<_> = results.iter().map(pb::ImportResult::status).collect();
    assert_eq!(statuses, [ImportStatus::Created, ImportStatus::Refused, ImportStatus::Refused]);
    notes.told(results);
    let exported = admin.export(pb::UserFilter::default()).await.expect("accounts");
    for user in exported {
        notes.told(String::from_utf8_lossy(&prost::Message::encode_to_vec(&user)));
    }
    vec![Secret::new("a hash that is kept", kept)]
}
