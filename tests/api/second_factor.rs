//! The second factor: enrolled, asked for at every sign-in, used once, replaced and taken away.

use std::time::Duration;

use keystead::grpc::pb::{
    DisableTotpRequest, MfaMethod, RegenerateRecoveryCodesRequest, TokenStatus, UpdateUserRequest, User,
};
use prost_types::FieldMask;
use serde_json::json;
use tonic::Code;

use crate::harness::token::Jwt;
use crate::harness::{Authenticator, Backend, Keystead, Person, Setup, on_each_backend, until};
use crate::support::packages::oathtool;

const NEW_PASSWORD: &str = "fresh paint on the boathouse";

fn amr(access_token: &str) -> serde_json::Value {
    Jwt::parse(access_token).claims["amr"].clone()
}

// promises M4, M6, M7, E3
async fn an_enrolled_account_signs_in_with_a_code_and_its_tokens_say_so(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let other = ada.register(&client).await.set;
    let enrolled = ada.enroll(&keystead, &client).await;
    assert_eq!(enrolled.codes.len(), 10);
    assert_eq!(client.status_of(&other.access_token).await, TokenStatus::Revoked, "the other session has ended");
    client.use_refresh_token(&other.refresh_token).await.expect_err("ended").is(Code::Unauthenticated, "INVALID_TOKEN");
    assert_eq!(client.status_of(&enrolled.before.access_token).await, TokenStatus::Revoked);
    client.use_refresh_token(&enrolled.before.refresh_token).await.expect("the own session goes on");
    keystead.mailbox().mail(&ada.email, "has a new authenticator").await;

    let challenge = client.challenged(&ada).await;
    assert_eq!(challenge.methods().collect::<Vec<_>>(), [MfaMethod::Totp, MfaMethod::RecoveryCode]);
    let code = enrolled.authenticator.code(&keystead, 1);
    let tokens = client.meet_by_totp(&challenge.challenge_token, &code).await.expect("tokens");
    assert_eq!(amr(&tokens.access_token), json!(["pwd", "otp", "mfa"]));
    let refreshed = client.use_refresh_token(&tokens.refresh_token).await.expect("tokens");
    assert_eq!(amr(&refreshed.access_token), json!(["pwd", "otp", "mfa"]), "a refresh keeps it");
    let again = client.meet_by_totp(&challenge.challenge_token, &code).await.expect_err("used");
    again.is(Code::Unauthenticated, "INVALID_TOKEN");
    let rows = keystead.rows().await;
    assert_eq!(rows.events("authn_second_factor_enrolled").await, 1);
    assert_eq!(rows.number("SELECT count(*) FROM sign_in_challenges").await, 0);
}

// promise M2
async fn a_code_works_once_whichever_challenge_it_is_shown_to(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let other = Person::new("other");
    other.register(&client).await;
    ada.register(&client).await;
    let authenticator = ada.enroll(&keystead, &client).await.authenticator;
    let used = authenticator.code(&keystead, 0);
    let challenge = client.challenged(&ada).await.challenge_token;
    client.meet_by_totp(&challenge, &used).await.expect_err("used").is(Code::Unauthenticated, "INVALID_CODE");
    keystead.clock.advance(Duration::from_secs(30));
    until("fresh keys after the leap", || async { client.log_in(&other.email, &other.password).await.is_ok() }).await;
    client.meet_by_totp(&challenge, &used).await.expect_err("used").is(Code::Unauthenticated, "INVALID_CODE");
    let next = authenticator.code(&keystead, 0);
    client.meet_by_totp(&challenge, &next).await.expect("tokens");
    let challenge = client.challenged(&ada).await.challenge_token;
    client.meet_by_totp(&challenge, &next).await.expect_err("used").is(Code::Unauthenticated, "INVALID_CODE");
    assert_eq!(keystead.rows().await.events("authn_login_fail").await, 3);
}

// promise M2
async fn of_sixty_four_sign_ins_with_one_code_at_once_one_gets_a_session(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let ada = Person::new("ada");
    ada.register(&here).await;
    let authenticator = ada.enroll(&keystead, &here).await.authenticator;
    let shared = here.challenged(&ada).await.challenge_token;
    let mut challenges = vec![shared.clone(); 32];
    for _ in 0..32 {
        challenges.push(here.challenged(&ada).await.challenge_token);
    }
    let before = keystead.rows().await.live_sessions().await;
    let code = authenticator.code(&keystead, 1);
    let calls = challenges.iter().enumerate().map(|(number, challenge)| {
        let client = if number % 2 == 0 { here.clone() } else { there.clone() };
        let (challenge, code) = (challenge.clone(), code.clone());
        tokio::spawn(async move { client.meet_by_totp(&challenge, &code).await })
    });
    let answers = futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    let (done, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().map(|answer| answer.expect("no panic")).partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    for refusal in refused {
        let failure = refusal.expect_err("a refusal");
        assert!(["INVALID_CODE", "INVALID_TOKEN"].contains(&failure.reason.as_str()), "{failure:?}");
    }
    assert_eq!(keystead.rows().await.live_sessions().await, before + 1);
}

// promises M5, M7, E3
async fn each_recovery_code_opens_the_account_once_until_they_are_replaced(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let enrolled = ada.enroll(&keystead, &client).await;
    let meet = async |code: &str| {
        let challenge = client.challenged(&ada).await.challenge_token;
        client.meet_by_recovery(&challenge, code).await
    };
    let written = enrolled.codes[0].to_lowercase().replace('-', " ");
    let tokens = meet(&written).await.expect("tokens");
    assert_eq!(amr(&tokens.access_token), json!(["pwd", "mfa"]));
    keystead.mailbox().mail(&ada.email, "recovery code was used").await;
    for wrong in [&enrolled.codes[0], "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF", "", "no code"] {
        meet(wrong).await.expect_err("no unused code").is(Code::Unauthenticated, "INVALID_CODE");
    }
    let own = client.bearing(&tokens.access_token);
    let fresh = own.regenerate_recovery_codes(RegenerateRecoveryCodesRequest {}).await.expect("codes").recovery_codes;
    meet(&enrolled.codes[1]).await.expect_err("replaced").is(Code::Unauthenticated, "INVALID_CODE");
    meet(&fresh[0]).await.expect("tokens");
    keystead.mailbox().mail(&ada.email, "recovery codes of your account").await;
}

// promise M1
async fn an_authenticator_that_nobody_here_wrote_agrees(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let own = client.bearing(&ada.register(&client).await.set.access_token);
    ada.verify(&keystead, &client).await;
    let enrollment = own.begin_totp().await.expect("an enrolment");
    let secret = &enrollment.secret;
    let shown = |ahead: u64| {
        let now = keystead.clock.unix_seconds() + ahead;
        let mut program = std::process::Command::new(oathtool());
        let output = program.args(["--totp", "--base32", "--now", &format!("@{now}"), secret]).output();
        let output = output.expect("oathtool starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    own.confirm_totp(&enrollment.enrollment_token, &shown(0)).await.expect("recovery codes");
    let challenge = client.challenged(&ada).await.challenge_token;
    client.meet_by_totp(&challenge, &shown(30)).await.expect("tokens");
    let parameters = enrollment.otpauth_uri.split_once('?').expect("parameters").1;
    for parameter in [&format!("secret={secret}"), "algorithm=SHA1", "digits=6", "period=30", "issuer=Keystead"] {
        assert!(parameters.split('&').any(|told| told == parameter), "{parameter}: {parameters}");
    }
    assert!(enrollment.qr_code_png.starts_with(b"\x89PNG\r\n\x1a\n"));
}

// promises M4, M10
async fn a_factor_is_replaced_by_an_enrolment_and_taken_away_by_its_owner(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let old = ada.enroll(&keystead, &client).await;
    let challenge = client.challenged(&ada).await.challenge_token;
    let code = old.authenticator.code(&keystead, 1);
    let tokens = client.meet_by_totp(&challenge, &code).await.expect("tokens");
    let own = client.bearing(&tokens.access_token);
    let enrollment = own.begin_totp().await.expect("an enrolment");
    let new = Authenticator::reading(&enrollment);
    let wrong = own.confirm_totp(&enrollment.enrollment_token, &new.wrong_code(&keystead)).await;
    wrong.expect_err("a wrong code").is(Code::Unauthenticated, "INVALID_CODE");
    own.confirm_totp(&enrollment.enrollment_token, &new.code(&keystead, 0)).await.expect("codes");

    let challenge = client.challenged(&ada).await.challenge_token;
    let failure = client.meet_by_recovery(&challenge, &old.codes[0]).await.expect_err("gone with the old factor");
    failure.is(Code::Unauthenticated, "INVALID_CODE");
    let tokens = client.meet_by_totp(&challenge, &new.code(&keystead, 1)).await.expect("tokens");
    let own = client.bearing(&tokens.access_token);
    own.disable_totp(DisableTotpRequest {}).await.expect("taken away");
    let tokens = ada.log_in(&client).await.expect("tokens without a code");
    assert_eq!(amr(&tokens.access_token), json!(["pwd"]));
    keystead.mailbox().mail(&ada.email, "was removed").await;
    let own = client.bearing(&tokens.access_token);
    let none = own.disable_totp(DisableTotpRequest {}).await.expect_err("there is none");
    none.is(Code::FailedPrecondition, "MFA_NOT_ENROLLED");
    let none = own.regenerate_recovery_codes(RegenerateRecoveryCodesRequest {}).await.expect_err("there is none");
    none.is(Code::FailedPrecondition, "MFA_NOT_ENROLLED");
}

// promises M7, M8
async fn a_session_that_took_its_factor_away_no_longer_counts_as_one_with_a_factor(backend: Backend) {
    let keystead = Setup::on(backend).with("mfa.required_roles", "['admin']").start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let authenticator = ada.enroll(&keystead, &client).await.authenticator;
    let challenge = client.challenged(&ada).await.challenge_token;
    let tokens = client.meet_by_totp(&challenge, &authenticator.code(&keystead, 1)).await.expect("tokens");
    client.bearing(&tokens.access_token).disable_totp(DisableTotpRequest {}).await.expect("taken away");
    assert_eq!(client.status_of(&tokens.access_token).await, TokenStatus::Revoked, "it says mfa");
    let tokens = client.use_refresh_token(&tokens.refresh_token).await.expect("the session goes on");
    assert_eq!(amr(&tokens.access_token), json!(["pwd"]));
    let tokens = client.use_refresh_token(&tokens.refresh_token).await.expect("the session goes on");
    assert_eq!(amr(&tokens.access_token), json!(["pwd"]));
    keystead.rows().await.make_administrator(&ada.email).await;
    let refused = client.use_refresh_token(&tokens.refresh_token).await.expect_err("a role asks for a factor");
    refused.is(Code::Unauthenticated, "MFA_REQUIRED");
}

// promises M9, E3
async fn an_owner_is_told_of_a_sign_in_that_wrong_codes_have_ended(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let authenticator = ada.enroll(&keystead, &client).await.authenticator;
    let challenge = client.challenged(&ada).await.challenge_token;
    let wrong = authenticator.wrong_code(&keystead);
    for _ in 0..5 {
        client.meet_by_totp(&challenge, &wrong).await.expect_err("wrong").is(Code::Unauthenticated, "INVALID_CODE");
    }
    keystead.mailbox().mail(&ada.email, "five wrong codes").await;
    let failure = client.meet_by_totp(&challenge, &authenticator.code(&keystead, 1)).await.expect_err("ended");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    assert_eq!(keystead.rows().await.events("authn_login_fail_max").await, 1);
}

// promise M4
async fn an_enrolment_ends_with_its_time_and_with_any_change_of_the_account(backend: Backend) {
    let keystead = Setup::on(backend).with("mfa.challenge_lifetime", "'1m'").start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let token = ada.register(&client).await.set.access_token;
    ada.verify(&keystead, &client).await;
    let own = client.bearing(&token);
    let late = own.begin_totp().await.expect("an enrolment");
    keystead.clock.advance(Duration::from_mins(1));
    until("a verdict after the leap", || async { client.verdict(&token).await.is_ok() }).await;
    let code = Authenticator::reading(&late).code(&keystead, 0);
    let failure = own.confirm_totp(&late.enrollment_token, &code).await.expect_err("too late");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    let begun = own.begin_totp().await.expect("an enrolment");
    let enrolled = ada.enroll(&keystead, &client).await;
    let own =
        client.bearing(&client.use_refresh_token(&enrolled.before.refresh_token).await.expect("tokens").access_token);
    let code = Authenticator::reading(&begun).code(&keystead, 0);
    let failure = own.confirm_totp(&begun.enrollment_token, &code).await.expect_err("another epoch");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
}

// promises L1, M9
async fn codes_are_guessed_on_the_budget_of_passwords(backend: Backend) {
    let keystead = Setup::on(backend)
        .with("limits.per_account_and_source_burst", "8")
        .with("limits.per_account_and_source_period", "'1h'")
        .start()
        .await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let authenticator = ada.enroll(&keystead, &client).await.authenticator;
    let wrong = authenticator.wrong_code(&keystead);
    let mut guesses = 0;
    // A right password before each guess: it gives nothing back.
    let limited = loop {
        let (email, password) = (ada.email.clone(), ada.password.clone());
        let login = keystead::grpc::pb::LoginRequest { email, password, ..Default::default() };
        let challenge = match client.login(login).await {
            Err(failure) => break failure,
            Ok(response) => match response.result.expect("exactly one result") {
                keystead::grpc::pb::login_response::Result::MfaChallenge(challenge) => challenge.challenge_token,
                keystead::grpc::pb::login_response::Result::TokenSet(_) => panic!("signed in by a guess"),
            },
        };
        match client.meet_by_totp(&challenge, &wrong).await.expect_err("a wrong code") {
            failure if failure.reason == "INVALID_CODE" => guesses += 1,
            failure => break failure,
        }
        assert!(guesses < 8, "guesses went on");
    };
    limited.is(Code::ResourceExhausted, "RATE_LIMITED");
    assert!(limited.retry_after.is_some());
    assert!(guesses <= 4, "{guesses} guesses on a budget of eight tries");
}

// promise M6
async fn a_new_password_keeps_the_factor_and_ends_the_challenges(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let enrolled = ada.enroll(&keystead, &client).await;
    let challenge = client.challenged(&ada).await.challenge_token;
    client.ask_for_reset(&ada.email).await.expect("taken");
    let reset = keystead.mailbox().reset_token(&ada.email).await;
    let ada = Person { password: NEW_PASSWORD.to_owned(), ..ada };
    client.set_password(&reset, &ada.password).await.expect("a new password");
    let failure = client.meet_by_recovery(&challenge, &enrolled.codes[0]).await.expect_err("another epoch");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    let challenge = client.challenged(&ada).await.challenge_token;
    client.meet_by_totp(&challenge, &enrolled.authenticator.code(&keystead, 1)).await.expect("the factor is there");
}

// promises L2, M4
async fn nobody_enrols_for_an_address_that_is_not_theirs(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let eve = Person::new("victim");
    let planted = client.bearing(&eve.register(&client).await.set.access_token);
    let refused = planted.begin_totp().await.expect_err("the address is not verified");
    refused.is(Code::FailedPrecondition, "EMAIL_NOT_VERIFIED");
}

// promise L2
async fn a_factor_of_an_account_whose_address_is_not_verified_does_not_outlive_a_reset(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (root, eve) = (Person::new("root"), Person::new("victim"));
    let user_id = eve.register(&client).await.user.id;
    eve.enroll(&keystead, &client).await;
    let (admin, _) = root.register_as_administrator(&keystead, &client).await;
    let paths = vec!["email_verified".to_owned()];
    let user = User { id: user_id, ..User::default() };
    let request = UpdateUserRequest { user: Some(user), update_mask: Some(FieldMask { paths }) };
    admin.update_user(request).await.expect("no longer verified");
    client.challenged(&eve).await;
    client.ask_for_reset(&eve.email).await.expect("taken");
    let reset = keystead.mailbox().reset_token(&eve.email).await;
    client.set_password(&reset, NEW_PASSWORD).await.expect("the owner's password");
    let owner = Person { password: NEW_PASSWORD.to_owned(), ..eve };
    owner.log_in(&client).await.expect("no code is asked for");
    keystead.mailbox().mail(&owner.email, "was removed").await;
}

on_each_backend!(
    nobody_enrols_for_an_address_that_is_not_theirs,
    a_factor_of_an_account_whose_address_is_not_verified_does_not_outlive_a_reset,
    an_enrolled_account_signs_in_with_a_code_and_its_tokens_say_so,
    a_code_works_once_whichever_challenge_it_is_shown_to,
    of_sixty_four_sign_ins_with_one_code_at_once_one_gets_a_session,
    each_recovery_code_opens_the_account_once_until_they_are_replaced,
    an_authenticator_that_nobody_here_wrote_agrees,
    a_factor_is_replaced_by_an_enrolment_and_taken_away_by_its_owner,
    a_session_that_took_its_factor_away_no_longer_counts_as_one_with_a_factor,
    an_owner_is_told_of_a_sign_in_that_wrong_codes_have_ended,
    an_enrolment_ends_with_its_time_and_with_any_change_of_the_account,
    codes_are_guessed_on_the_budget_of_passwords,
    a_new_password_keeps_the_factor_and_ends_the_challenges,
);
