//! Begins and confirms enrolments, whoever asks: a signed-in user, or a sign-in that a role keeps waiting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::qr_code;
use crate::crypto::totp::TotpSecret;
use crate::crypto::{enrollment_token, recovery_code};
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::second_factor::{FactorEdit, RecoveryCodeHash, TotpCode, TotpStep};
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// Before every step.
const NO_STEP: TotpStep = TotpStep(i64::MIN);

/// Begins and confirms enrolments.
pub struct Enroller {
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// For how long an enrolment waits for its confirmation.
    pub lifetime: Duration,
    /// The name under which an authenticator shows the account.
    pub issuer: String,
}

/// An enrolment that has begun. Nothing of it is stored.
pub struct Enrollment {
    /// Brings the secret back when the enrolment is confirmed.
    pub token: Zeroizing<String>,
    /// The secret in base32.
    pub secret: Zeroizing<String>,
    pub otpauth_uri: Zeroizing<String>,
    pub qr_code_png: Zeroizing<Vec<u8>>,
    pub expires_at: Timestamp,
}

impl fmt::Debug for Enrollment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Enrollment").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Recovery codes, shown this once.
pub type RecoveryCodes = Vec<Zeroizing<String>>;

impl Enroller {
    /// Draws a secret for the user.
    pub fn begin(&self, user: &User) -> ServiceResult<Enrollment> {
        let secret = TotpSecret::draw(self.entropy.as_ref());
        let expires_at = self.clock.now().after(self.lifetime);
        let ring = self.keys.ring();
        let token = enrollment_token::issue(user, &secret, expires_at, ring.factor(), self.entropy.as_ref());
        let secret = secret.base32();
        let otpauth_uri = Zeroizing::new(self.uri(user, &secret));
        let qr_code_png = Zeroizing::new(qr_code::png(&otpauth_uri)?);
        Ok(Enrollment { token, secret, otpauth_uri, qr_code_png, expires_at })
    }

    /// What the store is to write, and the codes to show: if the token is the user's own and the code right.
    pub fn confirm(&self, user: &User, token: &str, code: TotpCode) -> ServiceResult<(FactorEdit, RecoveryCodes)> {
        let (ring, now) = (self.keys.ring(), self.clock.now());
        let secret = enrollment_token::open(user, token, ring.factor(), now).ok_or(ServiceError::InvalidToken)?;
        let step = secret.step_of(code, now, NO_STEP).ok_or(ServiceError::InvalidCode)?;
        let sealed = secret.seal(user.id, ring.factor(), self.entropy.as_ref());
        let (codes, shown) = self.draw_codes();
        Ok((FactorEdit::Enroll { sealed, step, codes }, shown))
    }

    /// Fresh recovery codes: their hashes, and what is shown.
    pub fn draw_codes(&self) -> (Vec<RecoveryCodeHash>, RecoveryCodes) {
        recovery_code::mint_set(self.entropy.as_ref()).into_iter().map(|code| (code.hash, code.text)).unzip()
    }

    /// In the form that authenticators read (the `otpauth` URI of Google Authenticator's Key Uri Format).
    fn uri(&self, user: &User, secret: &str) -> String {
        let (issuer, account) = (escaped(&self.issuer), escaped(user.email.as_str()));
        format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
    }
}

/// Percent-encoded; a blank is `%20`, since authenticators show a plus as it is.
fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests;
