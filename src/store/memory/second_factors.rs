//! Second factors, and the sign-ins that wait for one.

use async_trait::async_trait;

use super::MemoryStore;
use super::state::State;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::mail::{MailKind, MailOwner, Notice};
use crate::domain::name::Name;
use crate::domain::ports::second_factors::SecondFactors;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::second_factor::{
    COMPLETION, ChallengeCreation, ChallengeHash, Completion, CompletionOutcome, EnrolledFactor, FactorChange,
    FactorEdit, FactorOutcome, MAX_WRONG_CODES, NewChallenge, OpenChallenge, Proof, RecoveryCodeHash, TotpFactor,
    WARNING_PAUSE, first_factor_alone,
};
use crate::domain::user::UserState;

/// The second factor of an account.
pub(super) struct FactorRow {
    pub factor: TotpFactor,
    pub enrolled_at: Timestamp,
    pub codes: Vec<RecoveryCodeHash>,
    /// When the owner was last warned of wrong codes.
    pub warned_at: Option<Timestamp>,
}

/// A sign-in that waits.
pub(super) struct ChallengeRow {
    pub challenge: NewChallenge,
    pub tries: u32,
}

#[async_trait]
impl SecondFactors for MemoryStore {
    async fn is_enrolled(&self, user: UserId) -> StoreResult<bool> {
        Ok(self.open()?.factors.contains_key(&user))
    }

    async fn describe(&self, user: UserId) -> StoreResult<Option<EnrolledFactor>> {
        let state = self.open()?;
        let describe = |row: &FactorRow| EnrolledFactor {
            enrolled_at: row.enrolled_at,
            codes_left: u32::try_from(row.codes.len()).unwrap_or(u32::MAX),
        };
        Ok(state.factors.get(&user).map(describe))
    }

    async fn challenge(&self, mut new: NewChallenge, context: &AuditContext) -> StoreResult<ChallengeCreation> {
        let mut state = self.open()?;
        let user = new.user_id;
        if state.unchanged_user(user, new.seen_epoch).is_none() {
            return Ok(ChallengeCreation::UserChanged);
        }
        state.record_own(AuditKind::LoginChallenged, user, None, context);
        if let Some(rehash) = new.rehash.take() {
            state.renew_hash(user, rehash, context);
        }
        state.challenges.insert(new.hash, ChallengeRow { challenge: new, tries: 0 });
        Ok(ChallengeCreation::Created)
    }

    async fn find_challenge(&self, hash: &ChallengeHash, now: Timestamp) -> StoreResult<Option<OpenChallenge>> {
        let state = self.open()?;
        let row = state.challenges.get(hash).filter(|row| row.is_usable(now));
        let Some(NewChallenge { user_id, seen_epoch, methods, audience, device_name, .. }) =
            row.map(|row| row.challenge.clone())
        else {
            return Ok(None);
        };
        let user = state.users.get(&user_id).map(|row| row.user.clone());
        let user = user.filter(|user| user.state == UserState::Active && user.epoch == seen_epoch);
        let factor = state.factors.get(&user_id).map(|row| row.factor.clone());
        Ok(user.map(|user| OpenChallenge { user, factor, methods, audience, device_name }))
    }

    async fn complete(&self, completion: Completion, context: &AuditContext) -> StoreResult<CompletionOutcome> {
        let mut state = self.open()?;
        let user = completion.session.session.user_id;
        if state.unchanged_user(user, completion.session.seen_epoch).is_none() {
            state.record_completion_refused(None, context);
            return Ok(CompletionOutcome::Gone);
        }
        let Some(tries) = state.count_try(&completion.challenge, user, context.at) else {
            state.record_completion_refused(Some(user), context);
            return Ok(CompletionOutcome::Gone);
        };
        if !state.holds(user, &completion) {
            if let Some(row) = state.factors.get_mut(&user) {
                row.factor.failures += 1;
            }
            let is_last = tries >= MAX_WRONG_CODES;
            if is_last {
                state.record_exhausted(user, completion.session.session.device_name, context);
            }
            state.record_completion_refused(Some(user), context);
            return Ok(CompletionOutcome::WrongCode { is_last });
        }
        state.challenges.remove(&completion.challenge);
        let (id, device) = (completion.session.session.id, completion.session.session.device_name.clone());
        let revocations = state.open_session(completion.session, context);
        if matches!(completion.proof, Proof::RecoveryCode(_)) {
            state.record_own(AuditKind::RecoveryCodeUsed, user, Some(id), context);
            state.notify(user, MailKind::RecoveryCodeUsed, device, context);
        }
        Ok(CompletionOutcome::Completed { revocations })
    }

    async fn change(&self, change: FactorChange, context: &AuditContext) -> StoreResult<FactorOutcome> {
        let mut state = self.open()?;
        let (id, event) = (change.user, change.event(context));
        let stands = match change.seen_epoch {
            Some(seen) => state.unchanged_user(id, seen).is_some(),
            None => state.users.contains_key(&id),
        };
        let is_open = |session| state.open_sessions(id).contains(&session);
        if !stands || !change.spared.is_none_or(is_open) {
            return Ok(FactorOutcome::UserChanged);
        }
        if let Some(opening) = &change.opening
            && state.count_try(&opening.challenge, id, context.at).is_none()
        {
            return Ok(FactorOutcome::ChallengeGone);
        }
        let (kind, is_removal) = (change.edit.notice(), matches!(change.edit, FactorEdit::Remove));
        if !state.edit_factor(id, change.edit, context.at) {
            return Ok(FactorOutcome::NotEnrolled);
        }
        state.record(event, context);
        let ended: Vec<SessionId> =
            state.open_sessions(id).into_iter().filter(|session| Some(*session) != change.spared).collect();
        let revocation = state.revoke_user_sparing(id, change.spared, change.revocation_expires_at, context);
        if let Some(session) = change.spared.filter(|_| is_removal).and_then(|id| state.sessions.get_mut(&id)) {
            session.methods = first_factor_alone(&session.methods);
        }
        let mut revocations = vec![revocation];
        state.notify(id, kind, Name::default(), context);
        if let Some(opening) = change.opening {
            state.challenges.remove(&opening.challenge);
            revocations.extend(state.open_session(opening.session, context));
        }
        let Some(row) = state.users.get_mut(&id) else { return Ok(FactorOutcome::UserChanged) };
        row.user.revision.0 += 1;
        row.user.updated_at = context.at;
        Ok(FactorOutcome::Changed { user: row.user.clone(), revocations, ended })
    }
}

impl ChallengeRow {
    fn is_usable(&self, now: Timestamp) -> bool {
        now < self.challenge.expires_at && self.tries < MAX_WRONG_CODES
    }
}

impl State {
    /// Counts a try, if the challenge opens anything, and says how many there have been.
    fn count_try(&mut self, hash: &ChallengeHash, user: UserId, now: Timestamp) -> Option<u32> {
        let row = self.challenges.get_mut(hash);
        let row = row.filter(|row| row.is_usable(now) && row.challenge.user_id == user)?;
        row.tries += 1;
        Some(row.tries)
    }

    /// Whether the proof holds; it is used up by that, and the failures in a row are forgotten.
    fn holds(&mut self, user: UserId, completion: &Completion) -> bool {
        let Some(FactorRow { factor, codes, .. }) = self.factors.get_mut(&user) else { return false };
        let holds = match &completion.proof {
            Proof::Totp { sealed, step } => {
                let fits =
                    factor.sealed == *sealed && factor.last_step < *step && factor.failures < completion.max_failures;
                if fits {
                    factor.last_step = *step;
                }
                fits
            }
            Proof::RecoveryCode(hash) => {
                let before = codes.len();
                codes.retain(|code| code != hash);
                codes.len() < before
            }
            Proof::Wrong => false,
        };
        if holds {
            factor.failures = 0;
        }
        holds
    }

    /// Whether there was what the edit needs.
    fn edit_factor(&mut self, user: UserId, edit: FactorEdit, at: Timestamp) -> bool {
        match edit {
            FactorEdit::Enroll { sealed, step, codes } => {
                let factor = TotpFactor { sealed, last_step: step, failures: 0 };
                let warned_at = self.factors.get(&user).and_then(|row| row.warned_at);
                self.factors.insert(user, FactorRow { factor, enrolled_at: at, codes, warned_at });
                true
            }
            FactorEdit::ReplaceCodes(new) => {
                let row = self.factors.get_mut(&user);
                row.is_some_and(|row| {
                    row.codes = new;
                    true
                })
            }
            FactorEdit::Remove => self.factors.remove(&user).is_some(),
        }
    }

    /// Tells the owner by mail.
    fn notify(&mut self, user: UserId, kind: MailKind, device: Name, context: &AuditContext) {
        if let Some(user) = self.users.get(&user).map(|row| row.user.clone()) {
            let owner = MailOwner { user_id: user.id, epoch: user.epoch };
            self.queue_notice(Notice { kind, owner, to: user.email, device }, context);
        }
    }

    /// Records that a challenge has ended by wrong codes, and warns the owner if that was not done lately.
    fn record_exhausted(&mut self, user: UserId, device: Name, context: &AuditContext) {
        self.record_failure(AuditKind::ChallengeExhausted, Some(user), None, context);
        let Some(row) = self.factors.get_mut(&user) else { return };
        if row.warned_at.is_none_or(|last| last <= context.at.before(WARNING_PAUSE)) {
            row.warned_at = Some(context.at);
            self.notify(user, MailKind::WrongCodes, device, context);
        }
    }

    fn record_completion_refused(&mut self, user: Option<UserId>, context: &AuditContext) {
        let (kind, outcome, detail) = (AuditKind::LoginFailed, AuditOutcome::Failure, Some(COMPLETION.to_owned()));
        let subject = user.map(Into::into);
        self.record(AuditEvent { kind, outcome, actor: None, subject, session: None, detail }, context);
    }
}
