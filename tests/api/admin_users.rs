//! Accounts in the hands of administrators: created, changed, and sent to set a new password.

mod lists;
mod masks;
mod page_tokens;
mod walk;

use keystead::grpc::pb::{
    CreateUserRequest, GetUserRequest, ListUsersRequest, RequirePasswordResetRequest, TokenStatus, UpdateUserRequest,
    User,
};
use prost::Message as _;
use prost_types::FieldMask;
use tonic::Code;

use crate::harness::mailbox::RESET;
use crate::harness::{Backend, Client, Keystead, Person, Setup, WRONG_PASSWORD, on_each_backend, until};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";
const NOBODY: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// An update of the fields that are named.
fn update(user: User, paths: &[&str]) -> UpdateUserRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    UpdateUserRequest { user: Some(user), update_mask: Some(FieldMask { paths }) }
}

fn creation(person: &Person) -> CreateUserRequest {
    CreateUserRequest { email: person.email.clone(), ..CreateUserRequest::default() }
}

/// Creates an account without a password.
async fn create(admin: &Client, person: &Person) -> User {
    admin.create_user(creation(person)).await.expect("an account").user.expect("the account")
}

async fn get(admin: &Client, id: &str) -> User {
    admin.get_user(GetUserRequest { user_id: id.to_owned() }).await.expect("an account").user.expect("the account")
}

async fn require_reset(admin: &Client, user: &User) {
    let request = RequirePasswordResetRequest { user_id: user.id.clone() };
    admin.require_password_reset(request).await.expect("required");
}

async fn administered(backend: Backend) -> (Keystead, Client, User) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let (admin, user) = Person::new("root").register_as_administrator(&keystead, &keystead.client().await).await;
    (keystead, admin, user)
}

async fn a_created_account_gets_its_password_by_the_mailed_link(backend: Backend) {
    let (keystead, admin, _) = administered(backend).await;
    let (client, ada) = (keystead.client().await, Person::new("Ada"));
    let request = CreateUserRequest {
        display_name: "Ada".to_owned(),
        roles: vec!["verifier".to_owned(), "user".to_owned()],
        language: "pt-BR".to_owned(),
        ..creation(&ada)
    };
    let user = admin.create_user(request).await.expect("an account").user.expect("the account");
    assert_eq!(user.roles, ["user", "verifier"]);
    let told = (user.email.as_str(), user.display_name.as_str(), user.language.as_str(), user.email_verified);
    assert_eq!(told, (ada.email.as_str(), "Ada", "pt-br", false));
    assert_eq!(get(&admin, &user.id).await, user);
    // promise L6: an account without a password is refused as an unknown one is.
    let refused = client.log_in(&ada.email, WRONG_PASSWORD).await.expect_err("there is no password");
    let unknown = client.log_in("nobody@example.com", WRONG_PASSWORD).await.expect_err("there is nobody");
    assert_eq!(refused.without_trace(), unknown.without_trace());
    let token = keystead.mailbox().reset_token(&ada.email).await;
    client.set_password(&token, &ada.password).await.expect("a password");
    ada.log_in(&client).await.expect("tokens");
    let after = get(&admin, &user.id).await;
    assert!(after.email_verified, "the mail has reached its owner");
    let rows = keystead.rows().await;
    assert_eq!(rows.events("authz_role_granted").await, 1);
    assert_eq!(
        rows.number("SELECT count(*) FROM audit_events WHERE kind = 'user_created' AND actor <> subject").await,
        1
    );
}

async fn a_creation_is_refused_with_its_reason(backend: Backend) {
    let (_keystead, admin, root) = administered(backend).await;
    let faulty = CreateUserRequest {
        email: "nobody".to_owned(),
        display_name: "a\u{202e}b".to_owned(),
        roles: vec!["Admin".to_owned()],
        language: "english!".to_owned(),
    };
    let failure = admin.create_user(faulty).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["email", "display_name", "roles[0]", "language"]);
    // promise L5
    let taken = CreateUserRequest { email: root.email.to_uppercase(), ..CreateUserRequest::default() };
    admin.create_user(taken).await.expect_err("a refusal").is(Code::AlreadyExists, "EMAIL_TAKEN");
    let unknown = CreateUserRequest { roles: vec!["billing".to_owned()], ..creation(&Person::new("ada")) };
    admin.create_user(unknown.clone()).await.expect_err("a refusal").is(Code::NotFound, "ROLE_UNKNOWN");
    let known = CreateUserRequest { roles: Vec::new(), ..unknown };
    admin.create_user(known).await.expect("nothing was half done");
}

async fn nobody_is_not_found(backend: Backend) {
    let (_keystead, admin, _) = administered(backend).await;
    for (id, code, reason) in [
        (NOBODY, Code::NotFound, "USER_UNKNOWN"),
        ("1", Code::InvalidArgument, "INVALID_FIELDS"),
        ("", Code::InvalidArgument, "INVALID_FIELDS"),
    ] {
        let user_id = id.to_owned();
        admin.get_user(GetUserRequest { user_id: user_id.clone() }).await.expect_err("a refusal").is(code, reason);
        let reset = RequirePasswordResetRequest { user_id: user_id.clone() };
        admin.require_password_reset(reset).await.expect_err("a refusal").is(code, reason);
        let user = User { id: user_id, ..User::default() };
        admin.update_user(update(user, &["language"])).await.expect_err("a refusal").is(code, reason);
    }
}

async fn of_updates_decided_on_one_etag_one_wins(backend: Backend) {
    let (keystead, admin, _) = administered(backend).await;
    let seen = create(&admin, &Person::new("ada")).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (admin, mut user) = (admin.clone(), seen.clone());
        user.display_name = format!("Ada {number}");
        calls.spawn(async move { admin.update_user(update(user, &["display_name"])).await });
    }
    let answers = calls.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for answer in lost {
        answer.expect_err("a refusal").is(Code::Aborted, "ETAG_MISMATCH");
    }
    let stands = get(&admin, &seen.id).await;
    assert_eq!(won[0].as_ref().expect("the winner").user.as_ref(), Some(&stands));
    assert_eq!(keystead.rows().await.events("user_updated").await, 1);
    for etag in [seen.etag.as_str(), "*", "\"\"", "W/\"1\""] {
        let user = User { etag: etag.to_owned(), ..stands.clone() };
        let failure = admin.update_user(update(user, &["language"])).await.expect_err("a refusal");
        failure.is(Code::Aborted, "ETAG_MISMATCH");
    }
    let unconditional = User { etag: String::new(), display_name: "Last".to_owned(), ..seen };
    let answer = admin.update_user(update(unconditional, &["display_name"])).await.expect("the last write counts");
    assert_eq!(answer.user.expect("the account").display_name, "Last");
}

// promises X3, E3
async fn a_new_address_kills_mailed_links_and_is_told_to_the_old_one(backend: Backend) {
    let (keystead, admin, root) = administered(backend).await;
    let (client, ada) = (keystead.client().await, Person::new("ada"));
    let registered = ada.register(&client).await;
    client.ask_for_reset(&ada.email).await.expect("taken");
    let token = keystead.mailbox().reset_token(&ada.email).await;
    let moved = Person { email: Person::new("countess").email, ..ada.clone() };
    let wanted = User { email: moved.email.clone(), etag: String::new(), ..registered.user.clone() };
    let user = admin.update_user(update(wanted, &["email"])).await.expect("moved").user.expect("the account");
    assert_eq!((user.email.as_str(), user.email_verified), (moved.email.as_str(), false));
    let dead = client.set_password(&token, NEW_PASSWORD).await.expect_err("a dead link");
    dead.is(Code::Unauthenticated, "INVALID_TOKEN");
    ada.log_in(&client).await.expect_err("nobody's address").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    moved.log_in(&client).await.expect("the password stays");
    assert_eq!(client.status_of(&registered.set.access_token).await, TokenStatus::Active, "sessions go on");
    let told = || async { keystead.mailbox().to(&ada.email).iter().any(|mail| mail.text.contains("new address")) };
    until("a mail that tells the old address", told).await;
    let token = keystead.mailbox().verification_token(&moved.email).await;
    assert!(client.verify_email(&token).await.expect("the account").email_verified);
    let twin = User { email: root.email.to_uppercase(), etag: String::new(), ..user };
    let failure = admin.update_user(update(twin, &["email"])).await.expect_err("a refusal");
    failure.is(Code::AlreadyExists, "EMAIL_TAKEN");
}

// promises T8, R8, X3, X6
async fn a_required_reset_ends_everything_and_the_mailed_link_begins_anew(backend: Backend) {
    let (keystead, admin, _) = administered(backend).await;
    let [here, there] = keystead.pair().await;
    let ada = Person::new("ada");
    let registered = ada.register(&there).await;
    here.ask_for_reset(&ada.email).await.expect("taken");
    let old_link = keystead.mailbox().reset_token(&ada.email).await;
    require_reset(&admin, &registered.user).await;
    assert_eq!(here.status_of(&registered.set.access_token).await, TokenStatus::Revoked, "at once where it was done");
    until("the revocation to arrive", || async {
        there.status_of(&registered.set.access_token).await == TokenStatus::Revoked
    })
    .await;
    let refused = there.use_refresh_token(&registered.set.refresh_token).await.expect_err("an ended session");
    refused.is(Code::Unauthenticated, "INVALID_TOKEN");
    ada.log_in(&there).await.expect_err("the old password").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let refused = there.set_password(&old_link, NEW_PASSWORD).await.expect_err("a dead link");
    refused.is(Code::Unauthenticated, "INVALID_TOKEN");
    let link = keystead.mailbox().token(&ada.email, RESET, 1).await;
    there.set_password(&link, NEW_PASSWORD).await.expect("a new password");
    there.log_in(&ada.email, NEW_PASSWORD).await.expect("tokens");
    let rows = keystead.rows().await;
    let by_actor = "kind = 'authn_password_reset_required' AND actor <> subject AND session IS NOT NULL";
    assert_eq!(rows.number(&format!("SELECT count(*) FROM audit_events WHERE {by_actor}")).await, 1);
}

async fn a_reset_can_be_required_of_oneself_and_however_many_mails_there_were(backend: Backend) {
    let (keystead, admin, root) = administered(backend).await;
    let client = keystead.client().await;
    for number in 0..3 {
        client.ask_for_reset(&root.email).await.expect("taken");
        keystead.mailbox().token(&root.email, RESET, number).await;
    }
    require_reset(&admin, &root).await;
    let refused = admin.get_user(GetUserRequest { user_id: root.id.clone() }).await.expect_err("one's own token too");
    refused.is(Code::Unauthenticated, "BEARER_REQUIRED");
    let link = keystead.mailbox().token(&root.email, RESET, 3).await;
    client.set_password(&link, NEW_PASSWORD).await.expect("a new password");
    let tokens = client.log_in(&root.email, NEW_PASSWORD).await.expect("tokens");
    get(&client.bearing(&tokens.access_token), &root.id).await;
}

// promise A7
async fn no_answer_holds_a_hash_or_a_token(backend: Backend) {
    let (keystead, admin, root) = administered(backend).await;
    let created = admin.create_user(creation(&Person::new("ada"))).await.expect("an account");
    let user = created.user.clone().expect("the account");
    keystead.mailbox().reset_token(&user.email).await;
    let got = admin.get_user(GetUserRequest { user_id: root.id.clone() }).await.expect("an account");
    let page =
        admin.list_users(ListUsersRequest { page_size: 1, ..ListUsersRequest::default() }).await.expect("a page");
    let updated = admin.update_user(update(user.clone(), &["language"])).await.expect("updated");
    let answers = [created.encode_to_vec(), got.encode_to_vec(), page.encode_to_vec(), updated.encode_to_vec()];
    assert!(!page.next_page_token.is_empty());
    for answer in answers {
        let text = String::from_utf8_lossy(&answer);
        for secret in ["$argon2", "kspr_", "ksr_", "eyJ"] {
            assert!(!text.contains(secret), "{secret} in an answer");
        }
    }
}

on_each_backend!(
    a_created_account_gets_its_password_by_the_mailed_link,
    a_creation_is_refused_with_its_reason,
    nobody_is_not_found,
    of_updates_decided_on_one_etag_one_wins,
    a_new_address_kills_mailed_links_and_is_told_to_the_old_one,
    a_required_reset_ends_everything_and_the_mailed_link_begins_anew,
    a_reset_can_be_required_of_oneself_and_however_many_mails_there_were,
    no_answer_holds_a_hash_or_a_token,
);
