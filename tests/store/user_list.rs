//! Lists of accounts.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::email_prefix::EmailPrefix;
use keystead::domain::role::RoleName;
use keystead::domain::user::{User, UserState};
use keystead::domain::user_change::InvitationOutcome;
use keystead::domain::user_list::{UserFilter, UserOrder, UserPosition, UserQuery};

use crate::backend::Backend;
use crate::fixture::reread;

async fn list(backend: &Backend, query: &UserQuery) -> Vec<User> {
    backend.directory.list(query).await.expect("the store answers")
}

/// The whole list, in pages of two.
async fn walk(backend: &Backend, filter: &UserFilter, order: UserOrder) -> Vec<User> {
    let mut walked = Vec::new();
    loop {
        let after = walked.last().map(UserPosition::of);
        let page = list(backend, &UserQuery { filter: filter.clone(), order, after, limit: 2 }).await;
        assert!(page.len() <= 2);
        let is_last = page.len() < 2;
        walked.extend(page);
        if is_last {
            return walked;
        }
    }
}

async fn addresses(backend: &Backend, filter: UserFilter) -> Vec<String> {
    let users = walk(backend, &filter, UserOrder::Email).await;
    users.iter().map(|user| user.email.as_str().to_owned()).collect()
}

fn prefixed(prefix: &str) -> UserFilter {
    UserFilter { email_prefix: EmailPrefix::parse(prefix).expect("a prefix"), ..UserFilter::default() }
}

pub async fn every_order_is_walked_without_loss(backend: Arc<Backend>) {
    let mut users = Vec::new();
    for name in ["m", "Z", "a", "\u{e9}", "b", "-"] {
        users.push(backend.user(&format!("{name}@example.com")).await);
        backend.clock.advance(Duration::from_millis(1));
    }
    let everybody = UserFilter::default();
    assert_eq!(walk(&backend, &everybody, UserOrder::Created).await, users);
    let mut by_email = users.clone();
    by_email.sort_by(|one, other| one.email.key().cmp(other.email.key()));
    assert_eq!(walk(&backend, &everybody, UserOrder::Email).await, by_email);
    users.reverse();
    by_email.reverse();
    assert_eq!(walk(&backend, &everybody, UserOrder::CreatedDescending).await, users);
    assert_eq!(walk(&backend, &everybody, UserOrder::EmailDescending).await, by_email);
}

pub async fn accounts_of_one_moment_are_told_apart(backend: Arc<Backend>) {
    let mut users = Vec::new();
    for number in 0..7 {
        users.push(backend.user(&format!("user{number}@example.com")).await);
    }
    users.sort_by_key(|user| user.id);
    assert_eq!(walk(&backend, &UserFilter::default(), UserOrder::Created).await, users);
    users.reverse();
    assert_eq!(walk(&backend, &UserFilter::default(), UserOrder::CreatedDescending).await, users);
}

pub async fn filters_choose_together(backend: Arc<Backend>) {
    let started = backend.now();
    let mut users = Vec::new();
    let invited: [(&str, &[&str]); 3] =
        [("ada@example.com", &["admin"]), ("adam@example.com", &[]), ("eve@example.com", &["admin"])];
    for (address, roles) in invited {
        let outcome = backend.directory.invite(&backend.invitation(address, roles), &backend.context()).await.unwrap();
        let InvitationOutcome::Invited(user) = outcome else { panic!("{outcome:?}") };
        users.push(user);
        backend.clock.advance(Duration::from_millis(1));
    }
    backend.disable(users[1].id).await;
    let role = |name| UserFilter { role: Some(RoleName::parse(name).unwrap()), ..UserFilter::default() };
    let state = |state| UserFilter { state: Some(state), ..UserFilter::default() };
    let [ada, adam, eve] = ["ada@example.com", "adam@example.com", "eve@example.com"];
    assert_eq!(addresses(&backend, role("admin")).await, [ada, eve]);
    assert_eq!(addresses(&backend, role("user")).await, [ada, adam, eve]);
    assert_eq!(addresses(&backend, role("nobody")).await, [""; 0]);
    assert_eq!(addresses(&backend, state(UserState::Active)).await, [ada, eve]);
    assert_eq!(addresses(&backend, state(UserState::Disabled)).await, [adam]);
    let from = started.after(Duration::from_millis(1));
    let until = started.after(Duration::from_millis(2));
    assert_eq!(
        addresses(&backend, UserFilter { created_from: Some(from), ..UserFilter::default() }).await,
        [adam, eve]
    );
    let between = UserFilter { created_from: Some(from), created_until: Some(until), ..UserFilter::default() };
    assert_eq!(addresses(&backend, between).await, [adam]);
    let both = UserFilter { role: Some(RoleName::parse("admin").unwrap()), ..prefixed("ad") };
    assert_eq!(addresses(&backend, both).await, [ada]);
    let found = walk(&backend, &prefixed("ada@"), UserOrder::CreatedDescending).await;
    assert_eq!(found, [reread(&backend, &users[0]).await], "with its roles");
}

pub async fn prefixes_are_taken_literally(backend: Arc<Backend>) {
    // promise A6
    for name in ["100%", "100%off", "1000", "a_b", "a_bc", "axb", "Ada"] {
        backend.user(&format!("{name}@example.com")).await;
    }
    for (prefix, names) in [
        ("100%", &["100%", "100%off"][..]),
        ("a_b", &["a_b", "a_bc"]),
        ("%", &[]),
        ("_", &[]),
        ("a\\_b", &[]),
        ("'", &[]),
        ("ADA@EXAMPLE.COM", &["Ada"]),
        ("ada@example.comm", &[]),
    ] {
        let mut expected: Vec<_> = names.iter().map(|name| format!("{name}@example.com")).collect();
        expected.sort_by_key(|address| address.to_lowercase());
        assert_eq!(addresses(&backend, prefixed(prefix)).await, expected, "{prefix}");
    }
}

pub async fn prefixes_are_compared_byte_by_byte(backend: Arc<Backend>) {
    // promise E2: no locale puts one of them elsewhere.
    for name in ["jose", "jos\u{e9}", "josf", "\u{5d0}\u{5d1}", "\u{5d0}\u{5d2}", "\u{4e00}"] {
        backend.user(&format!("{name}@example.com")).await;
    }
    for (prefix, names) in [
        ("jos", &["jose", "josf", "jos\u{e9}"][..]),
        ("jose\u{301}", &["jos\u{e9}"]),
        ("jose", &["jose"]),
        ("\u{5d0}", &["\u{5d0}\u{5d1}", "\u{5d0}\u{5d2}"]),
        ("\u{4e00}", &["\u{4e00}"]),
        ("\u{ffff}", &[]),
    ] {
        let expected: Vec<_> = names.iter().map(|name| format!("{name}@example.com")).collect();
        assert_eq!(addresses(&backend, prefixed(prefix)).await, expected, "{prefix}");
    }
}
