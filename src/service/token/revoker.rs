//! Makes revocations that were just committed count: here at once, elsewhere as soon as the others are told.

use std::sync::Arc;

use super::revocation_state::RevocationState;
use crate::domain::ports::RevocationSignal;
use crate::domain::revocation::Revocation;

/// Makes committed revocations count.
pub struct Revoker {
    pub state: Arc<RevocationState>,
    pub signal: Arc<dyn RevocationSignal>,
}

impl Revoker {
    /// To be called before the caller is answered, so that what was acknowledged counts on this replica.
    pub async fn tell(&self, revocations: &[Revocation]) {
        if revocations.is_empty() {
            return;
        }
        self.state.apply(revocations);
        self.signal.announce().await;
    }
}
