//! The schema, step by step: the same steps on SQLite and PostgreSQL.
//!
//! Steps only add (expand) or remove what no running version reads (contract), so that old and new replicas can work
//! side by side; none goes back. `store::db` runs them all in one transaction under a lock.
//!
//! A step that a release has is never changed. One that removes or renames something ends in `_unread_since_` and the
//! first release that does without, as `m0042_plain_salts_unread_since_0_3_0`: older ones do not serve after it.

use sea_orm_migration::prelude::*;

mod columns;
mod m0001_users;
mod m0002_sessions;
mod m0003_mail;
mod m0004_attempts;
mod m0005_keys;
mod m0006_audit;
mod m0007_roles;
mod m0008_session_source;
mod m0009_service_accounts;
mod m0010_audit;
mod m0011_mail;
mod m0012_user_lists;
mod m0013_second_factor;
mod m0014_identities;
mod m0015_external_ids;
mod m0016_factor_warnings;

/// The steps in their order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_users::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_mail::Migration),
            Box::new(m0004_attempts::Migration),
            Box::new(m0005_keys::Migration),
            Box::new(m0006_audit::Migration),
            Box::new(m0007_roles::Migration),
            Box::new(m0008_session_source::Migration),
            Box::new(m0009_service_accounts::Migration),
            Box::new(m0010_audit::Migration),
            Box::new(m0011_mail::Migration),
            Box::new(m0012_user_lists::Migration),
            Box::new(m0013_second_factor::Migration),
            Box::new(m0014_identities::Migration),
            Box::new(m0015_external_ids::Migration),
            Box::new(m0016_factor_warnings::Migration),
        ]
    }
}
