//! Accounts that are created, listed, changed and stripped of their passwords at an administrator's word.

use std::sync::Arc;

use keystead_verifier::Verdict;

use super::create::{CreateUser, CreateUserRequest};
use super::get::GetUser;
use super::list::{ListUsers, ListUsersRequest, UserPage};
use super::require_reset::RequirePasswordReset;
use super::update::UpdateUser;
use crate::domain::audit::AuditKind;
use crate::domain::caller::Initiator;
use crate::domain::id::{PrincipalId, UserId};
use crate::domain::language::Language;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::ports::profiles::ProfileChange;
use crate::domain::ports::{Actor, Users as _};
use crate::domain::role::RoleName;
use crate::domain::user::{Revision, User, UserState};
use crate::domain::user_change::UserUpdate;
use crate::domain::user_list::{UserFilter, UserOrder};
use crate::service::auth::refresh::RefreshRequest;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::testing::{World, email, origin};

struct Desk {
    world: World,
    admin: User,
}

impl Desk {
    async fn new() -> Self {
        let world = World::new().await;
        let admin = world.user("admin@example.org").await;
        Self { world, admin }
    }

    fn by(&self) -> Initiator {
        Initiator { actor: Some(Actor { id: self.admin.id.into(), session: None }), origin: origin(1) }
    }

    async fn create(&self, address: &str, roles: &[&str]) -> ServiceResult<User> {
        let create = CreateUser {
            directory: Arc::new(self.world.store.clone()),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
        };
        let request = CreateUserRequest {
            email: email(address),
            display_name: Name::default(),
            language: Language::default(),
            roles: roles.iter().map(|role| RoleName::parse(role).unwrap()).collect(),
        };
        create.run(request, &self.by()).await
    }

    fn get(&self) -> GetUser {
        GetUser { users: Arc::new(self.world.store.clone()), describer: self.world.describer() }
    }

    async fn page(&self, request: ListUsersRequest, caller: PrincipalId) -> ServiceResult<UserPage> {
        let list = ListUsers {
            directory: Arc::new(self.world.store.clone()),
            keys: self.world.keys.clone(),
            entropy: self.world.entropy.clone(),
        };
        list.run(request, caller).await
    }

    async fn update(&self, update: UserUpdate) -> ServiceResult<User> {
        let directory = Arc::new(self.world.store.clone());
        UpdateUser { directory, clock: self.world.clock.clone() }.run(update, &self.by()).await
    }

    async fn require_reset(&self, user: UserId) -> ServiceResult<()> {
        let require = RequirePasswordReset {
            directory: Arc::new(self.world.store.clone()),
            issuer: self.world.issuer.clone(),
            revoker: self.world.revoker.clone(),
            clock: self.world.clock.clone(),
        };
        require.run(user, &self.by()).await
    }

    fn nobody(&self) -> UserId {
        UserId::generate(self.world.clock.as_ref(), self.world.entropy.as_ref())
    }
}

fn naming(user: &User, name: &str) -> UserUpdate {
    let profile = ProfileChange { display_name: Some(Name::parse(name).unwrap()), ..ProfileChange::default() };
    UserUpdate { id: user.id, profile, email: None, expected: None }
}

fn pages_of(page_size: u32) -> ListUsersRequest {
    ListUsersRequest { page_size, ..ListUsersRequest::default() }
}

#[tokio::test]
async fn a_created_account_has_its_roles_no_password_and_a_mail_on_its_way() {
    let desk = Desk::new().await;
    let user = desk.create("ada@example.org", &["verifier"]).await.unwrap();
    assert_eq!(user.roles, ["user", "verifier"]);
    let account = desk.world.store.find_by_email(&email("ada@example.org")).await.unwrap().unwrap();
    assert!(account.password_hash.is_none());
    let mails = desk.world.store.mails();
    let last = mails.last().unwrap();
    assert_eq!((last.kind, &last.requested_for), (MailKind::PasswordReset, &user.email));
    assert_eq!(desk.get().run(user.id).await.unwrap().user, user);
}

#[tokio::test]
async fn a_creation_is_refused_for_an_unknown_role_and_a_taken_address() {
    let desk = Desk::new().await;
    let unknown = desk.create("ada@example.org", &["billing"]).await;
    assert!(matches!(unknown, Err(ServiceError::RoleUnknown)), "{unknown:?}");
    let taken = desk.create("ADMIN@example.org", &[]).await;
    assert!(matches!(taken, Err(ServiceError::EmailTaken)), "{taken:?}");
}

#[tokio::test]
async fn nobody_is_found_changed_or_reset_where_nobody_is() {
    let desk = Desk::new().await;
    let nobody = desk.nobody();
    let found = desk.get().run(nobody).await;
    assert!(matches!(found, Err(ServiceError::UserUnknown)), "{found:?}");
    let updated = desk.update(UserUpdate { id: nobody, ..naming(&desk.admin, "Nobody") }).await;
    assert!(matches!(updated, Err(ServiceError::UserUnknown)), "{updated:?}");
    let reset = desk.require_reset(nobody).await;
    assert!(matches!(reset, Err(ServiceError::UserUnknown)), "{reset:?}");
    assert_eq!(desk.world.told(AuditKind::ResetRequired), 0);
}

#[tokio::test]
async fn pages_follow_each_other_and_the_last_one_says_so() {
    let desk = Desk::new().await;
    for number in 0..4 {
        desk.create(&format!("user{number}@example.org"), &[]).await.unwrap();
    }
    let caller = desk.admin.id.into();
    let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let request = ListUsersRequest { order: UserOrder::Email, page_token: token, ..pages_of(2) };
        let page = desk.page(request, caller).await.unwrap();
        sizes.push(page.users.len());
        seen.extend(page.users.into_iter().map(|user| user.email.local_part().to_owned()));
        let Some(next) = page.next_page_token else { break };
        token = next;
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(seen, ["admin", "user0", "user1", "user2", "user3"]);
    let whole = desk.page(pages_of(5), caller).await.unwrap();
    assert!(whole.next_page_token.is_none(), "a full page can be the last one");
}

// promise A6
#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_alone() {
    let desk = Desk::new().await;
    let other = desk.create("ada@example.org", &[]).await.unwrap();
    let caller = desk.admin.id.into();
    let token = desk.page(pages_of(1), caller).await.unwrap().next_page_token.unwrap();
    let request = || ListUsersRequest { page_token: token.clone(), ..pages_of(1) };
    assert!(desk.page(request(), caller).await.is_ok());
    assert!(desk.page(ListUsersRequest { page_size: 3, ..request() }, caller).await.is_ok(), "in another size");
    let filtered = |filter| ListUsersRequest { filter, ..request() };
    let role = Some(RoleName::parse("user").unwrap());
    for (foreign, caller) in [
        (request(), other.id.into()),
        (ListUsersRequest { order: UserOrder::CreatedDescending, ..request() }, caller),
        (filtered(UserFilter { role, ..UserFilter::default() }), caller),
        (filtered(UserFilter { state: Some(UserState::Active), ..UserFilter::default() }), caller),
        (filtered(UserFilter { created_from: Some(desk.admin.created_at), ..UserFilter::default() }), caller),
        (filtered(UserFilter { created_until: Some(desk.admin.created_at), ..UserFilter::default() }), caller),
        (ListUsersRequest { page_token: format!("{token}A"), ..request() }, caller),
    ] {
        let Err(ServiceError::InvalidFields(fields)) = desk.page(foreign.clone(), caller).await else {
            panic!("a foreign token was taken: {foreign:?}")
        };
        assert_eq!(fields.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["page_token"]);
    }
}

#[tokio::test]
async fn an_update_counts_only_where_nothing_moved() {
    let desk = Desk::new().await;
    let ada = desk.create("ada@example.org", &[]).await.unwrap();
    let decided = |name| UserUpdate { expected: Some(ada.revision), ..naming(&ada, name) };
    let updated = desk.update(decided("Ada")).await.unwrap();
    assert_eq!((updated.display_name.as_str(), updated.revision), ("Ada", Revision(1)));
    let late = desk.update(decided("Late")).await;
    assert!(matches!(late, Err(ServiceError::EtagMismatch)), "{late:?}");
    assert_eq!(desk.update(naming(&ada, "Last")).await.unwrap().revision, Revision(2), "whatever was before");
    let taken = desk.update(UserUpdate { email: Some(email("admin@example.org")), ..naming(&ada, "Admin") }).await;
    assert!(matches!(taken, Err(ServiceError::EmailTaken)), "{taken:?}");
}

// promise T8
#[tokio::test]
async fn a_required_reset_counts_at_once_on_oneself_too() {
    let desk = Desk::new().await;
    let tokens = desk.world.sign_in(&desk.admin).await;
    desk.world.reader().run_once().await.unwrap();
    assert!(matches!(desk.world.verdict_from_memory(&tokens.access_token), Verdict::Active(_)));
    desk.require_reset(desk.admin.id).await.unwrap();
    assert!(matches!(desk.world.verdict_from_memory(&tokens.access_token), Verdict::Revoked));
    let refresh = RefreshRequest { refresh_token: tokens.refresh_token };
    let refreshed = desk.world.refresh().run(refresh, &origin(1)).await;
    assert!(matches!(refreshed, Err(ServiceError::InvalidToken)), "{refreshed:?}");
    assert_eq!(desk.world.told(AuditKind::ResetRequired), 1);
}
