//! A page token goes on with the list of the caller who got it, and with nothing else.

use keystead::grpc::pb::{ListUsersRequest, UserFilter, UserOrder, UserState};
use tonic::Code;

use super::{administered, create};
use crate::harness::token::{decode, encode};
use crate::harness::{Backend, Client, Person, on_each_backend};

async fn refused(admin: &Client, request: ListUsersRequest) {
    let failure = admin.list_users(request.clone()).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["page_token"], "{request:?}");
}

// promise A6
async fn a_foreign_or_forged_token_is_refused(backend: Backend) {
    let (keystead, admin, root) = administered(backend).await;
    for name in ["ada", "bob", "eve"] {
        create(&admin, &Person::new(name)).await;
    }
    let client = keystead.client().await;
    let (other, _) = Person::new("other").register_as_administrator(&keystead, &client).await;
    let first = ListUsersRequest { page_size: 2, ..ListUsersRequest::default() };
    let page_token = admin.list_users(first.clone()).await.expect("a page").next_page_token;
    let next = ListUsersRequest { page_token: page_token.clone(), ..first.clone() };
    admin.list_users(next.clone()).await.expect("the same list goes on");

    refused(&other, next.clone()).await;
    for order in [UserOrder::CreateTimeDesc, UserOrder::Email, UserOrder::EmailDesc] {
        refused(&admin, ListUsersRequest { order: order.into(), ..next.clone() }).await;
    }
    let moment = root.create_time;
    for filter in [
        UserFilter { email_prefix: "a".to_owned(), ..UserFilter::default() },
        UserFilter { role: "user".to_owned(), ..UserFilter::default() },
        UserFilter { state: UserState::Active.into(), ..UserFilter::default() },
        UserFilter { created_from: moment, ..UserFilter::default() },
        UserFilter { created_until: moment, ..UserFilter::default() },
    ] {
        refused(&admin, ListUsersRequest { filter: Some(filter), ..next.clone() }).await;
    }
    let long = "A".repeat(4_096);
    for token in ["A", "%", "0", &long, &format!("{page_token}A"), &format!("{page_token}="), &page_token[1..]] {
        refused(&admin, ListUsersRequest { page_token: token.to_owned(), ..next.clone() }).await;
    }
}

// promise A6
async fn every_flipped_bit_is_refused(backend: Backend) {
    let (_keystead, admin, _) = administered(backend).await;
    create(&admin, &Person::new("ada")).await;
    let first = ListUsersRequest { page_size: 1, ..ListUsersRequest::default() };
    let page_token = admin.list_users(first.clone()).await.expect("a page").next_page_token;
    let sealed = decode(&page_token).expect("base64url");
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused(&admin, ListUsersRequest { page_token: encode(&flipped), ..first.clone() }).await;
    }
}

on_each_backend!(a_foreign_or_forged_token_is_refused, every_flipped_bit_is_refused);
