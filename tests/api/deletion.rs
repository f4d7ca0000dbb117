//! A deleted account leaves no personal data behind.

use keystead::grpc::pb::{DeleteUserRequest, RegisterRequest, TokenStatus};
use tonic::Code;

use crate::harness::records::canary;
use crate::harness::{Backend, Person, Setup, WRONG_PASSWORD, on_each_backend, until};

/// Somebody whose every word can be found again.
struct Traces {
    person: Person,
    local_part: String,
    display_name: String,
    device_name: String,
}

impl Traces {
    fn new() -> Self {
        let local_part = canary("ada");
        let person = Person { email: format!("{local_part}@example.com"), ..Person::new("ada") };
        Self { person, local_part, display_name: canary("Name"), device_name: canary("Device") }
    }

    fn registration(&self) -> RegisterRequest {
        RegisterRequest {
            email: self.person.email.clone(),
            password: self.person.password.clone(),
            display_name: self.display_name.clone(),
            device_name: self.device_name.clone(),
        }
    }

    /// As the dump has them: SQLite quotes texts as they are.
    fn all(&self) -> [&str; 3] {
        [&self.local_part, &self.display_name, &self.device_name]
    }
}

/// The address that this test's requests seem to come from, and no other's.
const SOURCE: &str = "198.51.100.77";

// promise D1
async fn nothing_of_a_deleted_account_is_found_in_a_dump(backend: Backend) {
    let setup = Setup::on(backend)
        .with("grpc.trusted_proxies", "[\"127.0.0.0/8\"]")
        .with("grpc.forwarded_header", "\"x-forwarded-for\"");
    let keystead = setup.start().await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let ada = Traces::new();
    let registered = client.register(ada.registration()).await.expect("an account");
    let (user, tokens) = (registered.user.expect("the user"), registered.token_set.expect("tokens"));
    client.log_in_from(SOURCE, &ada.person.email, &ada.person.password).await.expect("tokens");
    client.log_in_from(SOURCE, &ada.person.email.to_uppercase(), WRONG_PASSWORD).await.expect_err("a failure");
    client.ask_for_reset(&ada.person.email).await.expect("taken");
    keystead.mailbox().reset_token(&ada.person.email).await;

    let records = keystead.records().await;
    let before = records.dump().await;
    for trace in ada.all().into_iter().chain([SOURCE]) {
        assert!(before.contains(trace), "the dump shows {trace} while the account is there");
    }
    admin.delete_user(DeleteUserRequest { user_id: user.id.clone() }).await.expect("gone");
    assert_eq!(client.status_of(&tokens.access_token).await, TokenStatus::Revoked);
    let after = records.dump().await;
    for trace in ada.all().into_iter().chain([SOURCE]) {
        let found: Vec<_> = after.lines().filter(|line| line.contains(trace)).collect();
        assert!(found.is_empty(), "{trace}: {found:?}");
    }
    let id = user.id.replace('-', "");
    let kept = after.lines().filter(|line| line.contains(&user.id) || line.to_ascii_lowercase().contains(&id)).count();
    assert!(kept > 0, "the trail keeps the ids");
}

// promises D1, T8
async fn the_address_of_a_deleted_account_is_free_and_its_tokens_are_dead(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &here).await;
    let person = Person::new("ada");
    let old = person.register(&there).await;
    there.ask_for_reset(&person.email).await.expect("taken");
    let reset = keystead.mailbox().reset_token(&person.email).await;
    admin.delete_user(DeleteUserRequest { user_id: old.user.id.clone() }).await.expect("gone");
    let again = DeleteUserRequest { user_id: old.user.id.clone() };
    admin.delete_user(again).await.expect_err("gone already").is(Code::NotFound, "USER_UNKNOWN");
    person.log_in(&there).await.expect_err("nobody").is(Code::Unauthenticated, "INVALID_CREDENTIALS");

    let new = person.register(&there).await;
    assert_ne!(new.user.id, old.user.id);
    until("the revocation to arrive", || async {
        there.status_of(&old.set.access_token).await == TokenStatus::Revoked
    })
    .await;
    assert_eq!(here.status_of(&new.set.access_token).await, TokenStatus::Active);
    for client in [&here, &there] {
        let failure = client.use_refresh_token(&old.set.refresh_token).await.expect_err("a dead token");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
        let failure = client.set_password(&reset, "fresh paint on the boathouse").await.expect_err("a dead token");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    }
}

on_each_backend!(
    nothing_of_a_deleted_account_is_found_in_a_dump,
    the_address_of_a_deleted_account_is_free_and_its_tokens_are_dead,
);
