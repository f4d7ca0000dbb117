//! Second factors, in the words of the tests: an authenticator in the hand, challenges, codes.

use data_encoding::BASE32_NOPAD;
use keystead::crypto::totp::TotpSecret;
use keystead::domain::clock::Clock as _;
use keystead::domain::second_factor::TotpStep;
use keystead::grpc::pb::{self, MfaChallenge, MfaMethod, complete_mfa_request::Code, login_response};

use super::client::{Answer, Client};
use super::{Keystead, Person};

/// An authenticator that has read an enrolment.
pub struct Authenticator {
    pub secret: String,
}

impl Authenticator {
    pub fn reading(enrollment: &pb::TotpEnrollment) -> Self {
        Self { secret: enrollment.secret.clone() }
    }

    /// The code that it shows so many steps from now.
    pub fn code(&self, keystead: &Keystead, distance: i64) -> String {
        let secret = BASE32_NOPAD.decode(self.secret.as_bytes()).expect("base32");
        let secret = TotpSecret::from_bytes(&secret).expect("20 bytes");
        let now = TotpStep::at(keystead.clock.now()).0;
        format!("{:06}", secret.code(TotpStep(now + distance)))
    }

    /// A code that no step around now has.
    pub fn wrong_code(&self, keystead: &Keystead) -> String {
        let right: Vec<_> = (-4..=4).map(|distance| self.code(keystead, distance)).collect();
        (0..1_000_000_u32).map(|number| format!("{number:06}")).find(|code| !right.contains(code)).expect("a code")
    }
}

/// What an account that has just been given a second factor has.
pub struct Enrolled {
    pub authenticator: Authenticator,
    pub codes: Vec<String>,
    /// The tokens of the session that has enrolled it, as they were before.
    pub before: pb::TokenSet,
}

impl Client {
    /// Logs in where a challenge is expected.
    pub async fn challenged(&self, person: &Person) -> MfaChallenge {
        let (email, password) = (person.email.clone(), person.password.clone());
        let request = pb::LoginRequest { email, password, ..pb::LoginRequest::default() };
        match self.login(request).await.expect("a right password").result.expect("exactly one result") {
            login_response::Result::MfaChallenge(challenge) => challenge,
            login_response::Result::TokenSet(_) => panic!("signed in without a second factor"),
        }
    }

    pub async fn meet(&self, challenge_token: &str, code: Code) -> Answer<pb::TokenSet> {
        let request = pb::CompleteMfaRequest { challenge_token: challenge_token.to_owned(), code: Some(code) };
        Ok(self.complete_mfa(request).await?.token_set.expect("tokens"))
    }

    /// Meets a challenge with a code of an authenticator.
    pub async fn meet_by_totp(&self, challenge_token: &str, code: &str) -> Answer<pb::TokenSet> {
        self.meet(challenge_token, Code::TotpCode(code.to_owned())).await
    }

    pub async fn meet_by_recovery(&self, challenge_token: &str, code: &str) -> Answer<pb::TokenSet> {
        self.meet(challenge_token, Code::RecoveryCode(code.to_owned())).await
    }

    /// Begins an enrolment; wants a bearer.
    pub async fn begin_totp(&self) -> Answer<pb::TotpEnrollment> {
        let begun = self.begin_totp_enrollment(pb::BeginTotpEnrollmentRequest {}).await?;
        Ok(begun.enrollment.expect("an enrolment"))
    }

    pub async fn confirm_totp(&self, enrollment_token: &str, code: &str) -> Answer<Vec<String>> {
        let (enrollment_token, totp_code) = (enrollment_token.to_owned(), code.to_owned());
        let request = pb::ConfirmTotpEnrollmentRequest { enrollment_token, totp_code };
        Ok(self.confirm_totp_enrollment(request).await?.recovery_codes)
    }

    /// Begins the enrolment that a sign-in waits for.
    pub async fn begin_by_challenge(&self, challenge_token: &str) -> Answer<pb::TotpEnrollment> {
        let request = pb::BeginMfaEnrollmentRequest { challenge_token: challenge_token.to_owned() };
        Ok(self.begin_mfa_enrollment(request).await?.enrollment.expect("an enrolment"))
    }

    pub async fn confirm_by_challenge(
        &self,
        challenge_token: &str,
        enrollment_token: &str,
        code: &str,
    ) -> Answer<pb::ConfirmMfaEnrollmentResponse> {
        self.confirm_mfa_enrollment(pb::ConfirmMfaEnrollmentRequest {
            challenge_token: challenge_token.to_owned(),
            enrollment_token: enrollment_token.to_owned(),
            totp_code: code.to_owned(),
        })
        .await
    }
}

impl Person {
    /// Verifies the address of somebody registered by the mail of the registration.
    pub async fn verify(&self, keystead: &Keystead, client: &Client) {
        let token = keystead.mailbox().verification_token(&self.email).await;
        client.verify_email(&token).await.expect("verified");
    }

    /// Gives the account of somebody registered a second factor, the address verified first; the code of now is used by
    /// that.
    pub async fn enroll(&self, keystead: &Keystead, client: &Client) -> Enrolled {
        let before = self.log_in(client).await.expect("tokens");
        let own = client.bearing(&before.access_token);
        if !own.me().await.expect("the account").email_verified {
            self.verify(keystead, client).await;
        }
        let enrollment = own.begin_totp().await.expect("an enrolment");
        let authenticator = Authenticator::reading(&enrollment);
        let code = authenticator.code(keystead, 0);
        let codes = own.confirm_totp(&enrollment.enrollment_token, &code).await.expect("recovery codes");
        Enrolled { authenticator, codes, before }
    }

    /// Logs in by a challenge for enrolment: the tokens, and what was enrolled.
    pub async fn enroll_by_challenge(&self, keystead: &Keystead, client: &Client) -> (pb::TokenSet, Authenticator) {
        let challenge = client.challenged(self).await;
        assert_eq!(challenge.methods().collect::<Vec<_>>(), [MfaMethod::TotpEnrollment]);
        let token = &challenge.challenge_token;
        let enrollment = client.begin_by_challenge(token).await.expect("an enrolment");
        let authenticator = Authenticator::reading(&enrollment);
        let code = authenticator.code(keystead, 0);
        let confirmed = client.confirm_by_challenge(token, &enrollment.enrollment_token, &code).await;
        (confirmed.expect("tokens").token_set.expect("tokens"), authenticator)
    }
}
