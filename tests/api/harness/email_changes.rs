//! Changing addresses.

use keystead::grpc::pb;

use super::client::{Answer, Client};

impl Client {
    /// Asks for another address; wants a bearer.
    pub async fn ask_for_email(&self, new_email: &str) -> Answer<()> {
        self.change_email(pb::ChangeEmailRequest { new_email: new_email.to_owned() }).await.map(|_| ())
    }

    pub async fn take_email(&self, token: &str) -> Answer<pb::User> {
        let request = pb::ConfirmEmailChangeRequest { email_change_token: token.to_owned() };
        Ok(self.confirm_email_change(request).await?.user.expect("the account"))
    }
}
