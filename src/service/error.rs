//! The one error that use cases answer with: a neutral kind and a stable reason. It knows no status code.

use std::time::Duration;

use crate::crypto::password_hasher::{HashCapacity, HasherStopped};
use crate::domain::ports::StoreError;
use crate::domain::ports::identity_providers::ProviderError;

/// A field of the request that is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The field's path, as in the proto: `email`, `requests[3].required_roles`.
    pub field: String,
    /// What is wrong, in fixed words: never the input itself.
    pub description: String,
}

/// Why a use case did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    #[error("the request has fields at fault")]
    InvalidFields(Vec<FieldViolation>),
    #[error("an account with this address exists")]
    EmailTaken,
    #[error("this service takes no registrations")]
    RegistrationClosed,
    #[error("address and password do not match an account")]
    InvalidCredentials,
    #[error("the address has to be verified first")]
    EmailNotVerified,
    #[error("the token opens nothing")]
    InvalidToken,
    #[error("the code is wrong or used up")]
    InvalidCode,
    #[error("a role of the account asks for a second factor")]
    MfaRequired,
    #[error("the account has no second factor")]
    MfaNotEnrolled,
    #[error("a role of the account keeps the second factor")]
    MfaKeptByRole,
    #[error("too many attempts")]
    RateLimited { retry_after: Duration },
    #[error("too many passwords wait to be checked")]
    HashCapacity { retry_after: Duration },
    #[error("revocations have not been read for too long")]
    RevocationStateStale { retry_after: Duration },
    #[error("something the service stands on does not answer")]
    DependencyUnavailable { retry_after: Duration },
    #[error("the request met a concurrent change")]
    ConcurrentChange,
    #[error("the method wants a valid bearer")]
    BearerRequired,
    #[error("the caller lacks the role that the method wants")]
    RoleRequired,
    #[error("the method wants a fresh sign-in")]
    ReauthenticationRequired,
    #[error("no user has the id")]
    UserUnknown,
    #[error("no role has the name")]
    RoleUnknown,
    #[error("a role with this name exists")]
    RoleTaken,
    #[error("the role belongs to the service itself")]
    RoleBuiltIn,
    #[error("somebody still has the role")]
    RoleInUse,
    #[error("there are as many as there may be")]
    LimitReached,
    #[error("the last administrator stays")]
    LastAdmin,
    #[error("administrators do not demote themselves")]
    SelfDemotion,
    #[error("the account has changed since the etag was read")]
    EtagMismatch,
    #[error("the user has no open session with the id")]
    SessionUnknown,
    #[error("no service account has the id")]
    ServiceAccountUnknown,
    #[error("no signing key has the id")]
    SigningKeyUnknown,
    #[error("what came after the cursor is no longer all there")]
    CursorTooOld,
    #[error("the reader does not keep up with the news")]
    ReaderTooSlow { retry_after: Duration },
    #[error("the replica is going")]
    Draining { retry_after: Duration },
    #[error("no provider has the name")]
    ProviderUnknown,
    #[error("state, code and verifier end no sign-in at a provider")]
    OAuthStateInvalid,
    #[error("the provider vouches for nobody")]
    ProviderRefused,
    #[error("the provider does not answer")]
    ProviderUnavailable { retry_after: Duration },
    #[error("an account has the address, and is not opened by the provider's word")]
    AccountExists,
    #[error("the provider has not verified the address")]
    ProviderEmailNotVerified,
    #[error("the identity opens another account")]
    IdentityTaken,
    #[error("the user has no identity with the id")]
    IdentityUnknown,
    #[error("nothing would be left to sign in with")]
    LastSignInMethod,
    #[error("the service is at fault")]
    Internal,
}

impl ServiceError {
    /// One field at fault.
    pub fn invalid_field(field: &str, description: &str) -> Self {
        Self::InvalidFields(vec![FieldViolation { field: field.to_owned(), description: description.to_string() }])
    }
}

/// What a use case answers.
pub type ServiceResult<T> = Result<T, ServiceError>;

/// When to try again after the database did not answer.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// When to try again after a provider did not answer.
const PROVIDER_RETRY_AFTER: Duration = Duration::from_secs(5);

impl From<ProviderError> for ServiceError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Unavailable => Self::ProviderUnavailable { retry_after: PROVIDER_RETRY_AFTER },
            ProviderError::Refused => Self::ProviderRefused,
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable => Self::DependencyUnavailable { retry_after: STORE_RETRY_AFTER },
            StoreError::Conflict => Self::ConcurrentChange,
            StoreError::Corrupt => Self::Internal,
        }
    }
}

impl From<HashCapacity> for ServiceError {
    fn from(full: HashCapacity) -> Self {
        Self::HashCapacity { retry_after: full.retry_after }
    }
}

impl From<HasherStopped> for ServiceError {
    /// The threads stop when the service drains: another replica has some.
    fn from(_: HasherStopped) -> Self {
        Self::DependencyUnavailable { retry_after: STORE_RETRY_AFTER }
    }
}
