//! The record of failures in a row and of known sources.

use std::sync::Arc;

use keystead::domain::throttle::Attempt;

use crate::backend::Backend;
use crate::fixture::{at_once, keys_of};

async fn count(backend: &Backend, account: u8, source: u8) -> Attempt {
    backend.attempts.count(&keys_of(account, source), &backend.context()).await.unwrap()
}

pub async fn parallel_attempts_are_counted_exactly(backend: Arc<Backend>) {
    // promise L3
    let counted = at_once(64, |source| {
        let backend = backend.clone();
        async move { count(&backend, 1, source).await.in_a_row }
    });
    let mut counted = counted.await;
    counted.sort_unstable();
    assert_eq!(counted, (1..=64).collect::<Vec<_>>());
}

pub async fn unknown_accounts_are_counted_apart(backend: Arc<Backend>) {
    // promise L1
    assert_eq!(count(&backend, 1, 1).await, Attempt { in_a_row: 1, known_source: false });
    assert_eq!(count(&backend, 2, 1).await, Attempt { in_a_row: 1, known_source: false });
    assert_eq!(count(&backend, 1, 2).await, Attempt { in_a_row: 2, known_source: false });
}

pub async fn a_cleared_account_starts_afresh(backend: Arc<Backend>) {
    for _ in 0..3 {
        assert!(count(&backend, 1, 1).await.in_a_row > 0);
        assert!(count(&backend, 2, 1).await.in_a_row > 0);
    }
    backend.attempts.clear(&keys_of(1, 1)).await.unwrap();
    assert_eq!(count(&backend, 1, 1).await.in_a_row, 1);
    assert_eq!(count(&backend, 2, 1).await.in_a_row, 4);
}

pub async fn a_source_is_known_after_a_sign_in(backend: Arc<Backend>) {
    // promise L2
    let user = backend.user("ada@example.com").await;
    let mut new = backend.new_session(&user);
    new.attempt = Some(keys_of(1, 1));
    assert!(matches!(backend.open(new).await, keystead::domain::session::SessionCreation::Created { .. }));
    assert!(count(&backend, 1, 1).await.known_source);
    assert!(!count(&backend, 1, 2).await.known_source);
    assert!(!count(&backend, 2, 3).await.known_source);
}
