//! A caller's leave to go on: what a stream asks for again and again, by the same check that let it begin.

use std::sync::Arc;

use super::{CheckAccess, Need};
use crate::domain::caller::Caller;
use crate::domain::origin::Origin;
use crate::service::error::ServiceResult;

/// A call that was let in. Holds the bearer, and so never prints.
#[derive(Clone)]
pub struct Admission {
    access: Arc<CheckAccess>,
    bearer: Arc<str>,
    need: Need,
    method: Arc<str>,
    origin: Origin,
}

impl Admission {
    pub fn new(access: Arc<CheckAccess>, bearer: &str, need: Need, method: &str, origin: Origin) -> Self {
        Self { access, bearer: bearer.into(), need, method: method.into(), origin }
    }

    /// The caller, if they may still call the method: the token not expired or revoked, the role not lost.
    pub async fn check(&self) -> ServiceResult<Caller> {
        self.access.run(&self.bearer, &self.need, &self.method, &self.origin).await
    }

    /// Whether the bearer is still good, by memory alone: asked far more often than the database could be. Whatever
    /// takes a role or the account away revokes the bearer too.
    pub fn check_bearer(&self) -> ServiceResult<()> {
        self.access.verify(&self.bearer).map(drop)
    }
}
