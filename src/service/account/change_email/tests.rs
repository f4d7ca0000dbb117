//! Addresses that are asked for, free and taken.

use super::*;
use crate::domain::mail::MailKind;
use crate::domain::user::User;
use crate::service::access::Need;
use crate::service::testing::{World, email, origin};

async fn caller(world: &World, user: &User) -> Caller {
    let tokens = world.sign_in(user).await;
    world.reader().run_once().await.unwrap();
    let need = Need::OwnBearer { recent_login: true };
    world.access().run(&tokens.access_token, &need, "ChangeEmail", &origin(1)).await.unwrap()
}

async fn ask(world: &World, caller: &Caller, address: &str, host: u8) -> ServiceResult<()> {
    let changes = Arc::new(world.store.clone());
    let change = ChangeEmail { changes, guard: world.guard.clone(), clock: world.clock.clone() };
    change.run(ChangeEmailRequest { new_email: email(address) }, caller, &origin(host)).await
}

#[tokio::test]
async fn a_free_and_a_taken_address_are_answered_and_told_alike() {
    // promise L6
    let world = World::new().await;
    let (ada, bob) = (world.user("ada@example.org").await, world.user("bob@example.org").await);
    let caller = caller(&world, &ada).await;
    let before = world.store.mails().len();
    let trail = world.store.audit_events().len();
    assert_eq!(ask(&world, &caller, "new@example.org", 1).await, Ok(()));
    assert_eq!(ask(&world, &caller, "BOB@example.org", 1).await, Ok(()));
    let mails = world.store.mails().split_off(before);
    let seen: Vec<_> = mails.iter().map(|mail| (mail.kind, mail.requested_for.as_str())).collect();
    assert_eq!(seen, [(MailKind::EmailChange, "new@example.org"), (MailKind::EmailChangeAttempt, "bob@example.org")]);
    let owners: Vec<_> = mails.iter().map(|mail| mail.owner.map(|owner| owner.user_id)).collect();
    assert_eq!(owners, [Some(ada.id), Some(bob.id)]);
    let told = world.store.audit_events().split_off(trail);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].0, told[1].0, "nothing tells which address was taken");
    assert_eq!(told[0].0.kind, AuditKind::EmailChangeRequested);
    assert_eq!((told[0].0.actor, told[0].0.session), (Some(ada.id.into()), Some(caller.session)));
    assert_eq!(world.find(ada.id).await, ada, "nothing changes before it is confirmed");
}

#[tokio::test]
async fn a_caller_whose_account_was_closed_meanwhile_asks_for_nothing() {
    let world = World::new().await;
    let ada = world.user("ada@example.org").await;
    let caller = caller(&world, &ada).await;
    assert_eq!(world.store.disable(ada.id, world.clock.now(), &world.context()).len(), 1);
    let before = world.store.mails().len();
    assert_eq!(ask(&world, &caller, "new@example.org", 1).await, Err(ServiceError::BearerRequired));
    assert_eq!(world.store.mails().len(), before);
}

#[tokio::test]
async fn a_caller_has_one_budget_of_mail_from_wherever_they_ask() {
    let world = World::new().await;
    let caller = caller(&world, &world.user("ada@example.org").await).await;
    let burst = u8::try_from(world.settings.limits.mail_per_address_and_source.burst).unwrap();
    for host in 0..burst {
        assert_eq!(ask(&world, &caller, &format!("new{host}@example.org"), host).await, Ok(()));
    }
    let refused = ask(&world, &caller, "other@example.org", burst).await;
    assert!(matches!(refused, Err(ServiceError::RateLimited { .. })), "{refused:?}");
}
