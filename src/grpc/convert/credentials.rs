//! What people type: addresses, passwords, names.

use super::violations::Violations;
use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::password::{Password, PasswordPolicy};
use crate::grpc::pb;
use crate::service::account::change_email::ChangeEmailRequest;
use crate::service::account::change_password::ChangePasswordRequest;
use crate::service::auth::confirm_email::ConfirmEmailRequest;
use crate::service::auth::confirm_email_change::ConfirmEmailChangeRequest;
use crate::service::auth::confirm_reset::ConfirmResetRequest;
use crate::service::auth::login::LoginRequest;
use crate::service::auth::register::RegisterRequest;
use crate::service::auth::request_email_verification::RequestEmailVerificationRequest;
use crate::service::auth::request_reset::RequestResetRequest;
use crate::service::error::ServiceResult;

/// The policy is asked here too, so that its fault is told along with those of the other fields.
pub fn register(message: &pb::RegisterRequest, policy: PasswordPolicy) -> ServiceResult<RegisterRequest> {
    let mut violations = Violations::default();
    let email = violations.check("email", Email::parse(&message.email));
    let password = Password::parse(&message.password).and_then(|password| {
        match &email {
            Some(email) => policy.check(&password, email),
            None => policy.check_alone(&password),
        }
        .map(|()| password)
    });
    let password = violations.check("password", password);
    let display_name = violations.check("display_name", Name::parse(&message.display_name));
    let device_name = violations.check("device_name", Name::parse(&message.device_name));
    let parsed = (|| {
        Some(RegisterRequest {
            email: email?,
            password: password?,
            display_name: display_name?,
            device_name: device_name?,
        })
    })();
    violations.finish(parsed)
}

pub fn login(message: pb::LoginRequest) -> ServiceResult<LoginRequest> {
    let mut violations = Violations::default();
    let email = violations.check("email", Email::parse(&message.email));
    let password = violations.check("password", Password::parse(&message.password));
    let device_name = violations.check("device_name", Name::parse(&message.device_name));
    let parsed = (|| {
        Some(LoginRequest { email: email?, password: password?, audience: message.audience, device_name: device_name? })
    })();
    violations.finish(parsed)
}

pub fn request_reset(message: &pb::RequestResetRequest) -> ServiceResult<RequestResetRequest> {
    only("email", &message.email).map(|email| RequestResetRequest { email })
}

pub fn request_email_verification(
    message: &pb::RequestEmailVerificationRequest,
) -> ServiceResult<RequestEmailVerificationRequest> {
    only("email", &message.email).map(|email| RequestEmailVerificationRequest { email })
}

pub fn confirm_reset(message: pb::ConfirmResetRequest) -> ServiceResult<ConfirmResetRequest> {
    let mut violations = Violations::default();
    let password = violations.check("new_password", Password::parse(&message.new_password));
    let reset_token = message.reset_token;
    violations.finish(password.map(|new_password| ConfirmResetRequest { reset_token, new_password }))
}

/// What of the policy can be judged without the account is judged here, so that its fault is told along with the other
/// password's.
pub fn change_password(
    message: &pb::ChangePasswordRequest,
    policy: PasswordPolicy,
) -> ServiceResult<ChangePasswordRequest> {
    let mut violations = Violations::default();
    let current = violations.check("current_password", Password::parse(&message.current_password));
    let new = Password::parse(&message.new_password);
    let new = violations.check("new_password", new.and_then(|new| policy.check_alone(&new).map(|()| new)));
    let parsed = (|| Some(ChangePasswordRequest { current_password: current?, new_password: new? }))();
    violations.finish(parsed)
}

pub fn confirm_email(message: pb::ConfirmEmailRequest) -> ConfirmEmailRequest {
    ConfirmEmailRequest { verification_token: message.verification_token }
}

pub fn change_email(message: &pb::ChangeEmailRequest) -> ServiceResult<ChangeEmailRequest> {
    only("new_email", &message.new_email).map(|new_email| ChangeEmailRequest { new_email })
}

pub fn confirm_email_change(message: pb::ConfirmEmailChangeRequest) -> ConfirmEmailChangeRequest {
    ConfirmEmailChangeRequest { email_change_token: message.email_change_token }
}

fn only(field: &str, text: &str) -> ServiceResult<Email> {
    let mut violations = Violations::default();
    let email = violations.check(field, Email::parse(text));
    violations.finish(email)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::error::ServiceError;

    #[test]
    fn every_field_at_fault_is_told_at_once() {
        for password in ["", "short", "password123"] {
            let message = pb::RegisterRequest {
                email: "no address".to_owned(),
                password: password.to_owned(),
                display_name: "x".repeat(101),
                device_name: "a\nb".to_owned(),
            };
            let Err(ServiceError::InvalidFields(violations)) = register(&message, PasswordPolicy::default()) else {
                panic!("a message with four faults was taken");
            };
            let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!(fields, ["email", "password", "display_name", "device_name"]);
            assert!(violations.iter().all(|violation| !violation.description.contains("no address")));
        }
    }

    #[test]
    fn both_passwords_at_fault_are_told_at_once() {
        for new in ["", "short", "password123"] {
            let message = pb::ChangePasswordRequest { current_password: String::new(), new_password: new.to_owned() };
            let Err(ServiceError::InvalidFields(violations)) = change_password(&message, PasswordPolicy::default())
            else {
                panic!("a message with two faults was taken");
            };
            let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!(fields, ["current_password", "new_password"]);
        }
    }
}
