//! Accounts on their way in and out.

use std::collections::BTreeSet;
use std::sync::Arc;

use keystead::domain::audit::AuditKind;
use keystead::domain::clock::Timestamp;
use keystead::domain::id::UserId;
use keystead::domain::language::Language;
use keystead::domain::name::Name;
use keystead::domain::ports::AuditContext;
use keystead::domain::rights::{DeletionOutcome, UserDeletion};
use keystead::domain::role::RoleName;
use keystead::domain::user::{Epoch, PasswordHash, Revision, User, UserState};
use keystead::domain::user_list::{UserFilter, UserOrder, UserPosition, UserQuery};
use keystead::domain::user_transfer::{ExportedUser, ExternalId, ImportOutcome, ImportedUser};

use crate::backend::Backend;
use crate::fixture::{at_once, email, reread};
use crate::trail::Told;

const LONG_AGO: Timestamp = Timestamp::from_millis(1_500_000_000_123);

impl Backend {
    fn row(&self, external_id: Option<&str>, address: &str) -> ImportedUser {
        ImportedUser {
            id: UserId::generate(self.clock.as_ref(), self.entropy.as_ref()),
            external_id: external_id.map(|id| ExternalId::parse(id).expect("an id")),
            email: email(address),
            email_verified: true,
            display_name: Name::parse("Ada \"L\\\" \u{1f511}").expect("a name"),
            language: Language::parse("pt-BR").expect("a language"),
            state: UserState::Active,
            roles: Vec::new(),
            password_hash: Some(PasswordHash::new("$2b$06$hash")),
            created_at: LONG_AGO,
        }
    }

    async fn import(&self, rows: &[ImportedUser]) -> Vec<ImportOutcome> {
        self.transfer.import(rows, &self.context()).await.expect("the store answers")
    }

    async fn export(&self) -> Vec<ExportedUser> {
        let query = UserQuery { limit: 2_000, ..UserQuery::default() };
        self.transfer.export(&query).await.expect("the store answers")
    }

    async fn events_of(&self, id: UserId) -> Vec<(String, Option<String>)> {
        let trail = self.trail().await;
        let of_user = trail.into_iter().filter(|told| told.subject == Some(id.as_uuid()));
        of_user.map(|Told { kind, detail, .. }| (kind, detail)).collect()
    }
}

fn role(name: &str) -> RoleName {
    RoleName::parse(name).expect("a role")
}

pub async fn an_import_keeps_all_that_a_row_says_and_mails_nobody(backend: Arc<Backend>) {
    let (admin, context) = backend.desk().await;
    let context = AuditContext { at: backend.now(), ..context };
    let closed = ImportedUser {
        state: UserState::Disabled,
        email_verified: false,
        password_hash: None,
        ..backend.row(None, "Bob@Example.com")
    };
    let ada = ImportedUser { roles: vec![role("verifier")], ..backend.row(Some("auth0|7"), "ada@example.com") };
    let outcomes = backend.transfer.import(&[ada.clone(), closed.clone()], &context).await.unwrap();
    assert_eq!(outcomes, [ImportOutcome::Created(ada.id), ImportOutcome::Created(closed.id)]);
    let expected = User {
        id: ada.id,
        email: ada.email.clone(),
        email_verified: true,
        display_name: ada.display_name.clone(),
        state: UserState::Active,
        roles: vec!["user".to_owned(), "verifier".to_owned()],
        epoch: Epoch::default(),
        revision: Revision::default(),
        language: ada.language.clone(),
        created_at: LONG_AGO,
        updated_at: backend.now(),
    };
    assert_eq!(backend.users.find(ada.id).await.unwrap().unwrap(), expected);
    let account = backend.users.find_by_email(&ada.email).await.unwrap().unwrap();
    assert_eq!(account.password_hash, ada.password_hash);
    let bob = backend.users.find_by_email(&email("bob@example.com")).await.unwrap().unwrap();
    assert_eq!((bob.user.state, bob.user.email_verified, bob.password_hash), (UserState::Disabled, false, None));
    assert!(backend.waiting().await.is_empty());
    // promise G2
    let told = |kind: AuditKind, detail: &str| (kind.as_str().to_owned(), true, Some(detail.to_owned()));
    let deeds = backend.deeds(&admin, &expected).await;
    assert_eq!(deeds, [told(AuditKind::RoleGranted, "verifier"), told(AuditKind::UserCreated, "import")]);
}

pub async fn what_is_there_already_is_left_as_it_is(backend: Arc<Backend>) {
    let rows = [backend.row(Some("7"), "ada@example.com"), backend.row(None, "bob@example.com")];
    let ids = rows.each_ref().map(|row| row.id);
    assert_eq!(backend.import(&rows).await, ids.map(ImportOutcome::Created));
    let registered = backend.user("cem@example.com").await;
    let before = (backend.export().await.len(), backend.trail().await.len());
    let other = |row: ImportedUser| ImportedUser {
        password_hash: Some(PasswordHash::new("another")),
        display_name: Name::default(),
        state: UserState::Disabled,
        roles: vec![role("verifier")],
        ..row
    };
    let again = [
        other(backend.row(Some("7"), "ada@example.com")),
        // By its external id, whatever address it has elsewhere by now.
        other(backend.row(Some("7"), "ada@elsewhere.example")),
        other(backend.row(None, "BOB@example.com")),
        other(backend.row(None, "cem@example.com")),
        other(backend.row(None, "ada@example.com")),
    ];
    let there = [ids[0], ids[0], ids[1], registered.id, ids[0]];
    assert_eq!(backend.import(&again).await, there.map(ImportOutcome::Exists));
    assert_eq!((backend.export().await.len(), backend.trail().await.len()), before, "nothing was written");
    for row in &rows {
        let account = backend.users.find_by_email(&row.email).await.unwrap().unwrap();
        assert_eq!((account.password_hash, account.user.state), (row.password_hash.clone(), UserState::Active));
        assert_eq!(
            (account.user.roles, account.user.display_name),
            (vec!["user".to_owned()], row.display_name.clone())
        );
    }
    assert_eq!(reread(&backend, &registered).await, registered);
}

// promise X6
pub async fn an_address_of_somebody_else_is_not_taken_over(backend: Arc<Backend>) {
    let registered = backend.user("ada@example.com").await;
    let imported = backend.row(Some("1"), "bob@example.com");
    assert_eq!(backend.import(std::slice::from_ref(&imported)).await, [ImportOutcome::Created(imported.id)]);
    let strangers = [backend.row(Some("2"), "ADA@example.com"), backend.row(Some("3"), "bob@example.com")];
    assert_eq!(backend.import(&strangers).await, [ImportOutcome::EmailTaken; 2]);
    assert_eq!(reread(&backend, &registered).await, registered);
    assert_eq!(backend.export().await.len(), 2);
}

pub async fn of_two_rows_that_are_the_same_the_first_counts(backend: Arc<Backend>) {
    let rows = [
        backend.row(Some("7"), "ada@example.com"),
        backend.row(Some("7"), "other@example.com"),
        backend.row(None, "Ada@example.com"),
        backend.row(Some("8"), "ada@example.com"),
        backend.row(Some("8"), "bob@example.com"),
    ];
    let ada = rows[0].id;
    let expected = [
        ImportOutcome::Created(ada),
        ImportOutcome::Exists(ada),
        ImportOutcome::Exists(ada),
        ImportOutcome::EmailTaken,
        ImportOutcome::Created(rows[4].id),
    ];
    assert_eq!(backend.import(&rows).await, expected);
}

pub async fn a_row_at_fault_hurts_no_other(backend: Arc<Backend>) {
    let unknown =
        ImportedUser { roles: vec![role("billing"), role("verifier")], ..backend.row(Some("1"), "ada@example.com") };
    let good = ImportedUser { roles: vec![role("verifier")], ..backend.row(Some("2"), "bob@example.com") };
    let outcomes = backend.import(&[unknown.clone(), good.clone()]).await;
    assert_eq!(outcomes, [ImportOutcome::RoleUnknown, ImportOutcome::Created(good.id)]);
    assert!(backend.users.find(unknown.id).await.unwrap().is_none());
    assert!(backend.events_of(unknown.id).await.is_empty());
    assert!(backend.import(&[]).await.is_empty());
}

pub async fn of_parallel_imports_of_one_file_each_account_is_made_once(backend: Arc<Backend>) {
    let outcomes = at_once(8, |number| {
        let backend = backend.clone();
        async move {
            let rows = (0..60).map(|row| {
                // From both ends, so that each meets the other's rows in another order.
                let row = if number % 2 == 0 { row } else { 59 - row };
                backend.row(Some(&format!("id-{row}")), &format!("user{row}@example.com"))
            });
            let rows: Vec<_> = rows.collect();
            backend.import(&rows).await
        }
    });
    let outcomes: Vec<_> = outcomes.await.into_iter().flatten().collect();
    let created = outcomes.iter().filter(|outcome| matches!(outcome, ImportOutcome::Created(_))).count();
    let there = outcomes.iter().filter(|outcome| matches!(outcome, ImportOutcome::Exists(_))).count();
    assert_eq!((created, there), (60, 7 * 60));
    assert_eq!(backend.export().await.len(), 60);
}

pub async fn whole_batches_come_in(backend: Arc<Backend>) {
    let rows = (0..500).map(|number| ImportedUser {
        roles: (number < 2).then(|| role("verifier")).into_iter().collect(),
        ..backend.row(Some(&format!("id-{number}")), &format!("user{number}@example.com"))
    });
    let rows: Vec<_> = rows.collect();
    let outcomes = backend.import(&rows).await;
    assert!(outcomes.iter().zip(&rows).all(|(outcome, row)| *outcome == ImportOutcome::Created(row.id)));
    let created = backend.trail().await.iter().filter(|told| told.kind == AuditKind::UserCreated.as_str()).count();
    assert_eq!(created, 500, "each account is told of");
}

pub async fn an_export_walks_over_everything_in_order(backend: Arc<Backend>) {
    let registered = backend.user("ada@example.com").await;
    let rows: Vec<_> =
        (0..5).map(|number| backend.row(Some(&number.to_string()), &format!("u{number}@example.com"))).collect();
    let imported = backend.import(&rows).await;
    assert_eq!(imported.len(), 5);
    let mut query = UserQuery { order: UserOrder::Created, limit: 2, ..UserQuery::default() };
    let mut walked = Vec::new();
    loop {
        let page = backend.transfer.export(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(UserPosition::of(&last.user));
        walked.extend(page);
    }
    assert_eq!(walked.len(), 6);
    let last = walked.last().expect("somebody");
    assert_eq!((&last.user, &last.external_id), (&registered, &None), "who came last was created last");
    let told: BTreeSet<_> =
        walked.iter().filter_map(|it| it.external_id.as_ref().map(|id| id.as_str().to_owned())).collect();
    assert_eq!(told.into_iter().collect::<Vec<_>>(), ["0", "1", "2", "3", "4"]);
    assert!(walked[..5].iter().all(|it| it.password_hash == rows[0].password_hash && it.user.created_at == LONG_AGO));
    let filter = UserFilter { created_from: Some(backend.now()), ..UserFilter::default() };
    let chosen = backend.transfer.export(&UserQuery { filter, limit: 9, ..UserQuery::default() }).await.unwrap();
    assert_eq!(chosen.len(), 1);
}

// promise D1
pub async fn a_deleted_account_frees_its_external_id(backend: Arc<Backend>) {
    let row = backend.row(Some("7"), "ada@example.com");
    assert_eq!(backend.import(std::slice::from_ref(&row)).await, [ImportOutcome::Created(row.id)]);
    let deletion = UserDeletion { user: row.id, account_key: [7; 32], revocations_expire_at: backend.later() };
    let deleted = backend.rights.delete(deletion, &backend.context()).await.unwrap();
    assert!(matches!(deleted, DeletionOutcome::Deleted { .. }));
    let again = backend.row(Some("7"), "ada@example.com");
    assert_eq!(backend.import(std::slice::from_ref(&again)).await, [ImportOutcome::Created(again.id)]);
}
