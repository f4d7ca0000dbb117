//! Takes accounts in from another service, with the hashes of their passwords, a batch at a time.
//!
//! An account that is there already is left as it is, whatever the row says: else who may import could set the password
//! of anybody, administrators included. So the same file can be sent again and again, and a row at fault hurts no other.

use std::sync::Arc;

use super::user_row::UserRow;
use crate::crypto::password_hasher::PasswordHasher;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::id::UserId;
use crate::domain::ports::AuditContext;
use crate::domain::ports::user_transfer::UserTransfer;
use crate::domain::user_transfer::{IMPORTED, ImportOutcome, ImportedUser};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// How many rows a batch has at most.
pub const MAX_ROWS: usize = 500;

/// Takes accounts in from another service.
pub struct ImportUsers {
    pub transfer: Arc<dyn UserTransfer>,
    pub hasher: Arc<PasswordHasher>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    Created(UserId),
    /// The account is there already, and is left as it is.
    Exists(UserId),
    /// The row's own fault, in the words of errors: it alone is not taken in.
    Refused(ServiceError),
}

impl ImportUsers {
    /// Takes a batch in, all in one transaction; what became of each row, in order. Fails where nothing was taken in.
    pub async fn run(&self, rows: Vec<UserRow>, by: &Initiator) -> ServiceResult<Vec<RowOutcome>> {
        if rows.len() > MAX_ROWS {
            return Err(ServiceError::invalid_field("users", &format!("must be at most {MAX_ROWS}")));
        }
        let context = by.context(self.clock.now());
        let parse = |row: UserRow| {
            let id = UserId::generate_at(context.at, self.entropy.as_ref());
            row.parse(id, context.at, |hash| self.hasher.can_check(hash))
        };
        let parsed: Vec<ServiceResult<ImportedUser>> = rows.into_iter().map(parse).collect();
        let sound: Vec<ImportedUser> = parsed.iter().filter_map(|row| row.as_ref().ok()).cloned().collect();
        let outcomes = if sound.is_empty() { Vec::new() } else { self.transfer.import(&sound, &context).await? };
        tell(&outcomes, &context, by);
        let mut outcomes = outcomes.into_iter();
        let judge = |row: ServiceResult<ImportedUser>| match row {
            Ok(_) => outcomes.next().map_or(RowOutcome::Refused(ServiceError::Internal), RowOutcome::from),
            Err(fault) => RowOutcome::Refused(fault),
        };
        Ok(parsed.into_iter().map(judge).collect())
    }
}

impl From<ImportOutcome> for RowOutcome {
    fn from(outcome: ImportOutcome) -> Self {
        match outcome {
            ImportOutcome::Created(id) => Self::Created(id),
            ImportOutcome::Exists(id) => Self::Exists(id),
            ImportOutcome::EmailTaken => Self::Refused(ServiceError::EmailTaken),
            ImportOutcome::RoleUnknown => Self::Refused(ServiceError::RoleUnknown),
        }
    }
}

/// One line for the batch: the audit trail tells of each account.
fn tell(outcomes: &[ImportOutcome], context: &AuditContext, by: &Initiator) {
    let created = outcomes.iter().filter(|outcome| matches!(outcome, ImportOutcome::Created(_))).count();
    if created > 0 {
        let event = AuditEvent::by_actor(AuditKind::UserCreated, None, context);
        security_event::log(&AuditEvent { detail: Some(format!("{IMPORTED} of {created}")), ..event }, &by.origin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::StoreError;
    use crate::domain::user::PasswordHash;
    use crate::domain::user_list::UserFilter;
    use crate::service::admin::users::export::{ExportUsers, Hashes};
    use crate::service::keys::ensure::in_background;
    use crate::service::testing::World;

    const BCRYPT: &str = "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";

    fn import(world: &World) -> ImportUsers {
        ImportUsers {
            transfer: Arc::new(world.store.clone()),
            hasher: world.hasher(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
        }
    }

    fn export(world: &World) -> ExportUsers {
        let store = Arc::new(world.store.clone());
        ExportUsers { transfer: store.clone(), audit: store, clock: world.clock.clone() }
    }

    fn row(email: &str, hash: &str) -> UserRow {
        UserRow { email: email.to_owned(), password_hash: hash.to_owned(), ..UserRow::default() }
    }

    fn operator() -> Initiator {
        Initiator { actor: None, origin: in_background() }
    }

    fn fields(outcome: &RowOutcome) -> Vec<&str> {
        let RowOutcome::Refused(ServiceError::InvalidFields(faults)) = outcome else { panic!("{outcome:?}") };
        faults.iter().map(|fault| fault.field.as_str()).collect()
    }

    #[tokio::test]
    async fn each_row_has_the_outcome_of_its_own_place() {
        let world = World::new().await;
        let rows = vec![
            row("nobody", ""),
            row("ada@example.com", BCRYPT),
            row("bob@example.com", "$2b$31$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
            row("cem@example.com", ""),
            row("ADA@example.com", ""),
        ];
        let outcomes = import(&world).run(rows, &operator()).await.unwrap();
        assert_eq!((fields(&outcomes[0]), fields(&outcomes[2])), (vec!["email"], vec!["password_hash"]));
        let (RowOutcome::Created(ada), RowOutcome::Created(cem)) = (&outcomes[1], &outcomes[3]) else {
            panic!("{outcomes:?}")
        };
        assert_ne!(ada, cem);
        assert_eq!(outcomes[4], RowOutcome::Exists(*ada));
    }

    // promise P4
    #[tokio::test]
    async fn what_login_could_not_check_does_not_come_in() {
        let world = World::new().await;
        let before = world.store.audit_events().len();
        for hash in [
            "plain text",
            "$argon2id$v=19$m=4194304,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg",
            "$argon2id$v=19$m=1024,t=2,p=1,keyid=AAAAAAAA$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg",
            "$scrypt$ln=31,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$tjK03tRvEjqCcPwmgtddMkgjlXrk8U/b9rIvfeBMKCc",
            "$2b$06$short",
            "$pbkdf2-sha256$i=10000,l=\0$MDEyMzQ1Njc4OWFiY2RlZg$VqOEAUrTaAjMD6sh91JvmGtbD+YNGnXNMbfIDxgj094",
        ] {
            let outcomes = import(&world).run(vec![row("ada@example.com", hash)], &operator()).await.unwrap();
            assert_eq!(fields(&outcomes[0]), ["password_hash"], "{hash}");
        }
        assert_eq!(world.store.audit_events().len(), before);
    }

    #[tokio::test]
    async fn a_batch_that_is_too_large_or_meets_no_store_takes_nobody_in() {
        let world = World::new().await;
        let rows = |count: usize| (0..count).map(|number| row(&format!("u{number}@example.com"), "")).collect();
        assert!(matches!(
            import(&world).run(rows(MAX_ROWS + 1), &operator()).await,
            Err(ServiceError::InvalidFields(_))
        ));
        world.store.fail_with(Some(StoreError::Unavailable));
        let failed = import(&world).run(rows(1), &operator()).await;
        assert!(matches!(failed, Err(ServiceError::DependencyUnavailable { .. })));
        world.store.fail_with(None);
        assert_eq!(import(&world).run(rows(MAX_ROWS), &operator()).await.unwrap().len(), MAX_ROWS);
    }

    // promise G2
    #[tokio::test]
    async fn no_account_leaves_before_the_trail_is_told() {
        let world = World::new().await;
        import(&world).run(vec![row("ada@example.com", BCRYPT)], &operator()).await.unwrap();
        let export = export(&world);
        for (hashes, expected) in [(Hashes::LeftOut, None), (Hashes::Included, Some(BCRYPT))] {
            let mut begun = export.run(UserFilter::default(), hashes, &operator(), None).await.unwrap();
            let told = world.store.audit_events();
            assert_eq!(told.last().map(|(event, _)| event.kind), Some(AuditKind::UsersExported));
            let page = begun.next().await.unwrap().expect("an account");
            assert_eq!(page[0].password_hash.as_ref().map(PasswordHash::as_str), expected);
            assert!(begun.next().await.unwrap().is_none());
        }
        world.store.fail_with(Some(StoreError::Unavailable));
        assert!(export.run(UserFilter::default(), Hashes::LeftOut, &operator(), None).await.is_err());
    }

    // promise T8
    #[tokio::test]
    async fn an_export_asks_for_its_callers_leave_before_every_page() {
        let world = World::new().await;
        let rows = (0..250).map(|number| row(&format!("user{number}@example.com"), ""));
        import(&world).run(rows.collect(), &operator()).await.unwrap();
        let (root, admission) = world.administrator("ExportUsers").await;
        let begun = export(&world).run(UserFilter::default(), Hashes::LeftOut, &operator(), Some(admission)).await;
        let mut begun = begun.unwrap();
        assert_eq!(begun.next().await.unwrap().expect("a page").len(), 200);
        assert!(world.store.edit_user(root.id, |user| user.roles.clear()));
        assert_eq!(begun.next().await.unwrap_err(), ServiceError::RoleRequired);
    }
}
