//! Takes an identity from the caller's account, and ends the caller's other sessions.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::id::IdentityId;
use crate::domain::origin::Origin;
use crate::service::error::ServiceResult;
use crate::service::federation::unlinker::{UnlinkRequest, Unlinker};

/// Takes an identity from the caller's account, unless nothing would be left to sign in with.
pub struct UnlinkIdentity {
    pub unlinker: Arc<Unlinker>,
}

impl UnlinkIdentity {
    pub async fn run(&self, identity: IdentityId, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        let request = UnlinkRequest { user: owner(caller)?, identity };
        self.unlinker.unlink(request, Some(caller.session), &caller.initiates(origin)).await
    }
}
