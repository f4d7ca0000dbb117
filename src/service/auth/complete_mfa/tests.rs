//! Codes that are right, wrong, late, used, and guessed.

use std::time::Duration;

use keystead_verifier::Verdict;

use super::*;
use crate::domain::mail::MailKind;
use crate::domain::second_factor::MAX_WRONG_CODES;
use crate::domain::user::User;
use crate::service::auth::refresh::RefreshRequest;
use crate::service::auth::sign_in::Challenge;
use crate::service::second_factor::enroller::RecoveryCodes;
use crate::service::settings::Settings;
use crate::service::testing::World;
use crate::service::testing::factors::Authenticator;
use crate::service::testing::security_log::SecurityLog;

const STEP: Duration = Duration::from_secs(30);

struct Scene {
    world: World,
    ada: User,
    authenticator: Authenticator,
    codes: RecoveryCodes,
}

impl Scene {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let world = World::with(settings).await;
        let ada = world.user("ada@example.org").await;
        let (authenticator, codes) = world.enroll(&ada).await;
        Self { world, ada, authenticator, codes }
    }

    async fn challenge(&self) -> Challenge {
        self.world.challenged(&self.ada, ChallengePurpose::Completion).await
    }

    fn totp(&self, distance: i64) -> SecondFactorCode {
        SecondFactorCode::Totp(self.authenticator.code(&self.world, distance))
    }

    /// A code that no step around now has.
    fn wrong(&self) -> SecondFactorCode {
        let right: Vec<_> = (-3..=3).map(|distance| self.authenticator.code(&self.world, distance)).collect();
        let wrong = (0..1_000_000).map(TotpCode).find(|code| !right.contains(code));
        SecondFactorCode::Totp(wrong.expect("a code"))
    }

    fn recovery(&self, number: usize) -> SecondFactorCode {
        SecondFactorCode::Recovery(self.codes[number].to_string())
    }

    async fn amr(&self, access_token: &str) -> Vec<String> {
        let Verdict::Active(claims) = self.world.verdict(access_token).await else { panic!("not active") };
        claims.amr.clone()
    }
}

/// Limits so wide that only those of challenge and authenticator are left.
fn generous() -> Settings {
    let mut settings = Settings::default();
    settings.limits.per_source.burst = 10_000;
    settings.limits.per_account.burst = 10_000;
    settings.limits.per_account_and_source.burst = 10_000;
    settings
}

// promises M6, M7
#[tokio::test]
async fn a_code_of_the_authenticator_opens_a_session_that_says_so_and_goes_on_saying_so() {
    let scene = Scene::new().await;
    let tokens = scene.world.meet(&scene.challenge().await, scene.totp(1)).await.unwrap();
    assert_eq!(scene.amr(&tokens.access_token).await, ["pwd", "otp", "mfa"]);
    let refresh = RefreshRequest { refresh_token: tokens.refresh_token };
    let refreshed = scene.world.refresh().run(refresh, &crate::service::testing::origin(1)).await.unwrap();
    assert_eq!(scene.amr(&refreshed.access_token).await, ["pwd", "otp", "mfa"]);
}

// promises M5, M7
#[tokio::test]
async fn a_recovery_code_opens_a_session_once_and_its_owner_is_told() {
    let scene = Scene::new().await;
    let tokens = scene.world.meet(&scene.challenge().await, scene.recovery(3)).await.unwrap();
    assert_eq!(scene.amr(&tokens.access_token).await, ["pwd", "mfa"]);
    let again = scene.world.meet(&scene.challenge().await, scene.recovery(3)).await;
    assert_eq!(again, Err(ServiceError::InvalidCode));
    assert!(scene.world.meet(&scene.challenge().await, scene.recovery(4)).await.is_ok());
    let told = scene.world.store.mails().iter().filter(|mail| mail.kind == MailKind::RecoveryCodeUsed).count();
    assert_eq!((told, scene.world.told(AuditKind::RecoveryCodeUsed)), (2, 2));
}

// promise M2
#[tokio::test]
async fn a_step_is_used_once_also_by_the_enrolment_and_by_another_challenge() {
    let scene = Scene::new().await;
    let meet = async |code| scene.world.meet(&scene.challenge().await, code).await;
    assert_eq!(meet(scene.totp(0)).await, Err(ServiceError::InvalidCode), "the enrolment has used it");
    assert!(meet(scene.totp(1)).await.is_ok());
    for distance in [-1, 0, 1] {
        assert_eq!(meet(scene.totp(distance)).await, Err(ServiceError::InvalidCode), "{distance}");
    }
    scene.world.advance(STEP);
    assert!(meet(scene.totp(1)).await.is_ok());
}

// promise M6
#[tokio::test]
async fn a_challenge_works_once_for_ten_minutes_and_under_one_epoch() {
    let scene = Scene::new().await;
    let used = scene.challenge().await;
    assert!(scene.world.meet(&used, scene.recovery(0)).await.is_ok());
    assert_eq!(scene.world.meet(&used, scene.recovery(1)).await, Err(ServiceError::InvalidToken));
    let late = scene.challenge().await;
    scene.world.advance(Duration::from_mins(10));
    assert_eq!(scene.world.meet(&late, scene.recovery(1)).await, Err(ServiceError::InvalidToken));
    let moved = scene.challenge().await;
    assert!(scene.world.store.edit_user(scene.ada.id, |user| user.epoch.0 += 1));
    assert_eq!(scene.world.meet(&moved, scene.recovery(1)).await, Err(ServiceError::InvalidToken));
    assert_eq!(scene.world.told(AuditKind::LoginFailed), 3);
}

// promise M9
#[tokio::test]
async fn a_challenge_ends_with_the_fifth_wrong_code() {
    let scene = Scene::with(generous()).await;
    let challenge = scene.challenge().await;
    for _ in 0..MAX_WRONG_CODES {
        assert_eq!(scene.world.meet(&challenge, scene.wrong()).await, Err(ServiceError::InvalidCode));
    }
    assert_eq!(scene.world.meet(&challenge, scene.totp(1)).await, Err(ServiceError::InvalidToken));
    assert_eq!(scene.world.told(AuditKind::ChallengeExhausted), 1);
    assert!(scene.world.meet(&scene.challenge().await, scene.totp(1)).await.is_ok());
}

// promises L1, M9
#[tokio::test]
async fn wrong_codes_spend_the_budget_of_passwords_and_no_right_password_gives_it_back() {
    let scene = Scene::new().await;
    let burst = scene.world.settings.limits.per_account_and_source.burst;
    for number in 0..burst {
        let answer = scene.world.meet(&scene.challenge().await, scene.wrong()).await;
        assert_eq!(answer, Err(ServiceError::InvalidCode), "{number}");
    }
    let answer = scene.world.meet(&scene.challenge().await, scene.totp(1)).await;
    assert!(matches!(answer, Err(ServiceError::RateLimited { .. })), "{answer:?}");
}

// promise M9
#[tokio::test]
async fn after_too_many_wrong_codes_in_a_row_only_a_recovery_code_opens() {
    let mut settings = generous();
    settings.limits.max_failures = 7;
    let scene = Scene::with(settings).await;
    for _ in 0..7 {
        // From a source that the account knows, which the cap on passwords spares.
        let answer = scene.world.meet(&scene.challenge().await, scene.wrong()).await;
        assert_eq!(answer, Err(ServiceError::InvalidCode));
    }
    let answer = scene.world.meet(&scene.challenge().await, scene.totp(1)).await;
    assert!(matches!(answer, Err(ServiceError::RateLimited { .. })), "{answer:?}");
    assert!(scene.world.meet(&scene.challenge().await, scene.recovery(0)).await.is_ok());
    assert!(scene.world.meet(&scene.challenge().await, scene.totp(1)).await.is_ok());
}

// promise G1
#[tokio::test]
async fn the_log_tells_whose_sign_in_a_wrong_code_fails_and_whose_challenge_it_ends() {
    let scene = Scene::with(generous()).await;
    let (log, challenge) = (SecurityLog::listen(), scene.challenge().await);
    for _ in 0..MAX_WRONG_CODES {
        assert_eq!(scene.world.meet(&challenge, scene.wrong()).await, Err(ServiceError::InvalidCode));
    }
    let (failed, exhausted) =
        (log.last(AuditKind::LoginFailed.as_str()), log.last(AuditKind::ChallengeExhausted.as_str()));
    assert_eq!((&failed["subject"], failed["detail"].as_str()), (&scene.ada.id.to_string(), COMPLETION));
    assert_eq!(exhausted["subject"], scene.ada.id.to_string());
}

// promise G1
#[tokio::test]
async fn the_trail_tells_at_what_a_token_that_opens_nothing_failed() {
    let scene = Scene::new().await;
    let stranger = Challenge { token: "a challenge".to_owned().into(), ..scene.challenge().await };
    assert_eq!(scene.world.meet(&stranger, scene.totp(1)).await, Err(ServiceError::InvalidToken));
    let (told, _) = scene.world.store.audit_events().pop().unwrap();
    assert_eq!((told.kind, told.detail.as_deref()), (AuditKind::LoginFailed, Some(COMPLETION)));
}
