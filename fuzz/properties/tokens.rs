//! Access tokens, refresh tokens and page tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead::crypto::page_token::{PageScope, PageTokens};
use keystead::crypto::refresh_token::PresentedRefreshToken;
use keystead::crypto::seal::SealingKey;
use keystead::domain::clock::Entropy;
use keystead_verifier::{Claims, Expectations, RevocationIndex, Verdict, Verifier};
use serde_json::{Map, Value};

use super::signing::{KID, keys, signed};
use super::{halves, text};

const ISSUER: &str = "https://keystead.example";
const LIFETIME: i64 = 900;
/// Milliseconds.
const NOW: i64 = 1_700_000_000_000;

fn judged(verifier: &Verifier, token: &str) -> Verdict {
    verifier.verify(token, &keys(), &RevocationIndex::default(), &Expectations::default(), NOW)
}

/// A header and, after a NUL, claims, both signed; and the same bytes as a token.
///
/// What is good says just what another parser reads, and written anew is good and says the same; a verdict is the same
/// whether or not good tokens are remembered.
pub fn access_token(bytes: &[u8]) {
    let (header, claims) = halves(bytes, 0);
    let verifier = Verifier::new(ISSUER.to_owned(), LIFETIME, 0);
    let remembering = verifier.clone().remembering(1 << 16);
    let token = signed(header, claims);
    for token in [token.as_str(), text(bytes)] {
        let verdict = judged(&verifier, token);
        for _ in 0..2 {
            assert_eq!(judged(&remembering, token), verdict, "memory changes the verdict");
        }
        if let Verdict::Active(read) = verdict {
            let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
            agrees(&read, &payload.expect("a payload"));
            let header = format!("{{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"{KID}\"}}");
            let rewritten = signed(header.as_bytes(), &serde_json::to_vec(&*read).expect("claims"));
            assert_eq!(judged(&verifier, &rewritten), Verdict::Active(read), "written anew it is another");
        }
    }
}

fn agrees(read: &Claims, payload: &[u8]) {
    let other: Map<String, Value> = serde_json::from_slice(payload).expect("an object");
    let (seconds, ids) = ([read.exp, read.iat, read.nbf], [read.sub, read.jti, read.sid]);
    assert_eq!(other["iss"], ISSUER);
    assert_eq!(["exp", "iat", "nbf"].map(|name| other[name].as_i64()), seconds.map(Some));
    assert_eq!(
        ["sub", "jti", "sid"].map(|name| other[name].as_str().map(str::to_owned)),
        ids.map(|id| Some(id.to_string()))
    );
    assert!(read.exp * 1_000 > NOW && read.nbf * 1_000 <= NOW && !read.aud.is_empty(), "not good at this time");
}

/// What is taken is byte for byte what is written of its parts.
pub fn refresh_token(bytes: &[u8]) {
    let Some(token) = PresentedRefreshToken::parse(text(bytes)) else { return };
    let parts =
        [token.session_id.as_uuid().as_bytes().as_slice(), &token.generation.to_be_bytes(), &token.mac].concat();
    assert_eq!(format!("ksr_{}", URL_SAFE_NO_PAD.encode(parts)), text(bytes));
}

/// Bytes that repeat.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(9);
    }
}

/// A question and, after a NUL, a position; and the same bytes as a token.
///
/// A token opens for its own question alone, to what was sealed; changed in any letter it does not open.
pub fn page_token(bytes: &[u8]) {
    let (question, position) = halves(bytes, 0);
    let tokens = PageTokens::new(SealingKey::from_bytes(&[3; 32]));
    let scope = |question: &str| PageScope { list: "users", caller: "c".to_owned(), question: question.to_owned() };
    let own = scope(text(question));
    assert!(tokens.open(&own, text(bytes)).is_err(), "a token that nobody sealed");
    let position = &position[..position.len().min(1_024)];
    let token = tokens.issue(&own, position, &Fixed);
    assert_eq!(tokens.open(&own, &token).as_deref(), Ok(position));
    assert!(tokens.open(&scope(&format!("{}x", own.question)), &token).is_err(), "it opens for another question");
    let place = usize::from(bytes.first().copied().unwrap_or_default()) * token.len() / 256;
    let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
    let mut changed = token;
    changed.replace_range(place..=place, other);
    assert!(tokens.open(&own, &changed).is_err(), "changed, it opens");
}
