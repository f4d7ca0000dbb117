//! The use cases of signing up, in and out, of resets and of addresses.

use std::sync::Arc;

use super::Shared;
use super::federation::Federation;
use super::second_factors::ByChallenge;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::grpc::auth_service::AuthApi;
use crate::service::auth::confirm_email::ConfirmEmail;
use crate::service::auth::confirm_reset::ConfirmReset;
use crate::service::auth::login::Login;
use crate::service::auth::logout::Logout;
use crate::service::auth::refresh::{Refresh, RefreshRules};
use crate::service::auth::register::Register;
use crate::service::auth::request_email_verification::RequestEmailVerification;
use crate::service::auth::request_reset::RequestReset;

impl Shared {
    pub(super) fn auth(&self, settings: &Settings, parts: &Parts, stores: &Stores, federation: &Federation) -> AuthApi {
        let ByChallenge { complete, begin_enrollment, confirm_enrollment } = self.by_challenge(settings, parts, stores);
        AuthApi {
            register: Arc::new(self.register(settings, parts, stores)),
            login: Arc::new(self.login(settings, parts, stores)),
            complete_mfa: complete,
            begin_mfa_enrollment: begin_enrollment,
            confirm_mfa_enrollment: confirm_enrollment,
            refresh: Arc::new(self.refresh(settings, parts, stores)),
            logout: Arc::new(self.logout(settings, parts, stores)),
            verify_token: Arc::clone(&self.verify_token),
            request_reset: Arc::new(RequestReset {
                outbox: Arc::clone(&stores.database) as _,
                guard: Arc::clone(&self.guard),
                clock: Arc::clone(&parts.clock),
            }),
            confirm_reset: Arc::new(self.confirm_reset(settings, parts, stores)),
            request_email_verification: Arc::new(RequestEmailVerification {
                outbox: Arc::clone(&stores.database) as _,
                guard: Arc::clone(&self.guard),
                clock: Arc::clone(&parts.clock),
            }),
            confirm_email: Arc::new(ConfirmEmail {
                tokens: Arc::clone(&stores.database) as _,
                guard: Arc::clone(&self.guard),
                clock: Arc::clone(&parts.clock),
            }),
            confirm_email_change: self.confirm_email_change(parts, stores),
            start_oauth: Arc::clone(&federation.start),
            complete_oauth: self.complete_oauth(settings, parts, stores, federation),
        }
    }

    fn register(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> Register {
        Register {
            users: Arc::clone(&stores.database) as _,
            hasher: Arc::clone(&self.hasher),
            guard: Arc::clone(&self.guard),
            sign_in: Arc::clone(&self.factors.sign_in),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            policy: settings.service.passwords,
            settings: settings.service.registration,
        }
    }

    fn login(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> Login {
        Login {
            users: Arc::clone(&stores.database) as _,
            audit: Arc::clone(&stores.database) as _,
            hasher: Arc::clone(&self.hasher),
            guard: Arc::clone(&self.guard),
            sign_in: Arc::clone(&self.factors.sign_in),
            clock: Arc::clone(&parts.clock),
            verified_only: settings.service.registration.verify_email,
        }
    }

    fn refresh(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> Refresh {
        Refresh::new(
            Arc::clone(&stores.database) as _,
            Arc::clone(&self.keys),
            Arc::clone(&self.guard),
            Arc::clone(&self.issuer),
            Arc::clone(&self.revoker),
            Arc::clone(&parts.clock),
            RefreshRules { limits: settings.service.sessions, factor: self.factors.rule.clone() },
        )
    }

    fn logout(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> Logout {
        Logout::new(
            Arc::clone(&stores.database) as _,
            Arc::clone(&self.keys),
            Arc::clone(&self.guard),
            Arc::clone(&self.ender),
            Arc::clone(&parts.clock),
            settings.service.sessions,
        )
    }

    fn confirm_reset(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> ConfirmReset {
        ConfirmReset {
            tokens: Arc::clone(&stores.database) as _,
            audit: Arc::clone(&stores.database) as _,
            hasher: Arc::clone(&self.hasher),
            guard: Arc::clone(&self.guard),
            issuer: Arc::clone(&self.issuer),
            revoker: Arc::clone(&self.revoker),
            clock: Arc::clone(&parts.clock),
            policy: settings.service.passwords,
        }
    }
}
