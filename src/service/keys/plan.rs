//! Which keys the ring should hold next: a pure decision, taken anew at each look.

use std::time::Duration;

use super::settings::KeySettings;
use crate::domain::clock::Timestamp;
use crate::domain::key::{KeyPurpose, KeyState, StoredKey};

/// A step in the life of the signing keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the next key and publish it.
    Create,
    /// The next key signs from now on, the active one signs no more.
    Activate { next: String, retiring: String },
    /// The last token of the key has expired.
    Remove { retired: String },
}

/// What is due at `now`; at most one step, so that each swap is small and told by itself. `token_reach` is for how long
/// after its issue a token can be accepted.
pub fn due(keys: &[StoredKey], settings: &KeySettings, token_reach: Duration, now: Timestamp) -> Option<Step> {
    let lead = settings.publish_lead();
    let in_state = |state| keys.iter().find(|key| key.purpose == KeyPurpose::Signing && key.state == state);
    // A replica may sign with a ring that is as old as the lead, so the last token comes that much later.
    let outlived = |key: &&StoredKey| {
        let is_retiring = key.purpose == KeyPurpose::Signing && key.state == KeyState::Retiring;
        is_retiring && now >= key.state_since.after(lead).after(token_reach)
    };
    if let Some(key) = keys.iter().find(outlived) {
        return Some(Step::Remove { retired: key.id.clone() });
    }
    let active = in_state(KeyState::Active)?;
    let takes_over_at = active.state_since.after(settings.rotation_period);
    match in_state(KeyState::Next) {
        None => (now >= takes_over_at.before(lead)).then_some(Step::Create),
        // Made when the active key's time was nearly over, or because somebody has asked for a rotation.
        Some(next) => (now >= next.created_at.after(lead))
            .then(|| Step::Activate { next: next.id.clone(), retiring: active.id.clone() }),
    }
}
