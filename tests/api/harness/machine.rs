//! A service account.

use keystead::grpc::pb::{CreateServiceAccountRequest, IssueServiceTokenRequest};

use super::client::Client;

/// A service account and its secret.
pub struct Machine {
    pub id: String,
    pub secret: String,
}

impl Machine {
    /// Made by an administrator, for Keystead's own audience.
    pub async fn create(admin: &Client, roles: &[&str]) -> Self {
        let request = CreateServiceAccountRequest {
            display_name: "A machine".to_owned(),
            audiences: vec!["keystead".to_owned()],
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
