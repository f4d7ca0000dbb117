//! A tonic interceptor that lets verified requests pass.

use std::sync::Arc;

use keystead_verifier::Claims;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::client::KeysteadClient;
use crate::guard::{Guard, admit, bearer};
use crate::rejection::Rejection;

/// A tonic interceptor that lets verified requests pass and puts `Arc<Claims>` into their extensions.
///
/// An interceptor cannot wait: see [`KeysteadClient::verify_now`] for what that means. The
/// [layer](KeysteadClient::layer) has no such limits.
#[derive(Clone, Debug)]
pub struct VerifyInterceptor {
    client: KeysteadClient,
    guard: Guard,
}

impl VerifyInterceptor {
    pub(crate) const fn new(client: KeysteadClient, guard: Guard) -> Self {
        Self { client, guard }
    }

    /// Asks for a role too; several calls ask for all of them.
    #[must_use]
    pub fn require_role(self, role: impl Into<String>) -> Self {
        Self { guard: self.guard.require_role(role), ..self }
    }

    /// Asks for this audience instead of the client's.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self { guard: self.guard.audience(audience), ..self }
    }
}

impl Interceptor for VerifyInterceptor {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let realm = self.client.audience();
        // What somebody else has put there is nobody's identity.
        request.extensions_mut().remove::<Arc<Claims>>();
        let headers = request.metadata().as_ref();
        let token = bearer(headers).ok_or(Rejection::NoToken).map_err(|rejection| rejection.status(realm))?;
        let outcome = self.client.verify_now(token, &self.guard.expectations);
        admit(outcome, request.extensions_mut()).map_err(|rejection| rejection.status(realm))?;
        Ok(request)
    }
}
