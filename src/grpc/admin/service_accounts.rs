//! The part of `AdminService` that speaks of service accounts.

use tonic::{Request, Response, Status};

use crate::grpc::convert::service_accounts;
use crate::grpc::front::split_called;
use crate::grpc::pb;
use crate::service::admin::service_accounts::create::CreateServiceAccount;
use crate::service::admin::service_accounts::delete::DeleteServiceAccount;
use crate::service::admin::service_accounts::list::ListServiceAccounts;
use crate::service::admin::service_accounts::rotate_secret::RotateServiceAccountSecret;

/// The use cases behind it.
pub struct ServiceAccountsApi {
    pub create: CreateServiceAccount,
    pub list: ListServiceAccounts,
    pub rotate_secret: RotateServiceAccountSecret,
    pub delete: DeleteServiceAccount,
}

type Answer<T> = Result<Response<T>, Status>;

impl ServiceAccountsApi {
    pub async fn create_service_account(
        &self,
        request: Request<pb::CreateServiceAccountRequest>,
    ) -> Answer<pb::CreateServiceAccountResponse> {
        let (caller, origin, message) = split_called(request)?;
        let created = self.create.run(service_accounts::create(message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::CreateServiceAccountResponse {
            service_account: Some(service_accounts::service_account(created.account)),
            secret: created.secret.to_string(),
        }))
    }

    pub async fn list_service_accounts(
        &self,
        request: Request<pb::ListServiceAccountsRequest>,
    ) -> Answer<pb::ListServiceAccountsResponse> {
        let (caller, _, message) = split_called(request)?;
        let page = self.list.run(service_accounts::page_size(&message)?, &message.page_token, caller.id).await?;
        Ok(Response::new(pb::ListServiceAccountsResponse {
            service_accounts: page.accounts.into_iter().map(service_accounts::service_account).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    pub async fn rotate_service_account_secret(
        &self,
        request: Request<pb::RotateServiceAccountSecretRequest>,
    ) -> Answer<pb::RotateServiceAccountSecretResponse> {
        let (caller, origin, message) = split_called(request)?;
        let (id, overlap) = service_accounts::rotate(&message)?;
        let rotated = self.rotate_secret.run(id, overlap, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::RotateServiceAccountSecretResponse {
            service_account: Some(service_accounts::service_account(rotated.account)),
            secret: rotated.secret.to_string(),
        }))
    }

    pub async fn delete_service_account(
        &self,
        request: Request<pb::DeleteServiceAccountRequest>,
    ) -> Answer<pb::DeleteServiceAccountResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.delete.run(service_accounts::delete(&message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::DeleteServiceAccountResponse {}))
    }
}
