//! `keystead.v1.AccountService`: convert in, run, convert out.

use tonic::{Request, Response, Status};

use super::convert::{credentials, identities, profile, second_factor, sessions, user};
use super::front::split_called;
use super::pb;
use super::pb::account_service_server::AccountService;
use crate::service::account::begin_totp_enrollment::BeginTotpEnrollment;
use crate::service::account::change_email::ChangeEmail;
use crate::service::account::change_password::ChangePassword;
use crate::service::account::confirm_totp_enrollment::ConfirmTotpEnrollment;
use crate::service::account::delete_me::DeleteMe;
use crate::service::account::disable_totp::DisableTotp;
use crate::service::account::get_me::GetMe;
use crate::service::account::link_identity::LinkIdentity;
use crate::service::account::list_identities::ListIdentities;
use crate::service::account::list_sessions::ListSessions;
use crate::service::account::regenerate_recovery_codes::RegenerateRecoveryCodes;
use crate::service::account::revoke_session::RevokeSession;
use crate::service::account::unlink_identity::UnlinkIdentity;
use crate::service::account::update_me::UpdateMe;
use crate::service::second_factor::describer::DescribedUser;

/// The use cases behind `AccountService`.
pub struct AccountApi {
    pub get_me: GetMe,
    pub update_me: UpdateMe,
    pub change_password: ChangePassword,
    pub list_sessions: ListSessions,
    pub revoke_session: RevokeSession,
    pub delete_me: DeleteMe,
    pub change_email: ChangeEmail,
    pub begin_totp_enrollment: BeginTotpEnrollment,
    pub confirm_totp_enrollment: ConfirmTotpEnrollment,
    pub disable_totp: DisableTotp,
    pub regenerate_recovery_codes: RegenerateRecoveryCodes,
    pub link_identity: LinkIdentity,
    pub list_identities: ListIdentities,
    pub unlink_identity: UnlinkIdentity,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AccountService for AccountApi {
    async fn get_me(&self, request: Request<pb::GetMeRequest>) -> Answer<pb::GetMeResponse> {
        let (caller, ..) = split_called(request)?;
        let DescribedUser { user: me, factor } = self.get_me.run(&caller).await?;
        let second_factor = Some(second_factor::standing(factor));
        Ok(Response::new(pb::GetMeResponse { user: Some(user::user(me)), second_factor }))
    }

    async fn update_me(&self, request: Request<pb::UpdateMeRequest>) -> Answer<pb::UpdateMeResponse> {
        let (caller, origin, message) = split_called(request)?;
        let me = self.update_me.run(profile::update_me(message)?, &caller, &origin).await?;
        Ok(Response::new(pb::UpdateMeResponse { user: Some(user::user(me)) }))
    }

    async fn change_password(&self, request: Request<pb::ChangePasswordRequest>) -> Answer<pb::ChangePasswordResponse> {
        let (caller, origin, message) = split_called(request)?;
        let request = credentials::change_password(&message, self.change_password.policy)?;
        self.change_password.run(request, &caller, &origin).await?;
        Ok(Response::new(pb::ChangePasswordResponse {}))
    }

    async fn change_email(&self, request: Request<pb::ChangeEmailRequest>) -> Answer<pb::ChangeEmailResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.change_email.run(credentials::change_email(&message)?, &caller, &origin).await?;
        Ok(Response::new(pb::ChangeEmailResponse {}))
    }

    async fn begin_totp_enrollment(
        &self,
        request: Request<pb::BeginTotpEnrollmentRequest>,
    ) -> Answer<pb::BeginTotpEnrollmentResponse> {
        let (caller, origin, _) = split_called(request)?;
        let begun = self.begin_totp_enrollment.run(&caller, &origin).await?;
        let enrollment = Some(second_factor::enrollment(&begun));
        Ok(Response::new(pb::BeginTotpEnrollmentResponse { enrollment }))
    }

    async fn confirm_totp_enrollment(
        &self,
        request: Request<pb::ConfirmTotpEnrollmentRequest>,
    ) -> Answer<pb::ConfirmTotpEnrollmentResponse> {
        let (caller, origin, message) = split_called(request)?;
        let codes = self.confirm_totp_enrollment.run(second_factor::confirm(message)?, &caller, &origin).await?;
        let recovery_codes = second_factor::recovery_codes(&codes);
        Ok(Response::new(pb::ConfirmTotpEnrollmentResponse { recovery_codes }))
    }

    async fn disable_totp(&self, request: Request<pb::DisableTotpRequest>) -> Answer<pb::DisableTotpResponse> {
        let (caller, origin, _) = split_called(request)?;
        self.disable_totp.run(&caller, &origin).await?;
        Ok(Response::new(pb::DisableTotpResponse {}))
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<pb::RegenerateRecoveryCodesRequest>,
    ) -> Answer<pb::RegenerateRecoveryCodesResponse> {
        let (caller, origin, _) = split_called(request)?;
        let codes = self.regenerate_recovery_codes.run(&caller, &origin).await?;
        let recovery_codes = second_factor::recovery_codes(&codes);
        Ok(Response::new(pb::RegenerateRecoveryCodesResponse { recovery_codes }))
    }

    async fn list_sessions(&self, request: Request<pb::ListSessionsRequest>) -> Answer<pb::ListSessionsResponse> {
        let (caller, ..) = split_called(request)?;
        let listed = self.list_sessions.run(&caller).await?;
        Ok(Response::new(pb::ListSessionsResponse { sessions: sessions::sessions(&listed, caller.session) }))
    }

    async fn revoke_session(&self, request: Request<pb::RevokeSessionRequest>) -> Answer<pb::RevokeSessionResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.revoke_session.run(sessions::revoke_session(&message)?, &caller, &origin).await?;
        Ok(Response::new(pb::RevokeSessionResponse {}))
    }

    async fn delete_me(&self, request: Request<pb::DeleteMeRequest>) -> Answer<pb::DeleteMeResponse> {
        let (caller, origin, _) = split_called(request)?;
        self.delete_me.run(&caller, &origin).await?;
        Ok(Response::new(pb::DeleteMeResponse {}))
    }

    async fn link_identity(&self, request: Request<pb::LinkIdentityRequest>) -> Answer<pb::LinkIdentityResponse> {
        let (caller, origin, message) = split_called(request)?;
        let started = self.link_identity.begin(identities::link(message)?, &caller, &origin).await?;
        Ok(Response::new(pb::LinkIdentityResponse { flow: Some(identities::flow(&started)) }))
    }

    async fn complete_link_identity(
        &self,
        request: Request<pb::CompleteLinkIdentityRequest>,
    ) -> Answer<pb::CompleteLinkIdentityResponse> {
        let (caller, origin, message) = split_called(request)?;
        let linked = self.link_identity.run(&identities::complete_link(message), &caller, &origin).await?;
        Ok(Response::new(pb::CompleteLinkIdentityResponse { identity: Some(identities::identity(&linked)) }))
    }

    async fn list_identities(&self, request: Request<pb::ListIdentitiesRequest>) -> Answer<pb::ListIdentitiesResponse> {
        let (caller, ..) = split_called(request)?;
        let listed = self.list_identities.run(&caller).await?;
        Ok(Response::new(pb::ListIdentitiesResponse { identities: identities::identities(&listed) }))
    }

    async fn unlink_identity(&self, request: Request<pb::UnlinkIdentityRequest>) -> Answer<pb::UnlinkIdentityResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.unlink_identity.run(identities::unlink(&message)?, &caller, &origin).await?;
        Ok(Response::new(pb::UnlinkIdentityResponse {}))
    }
}
