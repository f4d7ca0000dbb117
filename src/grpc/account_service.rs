//! `keystead.v1.AccountService`: convert in, run, convert out.

use tonic::{Request, Response, Status};

use super::convert::{credentials, profile, sessions, user};
use super::front::split_called;
use super::pb;
use super::pb::account_service_server::AccountService;
use crate::service::account::change_email::ChangeEmail;
use crate::service::account::change_password::ChangePassword;
use crate::service::account::delete_me::DeleteMe;
use crate::service::account::get_me::GetMe;
use crate::service::account::list_sessions::ListSessions;
use crate::service::account::revoke_session::RevokeSession;
use crate::service::account::update_me::UpdateMe;

/// The use cases behind `AccountService`.
pub struct AccountApi {
    pub get_me: GetMe,
    pub update_me: UpdateMe,
    pub change_password: ChangePassword,
    pub list_sessions: ListSessions,
    pub revoke_session: RevokeSession,
    pub delete_me: DeleteMe,
    pub change_email: ChangeEmail,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AccountService for AccountApi {
    async fn get_me(&self, request: Request<pb::GetMeRequest>) -> Answer<pb::GetMeResponse> {
        let (caller, ..) = split_called(request)?;
        let me = self.get_me.run(&caller).await?;
        Ok(Response::new(pb::GetMeResponse { user: Some(user::user(me)) }))
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

    async fn list_sessions(&self, request: Request<pb::ListSessionsRequest>) -> Answer<pb::ListSessionsResponse> {
        let (caller, ..) = split_called(request)?;
        let listed = self.list_sessions.run(&caller).await?;
        Ok(Response::new(pb::ListSessionsResponse { sessions: sessions::sessions(listed, caller.session) }))
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
}
