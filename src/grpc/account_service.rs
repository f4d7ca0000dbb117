//! `keystead.v1.AccountService`: convert in, run, convert out.

use tonic::{Request, Response, Status};

use super::convert::credentials;
use super::front::split_called;
use super::pb;
use super::pb::account_service_server::AccountService;
use crate::service::account::change_email::ChangeEmail;

/// The use cases behind `AccountService`.
pub struct AccountApi {
    pub change_email: ChangeEmail,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AccountService for AccountApi {
    async fn get_me(&self, _request: Request<pb::GetMeRequest>) -> Answer<pb::GetMeResponse> {
        todo!()
    }

    async fn update_me(&self, _request: Request<pb::UpdateMeRequest>) -> Answer<pb::UpdateMeResponse> {
        todo!()
    }

    async fn change_password(
        &self,
        _request: Request<pb::ChangePasswordRequest>,
    ) -> Answer<pb::ChangePasswordResponse> {
        todo!()
    }

    async fn change_email(&self, request: Request<pb::ChangeEmailRequest>) -> Answer<pb::ChangeEmailResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.change_email.run(credentials::change_email(&message)?, &caller, &origin).await?;
        Ok(Response::new(pb::ChangeEmailResponse {}))
    }

    async fn list_sessions(&self, _request: Request<pb::ListSessionsRequest>) -> Answer<pb::ListSessionsResponse> {
        todo!()
    }

    async fn revoke_session(&self, _request: Request<pb::RevokeSessionRequest>) -> Answer<pb::RevokeSessionResponse> {
        todo!()
    }

    async fn delete_me(&self, _request: Request<pb::DeleteMeRequest>) -> Answer<pb::DeleteMeResponse> {
        todo!()
    }
}
