//! Identities that administrators look at and take away.

use std::sync::Arc;

use keystead_verifier::Verdict;

use super::list::ListUserIdentities;
use super::unlink::UnlinkUserIdentity;
use crate::domain::audit::AuditKind;
use crate::domain::clock::Clock as _;
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::{
    Adoption, Arrival, ExternalIdentity, Identity, Issuer, LinkedIdentity, ProvidedEmail, ProviderName, Subject,
};
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::ports::AuditContext;
use crate::domain::ports::identities::Identities as _;
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::federation::unlinker::{UnlinkRequest, Unlinker};
use crate::service::testing::{World, email, origin};

/// An account that an identity has made, and nothing else opens.
async fn arrived(world: &World) -> User {
    let context = AuditContext { at: world.clock.now(), origin: origin(1), actor: None };
    let arrival = Arrival {
        external: ExternalIdentity {
            provider: ProviderName::parse("idp").unwrap(),
            identity: Identity {
                issuer: Issuer::parse("https://idp.example.com").unwrap(),
                subject: Subject::parse("1").unwrap(),
            },
            email: Some(ProvidedEmail { email: email("ada@example.org"), verified: true }),
            display_name: Name::default(),
        },
        identity_id: IdentityId::generate(world.clock.as_ref(), world.entropy.as_ref()),
        user_id: UserId::generate(world.clock.as_ref(), world.entropy.as_ref()),
        account_key: [0; 32],
        may_register: true,
        revocations_expire_at: world.issuer.revocations_expire_at(context.at),
    };
    let Adoption::Created(user) = world.store.adopt(&arrival, &context).await.unwrap() else { panic!("no account") };
    user
}

async fn list(world: &World, user: UserId) -> ServiceResult<Vec<LinkedIdentity>> {
    let store = Arc::new(world.store.clone());
    ListUserIdentities { users: store.clone(), identities: store }.run(user).await
}

#[tokio::test]
async fn the_last_way_to_sign_in_goes_too_and_ends_what_it_opened() {
    let world = World::new().await;
    let admin = world.user("admin@example.org").await;
    let admin = world.caller(&world.sign_in(&admin).await).await;
    let user = arrived(&world).await;
    let opened = world.sign_in(&user).await;
    let identity = list(&world, user.id).await.unwrap().remove(0).id;
    let unlinker = Unlinker {
        identities: Arc::new(world.store.clone()),
        issuer: world.issuer.clone(),
        revoker: world.revoker.clone(),
        clock: world.clock.clone(),
    };
    let unlink = UnlinkUserIdentity { unlinker: Arc::new(unlinker) };
    let by = admin.initiates(&origin(1));
    let request = UnlinkRequest { user: user.id, identity };
    assert_eq!(unlink.run(request, &by).await, Ok(()));
    assert_eq!(world.verdict_from_memory(&opened.access_token), Verdict::Revoked);
    assert_eq!(list(&world, user.id).await, Ok(Vec::new()));
    let told = world.store.audit_events().into_iter().map(|(event, _)| event);
    let told: Vec<_> = told.filter(|event| event.kind == AuditKind::IdentityUnlinked).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].actor, told[0].subject), (Some(admin.id), Some(user.id.into())));
    assert_eq!(world.store.mails().iter().filter(|mail| mail.kind == MailKind::IdentityUnlinked).count(), 1);
    assert_eq!(unlink.run(request, &by).await, Err(ServiceError::IdentityUnknown));
    let nobody = UserId::generate(world.clock.as_ref(), world.entropy.as_ref());
    assert_eq!(unlink.run(UnlinkRequest { user: nobody, identity }, &by).await, Err(ServiceError::UserUnknown));
    assert_eq!(list(&world, nobody).await, Err(ServiceError::UserUnknown));
}
