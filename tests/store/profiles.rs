//! What accounts tell of their owners.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::id::UserId;
use keystead::domain::language::Language;
use keystead::domain::name::Name;
use keystead::domain::ports::profiles::{ProfileChange, ProfileOutcome};
use keystead::domain::user::{Revision, User};

use crate::backend::Backend;
use crate::fixture::{at_once, reread};

pub async fn a_change_touches_what_it_names_alone(backend: Arc<Backend>) {
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let mut expected = ada.clone();
    for (number, change) in changes().into_iter().enumerate() {
        backend.clock.advance(Duration::from_secs(1));
        expected.display_name = change.display_name.clone().unwrap_or(expected.display_name);
        expected.language = change.language.clone().unwrap_or(expected.language);
        expected.email_verified = change.email_verified.unwrap_or(expected.email_verified);
        expected.revision = Revision(1 + i64::try_from(number).unwrap());
        expected.updated_at = backend.now();
        let ProfileOutcome::Updated(updated) = update(&backend, ada.id, change, None).await else { panic!("refused") };
        assert_eq!(updated, expected);
        assert_eq!(reread(&backend, &ada).await, expected);
    }
    assert_eq!(reread(&backend, &bob).await, bob, "nobody else changes");
}

pub async fn a_change_is_told_by_its_actor_with_its_fields(backend: Arc<Backend>) {
    // promise G2
    let (ada, admin) = (backend.user("ada@example.com").await, backend.user("admin@example.com").await);
    let session = backend.session(&admin).await.id;
    let context = backend.context_of(&admin, session);
    for change in changes() {
        let updated = backend.profiles.update(ada.id, change.clone(), None, &context).await;
        assert!(matches!(updated, Ok(ProfileOutcome::Updated(_))));
        let told = backend.trail().await.pop().unwrap();
        assert_eq!((told.kind.as_str(), told.success), (AuditKind::UserUpdated.as_str(), true));
        assert_eq!(told.detail, Some(change.fields()));
        assert_eq!((told.actor, told.subject), (Some(admin.id.as_uuid()), Some(ada.id.as_uuid())));
        assert_eq!(told.session, Some(session.as_uuid()));
    }
}

pub async fn a_change_decided_on_an_older_revision_is_refused(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let [name, language, _] = changes();
    let first = update(&backend, ada.id, name.clone(), Some(ada.revision)).await;
    assert!(matches!(first, ProfileOutcome::Updated(_)));
    let after = reread(&backend, &ada).await;
    for stale in [ada.revision, Revision(after.revision.0 + 1), Revision(-1)] {
        assert_eq!(update(&backend, ada.id, language.clone(), Some(stale)).await, ProfileOutcome::Moved);
    }
    assert_eq!(reread(&backend, &ada).await, after, "nothing is written");
    assert_eq!(backend.told(AuditKind::UserUpdated, AuditOutcome::Success).await, 1);
    assert!(matches!(update(&backend, ada.id, language, Some(after.revision)).await, ProfileOutcome::Updated(_)));
}

pub async fn what_is_so_already_writes_nothing(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let [change, ..] = changes();
    let ProfileOutcome::Updated(changed) = update(&backend, ada.id, change.clone(), None).await else {
        panic!("a change")
    };
    for expected in [None, Some(changed.revision)] {
        let again = update(&backend, ada.id, change.clone(), expected).await;
        assert_eq!(again, ProfileOutcome::Unchanged(changed.clone()));
    }
    assert_eq!(update(&backend, ada.id, change, Some(ada.revision)).await, ProfileOutcome::Moved);
    assert_eq!(reread(&backend, &ada).await, changed);
    assert_eq!(backend.told(AuditKind::UserUpdated, AuditOutcome::Success).await, 1);
}

pub async fn of_parallel_changes_of_one_revision_one_wins(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let outcomes = at_once(16, |number| {
        let (backend, ada) = (backend.clone(), ada.clone());
        let change = ProfileChange { display_name: Some(name(&format!("Ada {number}"))), ..ProfileChange::default() };
        async move { won(update(&backend, ada.id, change, Some(ada.revision)).await) }
    });
    let winners: Vec<User> = outcomes.await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(reread(&backend, &ada).await, winners[0]);
}

pub async fn nobody_is_changed_where_nobody_is(backend: Arc<Backend>) {
    let absent = UserId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    for expected in [None, Some(Revision(0))] {
        let [change, ..] = changes();
        assert_eq!(update(&backend, absent, change, expected).await, ProfileOutcome::Unknown);
    }
    assert_eq!(backend.told(AuditKind::UserUpdated, AuditOutcome::Success).await, 0);
}

/// One change of each field.
fn changes() -> [ProfileChange; 3] {
    [
        ProfileChange { display_name: Some(name("Lady Ada")), ..ProfileChange::default() },
        ProfileChange { language: Some(Language::parse("pt-BR").unwrap()), ..ProfileChange::default() },
        ProfileChange { email_verified: Some(true), ..ProfileChange::default() },
    ]
}

async fn update(backend: &Backend, user: UserId, change: ProfileChange, expected: Option<Revision>) -> ProfileOutcome {
    backend.profiles.update(user, change, expected, &backend.context()).await.expect("the store answers")
}

fn won(outcome: ProfileOutcome) -> Option<User> {
    match outcome {
        ProfileOutcome::Updated(user) => Some(user),
        ProfileOutcome::Unchanged(_) | ProfileOutcome::Moved | ProfileOutcome::Unknown => None,
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}
