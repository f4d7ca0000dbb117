//! An administrator who disables accounts in use, and enables them again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::caller::Caller;
use super::harness::token::Jwt;
use super::harness::{Person, Records};
use super::history::{Outcome, Text, Tokens};

/// Operations of everybody between two of the administrator's.
const PATIENCE: usize = 12;

/// An account that an administrator may close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub account: Text,
    pub user_id: String,
}

impl Listed {
    /// The account that the tokens are of.
    pub fn of(account: &Text, tokens: &Tokens) -> Self {
        let claims = Jwt::parse(&tokens.access).claims;
        let user_id = claims["sub"].as_str().expect("a subject").to_owned();
        Self { account: account.clone(), user_id }
    }
}

/// The accounts in use.
pub type List = Arc<Mutex<Vec<Listed>>>;

pub struct Administrator {
    caller: Caller,
    list: List,
    account: Text,
    password: Text,
    /// What they sign in with; `None` until they have.
    access: Option<Text>,
}

impl Administrator {
    /// Registers, and is made an administrator past the service.
    pub async fn register(mut caller: Caller, list: List, records: &Records) -> Self {
        let person = Person::new("administrator");
        let (account, password) = (Text::from(person.email), Text::from(person.password));
        caller.insist(async |place| place.register(&account, &password).await).await;
        let role = "INSERT INTO user_roles (user_id, role) SELECT id, 'admin' FROM users WHERE email_key =";
        records.execute(&format!("{role} '{account}'")).await;
        Self { caller, list, account, password, access: None }
    }

    pub fn account(&self) -> &Text {
        &self.account
    }

    /// Closes one account after the other, and leaves none closed.
    pub async fn work(&mut self, enough: &CancellationToken) {
        if self.access.is_none() {
            self.log_in().await;
        }
        while self.pause(enough).await {
            let listed = self.list.lock().expect("no poison").clone();
            let Some(Listed { account, user_id }) = self.caller.dice.pick(&listed).cloned() else { continue };
            let access = self.access.clone().expect("an access token");
            self.caller.insist(async |place| place.disable(&account, &user_id, &access).await).await;
            self.pause(enough).await;
            self.enable(&account, &user_id, &access).await;
        }
    }

    /// Until it is done: a replica that does not know what is revoked, as after an outage, lets nobody do anything.
    async fn enable(&mut self, account: &Text, user_id: &str, access: &Text) {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            let outcome = self.caller.insist(async |place| place.enable(account, user_id, access).await).await;
            if outcome == Outcome::Done {
                return;
            }
        }
    }

    async fn log_in(&mut self) {
        let (account, password) = (self.account.clone(), self.password.clone());
        let outcome = self.caller.insist(async |place| place.log_in(&account, &password).await).await;
        let Outcome::Tokens(tokens) = outcome else { panic!("the administrator is not signed in: {outcome:?}") };
        self.access = Some(tokens.access);
    }

    /// Whether there is more to do afterwards.
    async fn pause(&self, enough: &CancellationToken) -> bool {
        tokio::select! {
            () = enough.cancelled() => false,
            () = self.caller.recorder.acknowledges(PATIENCE) => true,
        }
    }
}
