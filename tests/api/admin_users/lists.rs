//! What `ListUsers` chooses, and in what order.

use std::time::Duration;

use keystead::grpc::pb::{DisableUserRequest, ListUsersRequest, User, UserFilter, UserOrder, UserState};
use tonic::Code;

use super::administered;
use crate::harness::{Backend, Client, Keystead, on_each_backend};

/// An administrator, and accounts at these addresses, a moment apart.
async fn with_accounts(backend: Backend, names: &[&str]) -> (Keystead, Client, Vec<User>) {
    let (keystead, admin, _) = administered(backend).await;
    let mut users = Vec::new();
    for name in names {
        keystead.clock.advance(Duration::from_millis(10));
        let request = keystead::grpc::pb::CreateUserRequest {
            email: format!("{name}@example.com"),
            roles: if name.starts_with('v') { vec!["verifier".to_owned()] } else { Vec::new() },
            ..Default::default()
        };
        users.push(admin.create_user(request).await.expect("an account").user.expect("the account"));
    }
    (keystead, admin, users)
}

async fn list(admin: &Client, filter: UserFilter, order: UserOrder) -> Vec<User> {
    let request = ListUsersRequest { filter: Some(filter), order: order.into(), ..ListUsersRequest::default() };
    let page = admin.list_users(request).await.expect("a page");
    assert!(page.next_page_token.is_empty(), "all on one page");
    page.users
}

/// The local parts of who is chosen, by address; who administers is left out.
async fn names(admin: &Client, filter: UserFilter) -> Vec<String> {
    let users = list(admin, filter, UserOrder::Email).await;
    let names = users.iter().map(|user| user.email.split('@').next().expect("a local part").to_owned());
    names.filter(|name| !name.starts_with("root")).collect()
}

fn prefix(text: &str) -> UserFilter {
    UserFilter { email_prefix: text.to_owned(), ..UserFilter::default() }
}

// promises A6, L5
async fn a_prefix_is_literal_and_knows_no_case(backend: Backend) {
    let (_keystead, admin, _) =
        with_accounts(backend, &["100%", "100%off", "1000", "a_b", "axb", "Zo\u{eb}", "stra\u{df}e"]).await;
    for (text, expected) in [
        ("100%", &["100%", "100%off"][..]),
        ("%", &[]),
        ("_", &[]),
        ("a_", &["a_b"]),
        ("a\\_", &[]),
        ("A_B@EXAMPLE.C", &["a_b"]),
        ("zoe\u{308}", &["Zo\u{eb}"]),
        ("zoe", &[]),
        ("STRASS", &["stra\u{df}e"]),
        ("a_b@example.com.", &[]),
        ("' OR 1=1 --", &[]),
    ] {
        assert_eq!(names(&admin, prefix(text)).await, expected, "{text}");
    }
}

async fn filters_choose_together_in_every_order(backend: Backend) {
    let (_keystead, admin, users) = with_accounts(backend, &["vera", "ada", "victor", "bob"]).await;
    let disabled = DisableUserRequest { user_id: users[0].id.clone() };
    admin.disable_user(disabled).await.expect("disabled");
    let role = |name: &str| UserFilter { role: name.to_owned(), ..UserFilter::default() };
    assert_eq!(names(&admin, role("verifier")).await, ["vera", "victor"]);
    assert_eq!(names(&admin, role("admin")).await, [""; 0], "but who asks");
    let active = UserFilter { state: UserState::Active.into(), ..role("verifier") };
    assert_eq!(names(&admin, active).await, ["victor"]);
    let disabled = UserFilter { state: UserState::Disabled.into(), ..UserFilter::default() };
    assert_eq!(names(&admin, disabled).await, ["vera"]);
    let span = UserFilter { created_from: users[1].create_time, created_until: users[3].create_time, ..prefix("") };
    assert_eq!(names(&admin, span).await, ["ada", "victor"], "from is within, until is not");

    let emails = |users: Vec<User>| users.into_iter().map(|user| user.id).collect::<Vec<_>>();
    let by_time = emails(list(&admin, prefix(""), UserOrder::CreateTime).await);
    assert_eq!(by_time[1..], users.iter().map(|user| user.id.clone()).collect::<Vec<_>>());
    assert_eq!(by_time, emails(list(&admin, prefix(""), UserOrder::Unspecified).await));
    let backwards = list(&admin, prefix(""), UserOrder::CreateTimeDesc).await;
    assert_eq!(emails(backwards.into_iter().rev().collect()), by_time);
    let by_email = list(&admin, prefix(""), UserOrder::Email).await;
    assert!(by_email.is_sorted_by_key(|user| user.email.to_lowercase()));
    let backwards = list(&admin, prefix(""), UserOrder::EmailDesc).await;
    assert_eq!(backwards.into_iter().rev().collect::<Vec<_>>(), by_email);
}

// promise A6
async fn what_is_asked_is_bounded(backend: Backend) {
    let (_keystead, admin, _) = administered(backend).await;
    let moment = prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
    let filter = UserFilter {
        email_prefix: "a".repeat(255),
        role: "No Role".to_owned(),
        state: 9,
        created_from: Some(moment),
        created_until: Some(moment),
    };
    let request = ListUsersRequest { filter: Some(filter), order: 9, page_size: -1, page_token: String::new() };
    let failure = admin.list_users(request).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    let fields =
        ["email_prefix", "role", "state", "created_from", "created_until"].map(|name| format!("filter.{name}"));
    assert_eq!(failure.fields, [&fields[..], &["order".to_owned(), "page_size".to_owned()]].concat());
}

on_each_backend!(
    a_prefix_is_literal_and_knows_no_case,
    filters_choose_together_in_every_order,
    what_is_asked_is_bounded,
);
