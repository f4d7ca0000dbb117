//! The use cases that speak of second factors, and what every sign-in shares of them.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::service::account::begin_totp_enrollment::BeginTotpEnrollment;
use crate::service::account::confirm_totp_enrollment::ConfirmTotpEnrollment;
use crate::service::account::disable_totp::DisableTotp;
use crate::service::account::factor_edits::FactorEdits;
use crate::service::account::regenerate_recovery_codes::RegenerateRecoveryCodes;
use crate::service::admin::users::reset_mfa::ResetUserMfa;
use crate::service::auth::begin_mfa_enrollment::BeginMfaEnrollment;
use crate::service::auth::challenge_reader::ChallengeReader;
use crate::service::auth::complete_mfa::CompleteMfa;
use crate::service::auth::confirm_mfa_enrollment::ConfirmMfaEnrollment;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::auth::session_opener::SessionOpener;
use crate::service::auth::sign_in::SignIn;
use crate::service::second_factor::changer::FactorChanger;
use crate::service::second_factor::describer::FactorDescriber;
use crate::service::second_factor::enroller::Enroller;
use crate::service::second_factor::rule::FactorRule;

/// What the use cases share that speak of second factors.
pub(super) struct Factors {
    pub rule: FactorRule,
    pub sign_in: Arc<SignIn>,
    enroller: Arc<Enroller>,
    changer: Arc<FactorChanger>,
    pub describer: Arc<FactorDescriber>,
}

impl Factors {
    pub(super) fn new(
        settings: &Settings,
        stores: &Stores,
        opener: &Arc<SessionOpener>,
        guard: &Arc<SecretGuard>,
    ) -> Self {
        let mfa = &settings.service.mfa;
        let rule = FactorRule::new(mfa.required_roles.clone());
        let sign_in = SignIn {
            opener: Arc::clone(opener),
            factors: Arc::clone(&stores.database) as _,
            guard: Arc::clone(guard),
            rule: rule.clone(),
            challenge_lifetime: mfa.challenge_lifetime,
        };
        let enroller = Enroller {
            keys: Arc::clone(&opener.keys),
            clock: Arc::clone(&opener.clock),
            entropy: Arc::clone(&opener.entropy),
            lifetime: mfa.challenge_lifetime,
            issuer: mfa.issuer.clone(),
        };
        let changer = FactorChanger {
            factors: Arc::clone(&stores.database) as _,
            issuer: Arc::clone(&opener.issuer),
            revoker: Arc::clone(&opener.revoker),
        };
        let describer = FactorDescriber { factors: Arc::clone(&stores.database) as _, rule: rule.clone() };
        let (sign_in, enroller) = (Arc::new(sign_in), Arc::new(enroller));
        Self { rule, sign_in, enroller, changer: Arc::new(changer), describer: Arc::new(describer) }
    }
}

/// What a challenge's token opens.
pub(super) struct ByChallenge {
    pub complete: CompleteMfa,
    pub begin_enrollment: BeginMfaEnrollment,
    pub confirm_enrollment: ConfirmMfaEnrollment,
}

/// What owners do to their own second factor.
pub(super) struct OwnFactor {
    pub begin_enrollment: BeginTotpEnrollment,
    pub confirm_enrollment: ConfirmTotpEnrollment,
    pub disable: DisableTotp,
    pub regenerate_codes: RegenerateRecoveryCodes,
}

impl Shared {
    pub(super) fn by_challenge(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> ByChallenge {
        let reader = Arc::new(ChallengeReader {
            factors: Arc::clone(&stores.database) as _,
            audit: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            clock: Arc::clone(&parts.clock),
        });
        let Factors { enroller, changer, .. } = &self.factors;
        ByChallenge {
            complete: CompleteMfa {
                factors: Arc::clone(&stores.database) as _,
                reader: Arc::clone(&reader),
                guard: Arc::clone(&self.guard),
                opener: Arc::clone(&self.opener),
                keys: Arc::clone(&self.keys),
                clock: Arc::clone(&parts.clock),
                max_failures: settings.service.limits.max_failures,
            },
            begin_enrollment: BeginMfaEnrollment {
                reader: Arc::clone(&reader),
                guard: Arc::clone(&self.guard),
                enroller: Arc::clone(enroller),
            },
            confirm_enrollment: ConfirmMfaEnrollment {
                reader,
                guard: Arc::clone(&self.guard),
                enroller: Arc::clone(enroller),
                changer: Arc::clone(changer),
                opener: Arc::clone(&self.opener),
            },
        }
    }

    pub(super) fn own_factor(&self, parts: &Parts, stores: &Stores) -> OwnFactor {
        let Factors { enroller, changer, rule, .. } = &self.factors;
        let edits = Arc::new(FactorEdits {
            users: Arc::clone(&stores.database) as _,
            changer: Arc::clone(changer),
            clock: Arc::clone(&parts.clock),
        });
        OwnFactor {
            begin_enrollment: BeginTotpEnrollment {
                users: Arc::clone(&stores.database) as _,
                guard: Arc::clone(&self.guard),
                enroller: Arc::clone(enroller),
            },
            confirm_enrollment: ConfirmTotpEnrollment {
                edits: Arc::clone(&edits),
                guard: Arc::clone(&self.guard),
                enroller: Arc::clone(enroller),
            },
            disable: DisableTotp { edits: Arc::clone(&edits), rule: rule.clone() },
            regenerate_codes: RegenerateRecoveryCodes {
                edits,
                guard: Arc::clone(&self.guard),
                enroller: Arc::clone(enroller),
            },
        }
    }

    pub(super) fn reset_mfa(&self, parts: &Parts) -> ResetUserMfa {
        ResetUserMfa { changer: Arc::clone(&self.factors.changer), clock: Arc::clone(&parts.clock) }
    }
}
