//! Second factors in a world: an authenticator in the hand of the test, and the use cases around it.

use std::sync::Arc;

use data_encoding::BASE32_NOPAD;

use super::{World, origin};
use crate::crypto::totp::TotpSecret;
use crate::domain::clock::Clock as _;
use crate::domain::ports::profiles::{ProfileChange, Profiles as _};
use crate::domain::second_factor::{ChallengePurpose, TotpCode, TotpStep};
use crate::domain::user::User;
use crate::service::account::confirm_totp_enrollment::{ConfirmTotpEnrollment, ConfirmTotpEnrollmentRequest};
use crate::service::account::factor_edits::FactorEdits;
use crate::service::auth::begin_mfa_enrollment::BeginMfaEnrollment;
use crate::service::auth::challenge_reader::ChallengeReader;
use crate::service::auth::complete_mfa::{CompleteMfa, CompleteMfaRequest, SecondFactorCode};
use crate::service::auth::confirm_mfa_enrollment::ConfirmMfaEnrollment;
use crate::service::auth::session_opener::{METHOD_PASSWORD, Opening};
use crate::service::auth::sign_in::{Challenge, Finished, SignedIn};
use crate::service::auth::token_set::TokenSet;
use crate::service::error::ServiceResult;
use crate::service::second_factor::changer::FactorChanger;
use crate::service::second_factor::describer::FactorDescriber;
use crate::service::second_factor::enroller::{Enroller, Enrollment, RecoveryCodes};

/// An authenticator that has read an enrolment.
pub struct Authenticator(TotpSecret);

impl Authenticator {
    pub fn reading(enrollment: &Enrollment) -> Self {
        let secret = BASE32_NOPAD.decode(enrollment.secret.as_bytes()).unwrap();
        Self(TotpSecret::from_bytes(&secret).unwrap())
    }

    /// The code that it shows so many steps from now.
    pub fn code(&self, world: &World, distance: i64) -> TotpCode {
        TotpCode(self.0.code(TotpStep(TotpStep::at(world.clock.now()).0 + distance)))
    }
}

/// The tokens of a sign-in that asked for nothing more.
pub fn tokens(signed_in: SignedIn) -> TokenSet {
    match signed_in {
        SignedIn::Tokens(tokens) => tokens,
        SignedIn::Challenge(challenge) => panic!("{challenge:?}"),
    }
}

impl World {
    pub fn enroller(&self) -> Arc<Enroller> {
        Arc::new(Enroller {
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            lifetime: self.settings.mfa.challenge_lifetime,
            issuer: self.settings.mfa.issuer.clone(),
        })
    }

    pub fn changer(&self) -> Arc<FactorChanger> {
        Arc::new(FactorChanger {
            factors: Arc::new(self.store.clone()),
            issuer: self.issuer.clone(),
            revoker: self.revoker.clone(),
        })
    }

    pub fn describer(&self) -> Arc<FactorDescriber> {
        Arc::new(FactorDescriber { factors: Arc::new(self.store.clone()), rule: self.factor_rule() })
    }

    pub fn factor_edits(&self) -> Arc<FactorEdits> {
        let users = Arc::new(self.store.clone());
        Arc::new(FactorEdits { users, changer: self.changer(), clock: self.clock.clone() })
    }

    fn challenge_reader(&self) -> Arc<ChallengeReader> {
        Arc::new(ChallengeReader {
            factors: Arc::new(self.store.clone()),
            audit: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            clock: self.clock.clone(),
        })
    }

    pub fn complete_mfa(&self) -> CompleteMfa {
        CompleteMfa {
            factors: Arc::new(self.store.clone()),
            reader: self.challenge_reader(),
            guard: self.guard.clone(),
            opener: self.opener.clone(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            max_failures: self.settings.limits.max_failures,
        }
    }

    pub fn begin_mfa_enrollment(&self) -> BeginMfaEnrollment {
        BeginMfaEnrollment { reader: self.challenge_reader(), guard: self.guard.clone(), enroller: self.enroller() }
    }

    pub fn confirm_mfa_enrollment(&self) -> ConfirmMfaEnrollment {
        ConfirmMfaEnrollment {
            reader: self.challenge_reader(),
            guard: self.guard.clone(),
            enroller: self.enroller(),
            changer: self.changer(),
            opener: self.opener.clone(),
        }
    }

    pub async fn verify_address(&self, user: &User) {
        let verified = ProfileChange { email_verified: Some(true), ..ProfileChange::default() };
        drop(self.store.update(user.id, verified, None, &self.context()).await.unwrap());
    }

    /// Enrols an authenticator for the user, their address verified and they signed in for that; its code of now is used
    /// by it.
    pub async fn enroll(&self, user: &User) -> (Authenticator, RecoveryCodes) {
        self.verify_address(user).await;
        let caller = self.caller(&self.sign_in(user).await).await;
        let enrollment = self.enroller().begin(user).unwrap();
        let authenticator = Authenticator::reading(&enrollment);
        let confirm =
            ConfirmTotpEnrollment { edits: self.factor_edits(), guard: self.guard.clone(), enroller: self.enroller() };
        let request = ConfirmTotpEnrollmentRequest {
            enrollment_token: enrollment.token.to_string(),
            code: authenticator.code(self, 0),
        };
        let codes = confirm.run(request, &caller, &origin(1)).await.unwrap();
        (authenticator, codes)
    }

    /// Finishes a sign-in of the user as they are stored now, after a right password.
    pub async fn finish(&self, user: &User) -> SignedIn {
        let user = self.find(user.id).await;
        let opening = Opening {
            methods: vec![METHOD_PASSWORD.to_owned()],
            audience: self.issuer.audience("").unwrap(),
            device_name: crate::domain::name::Name::default(),
            attempt: self.guard.attempt_keys(&user.email, &origin(1)),
            rehash: None,
            user,
        };
        match self.finisher().finish(opening, &origin(1)).await.unwrap() {
            Finished::Done(signed_in) => signed_in,
            Finished::UserChanged => panic!("the user changed"),
            Finished::EmailNotVerified => panic!("the address is not verified"),
        }
    }

    /// The challenge that such a sign-in ends with.
    pub async fn challenged(&self, user: &User, purpose: ChallengePurpose) -> Challenge {
        match self.finish(user).await {
            SignedIn::Challenge(challenge) => {
                assert_eq!(challenge.purpose, purpose);
                challenge
            }
            SignedIn::Tokens(tokens) => panic!("{tokens:?}"),
        }
    }

    pub async fn meet(&self, challenge: &Challenge, code: SecondFactorCode) -> ServiceResult<TokenSet> {
        let request = CompleteMfaRequest { challenge_token: challenge.token.to_string(), code };
        self.complete_mfa().run(request, &origin(1)).await
    }
}
