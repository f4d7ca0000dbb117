//! A session and its row.

use sea_orm::ActiveValue::Set;

use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Source;
use crate::domain::session::{Session, SessionSalt};
use crate::store::db::entity::session;
use crate::store::db::fault::Fault;
use crate::store::db::users::stored_name;
use crate::store::db::words::{list, parse_list};

pub(super) fn parse(row: session::Model) -> Result<Session, Fault> {
    Ok(Session {
        id: SessionId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        generation: u64::try_from(row.generation).map_err(|_| Fault::Corrupt("generation"))?,
        salt: SessionSalt(row.salt.try_into().map_err(|_| Fault::Corrupt("salt"))?),
        refresh_key_id: row.refresh_key_id,
        audience: parse_list(&row.audience)?,
        methods: parse_list(&row.methods)?,
        device_name: stored_name(&row.device_name)?,
        source: row.source.as_deref().map(stored_source).transpose()?,
        authenticated_at: Timestamp::from_millis(row.authenticated_at),
        rotated_at: Timestamp::from_millis(row.rotated_at),
        idle_expires_at: Timestamp::from_millis(row.idle_expires_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        ended_at: row.ended_at.map(Timestamp::from_millis),
    })
}

pub(super) fn of(session: &Session) -> session::ActiveModel {
    session::ActiveModel {
        id: Set(session.id.as_uuid()),
        user_id: Set(session.user_id.as_uuid()),
        generation: Set(stored_generation(session.generation)),
        salt: Set(session.salt.0.to_vec()),
        refresh_key_id: Set(session.refresh_key_id.clone()),
        audience: Set(list(&session.audience)),
        methods: Set(list(&session.methods)),
        device_name: Set(session.device_name.as_str().to_owned()),
        source: Set(session.source.map(|source| source.to_string())),
        authenticated_at: Set(session.authenticated_at.as_millis()),
        rotated_at: Set(session.rotated_at.as_millis()),
        idle_expires_at: Set(session.idle_expires_at.as_millis()),
        expires_at: Set(session.expires_at.as_millis()),
        ended_at: Set(session.ended_at.map(Timestamp::as_millis)),
    }
}

/// A generation that no row can hold lies ahead of every row.
pub(super) fn stored_generation(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}

fn stored_source(text: &str) -> Result<Source, Fault> {
    text.parse().map(Source::new).map_err(|_| Fault::Corrupt("source of a session"))
}
