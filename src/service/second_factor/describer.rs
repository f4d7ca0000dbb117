//! Tells how an account stands to second factors.

use std::sync::Arc;

use super::rule::FactorRule;
use crate::domain::ports::second_factors::SecondFactors;
use crate::domain::second_factor::EnrolledFactor;
use crate::domain::user::User;
use crate::service::error::ServiceResult;

/// Tells how accounts stand to second factors.
pub struct FactorDescriber {
    pub factors: Arc<dyn SecondFactors>,
    pub rule: FactorRule,
}

/// How an account stands to second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorStanding {
    pub enrolled: Option<EnrolledFactor>,
    /// Whether a role of the account asks for one.
    pub is_required: bool,
}

/// An account with how it stands to second factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedUser {
    pub user: User,
    pub factor: FactorStanding,
}

impl FactorDescriber {
    pub async fn describe(&self, user: User) -> ServiceResult<DescribedUser> {
        let enrolled = self.factors.describe(user.id).await?;
        let factor = FactorStanding { enrolled, is_required: self.rule.asks(&user.roles) };
        Ok(DescribedUser { user, factor })
    }
}
