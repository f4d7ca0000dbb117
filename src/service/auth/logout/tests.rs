//! Who ends which sessions.

use std::time::Duration;

use keystead_verifier::Verdict;

use super::*;
use crate::domain::ports::StoreError;
use crate::domain::user::User;
use crate::service::auth::refresh::RefreshRequest;
use crate::service::auth::token_set::TokenSet;
use crate::service::error::ServiceError;
use crate::service::settings::Settings;
use crate::service::testing::{World, origin};

async fn log_out(world: &World, token: &str, scope: LogoutScope) -> ServiceResult<()> {
    world.logout().run(LogoutRequest { refresh_token: token.to_owned(), scope }, &origin(1)).await
}

async fn refresh(world: &World, tokens: &TokenSet) -> ServiceResult<TokenSet> {
    let request = RefreshRequest { refresh_token: tokens.refresh_token.clone() };
    world.refresh().run(request, &origin(1)).await
}

async fn two_sessions(world: &World) -> (User, TokenSet, TokenSet) {
    let user = world.user("ada@example.org").await;
    let one = world.sign_in(&user).await;
    let two = world.sign_in(&user).await;
    world.reader().run_once().await.unwrap();
    (user, one, two)
}

fn is_active(world: &World, tokens: &TokenSet) -> bool {
    let verdict = world.verdict_from_memory(&tokens.access_token);
    assert!(matches!(verdict, Verdict::Active(_) | Verdict::Revoked), "{verdict:?}");
    verdict != Verdict::Revoked
}

#[tokio::test]
async fn each_scope_ends_what_it_says_and_counts_here_at_once() {
    // promise T8
    for (scope, survivors) in
        [(LogoutScope::This, [false, true]), (LogoutScope::Others, [true, false]), (LogoutScope::All, [false, false])]
    {
        let world = World::new().await;
        let (_, one, two) = two_sessions(&world).await;
        log_out(&world, &one.refresh_token, scope).await.unwrap();
        assert_eq!([is_active(&world, &one), is_active(&world, &two)], survivors, "{scope:?}");
        assert_eq!([refresh(&world, &one).await.is_ok(), refresh(&world, &two).await.is_ok()], survivors, "{scope:?}");
    }
}

#[tokio::test]
async fn a_token_that_opens_nothing_is_as_good_as_logged_out() {
    let world = World::new().await;
    let (_, one, two) = two_sessions(&world).await;
    assert_eq!(log_out(&world, "", LogoutScope::All).await, Ok(()));
    assert_eq!(log_out(&world, "ksr_forged", LogoutScope::All).await, Ok(()));
    assert_eq!(log_out(&world, &one.refresh_token, LogoutScope::This).await, Ok(()));
    assert_eq!(log_out(&world, &one.refresh_token, LogoutScope::All).await, Ok(()));
    assert!(is_active(&world, &two));
}

#[tokio::test]
async fn a_token_with_a_forged_end_ends_nothing() {
    let world = World::new().await;
    let (_, one, _) = two_sessions(&world).await;
    let mut forged = one.refresh_token.clone().into_bytes();
    let place = forged.len() - 10;
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    log_out(&world, &String::from_utf8(forged).unwrap(), LogoutScope::This).await.unwrap();
    assert!(is_active(&world, &one));
}

#[tokio::test]
async fn an_old_token_ends_its_own_session_and_no_other() {
    let world = World::new().await;
    let (_, one, two) = two_sessions(&world).await;
    let newer = refresh(&world, &one).await.unwrap();
    world.advance(world.settings.sessions.grace);
    world.reader().run_once().await.unwrap();
    log_out(&world, &one.refresh_token, LogoutScope::All).await.unwrap();
    assert!(!is_active(&world, &newer));
    assert!(is_active(&world, &two));
}

#[tokio::test]
async fn the_predecessor_within_the_grace_window_ends_all() {
    let world = World::new().await;
    let (_, one, two) = two_sessions(&world).await;
    let newer = refresh(&world, &one).await.unwrap();
    world.advance(Duration::from_secs(1));
    log_out(&world, &one.refresh_token, LogoutScope::All).await.unwrap();
    assert!(!is_active(&world, &newer));
    assert!(!is_active(&world, &two));
}

#[tokio::test]
async fn nothing_is_told_as_ended_while_the_database_is_away() {
    let world = World::new().await;
    let (_, one, _) = two_sessions(&world).await;
    world.store.fail_with(Some(StoreError::Unavailable));
    let answer = log_out(&world, &one.refresh_token, LogoutScope::This).await;
    assert!(matches!(answer, Err(ServiceError::DependencyUnavailable { .. })), "{answer:?}");
    assert!(is_active(&world, &one));
}

#[tokio::test]
async fn a_session_that_has_only_idled_out_ends_with_its_last_access_token() {
    // promise T8
    let mut settings = Settings::default();
    settings.sessions.idle_lifetime = Duration::from_mins(1);
    let world = World::with(settings).await;
    let (_, one, _) = two_sessions(&world).await;
    world.advance(Duration::from_mins(1));
    world.reader().run_once().await.unwrap();
    assert!(is_active(&world, &one), "the access token outlives the idle session");
    log_out(&world, &one.refresh_token, LogoutScope::This).await.unwrap();
    assert!(!is_active(&world, &one));
}
