//! What a call costs does not grow with what the database holds: no statement of a walk through the API passes over a
//! table that grows.

use keystead::grpc::pb;
use keystead::grpc::pb::{
    AuditEventFilter, ListAuditEventsRequest, ListUsersRequest, LogoutScope, UserFilter, UserOrder,
};

use crate::harness::feed::Feed;
use crate::harness::{Backend, Client, Keystead, Machine, Person, Setup, WRONG_PASSWORD};

/// What stays small however many people there are, and what is read whole: keys, roles, the machines' accounts.
const SMALL: [&str; 6] =
    ["audit_horizon", "roles", "seaql_migrations", "server_keys", "service_accounts", "signing_keys"];

/// What the server has scanned: a table that grows, and the statement.
fn scans(log: &str) -> Vec<(String, String)> {
    let entries = log.split("\tQuery Text: ").skip(1);
    let scans = entries.flat_map(|entry| {
        let statement = entry.lines().next().unwrap_or_default();
        let tables = entry.split("Seq Scan on ").skip(1);
        tables.map(move |rest| (rest.split_whitespace().next().unwrap_or_default().to_owned(), statement.to_owned()))
    });
    scans.filter(|(table, _)| !SMALL.contains(&table.as_str()) && !table.starts_with("pg_")).collect()
}

/// Signing in, verifying, refreshing, and everything that goes wrong on the way.
async fn sign_in_and_out(keystead: &Keystead, client: &Client, person: &Person) {
    person.register(client).await;
    client.register(person.registration()).await.expect_err("taken");
    client.log_in(&person.email, WRONG_PASSWORD).await.expect_err("wrong");
    client.log_in("nobody@example.com", WRONG_PASSWORD).await.expect_err("unknown");
    let set = person.log_in(client).await.expect("tokens");
    client.status_of(&set.access_token).await;
    let successor = client.use_refresh_token(&set.refresh_token).await.expect("a successor");
    client.use_refresh_token(&successor.refresh_token).await.expect("another");
    client.use_refresh_token(&set.refresh_token).await.expect_err("a replay");
    let set = person.log_in(client).await.expect("tokens");
    for scope in [LogoutScope::OtherSessions, LogoutScope::ThisSession, LogoutScope::AllSessions] {
        client.log_out(&set.refresh_token, scope).await.expect("out");
    }
    client.ask_for_reset(&person.email).await.expect("taken");
    let token = keystead.mailbox().reset_token(&person.email).await;
    client.set_password(&token, &person.password).await.expect("set");
    client.ask_for_verification(&person.email).await.expect("taken");
}

/// What somebody does with their own account.
async fn keep_an_account(keystead: &Keystead, client: &Client, person: &Person) {
    let enrolled = person.enroll(keystead, client).await;
    let challenge = client.challenged(person).await;
    let code = enrolled.authenticator.code(keystead, 1);
    let set = client.meet_by_totp(&challenge.challenge_token, &code).await.expect("tokens");
    let own = client.bearing(&set.access_token);
    own.me().await.expect("the account");
    own.update(&["display_name"], pb::User { display_name: "Ada".to_owned(), ..pb::User::default() })
        .await
        .expect("so");
    let listed = own.list_identities(pb::ListIdentitiesRequest {}).await.expect("none");
    assert!(listed.identities.is_empty());
    let codes = own.regenerate_recovery_codes(pb::RegenerateRecoveryCodesRequest {}).await.expect("codes");
    let challenge = client.challenged(person).await;
    let set = client.meet_by_recovery(&challenge.challenge_token, &codes.recovery_codes[0]).await.expect("tokens");
    let own = client.bearing(&set.access_token);
    own.disable_totp(pb::DisableTotpRequest {}).await.expect("off");
    let own = client.bearing(&person.log_in(client).await.expect("tokens").access_token);
    person.log_in(client).await.expect("another session");
    let other_session = own.sessions().await.into_iter().find(|session| !session.current).expect("it");
    own.end_session(&other_session.id).await.expect("ended");
    let other = Person::new("other");
    own.ask_for_email(&other.email).await.expect("taken");
    let token = keystead.mailbox().email_change_token(&other.email).await;
    client.take_email(&token).await.expect("changed");
    let moved = Person { email: other.email, password: person.password.clone() };
    let own = client.bearing(&moved.log_in(client).await.expect("tokens").access_token);
    own.replace_password(&moved.password, &other.password).await.expect("changed");
    let moved = Person { password: other.password, ..moved };
    let own = client.bearing(&moved.log_in(client).await.expect("tokens").access_token);
    own.delete_me(pb::DeleteMeRequest {}).await.expect("deleted");
}

/// What an administrator does with somebody's account.
async fn administer(admin: &Client, user_id: &str) {
    let user_id = user_id.to_owned();
    let user = admin.get_user(pb::GetUserRequest { user_id: user_id.clone() }).await.expect("it").user.expect("it");
    let user = pb::User { display_name: "Grace".to_owned(), ..user };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] });
    admin.update_user(pb::UpdateUserRequest { user: Some(user), update_mask }).await.expect("changed");
    let id = || user_id.clone();
    let role = || "verifier".to_owned();
    admin.grant_role(pb::GrantRoleRequest { user_id: id(), role: role() }).await.expect("granted");
    admin.revoke_role(pb::RevokeRoleRequest { user_id: id(), role: role() }).await.expect("revoked");
    admin.list_user_sessions(pb::ListUserSessionsRequest { user_id: id() }).await.expect("listed");
    admin
        .revoke_user_sessions(pb::RevokeUserSessionsRequest { user_id: id(), ..Default::default() })
        .await
        .expect("ended");
    admin.disable_user(pb::DisableUserRequest { user_id: id() }).await.expect("disabled");
    admin.enable_user(pb::EnableUserRequest { user_id: id() }).await.expect("enabled");
    admin.require_password_reset(pb::RequirePasswordResetRequest { user_id: id() }).await.expect("required");
    admin.reset_user_mfa(pb::ResetUserMfaRequest { user_id: id() }).await.expect_err("there is none");
    admin.delete_user(pb::DeleteUserRequest { user_id: id() }).await.expect("deleted");
}

async fn list_everything(admin: &Client, moment: Option<prost_types::Timestamp>, user_id: &str) {
    let filters = [
        UserFilter::default(),
        UserFilter { email_prefix: "ada".to_owned(), ..UserFilter::default() },
        UserFilter { role: "admin".to_owned(), ..UserFilter::default() },
        UserFilter { state: pb::UserState::Disabled.into(), ..UserFilter::default() },
        UserFilter { created_from: moment, created_until: moment, ..UserFilter::default() },
    ];
    for filter in filters {
        for order in [UserOrder::CreateTime, UserOrder::CreateTimeDesc, UserOrder::Email, UserOrder::EmailDesc] {
            let request = ListUsersRequest {
                filter: Some(filter.clone()),
                order: order.into(),
                page_size: 1,
                ..ListUsersRequest::default()
            };
            let page = admin.list_users(request.clone()).await.expect("a page");
            if !page.next_page_token.is_empty() {
                let next = ListUsersRequest { page_token: page.next_page_token, ..request };
                admin.list_users(next).await.expect("the next page");
            }
        }
    }
    let filters = [
        AuditEventFilter::default(),
        AuditEventFilter { subject_id: user_id.to_owned(), ..AuditEventFilter::default() },
        AuditEventFilter { actor_id: user_id.to_owned(), ..AuditEventFilter::default() },
        AuditEventFilter { kinds: vec!["authn_login_fail".to_owned()], ..AuditEventFilter::default() },
        AuditEventFilter { from_time: moment, ..AuditEventFilter::default() },
    ];
    for filter in filters {
        let request = ListAuditEventsRequest { filter: Some(filter), page_size: 1, page_token: String::new() };
        let page = admin.list_audit_events(request.clone()).await.expect("a page");
        let next = ListAuditEventsRequest { page_token: page.next_page_token, ..request };
        admin.list_audit_events(next).await.expect("the next page");
    }
}

async fn employ_machines(keystead: &Keystead, client: &Client, admin: &Client) {
    let machine = Machine::create(admin, &["verifier"]).await;
    let verifier = client.bearing(&machine.access_token(client).await);
    let mut feed = Feed::begin(&verifier, "").await.expect("a stream");
    feed.caught_up().await;
    let mut feed = Feed::begin(&verifier, &feed.cursor).await.expect("a stream");
    feed.caught_up().await;
    let id = machine.id.clone();
    let access_token = machine.access_token(client).await;
    client.revoke_token(pb::RevokeTokenRequest { token: access_token }).await.expect("revoked");
    admin.delete_service_account(pb::DeleteServiceAccountRequest { service_account_id: id }).await.expect("deleted");
    keystead.replica(0).get("/readyz", &[]).await;
}

// What figure S1 of docs/performance.md rests on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_passes_over_a_table_that_grows() {
    let keystead = Setup::on(Backend::ExplainedPostgres).start().await;
    let client = keystead.client().await;
    let (admin, root) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let ada = Person::new("ada");
    sign_in_and_out(&keystead, &client, &ada).await;
    keep_an_account(&keystead, &client, &ada).await;
    let grace = Person::new("grace").register(&client).await.user;
    list_everything(&admin, root.create_time, &root.id).await;
    administer(&admin, &grace.id).await;
    employ_machines(&keystead, &client, &admin).await;

    let log = keystead.servers.postgres.as_ref().expect("PostgreSQL").log();
    assert!(log.matches("Query Text: ").count() > 300, "the plans are told");
    let scans = scans(&log);
    assert!(scans.is_empty(), "{scans:#?}");
}
