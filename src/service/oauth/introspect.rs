//! Introspection of a token (RFC 7662): what VerifyToken says of it, for those who may follow the revocations too.

use std::sync::Arc;

use super::client::{CheckClient, PresentedClient};
use crate::domain::origin::Origin;
use crate::domain::role::RoleName;
use crate::service::access::{CheckAccess, Need};
use crate::service::error::ServiceResult;
use crate::service::token::verify::{Claims, Expectations, Verdict, VerifyRequest, VerifyToken};

/// What the trail calls a caller who may not.
const CALL: &str = "Introspect";

/// Introspects a token.
pub struct Introspect {
    pub clients: Arc<CheckClient>,
    pub access: Arc<CheckAccess>,
    pub verify_token: Arc<VerifyToken>,
}

/// The token, and who asks about it.
pub struct IntrospectRequest {
    pub caller: Caller,
    pub token: String,
}

/// How a caller proves who they are.
pub enum Caller {
    Client(PresentedClient),
    Bearer(String),
}

impl Introspect {
    /// The claims of an access token that is good now; `None` for everything else. A refresh token is nothing that a
    /// service could be called with: told as active, it would pass where an access token is asked for.
    pub async fn run(&self, request: IntrospectRequest, origin: &Origin) -> ServiceResult<Option<Arc<Claims>>> {
        self.admit(request.caller, origin).await?;
        let request = VerifyRequest { access_token: request.token, expectations: Expectations::default() };
        match self.verify_token.run(&request)?.verdict {
            Verdict::Active(claims) => Ok(Some(claims)),
            Verdict::Expired
            | Verdict::NotYetValid
            | Verdict::Revoked
            | Verdict::BadSignature
            | Verdict::UnknownKey
            | Verdict::WrongAudience
            | Verdict::WrongIssuer
            | Verdict::WrongType
            | Verdict::Malformed
            | Verdict::InsufficientRole => Ok(None),
        }
    }

    /// Whoever asks must have the role that WatchRevocations wants, in the database and now.
    async fn admit(&self, caller: Caller, origin: &Origin) -> ServiceResult<()> {
        let role = RoleName::verifier();
        match caller {
            Caller::Bearer(token) => self.access.run(&token, &Need::Role(role), CALL, origin).await.map(drop),
            Caller::Client(client) => {
                let account = self.clients.service_account(client, CALL, origin).await?;
                self.access.run_for(&account, &role, CALL, origin).await
            }
        }
    }
}
