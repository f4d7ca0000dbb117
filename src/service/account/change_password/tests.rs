//! Passwords that are changed, guessed at and overtaken.

use std::time::Duration;

use keystead_verifier::Verdict;

use super::*;
use crate::domain::deadline::Deadline;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::ports::StoreError;
use crate::domain::user::Epoch;
use crate::service::auth::login::{Login, LoginRequest};
use crate::service::auth::refresh::RefreshRequest;
use crate::service::auth::register::{RegisterRequest, Registered};
use crate::service::auth::token_set::TokenSet;
use crate::service::testing::factors::tokens;
use crate::service::testing::{World, email, origin};

const ADDRESS: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";
const NEW_PASSWORD: &str = "another horse battery";
const WRONG_PASSWORD: &str = "no horse battery at all";

/// A world with one account, registered from the source 1, and what acts in it.
struct Scene {
    world: World,
    hasher: Arc<PasswordHasher>,
    tokens: TokenSet,
    caller: Caller,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let hasher = world.hasher();
        let request = RegisterRequest {
            email: email(ADDRESS),
            password: password(PASSWORD),
            display_name: Name::default(),
            device_name: Name::default(),
        };
        let registered = world.register(&hasher).run(request, &origin(1)).await.unwrap();
        let Registered::SignedIn { token_set: tokens, .. } = registered else { panic!("not signed in") };
        let caller = world.caller(&tokens).await;
        Self { world, hasher, tokens, caller }
    }

    async fn change(&self, current: &str, new: &str) -> ServiceResult<()> {
        let change = ChangePassword {
            passwords: Arc::new(self.world.store.clone()),
            audit: Arc::new(self.world.store.clone()),
            hasher: self.hasher.clone(),
            guard: self.world.guard.clone(),
            issuer: self.world.issuer.clone(),
            revoker: self.world.revoker.clone(),
            clock: self.world.clock.clone(),
            policy: self.world.settings.passwords,
        };
        let request = ChangePasswordRequest { current_password: password(current), new_password: password(new) };
        change.run(request, &self.caller, &origin(1)).await
    }

    async fn log_in(&self, text: &str) -> ServiceResult<TokenSet> {
        let login = Login {
            users: Arc::new(self.world.store.clone()),
            audit: Arc::new(self.world.store.clone()),
            hasher: self.hasher.clone(),
            guard: self.world.guard.clone(),
            sign_in: self.world.finisher(),
            clock: self.world.clock.clone(),
            verified_only: false,
        };
        let request = LoginRequest {
            email: email(ADDRESS),
            password: password(text),
            audience: String::new(),
            device_name: Name::default(),
        };
        login.run(request, &origin(1)).await.map(tokens)
    }

    async fn refresh(&self, tokens: &TokenSet) -> ServiceResult<TokenSet> {
        let request = RefreshRequest { refresh_token: tokens.refresh_token.clone() };
        self.world.refresh().run(request, &origin(1)).await
    }

    async fn user(&self) -> User {
        self.world.find(self.caller.user().unwrap()).await
    }
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

// promises P6, T8, E3
#[tokio::test]
async fn a_change_ends_the_other_sessions_at_once_and_the_own_goes_on_by_refresh() {
    let scene = Scene::new().await;
    let other = scene.log_in(PASSWORD).await.unwrap();
    scene.world.reader().run_once().await.unwrap();
    assert_eq!(scene.change(PASSWORD, NEW_PASSWORD).await, Ok(()));
    for tokens in [&scene.tokens, &other] {
        assert_eq!(scene.world.verdict_from_memory(&tokens.access_token), Verdict::Revoked);
    }
    assert_eq!(scene.refresh(&other).await.err(), Some(ServiceError::InvalidToken));
    let renewed = scene.refresh(&scene.tokens).await.unwrap();
    assert!(matches!(scene.world.verdict(&renewed.access_token).await, Verdict::Active(_)));
    assert_eq!(scene.world.store.mails().last().map(|mail| mail.kind), Some(MailKind::PasswordChanged));
    assert_eq!(scene.log_in(PASSWORD).await.err(), Some(ServiceError::InvalidCredentials));
    assert!(scene.log_in(NEW_PASSWORD).await.is_ok());
}

// promise P6
#[tokio::test]
async fn a_wrong_current_password_changes_nothing_and_is_told_as_the_callers() {
    let scene = Scene::new().await;
    let before = scene.user().await;
    assert_eq!(scene.change(WRONG_PASSWORD, NEW_PASSWORD).await, Err(ServiceError::InvalidCredentials));
    assert_eq!(scene.user().await, before);
    let told = scene.world.store.audit_events().pop().unwrap().0;
    assert_eq!((told.kind, told.outcome), (AuditKind::PasswordChanged, AuditOutcome::Failure));
    assert_eq!(
        (told.actor, told.subject, told.session),
        (Some(scene.caller.id), Some(scene.caller.id), Some(scene.caller.session))
    );
    assert!(matches!(scene.world.verdict(&scene.tokens.access_token).await, Verdict::Active(_)));
}

// promises L1, L3, P6
#[tokio::test]
async fn guesses_here_and_at_sign_in_spend_one_budget() {
    let scene = Scene::new().await;
    let burst = scene.world.settings.limits.per_account_and_source.burst;
    for number in 0..burst {
        let answer = if number % 2 == 0 {
            scene.change(WRONG_PASSWORD, NEW_PASSWORD).await
        } else {
            scene.log_in(WRONG_PASSWORD).await.map(drop)
        };
        assert_eq!(answer, Err(ServiceError::InvalidCredentials));
    }
    for answer in [scene.change(PASSWORD, NEW_PASSWORD).await, scene.log_in(PASSWORD).await.map(drop)] {
        assert!(matches!(answer, Err(ServiceError::RateLimited { .. })), "{answer:?}");
    }
}

// promise L3
#[tokio::test]
async fn a_change_clears_what_guesses_have_spent() {
    let scene = Scene::new().await;
    let burst = scene.world.settings.limits.per_account_and_source.burst;
    for _ in 0..2 {
        for _ in 1..burst {
            assert_eq!(scene.change(WRONG_PASSWORD, NEW_PASSWORD).await, Err(ServiceError::InvalidCredentials));
        }
        assert_eq!(scene.change(PASSWORD, PASSWORD).await, Ok(()));
    }
}

#[tokio::test]
async fn a_new_password_against_the_policy_costs_no_attempt() {
    // promises P1, P3
    let scene = Scene::new().await;
    for _ in 0..2 * scene.world.settings.limits.per_account_and_source.burst {
        for weak in ["short", "password123", "ada@example.org1"] {
            let answer = scene.change(PASSWORD, weak).await;
            let Err(ServiceError::InvalidFields(fields)) = answer else { panic!("{weak}: {answer:?}") };
            assert_eq!(fields[0].field, "new_password");
        }
    }
    assert_eq!(scene.change(PASSWORD, NEW_PASSWORD).await, Ok(()));
}

// promise L6
#[tokio::test]
async fn an_account_without_a_good_password_answers_as_a_wrong_one() {
    let mut scene = Scene::new().await;
    let without = scene.world.user("none@example.org").await;
    let tokens = scene.world.sign_in(&without).await;
    let owner = std::mem::replace(&mut scene.caller, scene.world.caller(&tokens).await);
    assert_eq!(scene.change("none", NEW_PASSWORD).await, Err(ServiceError::InvalidCredentials));
    scene.caller = owner;
    let _revoked = scene.world.store.disable(scene.user().await.id, scene.world.clock.now(), &scene.world.context());
    assert_eq!(scene.change(PASSWORD, NEW_PASSWORD).await, Err(ServiceError::InvalidCredentials));
}

#[tokio::test]
async fn a_full_queue_is_told_before_any_other_work() {
    // promise P5
    let scene = Scene::new().await;
    let mut slots = Vec::new();
    while let Ok(slot) = scene.hasher.reserve(Deadline::NEVER) {
        slots.push(slot);
    }
    scene.world.store.fail_with(Some(StoreError::Unavailable));
    let answer = scene.change(PASSWORD, NEW_PASSWORD).await;
    assert!(matches!(answer, Err(ServiceError::HashCapacity { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_database_that_is_away_is_never_a_wrong_password() {
    let scene = Scene::new().await;
    scene.world.store.fail_with(Some(StoreError::Unavailable));
    let answer = scene.change(WRONG_PASSWORD, NEW_PASSWORD).await;
    assert!(matches!(answer, Err(ServiceError::DependencyUnavailable { .. })), "{answer:?}");
}

#[tokio::test]
async fn of_two_changes_at_once_one_wins_and_the_other_is_told_to_try_again() {
    let scene = Scene::new().await;
    let (one, two) =
        tokio::join!(scene.change(PASSWORD, NEW_PASSWORD), scene.change(PASSWORD, "a third horse battery"));
    let outcomes = [one, two];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    // The loser was overtaken before its password was checked, or after.
    let refusals = [Err(ServiceError::ConcurrentChange), Err(ServiceError::InvalidCredentials)];
    assert!(outcomes.iter().any(|outcome| refusals.contains(outcome)), "{outcomes:?}");
    assert_eq!(scene.user().await.epoch, Epoch(1));
}

#[tokio::test]
async fn nothing_expires_that_a_change_has_revoked_while_tokens_of_before_may_live() {
    // promise T8
    let scene = Scene::new().await;
    assert_eq!(scene.change(PASSWORD, NEW_PASSWORD).await, Ok(()));
    scene.world.advance(scene.world.settings.tokens.access_lifetime.saturating_sub(Duration::from_secs(1)));
    assert_eq!(scene.world.verdict(&scene.tokens.access_token).await, Verdict::Revoked);
}
