//! People who use the service: an address, a password, and the tokens they got.

use std::sync::atomic::{AtomicU32, Ordering};

use keystead::grpc::pb::{self, TokenSet, User};

use super::Keystead;
use super::client::{Answer, Client};

/// A password that is nobody's.
pub const WRONG_PASSWORD: &str = "wrong lantern above the quarry";

/// Somebody with an account, or about to have one.
#[derive(Clone, Debug)]
pub struct Person {
    pub email: String,
    pub password: String,
}

/// What registering gave.
#[derive(Clone)]
pub struct Tokens {
    pub user: User,
    pub set: TokenSet,
}

impl Person {
    /// Somebody whose address and password no other test uses.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        Self {
            email: format!("{name}{number}@example.com"),
            password: format!("seven{number} quiet geese walk past the mill"),
        }
    }

    pub fn registration(&self) -> pb::RegisterRequest {
        pb::RegisterRequest {
            email: self.email.clone(),
            password: self.password.clone(),
            display_name: "A Person".to_owned(),
            device_name: "test".to_owned(),
        }
    }

    /// Registers where addresses need not be verified first.
    pub async fn register(&self, client: &Client) -> Tokens {
        let response = client.register(self.registration()).await.expect("a new account");
        Tokens { user: response.user.expect("the account"), set: response.token_set.expect("tokens") }
    }

    /// Registers, is made an administrator, and signs in: the client that bears their token.
    pub async fn register_as_administrator(&self, keystead: &Keystead, client: &Client) -> (Client, User) {
        let user = self.register(client).await.user;
        keystead.rows().await.make_administrator(&self.email).await;
        let tokens = self.log_in(client).await.expect("tokens");
        (client.bearing(&tokens.access_token), user)
    }

    pub async fn log_in(&self, client: &Client) -> Answer<TokenSet> {
        client.log_in(&self.email, &self.password).await
    }
}
