//! The message `keystead.v1.AccessTokenClaims`, written straight from the claims of a verified token: the generated type
//! would copy a dozen texts for each answer of the two hottest calls.

use std::sync::Arc;

use bytes::{Buf, BufMut};
use prost::encoding::{
    DecodeContext, WireType, encode_key, encode_varint, int64, key_len, message, skip_field, string,
};
use prost::{DecodeError, Message};
use prost_types::Timestamp;
use uuid::Uuid;

use crate::service::token::verify::Claims;

/// Numbers of the fields, as in the contract.
mod field {
    pub const ISSUER: u32 = 1;
    pub const SUBJECT: u32 = 2;
    pub const AUDIENCES: u32 = 3;
    pub const CLIENT_ID: u32 = 4;
    pub const EXPIRE_TIME: u32 = 5;
    pub const ISSUE_TIME: u32 = 6;
    pub const NOT_BEFORE_TIME: u32 = 7;
    pub const TOKEN_ID: u32 = 8;
    pub const SESSION_ID: u32 = 9;
    pub const EPOCH: u32 = 10;
    pub const AUTHENTICATION_TIME: u32 = 11;
    pub const AUTHENTICATION_METHODS: u32 = 12;
    pub const ROLES: u32 = 13;
    pub const SCOPES: u32 = 14;
}

/// The length of an id as text (RFC 9562, section 4).
const ID_LENGTH: usize = 36;

/// The message `keystead.v1.AccessTokenClaims`: claims that other holders share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessTokenClaims(pub Arc<Claims>);

impl Default for AccessTokenClaims {
    fn default() -> Self {
        Self(Arc::new(Claims {
            iss: String::new(),
            sub: Uuid::nil(),
            aud: Vec::new(),
            client_id: String::new(),
            exp: 0,
            iat: 0,
            nbf: 0,
            jti: Uuid::nil(),
            sid: Uuid::nil(),
            epoch: 0,
            auth_time: 0,
            amr: Vec::new(),
            roles: Vec::new(),
            scope: Vec::new(),
        }))
    }
}

impl AccessTokenClaims {
    fn texts(&self) -> [(u32, &String); 2] {
        [(field::ISSUER, &self.0.iss), (field::CLIENT_ID, &self.0.client_id)]
    }

    fn lists(&self) -> [(u32, &[String]); 4] {
        [
            (field::AUDIENCES, &self.0.aud),
            (field::AUTHENTICATION_METHODS, &self.0.amr),
            (field::ROLES, &self.0.roles),
            (field::SCOPES, &self.0.scope),
        ]
    }

    fn ids(&self) -> [(u32, &Uuid); 3] {
        [(field::SUBJECT, &self.0.sub), (field::TOKEN_ID, &self.0.jti), (field::SESSION_ID, &self.0.sid)]
    }

    fn times(&self) -> [(u32, Timestamp); 4] {
        [
            (field::EXPIRE_TIME, self.0.exp),
            (field::ISSUE_TIME, self.0.iat),
            (field::NOT_BEFORE_TIME, self.0.nbf),
            (field::AUTHENTICATION_TIME, self.0.auth_time),
        ]
        .map(|(number, seconds)| (number, Timestamp { seconds, nanos: 0 }))
    }
}

/// Fields may come in any order (Protocol Buffers, "Encoding"): they are written kind by kind.
impl Message for AccessTokenClaims {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        for (number, text) in self.texts().into_iter().filter(|(_, text)| !text.is_empty()) {
            string::encode(number, text, buffer);
        }
        for (number, texts) in self.lists() {
            string::encode_repeated(number, texts, buffer);
        }
        for (number, id) in self.ids() {
            encode_key(number, WireType::LengthDelimited, buffer);
            encode_varint(ID_LENGTH as u64, buffer);
            buffer.put_slice(id.hyphenated().encode_lower(&mut [0; ID_LENGTH]).as_bytes());
        }
        for (number, time) in self.times() {
            message::encode(number, &time, buffer);
        }
        if self.0.epoch != 0 {
            int64::encode(field::EPOCH, &self.0.epoch, buffer);
        }
    }

    fn encoded_len(&self) -> usize {
        let texts = self.texts().into_iter().filter(|(_, text)| !text.is_empty());
        let texts: usize = texts.map(|(number, text)| string::encoded_len(number, text)).sum();
        let lists: usize =
            self.lists().iter().map(|(number, texts)| string::encoded_len_repeated(*number, texts)).sum();
        // The length of an id is written in one byte.
        let ids: usize = self.ids().iter().map(|(number, _)| key_len(*number) + 1 + ID_LENGTH).sum();
        let times: usize = self.times().iter().map(|(number, time)| message::encoded_len(*number, time)).sum();
        let epoch = if self.0.epoch == 0 { 0 } else { int64::encoded_len(field::EPOCH, &self.0.epoch) };
        texts + lists + ids + times + epoch
    }

    fn merge_field(
        &mut self,
        number: u32,
        wire: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let claims = Arc::make_mut(&mut self.0);
        match number {
            field::ISSUER => string::merge(wire, &mut claims.iss, buffer, context),
            field::CLIENT_ID => string::merge(wire, &mut claims.client_id, buffer, context),
            field::AUDIENCES => string::merge_repeated(wire, &mut claims.aud, buffer, context),
            field::AUTHENTICATION_METHODS => string::merge_repeated(wire, &mut claims.amr, buffer, context),
            field::ROLES => string::merge_repeated(wire, &mut claims.roles, buffer, context),
            field::SCOPES => string::merge_repeated(wire, &mut claims.scope, buffer, context),
            field::SUBJECT => merge_id(wire, &mut claims.sub, buffer, context),
            field::TOKEN_ID => merge_id(wire, &mut claims.jti, buffer, context),
            field::SESSION_ID => merge_id(wire, &mut claims.sid, buffer, context),
            field::EXPIRE_TIME => merge_seconds(wire, &mut claims.exp, buffer, context),
            field::ISSUE_TIME => merge_seconds(wire, &mut claims.iat, buffer, context),
            field::NOT_BEFORE_TIME => merge_seconds(wire, &mut claims.nbf, buffer, context),
            field::AUTHENTICATION_TIME => merge_seconds(wire, &mut claims.auth_time, buffer, context),
            field::EPOCH => int64::merge(wire, &mut claims.epoch, buffer, context),
            _ => skip_field(wire, number, buffer, context),
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

fn merge_id(wire: WireType, id: &mut Uuid, buffer: &mut impl Buf, context: DecodeContext) -> Result<(), DecodeError> {
    let mut text = String::new();
    string::merge(wire, &mut text, buffer, context)?;
    // Of what is no id nothing is known: the messages of this service hold none.
    *id = text.parse().unwrap_or_default();
    Ok(())
}

fn merge_seconds(
    wire: WireType,
    seconds: &mut i64,
    buffer: &mut impl Buf,
    context: DecodeContext,
) -> Result<(), DecodeError> {
    let mut time = Timestamp { seconds: *seconds, nanos: 0 };
    message::merge(wire, &mut time, buffer, context)?;
    *seconds = time.seconds;
    Ok(())
}

#[cfg(test)]
mod tests;
