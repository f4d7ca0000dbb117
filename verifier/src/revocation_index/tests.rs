//! Revocations that count, and that are forgotten in time.

use std::collections::HashSet;

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

impl RevocationIndex {
    fn revoke_session(&self, id: Uuid, expires_at: i64) -> Change {
        self.revoke(&LiveRevocation { target: RevokedTarget::Session(id), expires_at })
    }

    fn revoke_user(&self, id: Uuid, min_epoch: i64, expires_at: i64) -> Change {
        self.revoke(&LiveRevocation { target: RevokedTarget::User { id, min_epoch }, expires_at })
    }

    fn revoke_key(&self, kid: &str, expires_at: i64) -> Change {
        self.revoke(&LiveRevocation { target: RevokedTarget::Key(kid.to_owned()), expires_at })
    }
}

// promise T8
#[test]
fn a_revoked_session_takes_its_tokens_and_no_others() {
    let index = RevocationIndex::default();
    assert_eq!(index.revoke_session(Uuid::from_u128(1), 100), Change::New);
    assert!(index.is_revoked(&claims(9, 1, 0), "k"));
    assert!(!index.is_revoked(&claims(9, 2, 0), "k"));
    assert!(!index.is_revoked(&claims(1, 2, 0), "k"), "a user is no session");
}

// promise T8
#[test]
fn a_revoked_user_keeps_the_tokens_of_the_new_epoch() {
    let index = RevocationIndex::default();
    assert_eq!(index.revoke_user(Uuid::from_u128(1), 5, 100), Change::New);
    assert_eq!(index.revoke_user(Uuid::from_u128(1), 3, 50), Change::Known);
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
    assert_eq!(index.revoke_key("k", 100), Change::New);
    assert_eq!(index.revoke_key("k", 50), Change::Known);
    index.prune(60);
    assert!(index.is_revoked(&claims(1, 2, 0), "k"));
    assert!(!index.is_revoked(&claims(1, 2, 0), "l"));
}

#[test]
fn revoking_twice_keeps_the_later_expiry() {
    let index = RevocationIndex::default();
    assert_eq!(index.revoke_session(Uuid::from_u128(1), 100), Change::New);
    assert_eq!(index.revoke_session(Uuid::from_u128(1), 50), Change::Known);
    index.prune(99);
    assert!(index.is_revoked(&claims(9, 1, 0), "k"));
}

#[test]
fn pruning_forgets_what_has_expired_and_nothing_else() {
    let index = RevocationIndex::default();
    assert_eq!(index.revoke_session(Uuid::from_u128(1), 100), Change::New);
    assert_eq!(index.revoke_session(Uuid::from_u128(2), 101), Change::New);
    assert_eq!(index.revoke_user(Uuid::from_u128(3), 1, 100), Change::New);
    assert_eq!(index.revoke_key("k", 100), Change::New);
    index.prune(100);
    assert!(!index.is_revoked(&claims(9, 1, 0), "l"));
    assert!(index.is_revoked(&claims(9, 2, 0), "l"));
    assert!(!index.is_revoked(&claims(3, 9, 0), "k"));
}

#[test]
fn revocations_are_spread_over_all_shards() {
    let index = RevocationIndex::default();
    for last in 0..=255 {
        assert_eq!(index.revoke_session(Uuid::from_u128(last), 100), Change::New);
    }
    let parts: Vec<usize> = (0..SHARDS).map(|number| index.part(number).len()).collect();
    assert_eq!(parts, [256 / SHARDS; SHARDS], "a few locks would be asked by all");
}

#[test]
fn its_parts_hold_all_that_is_live() {
    let index = RevocationIndex::default();
    let mut expected = HashSet::new();
    for number in 0..1_000 {
        expected.insert(LiveRevocation { target: RevokedTarget::Session(Uuid::from_u128(number)), expires_at: 100 });
        let user = RevokedTarget::User { id: Uuid::from_u128(number), min_epoch: 3 };
        expected.insert(LiveRevocation { target: user, expires_at: 101 });
        expected.insert(LiveRevocation { target: RevokedTarget::Key(number.to_string()), expires_at: 102 });
    }
    for revocation in &expected {
        assert_eq!(index.revoke(revocation), Change::New);
    }
    let parts: Vec<_> = (0..RevocationIndex::PARTS).flat_map(|number| index.part(number)).collect();
    assert_eq!(parts.len(), expected.len(), "none twice");
    assert_eq!(parts.into_iter().collect::<HashSet<_>>(), expected);
    assert!(index.part(RevocationIndex::PARTS).is_empty());
}

#[test]
fn a_later_expiry_or_a_higher_epoch_is_news() {
    let index = RevocationIndex::default();
    let user = Uuid::from_u128(1);
    assert_eq!(index.revoke_user(user, 5, 100), Change::New);
    assert_eq!(index.revoke_user(user, 5, 100), Change::Known);
    assert_eq!(index.revoke_user(user, 6, 50), Change::New);
    assert_eq!(index.revoke_user(user, 4, 101), Change::New);
    assert_eq!(index.revoke_user(user, 6, 101), Change::Known);
    assert_eq!(index.revoke_key("k", 100), Change::New);
    assert_eq!(index.revoke_key("k", 101), Change::New);
    assert_eq!(index.revoke_key("k", 101), Change::Known);
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
        assert_eq!(index.revoke_session(id(number), 100), Change::New);
        assert_eq!(index.revoke_user(id(number), 1, 100), Change::New);
    }
    let total =
        || index.shards.iter().map(|shard| bytes(&read(shard).sessions) + bytes(&read(shard).users)).sum::<usize>();
    assert!(total() <= 2 * COUNT * 100, "{} bytes each", total() / (2 * COUNT));
    index.prune(100);
    assert_eq!(total(), 0);
}

#[test]
fn what_is_live_is_counted() {
    let index = RevocationIndex::default();
    for change in [
        index.revoke_session(Uuid::from_u128(1), 100),
        index.revoke_user(Uuid::from_u128(2), 1, 200),
        index.revoke_key("k", 200),
    ] {
        assert_eq!(change, Change::New);
    }
    assert_eq!(index.count(), 3);
    index.prune(100);
    assert_eq!(index.count(), 2);
}
