//! Tests on SQLite.
