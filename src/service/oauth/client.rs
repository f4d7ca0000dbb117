//! Which client asks (RFC 6749, sections 2.1 and 2.3).
//!
//! There are two kinds. A service account is a confidential client: its id, and its secret. Everything that people sign in
//! with is one public client, the `client_id` of their tokens: it has no secret, and may leave its name out.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::id::ServiceAccountId;
use crate::domain::origin::Origin;
use crate::domain::service_account::ServiceAccount;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::token::service_authenticator::ServiceAuthenticator;

/// What a request says of its client.
#[derive(Clone, PartialEq, Eq)]
pub enum PresentedClient {
    Unnamed,
    /// A name without a secret.
    Named(String),
    WithSecret {
        id: String,
        secret: String,
    },
}

/// Who the client is.
pub enum Client {
    /// People's.
    Public,
    ServiceAccount(ServiceAccount),
}

/// Tells who the client is.
pub struct CheckClient {
    pub authenticator: Arc<ServiceAuthenticator>,
    /// `client_id` of people's tokens.
    pub public_client: String,
}

impl CheckClient {
    /// Fails for a name that is not the public client's and comes without a secret: nothing was proved, and nothing
    /// guessed. `call` names the call in the trail.
    pub async fn run(&self, presented: PresentedClient, call: &'static str, origin: &Origin) -> ServiceResult<Client> {
        match presented {
            PresentedClient::Unnamed => Ok(Client::Public),
            PresentedClient::Named(id) if id == self.public_client => Ok(Client::Public),
            PresentedClient::Named(_) => Err(ServiceError::InvalidCredentials),
            PresentedClient::WithSecret { id, secret } => {
                let account = self.authenticator.run(account_id(&id), &secret, call, origin).await?;
                Ok(Client::ServiceAccount(account))
            }
        }
    }

    /// The service account that asks, where nobody else may.
    pub async fn service_account(
        &self,
        presented: PresentedClient,
        call: &'static str,
        origin: &Origin,
    ) -> ServiceResult<ServiceAccount> {
        match self.run(presented, call, origin).await? {
            Client::ServiceAccount(account) => Ok(account),
            Client::Public => Err(ServiceError::InvalidCredentials),
        }
    }
}

/// A UUID in its canonical form (RFC 9562, section 4); no account has another id.
fn account_id(text: &str) -> Option<ServiceAccountId> {
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH);
    id.map(ServiceAccountId::from_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_canonical_uuid_can_be_the_id_of_an_account() {
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        assert_eq!(account_id(id).map(|id| id.to_string()).as_deref(), Some(id));
        for text in ["", "keystead", "0190163d8694739baea5966c26f8ad91", "{0190163d-8694-739b-aea5-966c26f8ad91}"] {
            assert_eq!(account_id(text), None, "{text}");
        }
    }
}
