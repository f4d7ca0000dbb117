//! Revocations that count, and that are forgotten in time.

use super::*;

fn claims(sub: u128, sid: u128, epoch: i64) -> Claims {
    Claims {
        iss: String::new(),
        sub: Uuid::from_u128(sub),
        aud: vec![],
        client_id: String::new(),
        exp: 0,
        iat: 0,
        nbf: 0,
        jti: Uuid::nil(),
        sid: Uuid::from_u128(sid),
        epoch,
        auth_time: 0,
        amr: vec![],
        roles: vec![],
        scope: vec![],
    }
}

// promise T8
#[test]
fn a_revoked_session_takes_its_tokens_and_no_others() {
    let index = RevocationIndex::default();
    index.revoke_session(Uuid::from_u128(1), 100);
    assert!(index.is_revoked(&claims(9, 1, 0), "k"));
    assert!(!index.is_revoked(&claims(9, 2, 0), "k"));
    assert!(!index.is_revoked(&claims(1, 2, 0), "k"), "a user is no session");
}

// promise T8
#[test]
fn a_revoked_user_keeps_the_tokens_of_the_new_epoch() {
    let index = RevocationIndex::default();
    index.revoke_user(Uuid::from_u128(1), 5, 100);
    index.revoke_user(Uuid::from_u128(1), 3, 50);
    assert!(index.is_revoked(&claims(1, 9, 4), "k"), "the higher epoch stays");
    assert!(!index.is_revoked(&claims(1, 9, 5), "k"));
    assert!(!index.is_revoked(&claims(2, 9, 0), "k"));
    index.prune(60);
    assert!(index.is_revoked(&claims(1, 9, 4), "k"), "the later expiry stays");
}

// promise T9
#[test]
fn a_revoked_key_takes_every_token_that_it_signed() {
    let index = RevocationIndex::default();
    index.revoke_key("k", 100);
    index.revoke_key("k", 50);
    index.prune(60);
    assert!(index.is_revoked(&claims(1, 2, 0), "k"));
    assert!(!index.is_revoked(&claims(1, 2, 0), "l"));
}

#[test]
fn revoking_twice_keeps_the_later_expiry() {
    let index = RevocationIndex::default();
    index.revoke_session(Uuid::from_u128(1), 100);
    index.revoke_session(Uuid::from_u128(1), 50);
    index.prune(99);
    assert!(index.is_revoked(&claims(9, 1, 0), "k"));
}

#[test]
fn pruning_forgets_what_has_expired_and_nothing_else() {
    let index = RevocationIndex::default();
    index.revoke_session(Uuid::from_u128(1), 100);
    index.revoke_session(Uuid::from_u128(2), 101);
    index.revoke_user(Uuid::from_u128(3), 1, 100);
    index.revoke_key("k", 100);
    index.prune(100);
    assert!(!index.is_revoked(&claims(9, 1, 0), "l"));
    assert!(index.is_revoked(&claims(9, 2, 0), "l"));
    assert!(!index.is_revoked(&claims(3, 9, 0), "k"));
}

/// The room of a table: a byte of control and the entry for each slot, of which seven in eight may be full.
fn bytes<V>(map: &HashMap<Uuid, V>) -> usize {
    map.capacity() * 8 / 7 * (1 + size_of::<(Uuid, V)>())
}

#[test]
fn a_live_revocation_takes_at_most_100_bytes_and_gives_them_back() {
    const COUNT: usize = 200_000;
    let index = RevocationIndex::default();
    // An odd multiplier spreads the counter over all bits, as the random ones of a real id are.
    let id = |number: usize| Uuid::from_u128((number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835));
    for number in 0..COUNT {
        index.revoke_session(id(number), 100);
        index.revoke_user(id(number), 1, 100);
    }
    let total =
        || index.shards.iter().map(|shard| bytes(&read(shard).sessions) + bytes(&read(shard).users)).sum::<usize>();
    assert!(total() <= 2 * COUNT * 100, "{} bytes each", total() / (2 * COUNT));
    index.prune(100);
    assert_eq!(total(), 0);
}
