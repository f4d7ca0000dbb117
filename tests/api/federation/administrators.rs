//! What administrators do to identities that open accounts.

use serde_json::json;
use tonic::Code;

use keystead::grpc::pb::{
    Identity, ListUserIdentitiesRequest, RequirePasswordResetRequest, TokenStatus, UnlinkUserIdentityRequest,
};

use super::Scene;
use crate::harness::{Backend, Person, on_each_backend};

const NOBODY: &str = "018bcfe5-6800-7000-8000-000000000000";
const EXISTS: (Code, &str) = (Code::AlreadyExists, "ACCOUNT_EXISTS");

fn of(user_id: &str) -> ListUserIdentitiesRequest {
    ListUserIdentitiesRequest { user_id: user_id.to_owned() }
}

fn the(user_id: &str, identity_id: &str) -> UnlinkUserIdentityRequest {
    UnlinkUserIdentityRequest { user_id: user_id.to_owned(), identity_id: identity_id.to_owned() }
}

// promises T8, E3
async fn an_identity_that_an_administrator_takes_away_opens_nothing(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let (admin, root) = Person::new("root").register_as_administrator(&keystead, &client).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    let ada = client.bearing(&signed_in.tokens.access_token).me().await.expect("the account").id;
    let listed = admin.list_user_identities(of(&ada)).await.expect("identities").identities;
    let [Identity { id, provider: name, issuer, subject, .. }] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&**name, &**issuer, &**subject), ("idp", &*provider.issuer(), "sub-1"));

    for (user, identity, code, reason) in [
        (NOBODY, &**id, Code::NotFound, "USER_UNKNOWN"),
        (&*root.id, id, Code::NotFound, "IDENTITY_UNKNOWN"),
        (&*ada, NOBODY, Code::NotFound, "IDENTITY_UNKNOWN"),
        (&*ada, "nonsense", Code::InvalidArgument, "INVALID_FIELDS"),
    ] {
        admin.unlink_user_identity(the(user, identity)).await.expect_err("refused").is(code, reason);
    }
    admin.list_user_identities(of(NOBODY)).await.expect_err("nobody").is(Code::NotFound, "USER_UNKNOWN");

    admin.unlink_user_identity(the(&ada, id)).await.expect("the last way to sign in goes too");
    assert!(admin.list_user_identities(of(&ada)).await.expect("identities").identities.is_empty());
    assert_eq!(client.status_of(&signed_in.tokens.access_token).await, TokenStatus::Revoked);
    client.use_refresh_token(&signed_in.tokens.refresh_token).await.expect_err("the session has ended");
    keystead.mailbox().mail("ada@example.com", "no longer opens it").await;
    keystead.sign_in_at(&client, &provider).await.expect_err("not by its address").is(EXISTS.0, EXISTS.1);
    assert_eq!(keystead.rows().await.events("authn_identity_unlinked").await, 1);

    client.ask_for_reset("ada@example.com").await.expect("taken");
    let reset = keystead.mailbox().reset_token("ada@example.com").await;
    client.set_password(&reset, "fresh paint on the boathouse").await.expect("the owner's way back");
    let tokens = client.log_in("ada@example.com", "fresh paint on the boathouse").await.expect("tokens");
    keystead.link_at(&client.bearing(&tokens.access_token), &provider).await.expect("linked by its owner");
    assert!(!keystead.sign_in_at(&client, &provider).await.expect("tokens").is_new_user);
}

async fn a_required_reset_leaves_no_way_round_it(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    let user_id = client.bearing(&signed_in.tokens.access_token).me().await.expect("the account").id;
    admin.require_password_reset(RequirePasswordResetRequest { user_id: user_id.clone() }).await.expect("required");
    assert!(admin.list_user_identities(of(&user_id)).await.expect("identities").identities.is_empty());
    keystead.sign_in_at(&client, &provider).await.expect_err("a reset is wanted").is(EXISTS.0, EXISTS.1);
}

on_each_backend!(an_identity_that_an_administrator_takes_away_opens_nothing, a_required_reset_leaves_no_way_round_it,);
