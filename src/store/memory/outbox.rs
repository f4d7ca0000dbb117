//! The outbox.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::id::MailId;
use crate::domain::mail::{Backlog, MailKind, PreparedMail, QueuedMail};
use crate::domain::one_time_token::NewOneTimeToken;
use crate::domain::ports::{AuditContext, Outbox, Preparation, StoreError, StoreResult};

use super::MemoryStore;
use super::state::{MailRow, State, TokenRow};

const HOUR: Duration = Duration::from_hours(1);

#[async_trait]
impl Outbox for MemoryStore {
    async fn enqueue(&self, kind: MailKind, email: &Email, context: &AuditContext) -> StoreResult<()> {
        let mut state = self.open()?;
        let row = MailRow { source: context.origin.source, ..state.waiting(kind, email.clone(), context.at) };
        state.mails.push(row);
        if kind == MailKind::PasswordReset {
            let (kind, outcome) = (AuditKind::ResetRequested, AuditOutcome::Success);
            // No subject: whether the address is known must not show.
            let event = AuditEvent { kind, outcome, actor: None, subject: None, session: None, detail: None };
            state.record(event, context);
        }
        Ok(())
    }

    async fn lease(&self, limit: u32, lease: Duration, now: Timestamp) -> StoreResult<Vec<QueuedMail>> {
        let mut state = self.open()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let due = state.mails.iter_mut().filter(|row| row.due_at <= now).take(limit);
        let take = |row: &mut MailRow| {
            let mail = row.queued();
            row.attempts = row.attempts.saturating_add(1);
            row.due_at = now.after(lease);
            mail
        };
        Ok(due.map(take).collect())
    }

    async fn prepare(&self, mail: PreparedMail, tokens_per_hour: u32, now: Timestamp) -> StoreResult<Preparation> {
        let mut state = self.open()?;
        // A mail that is gone was delivered by a worker with a later lease: its token must stay alive.
        let place = state.mails.iter().position(|row| row.id == mail.id).ok_or(StoreError::Conflict)?;
        if let Some(token) = mail.token {
            if state.issued_within_the_hour(&token, now) >= tokens_per_hour {
                return Ok(Preparation::TooMany);
            }
            state.issue(token, now);
        }
        if let Some(row) = state.mails.get_mut(place) {
            row.sealed = Some(mail.sealed);
        }
        Ok(Preparation::Stored)
    }

    async fn postpone(&self, id: MailId, until: Timestamp) -> StoreResult<()> {
        let mut state = self.open()?;
        if let Some(row) = state.mails.iter_mut().find(|row| row.id == id) {
            row.due_at = until;
        }
        Ok(())
    }

    async fn backlog(&self) -> StoreResult<Backlog> {
        let state = self.open()?;
        let mails = u64::try_from(state.mails.len()).unwrap_or(u64::MAX);
        Ok(Backlog { mails, oldest: state.mails.iter().map(|row| row.queued_at).min() })
    }

    async fn remove(&self, id: MailId) -> StoreResult<()> {
        self.open()?.mails.retain(|row| row.id != id);
        Ok(())
    }
}

impl State {
    fn issued_within_the_hour(&self, token: &NewOneTimeToken, now: Timestamp) -> u32 {
        let recent = self.siblings(token).filter(|row| now.before(HOUR) < row.issued_at);
        u32::try_from(recent.count()).unwrap_or(u32::MAX)
    }

    fn issue(&mut self, token: NewOneTimeToken, now: Timestamp) {
        let older: Vec<_> = self.siblings(&token).map(|row| row.token.hash).collect();
        for hash in older {
            if let Some(row) = self.tokens.get_mut(&hash) {
                row.alive = false;
            }
        }
        self.tokens.insert(token.hash, TokenRow { token, alive: true, issued_at: now });
    }

    /// Tokens of the same user and purpose.
    fn siblings(&self, token: &NewOneTimeToken) -> impl Iterator<Item = &TokenRow> {
        let (user, purpose) = (token.user_id, token.purpose);
        self.tokens.values().filter(move |row| row.token.user_id == user && row.token.purpose == purpose)
    }
}
