//! Works the outbox off. Only here is an address looked up and a token minted, so that asking tells nothing.
//!
//! A message is sealed into its row before it is sent, so that a try that fails, or a worker that dies, leads to the
//! same message again, never to a second token.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::envelope::Envelope;
use super::facts::{Facts, Link};
use super::recipient::{self, Recipient};
use super::settings::MailSettings;
use super::templates::{Rendered, Templates};
use crate::crypto::one_time_token::{self, MintedToken};
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::mail::{MailError, MailMessage, PreparedMail, QueuedMail};
use crate::domain::one_time_token::NewOneTimeToken;
use crate::domain::ports::{Mailer, Outbox, Preparation, Users};
use crate::domain::tally::Counter;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// How long one delivery may take, its whole conversation with the server included: a batch must be done before its lease
/// ends, or another replica sends the same mails.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A token for the mail, and for the store.
type Minted = (Zeroizing<String>, NewOneTimeToken);

/// Works the outbox off.
pub struct DeliverMail {
    pub outbox: Arc<dyn Outbox>,
    pub users: Arc<dyn Users>,
    pub mailer: Arc<dyn Mailer>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub templates: Arc<Templates>,
    pub settings: MailSettings,
    pub tally: Arc<MailTally>,
}

/// What became of the mails that were worked on.
#[derive(Debug, Default)]
pub struct MailTally {
    pub delivered: Counter,
    /// Deliveries that failed and are tried again.
    pub postponed: Counter,
    /// Mails that are never delivered.
    pub given_up: Counter,
}

impl DeliverMail {
    /// Takes the mails that are due and tries each once; how many there were. What fails comes back after its lease.
    pub async fn run_once(&self) -> ServiceResult<usize> {
        let retry = self.settings.retry;
        let mails = self.outbox.lease(retry.batch, retry.lease, self.clock.now()).await?;
        let mut outcomes = Vec::new();
        let mut ready = Vec::new();
        // In their order: of two tokens for one account the one that works is in the later mail.
        for mail in &mails {
            match self.envelope_of(mail).await {
                Ok(envelope) => ready.extend(envelope.map(|envelope| (mail, envelope))),
                Err(error) => outcomes.push(Err(error)),
            }
        }
        // At once: a server that is slow, or one mail that it is slow with, costs all of them one wait.
        outcomes.extend(join_all(ready.iter().map(|(mail, envelope)| self.send(mail, envelope))).await);
        outcomes.into_iter().collect::<ServiceResult<()>>()?;
        Ok(mails.len())
    }

    /// Delivers until cancelled; a mail under way is finished first.
    pub async fn run(&self, cancelled: CancellationToken) {
        while !cancelled.is_cancelled() {
            match self.run_once().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::warn!(%error, "the outbox could not be worked off"),
            }
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = tokio::time::sleep(self.settings.retry.poll_interval) => {}
            }
        }
    }

    /// What is to be sent; `None` where nothing is, and the mail is gone.
    async fn envelope_of(&self, mail: &QueuedMail) -> ServiceResult<Option<Envelope>> {
        if self.is_too_old(mail, self.clock.now()) {
            return self.give_up(mail, "too old").await.map(|()| None);
        }
        let envelope = match &mail.sealed {
            Some(sealed) => self.unseal(mail, sealed),
            None => self.compose(mail).await?,
        };
        let Some(envelope) = envelope else {
            self.outbox.remove(mail.id).await?;
            return Ok(None);
        };
        if self.is_too_late(mail, &envelope, self.clock.now()) {
            return self.give_up(mail, "too late").await.map(|()| None);
        }
        Ok(Some(envelope))
    }

    async fn send(&self, mail: &QueuedMail, envelope: &Envelope) -> ServiceResult<()> {
        let sending = tokio::time::timeout(SEND_TIMEOUT, self.mailer.send(&envelope.message));
        match sending.await.unwrap_or(Err(MailError::Transient)) {
            Ok(()) => {
                self.tally.delivered.add(1);
                Ok(self.outbox.remove(mail.id).await?)
            }
            Err(MailError::Permanent) => self.give_up(mail, "refused").await,
            Err(MailError::Transient) => self.postpone(mail, envelope).await,
        }
    }

    /// What an earlier try has sealed; `None` where it does not open, which no later try will change.
    fn unseal(&self, mail: &QueuedMail, sealed: &[u8]) -> Option<Envelope> {
        let opened = Envelope::open(mail.id, sealed, self.keys.ring().mail());
        opened.inspect_err(|error| tracing::error!(mail = %mail.id, %error, "a mail does not open")).ok()
    }

    /// The message, sealed into its row; `None` where nobody is to be written to.
    async fn compose(&self, mail: &QueuedMail) -> ServiceResult<Option<Envelope>> {
        let Some(recipient) = recipient::of(mail, self.users.as_ref()).await? else { return Ok(None) };
        let now = self.clock.now();
        let expires_at = now.after(self.settings.token_lifetime);
        let purpose = mail.kind.token_purpose().zip(recipient.user.as_ref());
        let minted = purpose.map(|(purpose, user)| {
            let MintedToken { text, hash } = one_time_token::mint(purpose, self.entropy.as_ref());
            let (user_id, email, epoch) = (user.id, recipient.to.clone(), user.epoch);
            (text, NewOneTimeToken { hash, purpose, user_id, email, epoch, expires_at })
        });
        let envelope = self.render(mail, &recipient, minted.as_ref())?;
        let sealed = envelope.seal(self.keys.ring().mail(), self.entropy.as_ref());
        let sealed = sealed.map_err(|_| ServiceError::Internal)?;
        let prepared = PreparedMail { id: mail.id, sealed, token: minted.map(|(_, token)| token) };
        match self.outbox.prepare(prepared, self.settings.tokens_per_hour, now).await? {
            Preparation::Stored => Ok(Some(envelope)),
            Preparation::TooMany => Ok(None),
        }
    }

    fn render(&self, mail: &QueuedMail, recipient: &Recipient, minted: Option<&Minted>) -> ServiceResult<Envelope> {
        let facts = Facts {
            product: self.settings.product.clone(),
            at: mail.queued_at,
            source: mail.source.map(|source| source.to_string()).unwrap_or_default(),
            device: mail.device.as_str().to_owned(),
            link: minted.map(|minted| self.link(minted)),
        };
        let rendered = self.templates.render(mail.kind, &recipient.language, &facts).map_err(|error| {
            tracing::error!(mail = %mail.id, %error, "a template does not render");
            ServiceError::Internal
        })?;
        let Rendered { subject, text, html } = rendered;
        let message = MailMessage { id: mail.id, to: recipient.to.clone(), subject, text, html };
        Ok(Envelope { message, expires_at: facts.link.map(|link| link.expires_at) })
    }

    fn link(&self, (text, token): &Minted) -> Link {
        Link {
            url: format!("{}#token={}", self.settings.page(token.purpose), **text),
            expires_at: token.expires_at,
            minutes: self.settings.token_lifetime.as_secs() / 60,
        }
    }

    async fn postpone(&self, mail: &QueuedMail, envelope: &Envelope) -> ServiceResult<()> {
        let until = self.clock.now().after(self.wait(mail.attempts));
        if self.is_too_late(mail, envelope, until) {
            return self.give_up(mail, "not delivered in time").await;
        }
        self.tally.postponed.add(1);
        tracing::warn!(mail = %mail.id, attempts = mail.attempts, "a mail could not be delivered for now");
        Ok(self.outbox.postpone(mail.id, until).await?)
    }

    async fn give_up(&self, mail: &QueuedMail, reason: &'static str) -> ServiceResult<()> {
        self.tally.given_up.add(1);
        tracing::warn!(mail = %mail.id, kind = ?mail.kind, reason, "a mail was given up");
        Ok(self.outbox.remove(mail.id).await?)
    }

    fn is_too_late(&self, mail: &QueuedMail, envelope: &Envelope, at: Timestamp) -> bool {
        let has_expired = envelope.expires_at.is_some_and(|expires_at| at >= expires_at);
        has_expired || self.is_too_old(mail, at)
    }

    fn is_too_old(&self, mail: &QueuedMail, at: Timestamp) -> bool {
        at >= mail.queued_at.after(self.settings.retry.give_up_after)
    }

    /// Doubles with each failed delivery.
    fn wait(&self, attempts: u32) -> Duration {
        let retry = self.settings.retry;
        let factor = 2_u32.saturating_pow(attempts);
        retry.first_wait.saturating_mul(factor).min(retry.longest_wait)
    }
}

#[cfg(test)]
mod tests;
