//! The part of `AdminService` that speaks of service accounts.

use tonic::{Request, Response, Status};

use crate::grpc::pb;

/// The use cases behind it.
pub struct ServiceAccountsApi {}

type Answer<T> = Result<Response<T>, Status>;

impl ServiceAccountsApi {
    pub async fn create_service_account(
        &self,
        _request: Request<pb::CreateServiceAccountRequest>,
    ) -> Answer<pb::CreateServiceAccountResponse> {
        todo!()
    }

    pub async fn list_service_accounts(
        &self,
        _request: Request<pb::ListServiceAccountsRequest>,
    ) -> Answer<pb::ListServiceAccountsResponse> {
        todo!()
    }

    pub async fn rotate_service_account_secret(
        &self,
        _request: Request<pb::RotateServiceAccountSecretRequest>,
    ) -> Answer<pb::RotateServiceAccountSecretResponse> {
        todo!()
    }

    pub async fn delete_service_account(
        &self,
        _request: Request<pb::DeleteServiceAccountRequest>,
    ) -> Answer<pb::DeleteServiceAccountResponse> {
        todo!()
    }
}
