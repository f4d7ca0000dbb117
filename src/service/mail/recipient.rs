//! Whom a mail goes to, if anybody.

use crate::domain::email::Email;
use crate::domain::language::Language;
use crate::domain::mail::{MailKind, MailOwner, QueuedMail};
use crate::domain::ports::Users;
use crate::domain::user::{User, UserState};
use crate::service::error::ServiceResult;

/// Whom a mail goes to.
pub struct Recipient {
    pub to: Email,
    pub language: Language,
    /// `None` where nobody has an account with the address any more.
    pub user: Option<User>,
}

/// Whom the mail goes to; `None` where nobody is to be written to.
pub async fn of(mail: &QueuedMail, users: &dyn Users) -> ServiceResult<Option<Recipient>> {
    if let Some(owner) = mail.owner {
        let user = users.find(owner.user_id).await?;
        let user = user.filter(|user| is_to_be_told(mail.kind, user) && is_still_meant(mail, owner, user));
        return Ok(user.map(|user| Recipient::known(user, mail.requested_for.clone())));
    }
    if mail.kind == MailKind::EmailChanged {
        // No account has this address any more, or another one has.
        let (to, language) = (mail.requested_for.clone(), Language::default());
        return Ok(Some(Recipient { to, language, user: None }));
    }
    let account = users.find_by_email(&mail.requested_for).await?;
    let user = account.map(|account| account.user).filter(|user| is_to_be_told(mail.kind, user));
    // To the address that the account has, never to the one that was typed.
    Ok(user.map(|user| Recipient::known(user.clone(), user.email)))
}

impl Recipient {
    fn known(user: User, to: Email) -> Self {
        Self { to, language: user.language.clone(), user: Some(user) }
    }
}

fn is_to_be_told(kind: MailKind, user: &User) -> bool {
    let is_done = kind == MailKind::EmailVerification && user.email_verified;
    user.state == UserState::Active && !is_done
}

/// Whether a change of address is still what its owner wants: not after anything that has ended the tokens out.
fn is_still_meant(mail: &QueuedMail, owner: MailOwner, user: &User) -> bool {
    mail.kind != MailKind::EmailChange || owner.epoch == user.epoch
}
