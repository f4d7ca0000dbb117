//! `keystead.v1.AdminService`: which part of it answers which method.

use tonic::{Request, Response, Status, Streaming};

use super::admin::audit::{AuditApi, WatchAuditEventsStream};
use super::admin::roles::RolesApi;
use super::admin::service_accounts::ServiceAccountsApi;
use super::admin::signing_keys::SigningKeysApi;
use super::admin::user_identities::UserIdentitiesApi;
use super::admin::user_sessions::UserSessionsApi;
use super::admin::user_transfer::{ExportUsersStream, ImportUsersStream, UserTransferApi};
use super::admin::users::UsersApi;
use super::pb;
use super::pb::admin_service_server::AdminService;

/// The parts of `AdminService`.
pub struct AdminApi {
    pub users: UsersApi,
    pub user_sessions: UserSessionsApi,
    pub user_transfer: UserTransferApi,
    pub user_identities: UserIdentitiesApi,
    pub roles: RolesApi,
    pub service_accounts: ServiceAccountsApi,
    pub signing_keys: SigningKeysApi,
    pub audit: AuditApi,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AdminService for AdminApi {
    type ImportUsersStream = ImportUsersStream;
    type ExportUsersStream = ExportUsersStream;
    type WatchAuditEventsStream = WatchAuditEventsStream;

    async fn create_user(&self, request: Request<pb::CreateUserRequest>) -> Answer<pb::CreateUserResponse> {
        self.users.create_user(request).await
    }

    async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Answer<pb::GetUserResponse> {
        self.users.get_user(request).await
    }

    async fn list_users(&self, request: Request<pb::ListUsersRequest>) -> Answer<pb::ListUsersResponse> {
        self.users.list_users(request).await
    }

    async fn update_user(&self, request: Request<pb::UpdateUserRequest>) -> Answer<pb::UpdateUserResponse> {
        self.users.update_user(request).await
    }

    async fn delete_user(&self, request: Request<pb::DeleteUserRequest>) -> Answer<pb::DeleteUserResponse> {
        self.users.delete_user(request).await
    }

    async fn disable_user(&self, request: Request<pb::DisableUserRequest>) -> Answer<pb::DisableUserResponse> {
        self.users.disable_user(request).await
    }

    async fn enable_user(&self, request: Request<pb::EnableUserRequest>) -> Answer<pb::EnableUserResponse> {
        self.users.enable_user(request).await
    }

    async fn require_password_reset(
        &self,
        request: Request<pb::RequirePasswordResetRequest>,
    ) -> Answer<pb::RequirePasswordResetResponse> {
        self.users.require_password_reset(request).await
    }

    async fn reset_user_mfa(&self, request: Request<pb::ResetUserMfaRequest>) -> Answer<pb::ResetUserMfaResponse> {
        self.users.reset_user_mfa(request).await
    }

    async fn import_users(
        &self,
        request: Request<Streaming<pb::ImportUsersRequest>>,
    ) -> Answer<Self::ImportUsersStream> {
        self.user_transfer.import_users(request)
    }

    async fn export_users(&self, request: Request<pb::ExportUsersRequest>) -> Answer<Self::ExportUsersStream> {
        self.user_transfer.export_users(request).await
    }

    async fn list_user_sessions(
        &self,
        request: Request<pb::ListUserSessionsRequest>,
    ) -> Answer<pb::ListUserSessionsResponse> {
        self.user_sessions.list_user_sessions(request).await
    }

    async fn revoke_user_sessions(
        &self,
        request: Request<pb::RevokeUserSessionsRequest>,
    ) -> Answer<pb::RevokeUserSessionsResponse> {
        self.user_sessions.revoke_user_sessions(request).await
    }

    async fn list_user_identities(
        &self,
        request: Request<pb::ListUserIdentitiesRequest>,
    ) -> Answer<pb::ListUserIdentitiesResponse> {
        self.user_identities.list_user_identities(request).await
    }

    async fn unlink_user_identity(
        &self,
        request: Request<pb::UnlinkUserIdentityRequest>,
    ) -> Answer<pb::UnlinkUserIdentityResponse> {
        self.user_identities.unlink_user_identity(request).await
    }

    async fn create_role(&self, request: Request<pb::CreateRoleRequest>) -> Answer<pb::CreateRoleResponse> {
        self.roles.create_role(request).await
    }

    async fn list_roles(&self, request: Request<pb::ListRolesRequest>) -> Answer<pb::ListRolesResponse> {
        self.roles.list_roles(request).await
    }

    async fn delete_role(&self, request: Request<pb::DeleteRoleRequest>) -> Answer<pb::DeleteRoleResponse> {
        self.roles.delete_role(request).await
    }

    async fn grant_role(&self, request: Request<pb::GrantRoleRequest>) -> Answer<pb::GrantRoleResponse> {
        self.roles.grant_role(request).await
    }

    async fn revoke_role(&self, request: Request<pb::RevokeRoleRequest>) -> Answer<pb::RevokeRoleResponse> {
        self.roles.revoke_role(request).await
    }

    async fn create_service_account(
        &self,
        request: Request<pb::CreateServiceAccountRequest>,
    ) -> Answer<pb::CreateServiceAccountResponse> {
        self.service_accounts.create_service_account(request).await
    }

    async fn list_service_accounts(
        &self,
        request: Request<pb::ListServiceAccountsRequest>,
    ) -> Answer<pb::ListServiceAccountsResponse> {
        self.service_accounts.list_service_accounts(request).await
    }

    async fn rotate_service_account_secret(
        &self,
        request: Request<pb::RotateServiceAccountSecretRequest>,
    ) -> Answer<pb::RotateServiceAccountSecretResponse> {
        self.service_accounts.rotate_service_account_secret(request).await
    }

    async fn delete_service_account(
        &self,
        request: Request<pb::DeleteServiceAccountRequest>,
    ) -> Answer<pb::DeleteServiceAccountResponse> {
        self.service_accounts.delete_service_account(request).await
    }

    async fn list_signing_keys(
        &self,
        request: Request<pb::ListSigningKeysRequest>,
    ) -> Answer<pb::ListSigningKeysResponse> {
        self.signing_keys.list_signing_keys(request).await
    }

    async fn rotate_signing_key(
        &self,
        request: Request<pb::RotateSigningKeyRequest>,
    ) -> Answer<pb::RotateSigningKeyResponse> {
        self.signing_keys.rotate_signing_key(request).await
    }

    async fn revoke_signing_key(
        &self,
        request: Request<pb::RevokeSigningKeyRequest>,
    ) -> Answer<pb::RevokeSigningKeyResponse> {
        self.signing_keys.revoke_signing_key(request).await
    }

    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Answer<pb::ListAuditEventsResponse> {
        self.audit.list_audit_events(request).await
    }

    async fn watch_audit_events(
        &self,
        request: Request<pb::WatchAuditEventsRequest>,
    ) -> Answer<Self::WatchAuditEventsStream> {
        self.audit.watch_audit_events(request).await
    }
}
