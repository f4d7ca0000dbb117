//! A service account.

use keystead::grpc::pb::{CreateServiceAccountRequest, IssueServiceTokenRequest};

use super::client::Client;

/// A service account and its secret.
#[derive(Clone)]
pub struct Machine {
    pub id: String,
    pub secret: String,
}

impl Machine {
    /// Made by an administrator, for Keystead's own audience.
    pub async fn create(admin: &Client, roles: &[&str]) -> Self {
        Self::create_for(admin, roles, &["keystead"]).await
    }

    /// The same, for these audiences.
    pub async fn create_for(admin: &Client, roles: &[&str], audiences: &[&str]) -> Self {
        let request = CreateServiceAccountRequest {
            display_name: "A machine".to_owned(),
            audiences: audiences.iter().map(|audience| (*audience).to_owned()).collect(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        let created = admin.create_service_account(request).await.expect("a service account");
        Self { id: created.service_account.expect("the account").id, secret: created.secret }
    }

    pub async fn access_token(&self, client: &Client) -> String {
        let (service_account_id, secret) = (self.id.clone(), self.secret.clone());
        let request = IssueServiceTokenRequest { service_account_id, secret, audience: String::new() };
        client.issue_service_token(request).await.expect("a token").access_token
    }
}
