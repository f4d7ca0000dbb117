//! Places in the trail as bytes, for tokens to hold.

use uuid::Uuid;

use crate::domain::audit_trail::{AuditCursor, AuditPlace};
use crate::domain::clock::Timestamp;
use crate::domain::id::AuditId;

pub(super) fn of_place(place: AuditPlace) -> Vec<u8> {
    bytes(place.at.as_millis(), place.id)
}

pub(super) fn of_cursor(cursor: AuditCursor) -> Vec<u8> {
    bytes(cursor.position, cursor.id)
}

pub(super) fn place(bytes: &[u8]) -> Option<AuditPlace> {
    parse(bytes).map(|(at, id)| AuditPlace { at: Timestamp::from_millis(at), id })
}

pub(super) fn cursor(bytes: &[u8]) -> Option<AuditCursor> {
    parse(bytes).map(|(position, id)| AuditCursor { position, id })
}

fn bytes(number: i64, id: AuditId) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), id.as_uuid().as_bytes()].concat()
}

fn parse(bytes: &[u8]) -> Option<(i64, AuditId)> {
    let (number, id) = bytes.split_first_chunk()?;
    let id = Uuid::from_slice(id).ok()?;
    Some((i64::from_be_bytes(*number), AuditId::from_uuid(id)))
}
