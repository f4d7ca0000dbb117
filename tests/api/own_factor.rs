//! What owners and administrators are told of a second factor.

use keystead::grpc::pb::{DisableTotpRequest, GetMeRequest, GetUserRequest, GrantRoleRequest, SecondFactor};

use crate::harness::{Backend, Client, Person, Setup, on_each_backend};

/// As the owner and an administrator are told, who are told the same.
async fn told(own: &Client, admin: &Client) -> SecondFactor {
    let me = own.get_me(GetMeRequest {}).await.expect("the account");
    let user_id = me.user.expect("the account").id;
    let user = admin.get_user(GetUserRequest { user_id }).await.expect("the account");
    assert_eq!(me.second_factor, user.second_factor);
    me.second_factor.expect("told")
}

// promises M5, M8
async fn an_account_is_described_with_its_second_factor_and_what_is_left_of_its_codes(backend: Backend) {
    let keystead = Setup::on(backend).with("mfa.required_roles", "['verifier']").start().await;
    let client = keystead.client().await;
    let (root, ada) = (Person::new("root"), Person::new("ada"));
    let own = client.bearing(&ada.register(&client).await.set.access_token);
    let (admin, _) = root.register_as_administrator(&keystead, &client).await;
    assert_eq!(told(&own, &admin).await, SecondFactor::default());

    let before = keystead.clock.unix_seconds();
    let enrolled = ada.enroll(&keystead, &client).await;
    let challenge = client.challenged(&ada).await.challenge_token;
    let tokens = client.meet_by_recovery(&challenge, &enrolled.codes[0]).await.expect("tokens");
    let own = client.bearing(&tokens.access_token);
    let factor = told(&own, &admin).await;
    assert_eq!((factor.totp_enrolled, factor.recovery_codes_left, factor.required), (true, 9, false));
    let enrolled_at = factor.totp_enroll_time.expect("a time").seconds.unsigned_abs();
    assert!((before..=keystead.clock.unix_seconds()).contains(&enrolled_at), "{enrolled_at}");

    own.disable_totp(DisableTotpRequest {}).await.expect("taken away");
    let tokens = ada.log_in(&client).await.expect("tokens");
    let own = client.bearing(&tokens.access_token);
    assert_eq!(told(&own, &admin).await, SecondFactor::default());
    let user_id = own.me().await.expect("the account").id;
    let role = "verifier".to_owned();
    admin.grant_role(GrantRoleRequest { user_id: user_id.clone(), role }).await.expect("granted");
    let user = admin.get_user(GetUserRequest { user_id }).await.expect("the account");
    assert_eq!(user.second_factor, Some(SecondFactor { required: true, ..SecondFactor::default() }));
}

on_each_backend!(an_account_is_described_with_its_second_factor_and_what_is_left_of_its_codes);
