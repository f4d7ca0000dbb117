//! What the issuer has signed with, and what it has revoked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keystead_verifier::{Claims, LiveRevocation};
use tokio::sync::watch;
use tonic::Status;

use super::signing::SigningKey;
use crate::Clock;
use crate::pb::JsonWebKey;

/// What changes while the issuer runs. The feed looks again whenever `changes` does.
pub(super) struct State {
    inner: Mutex<Inner>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) changes: watch::Sender<u64>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) keys: usize,
    pub(super) bearers: usize,
    pub(super) verifications: usize,
    pub(super) feeds: usize,
    pub(super) snapshots: usize,
}

struct Inner {
    /// The last one signs.
    keys: Vec<SigningKey>,
    keys_made: usize,
    revocations: Vec<LiveRevocation>,
    silent: bool,
    /// Whether every call is answered with UNAVAILABLE.
    away: bool,
    /// Whether questions about tokens wait for their answer.
    holding: bool,
    cuts: usize,
    /// Bearers before this one are taken no longer.
    first_bearer: usize,
    oldest_cursor: usize,
    counts: Counts,
}

impl State {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            keys: vec![SigningKey::generate("key-0".to_owned())],
            keys_made: 1,
            revocations: Vec::new(),
            silent: false,
            away: false,
            holding: false,
            cuts: 0,
            first_bearer: 0,
            oldest_cursor: 0,
            counts: Counts::default(),
        };
        Self { inner: Mutex::new(inner), clock, changes: watch::Sender::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        self.lock().keys.last().expect("a key").sign(claims)
    }

    pub(super) fn rotate(&self) {
        self.change(Inner::add_key);
    }

    /// Takes the key that signs away; the one that signs now is a new one.
    pub(super) fn replace(&self) -> String {
        let mut inner = self.lock();
        let kid = inner.keys.pop().expect("a key").kid;
        inner.add_key();
        kid
    }

    pub(super) fn published(&self) -> Vec<JsonWebKey> {
        self.lock().keys.iter().map(SigningKey::published).collect()
    }

    pub(super) fn revoke(&self, revocation: LiveRevocation) {
        self.change(|inner| inner.revocations.push(revocation));
    }

    /// How many there are.
    pub(super) fn revocations(&self) -> usize {
        self.lock().revocations.len()
    }

    /// What has been revoked after so many revocations.
    pub(super) fn revoked_after(&self, count: usize) -> Vec<LiveRevocation> {
        self.lock().revocations.get(count..).unwrap_or_default().to_vec()
    }

    pub(super) fn set_silent(&self, silent: bool) {
        self.change(|inner| inner.silent = silent);
    }

    pub(super) fn is_silent(&self) -> bool {
        self.lock().silent
    }

    pub(super) fn set_away(&self, away: bool) {
        self.change(|inner| inner.away = away);
    }

    /// Fails while the issuer is away.
    pub(super) fn answers(&self) -> Result<(), Status> {
        if self.lock().away { Err(Status::unavailable("away")) } else { Ok(()) }
    }

    pub(super) fn set_holding(&self, holding: bool) {
        self.change(|inner| inner.holding = holding);
    }

    /// Waits while answers are held back.
    pub(super) async fn turn(&self) {
        // The sender lives as long as this.
        drop(self.changes.subscribe().wait_for(|_| !self.lock().holding).await);
    }

    /// A bearer for the feed.
    pub(super) fn issue_bearer(&self) -> String {
        let mut inner = self.lock();
        inner.counts.bearers += 1;
        format!("testing-{}", inner.counts.bearers)
    }

    pub(super) fn refuse_bearers(&self) {
        self.change(|inner| inner.first_bearer = inner.counts.bearers + 1);
    }

    /// Whether this is a bearer that is still taken.
    pub(super) fn takes_bearer(&self, header: &str) -> bool {
        let number = header.strip_prefix("Bearer testing-").and_then(|number| number.parse::<usize>().ok());
        number.is_some_and(|number| number >= self.lock().first_bearer)
    }

    pub(super) fn cut(&self) {
        self.change(|inner| inner.cuts += 1);
    }

    pub(super) fn cuts(&self) -> usize {
        self.lock().cuts
    }

    pub(super) fn forget_cursors(&self) {
        self.change(|inner| inner.oldest_cursor = inner.revocations.len() + 1);
    }

    pub(super) fn takes_cursor(&self, cursor: usize) -> bool {
        cursor >= self.lock().oldest_cursor
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.lock().counts);
    }
}

impl Inner {
    fn add_key(&mut self) {
        self.keys.push(SigningKey::generate(format!("key-{}", self.keys_made)));
        self.keys_made += 1;
    }
}
