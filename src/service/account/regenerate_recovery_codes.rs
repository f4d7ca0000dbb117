//! Gives the caller's account new recovery codes in the place of all that it has.

use std::sync::Arc;

use super::factor_edits::FactorEdits;
use crate::domain::caller::Caller;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorEdit;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::ServiceResult;
use crate::service::second_factor::enroller::{Enroller, RecoveryCodes};

/// Gives the caller's account new recovery codes.
pub struct RegenerateRecoveryCodes {
    pub edits: Arc<FactorEdits>,
    pub guard: Arc<SecretGuard>,
    pub enroller: Arc<Enroller>,
}

impl RegenerateRecoveryCodes {
    /// Each call mails the owner, and so spends what mails to the address may cost.
    pub async fn run(&self, caller: &Caller, origin: &Origin) -> ServiceResult<RecoveryCodes> {
        let user = self.edits.user(caller).await?;
        self.guard.admit_mail_of(user.id, &user.email, origin).await?;
        let (hashes, codes) = self.enroller.draw_codes();
        self.edits.apply(&user, FactorEdit::ReplaceCodes(hashes), caller, origin).await?;
        Ok(codes)
    }
}
