//! Enrolments that a sign-in waits for.

use keystead_verifier::Verdict;

use super::*;
use crate::domain::audit::AuditKind;
use crate::domain::role::RoleName;
use crate::domain::user::User;
use crate::service::auth::begin_mfa_enrollment::BeginMfaEnrollmentRequest;
use crate::service::auth::complete_mfa::SecondFactorCode;
use crate::service::auth::sign_in::Challenge;
use crate::service::second_factor::enroller::Enrollment;
use crate::service::settings::Settings;
use crate::service::testing::factors::Authenticator;
use crate::service::testing::{World, origin};

/// A world in which every account needs a second factor.
async fn strict() -> (World, User) {
    let mut settings = Settings::default();
    settings.mfa.required_roles = vec![RoleName::parse("user").unwrap()];
    let world = World::with(settings).await;
    let ada = world.user("ada@example.org").await;
    world.verify_address(&ada).await;
    let ada = world.find(ada.id).await;
    (world, ada)
}

async fn begin(world: &World, challenge: &Challenge) -> ServiceResult<Enrollment> {
    let request = BeginMfaEnrollmentRequest { challenge_token: challenge.token.to_string() };
    world.begin_mfa_enrollment().run(request, &origin(1)).await
}

async fn confirm(
    world: &World,
    challenge: &Challenge,
    enrollment: &Enrollment,
    code: TotpCode,
) -> ServiceResult<(TokenSet, RecoveryCodes)> {
    let request = ConfirmMfaEnrollmentRequest {
        challenge_token: challenge.token.to_string(),
        enrollment_token: enrollment.token.to_string(),
        code,
    };
    world.confirm_mfa_enrollment().run(request, &origin(1)).await
}

// promise M8
#[tokio::test]
async fn a_confirmed_enrolment_signs_in_and_ends_what_was_opened_without() {
    let (world, ada) = strict().await;
    let before = world.sign_in(&ada).await;
    let challenge = world.challenged(&ada, ChallengePurpose::Enrollment).await;
    let enrollment = begin(&world, &challenge).await.unwrap();
    let authenticator = Authenticator::reading(&enrollment);
    let (tokens, codes) = confirm(&world, &challenge, &enrollment, authenticator.code(&world, 0)).await.unwrap();
    assert_eq!(codes.len(), 10);
    let Verdict::Active(claims) = world.verdict(&tokens.access_token).await else { panic!("not active") };
    assert_eq!(claims.amr, ["pwd", "otp", "mfa"]);
    assert_eq!(world.verdict(&before.access_token).await, Verdict::Revoked);
    assert_eq!(world.told(AuditKind::SecondFactorEnrolled), 1);
    let next = world.challenged(&ada, ChallengePurpose::Completion).await;
    assert!(world.meet(&next, SecondFactorCode::Recovery(codes[9].to_string())).await.is_ok());
}

// promise M8
#[tokio::test]
async fn a_challenge_enrols_once() {
    let (world, ada) = strict().await;
    let challenge = world.challenged(&ada, ChallengePurpose::Enrollment).await;
    let other = world.challenged(&ada, ChallengePurpose::Enrollment).await;
    let enrollment = begin(&world, &challenge).await.unwrap();
    let authenticator = Authenticator::reading(&enrollment);
    assert!(confirm(&world, &challenge, &enrollment, authenticator.code(&world, 0)).await.is_ok());
    for challenge in [&challenge, &other] {
        let again = confirm(&world, challenge, &enrollment, authenticator.code(&world, 1)).await;
        assert_eq!(again.err(), Some(ServiceError::InvalidToken));
        assert_eq!(begin(&world, challenge).await.err(), Some(ServiceError::InvalidToken));
    }
}

// promises M8, T6
#[tokio::test]
async fn a_challenge_for_a_factor_that_is_there_enrols_none() {
    let (world, ada) = strict().await;
    world.enroll(&ada).await;
    let challenge = world.challenged(&ada, ChallengePurpose::Completion).await;
    assert_eq!(begin(&world, &challenge).await.err(), Some(ServiceError::InvalidToken));
    let own = world.enroller().begin(&world.find(ada.id).await).unwrap();
    let code = Authenticator::reading(&own).code(&world, 0);
    assert_eq!(confirm(&world, &challenge, &own, code).await.err(), Some(ServiceError::InvalidToken));
}

#[tokio::test]
async fn a_wrong_code_confirms_nothing_and_the_enrolment_goes_on() {
    let (world, ada) = strict().await;
    let challenge = world.challenged(&ada, ChallengePurpose::Enrollment).await;
    let enrollment = begin(&world, &challenge).await.unwrap();
    let authenticator = Authenticator::reading(&enrollment);
    let wrong = confirm(&world, &challenge, &enrollment, authenticator.code(&world, 5)).await;
    assert_eq!(wrong.err(), Some(ServiceError::InvalidCode));
    assert!(confirm(&world, &challenge, &enrollment, authenticator.code(&world, 0)).await.is_ok());
}
