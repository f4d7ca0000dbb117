//! Changes that are confirmed, refused and repeated.

use super::*;
use crate::crypto::one_time_token::mint;
use crate::domain::clock::Entropy;
use crate::domain::email_change::{EmailChangeRequest, EmailChangeRequested};
use crate::domain::mail::{MailKind, PreparedMail};
use crate::domain::one_time_token::NewOneTimeToken;
use crate::domain::ports::{Outbox as _, Preparation, Sessions as _};
use crate::service::testing::{World, email, origin};

/// A token as the worker mails it to an address that the user has asked for.
async fn mailed(world: &World, user: &User, address: &str) -> String {
    let tokens = world.sign_in(user).await;
    let session_id = world.store.find(tokens.session_id).await.unwrap().unwrap().session.id;
    let request = EmailChangeRequest { user_id: user.id, session_id, new_email: email(address) };
    let requested = world.store.request(&request, &world.context()).await;
    assert_eq!(requested, Ok(EmailChangeRequested::Queued));
    let mail = world.store.mails().pop().unwrap();
    let entropy: &dyn Entropy = world.entropy.as_ref();
    let minted = mint(TokenPurpose::EmailChange, entropy);
    let (now, owner) = (world.clock.now(), mail.owner.unwrap());
    let token = NewOneTimeToken {
        hash: minted.hash,
        purpose: TokenPurpose::EmailChange,
        user_id: owner.user_id,
        email: mail.requested_for,
        epoch: owner.epoch,
        expires_at: now.after(world.settings.mail.token_lifetime),
    };
    let prepared = PreparedMail { id: mail.id, sealed: Vec::new(), token: Some(token) };
    assert_eq!(world.store.prepare(prepared, 10, now).await, Ok(Preparation::Stored));
    minted.text.to_string()
}

async fn confirm(world: &World, token: &str) -> ServiceResult<User> {
    let changes = Arc::new(world.store.clone());
    let confirm = ConfirmEmailChange { changes, guard: world.guard.clone(), clock: world.clock.clone() };
    confirm.run(ConfirmEmailChangeRequest { email_change_token: token.to_owned() }, &origin(2)).await
}

#[tokio::test]
async fn a_confirmed_address_is_the_accounts_and_the_old_one_is_told() {
    // promise E3
    let world = World::new().await;
    let ada = world.user("ada@example.org").await;
    let token = mailed(&world, &ada, "new@example.org").await;
    let changed = confirm(&world, &token).await.unwrap();
    assert_eq!((changed.email.as_str(), changed.email_verified), ("new@example.org", true));
    assert_eq!((changed.epoch, changed.revision.0), (ada.epoch, ada.revision.0 + 1));
    assert_eq!(changed, world.find(ada.id).await);
    let told = world.store.mails().pop().unwrap();
    assert_eq!((told.kind, told.requested_for.as_str()), (MailKind::EmailChanged, "ada@example.org"));
    assert_eq!(world.told(AuditKind::EmailChanged), 1);
    assert_eq!(confirm(&world, &token).await, Err(ServiceError::InvalidToken));
}

#[tokio::test]
async fn an_address_that_somebody_got_in_between_stays_theirs() {
    let world = World::new().await;
    let ada = world.user("ada@example.org").await;
    let token = mailed(&world, &ada, "new@example.org").await;
    world.user("new@example.org").await;
    assert_eq!(confirm(&world, &token).await, Err(ServiceError::EmailTaken));
    assert_eq!(world.find(ada.id).await, ada);
    assert_eq!(confirm(&world, &token).await, Err(ServiceError::InvalidToken), "the token is used up");
}

#[tokio::test]
async fn what_is_no_token_of_a_change_opens_nothing() {
    // promise T6
    let world = World::new().await;
    let ada = world.user("ada@example.org").await;
    let token = mailed(&world, &ada, "new@example.org").await;
    for wrong in ["", "ksec_", &token.replace("ksec_", "ksev_"), &token.replace("ksec_", "kspr_"), &format!("{token} ")]
    {
        assert_eq!(confirm(&world, wrong).await, Err(ServiceError::InvalidToken), "{wrong}");
    }
    world.advance(world.settings.mail.token_lifetime);
    assert_eq!(confirm(&world, &token).await, Err(ServiceError::InvalidToken));
}
