//! The part of the run that gives the account a second factor, signs in with it, and takes it away.

use data_encoding::BASE32_NOPAD;
use keystead::crypto::totp::TotpSecret;
use keystead::domain::clock::Clock as _;
use keystead::domain::second_factor::TotpStep;
use keystead::grpc::pb::account_service_client::AccountServiceClient;
use keystead::grpc::pb::{self, complete_mfa_request::Code, login_response};
use tonic::Request;
use tonic::transport::Channel;

use super::forms::Secret;
use super::notes::Notes;
use super::run::{Api, EMAIL, login};
use crate::harness::TestClock;

fn bearing<T>(bearer: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {bearer}").parse().expect("a value"));
    request
}

/// Everything of an enrolment that must be nowhere; a code of now.
fn noted(notes: &mut Notes, enrollment: &pb::TotpEnrollment) -> String {
    let secret = BASE32_NOPAD.decode(enrollment.secret.as_bytes()).expect("base32");
    notes.secrets.push(Secret::new("the secret of an authenticator", &secret));
    notes.secrets.push(Secret::new("the secret of an authenticator in base32", &enrollment.secret));
    notes.token("the token of an enrolment", &enrollment.enrollment_token);
    let secret = TotpSecret::from_bytes(&secret).expect("20 bytes");
    format!("{:06}", secret.code(TotpStep::at(TestClock::default().now())))
}

fn noted_codes(notes: &mut Notes, codes: &[String]) {
    for code in codes {
        notes.secrets.push(Secret::new("a recovery code", code));
        notes.secrets.push(Secret::new("a recovery code without dashes", code.replace('-', "")));
    }
}

pub async fn second_factor(api: &mut Api, notes: &mut Notes, channel: Channel, bearer: &str, password: &str) {
    let mut account = AccountServiceClient::new(channel);
    let begun = account.begin_totp_enrollment(bearing(bearer, pb::BeginTotpEnrollmentRequest {})).await;
    let enrollment = begun.expect("begun").into_inner().enrollment.expect("an enrolment");
    let totp_code = noted(notes, &enrollment);
    let forged = pb::ConfirmTotpEnrollmentRequest {
        enrollment_token: format!("{}A", enrollment.enrollment_token),
        totp_code: totp_code.clone(),
    };
    notes.refused(account.confirm_totp_enrollment(bearing(bearer, forged)).await);
    let enrollment_token = enrollment.enrollment_token;
    let confirm = pb::ConfirmTotpEnrollmentRequest { enrollment_token, totp_code: totp_code.clone() };
    let codes = account.confirm_totp_enrollment(bearing(bearer, confirm)).await.expect("confirmed").into_inner();
    noted_codes(notes, &codes.recovery_codes);

    let answer = api.login(login(EMAIL, password)).await.expect("a right password").into_inner();
    let Some(login_response::Result::MfaChallenge(challenge)) = answer.result else { panic!("no challenge") };
    notes.token("the token of a challenge", &challenge.challenge_token);
    let challenge_token = challenge.challenge_token;
    let meet = |code| pb::CompleteMfaRequest { challenge_token: challenge_token.clone(), code: Some(code) };
    notes.refused(api.complete_mfa(meet(Code::TotpCode(totp_code))).await);
    let right = meet(Code::RecoveryCode(codes.recovery_codes[0].clone()));
    let completed = api.complete_mfa(right.clone()).await.expect("tokens").into_inner();
    let set = completed.token_set.expect("tokens");
    notes.tokens(&set);
    notes.refused(api.complete_mfa(right).await);
    let fresh =
        account.regenerate_recovery_codes(bearing(&set.access_token, pb::RegenerateRecoveryCodesRequest {})).await;
    noted_codes(notes, &fresh.expect("new codes").into_inner().recovery_codes);
    // The change has had the access token refused.
    let refresh = pb::RefreshRequest { refresh_token: set.refresh_token };
    let set = api.refresh(refresh).await.expect("tokens").into_inner().token_set.expect("tokens");
    notes.tokens(&set);
    account.disable_totp(bearing(&set.access_token, pb::DisableTotpRequest {})).await.expect("taken away");
}
