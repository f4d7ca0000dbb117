//! Sign-ins that are right, wrong, limited and overtaken.

use std::time::Duration;

use keystead_verifier::Verdict;

use super::*;
use crate::domain::deadline::Deadline;
use crate::domain::ports::StoreError;
use crate::domain::user::Epoch;
use crate::service::auth::register::RegisterRequest;
use crate::service::settings::Settings;
use crate::service::testing::factors::tokens;
use crate::service::testing::{World, email, origin};

const PASSWORD: &str = "correct horse battery";

fn login(world: &World, hasher: &Arc<PasswordHasher>) -> Login {
    Login {
        users: Arc::new(world.store.clone()),
        audit: Arc::new(world.store.clone()),
        hasher: hasher.clone(),
        guard: world.guard.clone(),
        sign_in: world.finisher(),
        clock: world.clock.clone(),
        verified_only: world.settings.registration.verify_email,
    }
}

fn request(address: &str, password: &str) -> LoginRequest {
    LoginRequest {
        email: email(address),
        password: Password::parse(password).unwrap(),
        audience: String::new(),
        device_name: Name::default(),
    }
}

/// A world with one account, registered from the source 9.
async fn world_with_ada(settings: Settings) -> (World, Arc<PasswordHasher>) {
    let world = World::with(settings).await;
    let hasher = world.hasher();
    let register = RegisterRequest {
        email: email("ada@example.org"),
        password: Password::parse(PASSWORD).unwrap(),
        display_name: Name::default(),
        device_name: Name::default(),
    };
    world.register(&hasher).run(register, &origin(9)).await.unwrap();
    (world, hasher)
}

async fn ada() -> (World, Arc<PasswordHasher>) {
    world_with_ada(Settings::default()).await
}

/// Limits so wide that only the cap of failures is left.
fn capped_at(max_failures: u32) -> Settings {
    let mut settings = Settings::default();
    settings.limits.per_source.burst = 10_000;
    settings.limits.per_account.burst = 10_000;
    settings.limits.per_account_and_source.burst = 10_000;
    settings.limits.max_failures = max_failures;
    settings
}

fn is_limited<T>(answer: &ServiceResult<T>) -> bool {
    matches!(answer, Err(ServiceError::RateLimited { .. }))
}

#[tokio::test]
async fn the_right_password_opens_a_session_and_is_told() {
    let (world, hasher) = ada().await;
    let signed_in = login(&world, &hasher).run(request("ADA@example.org", PASSWORD), &origin(1)).await.unwrap();
    let tokens = tokens(signed_in);
    let Verdict::Active(claims) = world.verdict(&tokens.access_token).await else { panic!("not active") };
    assert_eq!((&claims.aud, &claims.amr), (&vec!["keystead".to_owned()], &vec!["pwd".to_owned()]));
    assert_eq!(world.told(AuditKind::LoginSucceeded), 2, "with the one after registration");
}

#[tokio::test]
async fn unknown_wrong_and_disabled_get_one_answer_and_one_event_each() {
    // promise L6
    let (world, hasher) = ada().await;
    let login = login(&world, &hasher);
    let without_password = world.user("none@example.org").await;
    let mut answers = vec![
        login.run(request("nobody@example.org", PASSWORD), &origin(1)).await,
        login.run(request("ada@example.org", "wrong horse battery"), &origin(1)).await,
        login.run(request(without_password.email.as_str(), "none"), &origin(1)).await,
    ];
    let id = world.store.find_by_email(&email("ada@example.org")).await.unwrap().unwrap().user.id;
    let _ended = world.store.disable(id, world.clock.now(), &world.context());
    answers.push(login.run(request("ada@example.org", PASSWORD), &origin(1)).await);
    for answer in &answers {
        assert_eq!(*answer, Err(ServiceError::InvalidCredentials));
    }
    assert_eq!(world.told(AuditKind::LoginFailed), 4);
}

#[tokio::test]
async fn a_database_that_is_away_is_never_a_wrong_password() {
    let (world, hasher) = ada().await;
    world.store.fail_with(Some(StoreError::Unavailable));
    for password in [PASSWORD, "wrong horse battery"] {
        let answer = login(&world, &hasher).run(request("ada@example.org", password), &origin(1)).await;
        assert!(matches!(answer, Err(ServiceError::DependencyUnavailable { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_full_queue_is_told_before_any_other_work() {
    // promise P5
    let (world, hasher) = ada().await;
    let mut slots = Vec::new();
    while let Ok(slot) = hasher.reserve(Deadline::NEVER) {
        slots.push(slot);
    }
    world.store.fail_with(Some(StoreError::Unavailable));
    let answer = login(&world, &hasher).run(request("ada@example.org", PASSWORD), &origin(1)).await;
    assert!(matches!(answer, Err(ServiceError::HashCapacity { .. })), "{answer:?}");
    world.store.fail_with(None);
    drop(slots);
    assert!(login(&world, &hasher).run(request("ada@example.org", PASSWORD), &origin(1)).await.is_ok());
}

#[tokio::test]
async fn an_audience_must_be_one_of_the_configured_ones() {
    let mut settings = Settings::default();
    settings.tokens.audiences.push("shop".to_owned());
    let (world, hasher) = world_with_ada(settings).await;
    let login = login(&world, &hasher);
    let mut shop = request("ada@example.org", PASSWORD);
    shop.audience = "shop".to_owned();
    let tokens = tokens(login.run(shop.clone(), &origin(1)).await.unwrap());
    let Verdict::Active(claims) = world.verdict(&tokens.access_token).await else { panic!("not active") };
    assert_eq!(claims.aud, ["shop"]);
    shop.audience = "bank".to_owned();
    let answer = login.run(shop, &origin(1)).await;
    let Err(ServiceError::InvalidFields(fields)) = answer else { panic!("{answer:?}") };
    assert_eq!(fields[0].field, "audience");
}

#[tokio::test]
async fn that_an_address_is_unverified_is_told_only_after_the_right_password() {
    let mut settings = Settings::default();
    settings.registration.verify_email = true;
    let (world, hasher) = world_with_ada(settings).await;
    let login = login(&world, &hasher);
    let wrong = login.run(request("ada@example.org", "wrong horse battery"), &origin(1)).await;
    assert_eq!(wrong, Err(ServiceError::InvalidCredentials));
    let right = login.run(request("ada@example.org", PASSWORD), &origin(1)).await;
    assert_eq!(right, Err(ServiceError::EmailNotVerified));
    let id = world.store.find_by_email(&email("ada@example.org")).await.unwrap().unwrap().user.id;
    assert!(world.store.edit_user(id, |user| user.email_verified = true));
    assert!(login.run(request("ada@example.org", PASSWORD), &origin(1)).await.is_ok());
}

#[tokio::test]
async fn guesses_of_one_source_run_into_a_limit_for_known_and_unknown_accounts_alike() {
    // promises L1, L3, L6
    let (world, hasher) = ada().await;
    let login = login(&world, &hasher);
    for address in ["ada@example.org", "nobody@example.org"] {
        let mut refused = 0;
        for _ in 0..12 {
            let answer = login.run(request(address, "wrong horse battery"), &origin(1)).await;
            refused += u32::from(is_limited(&answer));
        }
        assert_eq!(refused, 2, "{address}");
    }
    assert_eq!(world.told(AuditKind::RateLimited), 2, "once a key");
}

#[tokio::test]
async fn strangers_lock_the_owner_out_of_a_known_source_neither_by_rate_nor_by_cap() {
    // promises L1, L2
    let mut settings = capped_at(5);
    settings.limits.per_account.burst = 3;
    let (world, hasher) = world_with_ada(settings).await;
    let login = login(&world, &hasher);
    for stranger in 20..30 {
        let answer = login.run(request("ada@example.org", "wrong horse battery"), &origin(stranger)).await;
        assert_eq!(is_limited(&answer), stranger >= 23, "{stranger}");
    }
    assert!(is_limited(&login.run(request("ada@example.org", PASSWORD), &origin(40)).await));
    assert!(login.run(request("ada@example.org", PASSWORD), &origin(9)).await.is_ok());
}

#[tokio::test]
async fn the_cap_of_failures_holds_for_unknown_addresses_and_a_lost_throttle_and_is_told_once_a_minute() {
    // promise L1
    let (world, hasher) = world_with_ada(capped_at(5)).await;
    let login = login(&world, &hasher);
    for address in ["ada@example.org", "nobody@example.org"] {
        for attempt in 1..=8 {
            let answer = login.run(request(address, "wrong horse battery"), &origin(1)).await;
            assert_eq!(is_limited(&answer), attempt > 5, "{address} {attempt}");
        }
    }
    assert_eq!(world.told(AuditKind::LoginLocked), 2);
    assert!(is_limited(&login.run(request("ada@example.org", PASSWORD), &origin(1)).await));
    world.advance(Duration::from_mins(1));
    assert!(is_limited(&login.run(request("ada@example.org", PASSWORD), &origin(1)).await));
    assert_eq!(world.told(AuditKind::LoginLocked), 3, "an attack that goes on is told again each minute");
}

#[tokio::test]
async fn success_clears_the_count_of_the_account_and_not_that_of_the_source() {
    // promise L3
    let mut settings = Settings::default();
    settings.limits.per_source.burst = 15;
    let (world, hasher) = world_with_ada(settings).await;
    let login = login(&world, &hasher);
    let wrong = || request("ada@example.org", "wrong horse battery");
    for _ in 0..9 {
        assert!(!is_limited(&login.run(wrong(), &origin(1)).await));
    }
    assert!(login.run(request("ada@example.org", PASSWORD), &origin(1)).await.is_ok());
    for attempt in 11..=17 {
        let answer = login.run(wrong(), &origin(1)).await;
        assert_eq!(is_limited(&answer), attempt > 15, "{attempt}");
    }
}

#[tokio::test]
async fn requests_without_a_source_share_one_budget() {
    // promise L1
    let mut settings = Settings::default();
    settings.limits.per_source.burst = 2;
    let (world, hasher) = world_with_ada(settings).await;
    let nowhere = Origin { source: None, ..origin(1) };
    for (attempt, address) in ["a@example.org", "b@example.org", "c@example.org"].into_iter().enumerate() {
        let answer = login(&world, &hasher).run(request(address, PASSWORD), &nowhere).await;
        assert_eq!(is_limited(&answer), attempt == 2);
    }
}

#[tokio::test]
async fn an_account_that_changes_meanwhile_is_read_again() {
    // promise T8
    let (world, hasher) = ada().await;
    let login = login(&world, &hasher);
    let account = world.store.find_by_email(&email("ada@example.org")).await.unwrap().unwrap();
    let hash = account.password_hash.clone();
    assert!(world.store.edit_user(account.user.id, |user| user.epoch = Epoch(user.epoch.0 + 1)));
    let reread = login.reread(&account.user.email, hash.as_ref(), &origin(1)).await.unwrap();
    assert_eq!(reread.epoch, Epoch(account.user.epoch.0 + 1));
    let other = Some(PasswordHash::new("another"));
    let changed = login.reread(&account.user.email, other.as_ref(), &origin(1)).await;
    assert_eq!(changed, Err(ServiceError::ConcurrentChange));
    let _ended = world.store.disable(account.user.id, world.clock.now(), &world.context());
    let disabled = login.reread(&account.user.email, hash.as_ref(), &origin(1)).await;
    assert_eq!(disabled, Err(ServiceError::InvalidCredentials));
}

#[tokio::test]
async fn a_ring_too_old_to_sign_with_leaves_no_session_behind() {
    let (world, hasher) = ada().await;
    let before = world.told(AuditKind::SessionCreated);
    world.advance(world.settings.keys.publish_lead() + Duration::from_millis(1));
    let answer = login(&world, &hasher).run(request("ada@example.org", PASSWORD), &origin(1)).await;
    assert!(matches!(answer, Err(ServiceError::DependencyUnavailable { .. })), "{answer:?}");
    assert_eq!(world.told(AuditKind::SessionCreated), before);
}

#[tokio::test]
async fn only_a_right_password_of_an_active_account_is_admitted() {
    // promise L6: refused here, before a session is tried, so that a disabled account costs no more than any other
    let (world, _) = ada().await;
    let mut account = world.store.find_by_email(&email("ada@example.org")).await.unwrap().unwrap();
    let right = || PasswordVerdict::Right { rehash: Some(PasswordHash::new("newer")) };
    let (_, rehash) = admitted(Some(&account), right()).unwrap();
    assert_eq!(rehash.map(|rehash| Some(rehash.from)), Some(account.password_hash.clone()));
    assert!(admitted(Some(&account), PasswordVerdict::Wrong).is_none());
    assert!(admitted(None, right()).is_none());
    account.user.state = UserState::Disabled;
    assert!(admitted(Some(&account), right()).is_none());
}

#[tokio::test]
async fn a_disabled_account_is_judged_as_one_without_a_password() {
    // promise L6
    let (world, _) = ada().await;
    let account = world.store.find_by_email(&email("ada@example.org")).await.unwrap().unwrap();
    assert!(account.judged_hash().is_some());
    let user = User { state: UserState::Disabled, ..account.user.clone() };
    assert!(Account { user, ..account }.judged_hash().is_none());
}
