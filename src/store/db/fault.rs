//! What can go wrong in the database, and what the ports say of it.
//!
//! The log gets a code, never a message: what a database says may quote a row.

use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr, SqlxPostgresError, SqlxSqliteError};

use crate::domain::ports::StoreError;

/// The word for a database that let nobody in for as long as was waited: the driver goes on asking one that is not there,
/// and one that refuses for want of connections.
pub const NO_CONNECTION: &str = "no connection in time";

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Fault {
    Database(DbErr),
    /// Another operation was in between: worth another try.
    Contended,
    /// What the operation was about is gone: no try will help.
    Overtaken,
    /// A row that this code cannot have written; the word says what of it.
    Corrupt(&'static str),
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// What a failure calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Contention,
    Outage,
    Defect,
}

impl Fault {
    pub(super) fn is_contention(&self) -> bool {
        match self {
            Self::Database(error) => classify(error).0 == Class::Contention,
            Self::Contended => true,
            Self::Overtaken | Self::Corrupt(_) => false,
        }
    }

    /// Tells the log and gives the port's answer.
    pub(super) fn report(&self) -> StoreError {
        match self {
            Self::Contended | Self::Overtaken => StoreError::Conflict,
            Self::Corrupt(what) => {
                tracing::error!(what, "the database holds what cannot be");
                StoreError::Corrupt
            }
            Self::Database(error) => report_database(error),
        }
    }
}

fn report_database(error: &DbErr) -> StoreError {
    let (class, code) = classify(error);
    match class {
        Class::Contention => StoreError::Conflict,
        Class::Outage => {
            tracing::warn!(code, "the database does not answer, or cannot write");
            StoreError::Unavailable
        }
        Class::Defect => {
            tracing::error!(code, "the database refused a statement");
            StoreError::Corrupt
        }
    }
}

/// The word for the log: it holds nothing of the data, and nothing that the database says.
pub(super) fn code(error: &DbErr) -> String {
    classify(error).1
}

/// The class of the failure, and a word for the log that holds nothing of the data.
#[expect(clippy::wildcard_enum_match_arm, reason = "an open list: what is not an outage is a defect")]
fn classify(error: &DbErr) -> (Class, String) {
    match error {
        DbErr::ConnectionAcquire(_) => (Class::Outage, "no connection".to_owned()),
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => classify_driver(error),
        DbErr::Conn(_) => (Class::Outage, "connection".to_owned()),
        _ => (Class::Defect, "mapping".to_owned()),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "an open list: what is not an outage is a defect")]
fn classify_driver(error: &sqlx::Error) -> (Class, String) {
    match error {
        sqlx::Error::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<SqlxPostgresError>() {
                (classify_sqlstate(error.code()), format!("SQLSTATE {}", error.code()))
            } else if error.try_downcast_ref::<SqlxSqliteError>().is_some() {
                let code = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
                (classify_sqlite(code), format!("SQLite {code}"))
            } else {
                (Class::Defect, "driver".to_owned())
            }
        }
        sqlx::Error::Io(error) if is_of_tls(error) => (Class::Outage, "TLS".to_owned()),
        sqlx::Error::Io(error) => (Class::Outage, error.kind().to_string()),
        sqlx::Error::Tls(_) => (Class::Outage, "TLS".to_owned()),
        sqlx::Error::Configuration(_) => (Class::Outage, "settings".to_owned()),
        sqlx::Error::PoolTimedOut => (Class::Outage, NO_CONNECTION.to_owned()),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => (Class::Outage, "closed".to_owned()),
        // A server that dies in the middle of an answer looks like this.
        sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => (Class::Outage, "protocol".to_owned()),
        _ => (Class::Defect, "decoding".to_owned()),
    }
}

fn is_of_tls(error: &std::io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<rustls::Error>())
}

/// PostgreSQL documentation, appendix A: error codes.
fn classify_sqlstate(code: &str) -> Class {
    match (code, code.get(..2).unwrap_or_default()) {
        // Serialization failure, deadlock, lock not available.
        ("40001" | "40P01" | "55P03", _) => Class::Contention,
        // Read-only transaction, insufficient privilege: a standby, or an account that may not write. Then classes:
        // connection, authorization, no such database, resources, operator intervention, system error.
        ("25006" | "42501", _) | (_, "08" | "28" | "3D" | "53" | "57" | "58") => Class::Outage,
        _ => Class::Defect,
    }
}

/// <https://www.sqlite.org/rescode.html>; the low byte is the primary code.
fn classify_sqlite(code: i32) -> Class {
    match code & 0xff {
        // BUSY, LOCKED
        5 | 6 => Class::Contention,
        // PERM, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, AUTH
        3 | 7 | 8 | 9 | 10 | 13 | 14 | 23 => Class::Outage,
        _ => Class::Defect,
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Fault, classify_sqlite, classify_sqlstate};
    use crate::domain::ports::StoreError;

    #[test]
    fn a_lost_race_is_worth_another_try() {
        for code in ["40001", "40P01"] {
            assert_eq!(classify_sqlstate(code), Class::Contention, "{code}");
        }
        for code in [5, 6, 5 | (2 << 8)] {
            assert_eq!(classify_sqlite(code), Class::Contention, "{code}");
        }
        assert!(Fault::Contended.is_contention());
        assert!(!Fault::Overtaken.is_contention());
    }

    #[test]
    fn a_database_that_cannot_write_is_unavailable() {
        for code in ["25006", "53100", "53300", "57P01", "57014", "08006", "28P01"] {
            assert_eq!(classify_sqlstate(code), Class::Outage, "{code}");
        }
        for code in [8, 10, 13, 14] {
            assert_eq!(classify_sqlite(code), Class::Outage, "{code}");
        }
    }

    #[test]
    fn a_schema_that_does_not_fit_is_a_defect() {
        assert_eq!(classify_sqlstate("42P01"), Class::Defect);
        assert_eq!(classify_sqlite(1), Class::Defect);
        assert_eq!(Fault::Corrupt("role").report(), StoreError::Corrupt);
    }
}
