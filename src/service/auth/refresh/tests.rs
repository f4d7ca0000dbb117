//! Rotation, grace, replay and theft.

use std::time::Duration;

use keystead_verifier::Verdict;
use proptest::prelude::*;

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::ports::StoreError;
use crate::domain::revocation::RevocationCursor;
use crate::domain::user::{Epoch, User};
use crate::service::settings::Settings;
use crate::service::testing::security_log::SecurityLog;
use crate::service::testing::{World, origin};

async fn use_token(world: &World, token: &str) -> ServiceResult<TokenSet> {
    world.refresh().run(RefreshRequest { refresh_token: token.to_owned() }, &origin(1)).await
}

async fn signed_in(world: &World) -> (User, TokenSet) {
    let user = world.user("ada@example.org").await;
    let tokens = world.sign_in(&user).await;
    (user, tokens)
}

#[tokio::test]
async fn a_token_gives_its_successor_and_the_session_stays() {
    // promise R2
    let world = World::new().await;
    let (_, first) = signed_in(&world).await;
    world.advance(Duration::from_mins(1));
    let second = use_token(&world, &first.refresh_token).await.unwrap();
    assert_eq!(second.session_id, first.session_id);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert!(second.refresh_token_expires_at > first.refresh_token_expires_at);
    assert_eq!(format!("{second:?}"), format!("TokenSet {{ session_id: {:?}, .. }}", second.session_id));
    assert!(matches!(world.verdict(&second.access_token).await, Verdict::Active(_)));
}

// promise G2
#[tokio::test]
async fn a_refresh_is_told_to_the_log_and_makes_no_row() {
    let world = World::new().await;
    let (user, first) = signed_in(&world).await;
    let (log, rows) = (SecurityLog::listen(), world.store.audit_events().len());
    use_token(&world, &first.refresh_token).await.unwrap();
    let told = log.last("authn_token_refreshed");
    assert_eq!((&told["subject"], &told["session"]), (&user.id.to_string(), &first.session_id.to_string()));
    assert_eq!(world.store.audit_events().len(), rows);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_within_the_grace_window() {
    // promise R5
    let world = World::new().await;
    let (_, first) = signed_in(&world).await;
    let second = use_token(&world, &first.refresh_token).await.unwrap();
    world.advance(Duration::from_secs(9));
    let again = use_token(&world, &first.refresh_token).await.unwrap();
    assert_eq!(again.refresh_token, second.refresh_token);
}

#[tokio::test]
async fn a_replay_ends_the_session_at_once_and_is_told() {
    // promises R3, T8
    let world = World::new().await;
    let (_, first) = signed_in(&world).await;
    let second = use_token(&world, &first.refresh_token).await.unwrap();
    assert!(matches!(world.verdict(&second.access_token).await, Verdict::Active(_)));
    world.advance(Duration::from_secs(10));
    assert_eq!(use_token(&world, &first.refresh_token).await, Err(ServiceError::InvalidToken));
    world.reader().run_once().await.unwrap();
    assert_eq!(world.verdict_from_memory(&second.access_token), Verdict::Revoked);
    assert_eq!(use_token(&world, &second.refresh_token).await, Err(ServiceError::InvalidToken));
    assert_eq!(world.told(AuditKind::TokenReused), 1);
}

#[tokio::test]
async fn a_replay_counts_on_this_replica_before_the_table_is_read() {
    // promise T8
    let world = World::new().await;
    let (_, first) = signed_in(&world).await;
    let second = use_token(&world, &first.refresh_token).await.unwrap();
    world.advance(Duration::from_secs(11));
    world.revocations.completed(world.revocations.begin(), RevocationCursor::default());
    assert_eq!(use_token(&world, &first.refresh_token).await, Err(ServiceError::InvalidToken));
    assert_eq!(world.verdict_from_memory(&second.access_token), Verdict::Revoked);
}

#[tokio::test]
async fn without_a_grace_window_every_second_use_is_a_replay() {
    // promise R5
    let mut settings = Settings::default();
    settings.sessions.grace = Duration::ZERO;
    let world = World::with(settings).await;
    let (_, first) = signed_in(&world).await;
    let second = use_token(&world, &first.refresh_token).await.unwrap();
    assert_eq!(use_token(&world, &first.refresh_token).await, Err(ServiceError::InvalidToken));
    assert_eq!(use_token(&world, &second.refresh_token).await, Err(ServiceError::InvalidToken));
}

#[tokio::test]
async fn a_forged_token_is_no_replay() {
    // promises R1, R9
    let world = World::new().await;
    let (_, first) = signed_in(&world).await;
    for length in 0..first.refresh_token.len() {
        world.advance(Duration::from_secs(1));
        let prefix = &first.refresh_token[..length];
        assert_eq!(use_token(&world, prefix).await, Err(ServiceError::InvalidToken), "{length}");
    }
    let mut forged = first.refresh_token.clone().into_bytes();
    let place = forged.len() - 10;
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(use_token(&world, &forged).await, Err(ServiceError::InvalidToken));
    assert_eq!(world.told(AuditKind::TokenReused), 0);
    assert!(use_token(&world, &first.refresh_token).await.is_ok());
}

#[tokio::test]
async fn forged_tokens_spend_the_budget_of_the_source_and_real_ones_do_not() {
    // promise L1
    let world = World::new().await;
    let (_, first) = signed_in(&world).await;
    for _ in 0..world.settings.limits.per_source.burst {
        assert_eq!(use_token(&world, "ksr_forged").await, Err(ServiceError::InvalidToken));
    }
    let limited = use_token(&world, "ksr_forged").await;
    assert!(matches!(limited, Err(ServiceError::RateLimited { .. })), "{limited:?}");
    assert_eq!(world.told(AuditKind::RateLimited), 1);
    assert!(use_token(&world, &first.refresh_token).await.is_ok());
}

#[tokio::test]
async fn an_idle_session_and_an_old_one_are_over() {
    // promise R7
    let world = World::new().await;
    let (user, mut tokens) = signed_in(&world).await;
    let idle = world.sign_in(&user).await;
    let day = Duration::from_hours(24);
    world.advance(13 * day);
    for _ in 0..6 {
        world.keys.replace(world.keys.ring(), world.clock.monotonic());
        tokens = use_token(&world, &tokens.refresh_token).await.unwrap();
        world.advance(12 * day);
    }
    world.keys.replace(world.keys.ring(), world.clock.monotonic());
    assert_eq!(use_token(&world, &idle.refresh_token).await, Err(ServiceError::InvalidToken));
    tokens = use_token(&world, &tokens.refresh_token).await.unwrap();
    assert_eq!(tokens.refresh_token_expires_at, Timestamp::from_millis(1_700_000_000_000).after(90 * day));
    world.advance(5 * day);
    world.keys.replace(world.keys.ring(), world.clock.monotonic());
    assert_eq!(use_token(&world, &tokens.refresh_token).await, Err(ServiceError::InvalidToken));
}

#[tokio::test]
async fn a_disabled_user_cannot_refresh() {
    // promise R8
    let world = World::new().await;
    let (user, tokens) = signed_in(&world).await;
    let _ended = world.store.disable(user.id, world.clock.now().after(Duration::from_hours(1)), &world.context());
    assert_eq!(use_token(&world, &tokens.refresh_token).await, Err(ServiceError::InvalidToken));
}

#[tokio::test]
async fn roles_are_read_afresh() {
    // promise R8
    let world = World::new().await;
    let (user, tokens) = signed_in(&world).await;
    assert!(world.store.edit_user(user.id, |user| {
        user.roles = vec!["auditor".to_owned()];
        user.epoch = Epoch(user.epoch.0 + 1);
    }));
    let tokens = use_token(&world, &tokens.refresh_token).await.unwrap();
    let Verdict::Active(claims) = world.verdict(&tokens.access_token).await else { panic!("not active") };
    assert_eq!(claims.roles, ["auditor"]);
    assert_eq!(claims.epoch, user.epoch.0 + 1);
}

#[tokio::test]
async fn a_database_that_is_away_is_no_verdict_on_the_token() {
    let world = World::new().await;
    let (_, tokens) = signed_in(&world).await;
    world.store.fail_with(Some(StoreError::Unavailable));
    let answer = use_token(&world, &tokens.refresh_token).await;
    assert!(matches!(answer, Err(ServiceError::DependencyUnavailable { .. })), "{answer:?}");
    world.store.fail_with(None);
    assert!(use_token(&world, &tokens.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_ring_too_old_to_sign_with_costs_no_token() {
    // promise T9
    let world = World::new().await;
    let (_, tokens) = signed_in(&world).await;
    world.advance(world.settings.keys.publish_lead() + Duration::from_millis(1));
    let answer = use_token(&world, &tokens.refresh_token).await;
    assert!(matches!(answer, Err(ServiceError::DependencyUnavailable { .. })), "{answer:?}");
    world.keys.replace(world.keys.ring(), world.clock.monotonic());
    assert!(use_token(&world, &tokens.refresh_token).await.is_ok());
}

/// What may happen to the tokens of a session.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// The owner refreshes with the newest token that they have got.
    Use,
    /// The owner refreshes, and the answer is lost on its way.
    LostAnswer,
    /// The thief copies what the owner has.
    Theft,
    /// The thief refreshes with the newest token that they have got.
    UseStolen,
    /// So many seconds pass.
    Pass(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Use),
        2 => Just(Happening::LostAnswer),
        1 => Just(Happening::Theft),
        3 => Just(Happening::UseStolen),
        2 => (1_u64..15).prop_map(Happening::Pass),
    ]
}

/// Plays a story, and says what was ever handed out: every distinct successor of every token.
async fn play(story: &[Happening]) {
    let world = World::new().await;
    let (_, first) = signed_in(&world).await;
    let mut owner = first.refresh_token.clone();
    let mut thief = None;
    let mut successors = std::collections::HashMap::<String, String>::new();
    let mut live = vec![first.refresh_token];
    let mut ended = false;
    for happening in story {
        let token = match happening {
            Happening::Pass(seconds) => {
                world.advance(Duration::from_secs(*seconds));
                continue;
            }
            Happening::Theft => {
                thief = Some(owner.clone());
                continue;
            }
            Happening::Use | Happening::LostAnswer => owner.clone(),
            Happening::UseStolen => match &thief {
                Some(token) => token.clone(),
                None => continue,
            },
        };
        match use_token(&world, &token).await {
            Err(error) => {
                assert_eq!(error, ServiceError::InvalidToken);
                ended = true;
            }
            Ok(tokens) => {
                assert!(!ended, "a session that has ended was refreshed");
                let successor = successors.entry(token).or_insert_with(|| tokens.refresh_token.clone());
                assert_eq!(*successor, tokens.refresh_token, "a token has two successors");
                if !live.contains(&tokens.refresh_token) {
                    live.push(tokens.refresh_token.clone());
                }
                match happening {
                    Happening::Use => owner = tokens.refresh_token,
                    Happening::UseStolen => thief = Some(tokens.refresh_token),
                    Happening::LostAnswer | Happening::Theft | Happening::Pass(_) => {}
                }
            }
        }
    }
    one_line_at_most(&world, &live, &successors).await;
}

/// After the story, outside every grace window, one token at most works: the end of the one line of successors.
async fn one_line_at_most(world: &World, live: &[String], successors: &std::collections::HashMap<String, String>) {
    let distinct: std::collections::HashSet<_> = successors.values().collect();
    assert_eq!(distinct.len(), successors.len(), "two tokens have one successor");
    let ends: Vec<_> = live.iter().filter(|token| !successors.contains_key(*token)).collect();
    assert_eq!(ends.len(), 1, "the line has branched");
    world.advance(Duration::from_secs(10));
    let mut working = 0;
    for token in live.iter().rev() {
        working += u32::from(use_token(world, token).await.is_ok());
    }
    assert!(working <= 1, "{working} tokens of one session work");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    // promise R5
    #[test]
    fn no_order_of_use_lost_answer_and_theft_makes_a_second_branch(
        story in prop::collection::vec(happening(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(play(&story));
    }
}
