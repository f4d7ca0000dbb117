//! Takes the second factor from the caller's account, with its recovery codes.

use std::sync::Arc;

use super::factor_edits::FactorEdits;
use crate::domain::caller::Caller;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorEdit;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::rule::FactorRule;

/// Takes the second factor from the caller's account.
pub struct DisableTotp {
    pub edits: Arc<FactorEdits>,
    pub rule: FactorRule,
}

impl DisableTotp {
    /// Not where a role asks for it: another authenticator takes the place of one by an enrolment.
    pub async fn run(&self, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        let user = self.edits.user(caller).await?;
        if self.rule.asks(&user.roles) {
            return Err(ServiceError::MfaKeptByRole);
        }
        self.edits.apply(&user, FactorEdit::Remove, caller, origin).await
    }
}
