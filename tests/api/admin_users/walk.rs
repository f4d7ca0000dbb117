//! A walk over many accounts, page by page, while more are created.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keystead::grpc::pb::{CreateUserRequest, ListUsersRequest, User, UserOrder};

use super::administered;
use crate::harness::{Backend, Client, Records, on_each_backend};

const ACCOUNTS: usize = 1_000;
const PAGE_SIZE: i32 = 37;

/// Accounts of long ago, three in each millisecond; their ids and addresses run against their times.
async fn seed(records: &Records) {
    let (mut users, mut roles) = (String::new(), String::new());
    for number in 0..ACCOUNTS {
        let id = uuid::Uuid::from_u128(u128::try_from(ACCOUNTS - number).expect("a number"));
        let id = if records.is_sqlite() { format!("X'{}'", id.simple()) } else { format!("'{id}'") };
        let (email, at) = (format!("seed{:04}@example.com", number * 7 % ACCOUNTS), number / 3);
        let comma = if number == 0 { "" } else { "," };
        let verified = if records.is_sqlite() { "0" } else { "false" };
        write!(users, "{comma}({id}, '{email}', '{email}', {verified}, 'Seed', 'active', 0, {at}, {at})")
            .expect("a text");
        write!(roles, "{comma}({id}, 'user')").expect("a text");
    }
    let columns = "id, email, email_key, email_verified, display_name, state, epoch, created_at, updated_at";
    records.execute(&format!("INSERT INTO users ({columns}) VALUES {users}")).await;
    records.execute(&format!("INSERT INTO user_roles (user_id, role) VALUES {roles}")).await;
}

async fn walk(admin: &Client, order: UserOrder) -> Vec<User> {
    let mut walked = Vec::new();
    let mut request = ListUsersRequest { order: order.into(), page_size: PAGE_SIZE, ..ListUsersRequest::default() };
    loop {
        let page = admin.list_users(request.clone()).await.expect("a page");
        walked.extend(page.users);
        if page.next_page_token.is_empty() {
            return walked;
        }
        assert_eq!(walked.len() % usize::try_from(PAGE_SIZE).expect("a number"), 0, "a page before the last is full");
        request.page_token = page.next_page_token;
    }
}

/// Creates accounts until told to stop; how many.
async fn create_meanwhile(admin: Client, stop: Arc<AtomicBool>, batch: usize) -> usize {
    let mut created = 0;
    while !stop.load(Ordering::SeqCst) {
        let email = format!("seed{:04}-{batch}-{created}@example.com", created * 13 % ACCOUNTS);
        admin.create_user(CreateUserRequest { email, ..Default::default() }).await.expect("an account");
        created += 1;
    }
    created
}

// promise A6
async fn a_walk_loses_nobody_and_meets_nobody_twice(backend: Backend) {
    let (keystead, admin, _) = administered(backend).await;
    seed(&keystead.records().await).await;
    let orders = [UserOrder::CreateTime, UserOrder::CreateTimeDesc, UserOrder::Email, UserOrder::EmailDesc];
    for (batch, order) in orders.into_iter().enumerate() {
        let stop = Arc::new(AtomicBool::new(false));
        let creating = tokio::spawn(create_meanwhile(admin.clone(), Arc::clone(&stop), batch));
        let walked = walk(&admin, order).await;
        stop.store(true, Ordering::SeqCst);
        assert!(creating.await.expect("no panic") > 0, "the walk was not alone");
        let ids: HashSet<&str> = walked.iter().map(|user| user.id.as_str()).collect();
        assert_eq!(ids.len(), walked.len(), "{order:?}: somebody came twice");
        let seeded = walked.iter().filter(|user| user.display_name == "Seed").count();
        assert_eq!(seeded, ACCOUNTS, "{order:?}: somebody was lost");
        assert!(walked.iter().all(|user| user.roles.iter().any(|role| role == "user")), "{order:?}: roles were lost");
        let time = |user: &User| user.create_time.map(|at| (at.seconds, at.nanos)).expect("a time");
        let is_sorted = match order {
            UserOrder::Email => walked.is_sorted_by_key(|user| user.email.clone()),
            UserOrder::EmailDesc => walked.is_sorted_by_key(|user| std::cmp::Reverse(user.email.clone())),
            UserOrder::CreateTimeDesc => {
                walked.is_sorted_by_key(|user| std::cmp::Reverse((time(user), user.id.clone())))
            }
            UserOrder::CreateTime | UserOrder::Unspecified => {
                walked.is_sorted_by_key(|user| (time(user), user.id.clone()))
            }
        };
        assert!(is_sorted, "{order:?}");
    }
}

on_each_backend!(a_walk_loses_nobody_and_meets_nobody_twice);
