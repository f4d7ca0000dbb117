//! The compact serialization (RFC 7515, section 3.1), in its one canonical spelling.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest token, in bytes: judged before anything is decoded.
pub(crate) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// A token, taken apart and decoded.
pub(crate) struct Compact<'a> {
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// What the signature speaks of: header, dot and payload as they came.
    pub(crate) signed: &'a [u8],
}

/// `None` for whatever is not exactly three parts of unpadded base64url without stray bits, none of them empty.
pub(crate) fn parse(token: &str) -> Option<Compact<'_>> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    Some(Compact {
        header: decode(header)?,
        payload: decode(payload)?,
        signature: decode(signature)?,
        signed: signed.as_bytes(),
    })
}

/// A further dot is no letter of the alphabet, so that a fourth part is refused here too.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok().filter(|bytes| !bytes.is_empty())
}
