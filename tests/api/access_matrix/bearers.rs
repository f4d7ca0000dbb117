//! One bearer of each kind, and whom it makes of its holder.

use keystead::grpc::pb::DisableUserRequest;
use serde_json::{Value, json};

use crate::harness::token::Jwt;
use crate::harness::{Client, Keystead, Machine, Person, ServiceKey};

/// Whom a bearer makes of its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody: there is no bearer, or none that is good.
    Nobody,
    User,
    /// A user who signed in longer ago than five minutes.
    UserOfLongAgo,
    Administrator,
    Machine,
    MachineVerifier,
    MachineAdministrator,
}

/// What is sent, and whom it makes of its sender.
pub struct Bearer {
    pub name: &'static str,
    pub token: Option<String>,
    pub holder: Holder,
}

fn bearer(name: &'static str, token: impl Into<String>, holder: Holder) -> Bearer {
    Bearer { name, token: Some(token.into()), holder }
}

/// The same token with other claims, signed by the service's own key.
fn with_claims(key: &ServiceKey, token: &str, claims: &[(&str, Value)]) -> String {
    let jwt = claims.iter().fold(Jwt::parse(token), |jwt, (name, value)| jwt.claim(name, value.clone()));
    key.compact(jwt)
}

/// A service account's secret, and a token of it.
async fn machine(admin: &Client, roles: &[&str]) -> (String, String) {
    let machine = Machine::create(admin, roles).await;
    let token = machine.access_token(admin).await;
    (machine.secret, token)
}

/// Every kind of bearer. Whoever shares an account with another comes before it.
pub async fn all(keystead: &Keystead, client: &Client) -> Vec<Bearer> {
    use Holder::{Administrator, Machine, MachineAdministrator, MachineVerifier, Nobody, User, UserOfLongAgo};
    let (root, demoted, ada, closed) =
        (Person::new("root"), Person::new("was"), Person::new("ada"), Person::new("off"));
    let (admin, _) = root.register_as_administrator(keystead, client).await;
    let user = ada.register(client).await.set;
    client.ask_for_reset(&ada.email).await.expect("taken");
    let mailbox = keystead.mailbox();
    let (reset, verification) = (mailbox.reset_token(&ada.email).await, mailbox.verification_token(&ada.email).await);

    let disabled = closed.register(client).await;
    admin.disable_user(DisableUserRequest { user_id: disabled.user.id }).await.expect("closed");
    demoted.register_as_administrator(keystead, client).await;
    let was_administrator = demoted.log_in(client).await.expect("tokens").access_token;
    // No epoch moves: the token still says that its holder is an administrator, and only the database knows better.
    keystead.rows().await.take_administration(&demoted.email).await;

    let (secret, watcher) = machine(&admin, &["verifier"]).await;
    let (_, plain) = machine(&admin, &[]).await;
    let (_, operator) = machine(&admin, &["admin"]).await;
    let administrator = root.log_in(client).await.expect("tokens").access_token;
    let key = ServiceKey::steal(keystead).await;
    let claims = Jwt::parse(&user.access_token).claims;
    let issued = claims["iat"].as_i64().expect("a time");
    let expired = [("iat", json!(issued - 700)), ("nbf", json!(issued - 700)), ("exp", json!(issued - 100))];
    vec![
        Bearer { name: "no bearer", token: None, holder: Nobody },
        bearer("an empty one", "", Nobody),
        bearer("a malformed one", "garbage", Nobody),
        bearer("a changed one", format!("{}x", user.access_token), Nobody),
        bearer("an expired one", with_claims(&key, &user.access_token, &expired), Nobody),
        bearer("one for another audience", with_claims(&key, &user.access_token, &[("aud", json!(["shop"]))]), Nobody),
        bearer("one of another issuer", with_claims(&key, &user.access_token, &[("iss", json!("https://x"))]), Nobody),
        bearer("one of a disabled user", disabled.set.access_token, Nobody),
        bearer("a refresh token", user.refresh_token, Nobody),
        bearer("a reset token", reset, Nobody),
        bearer("a verification token", verification, Nobody),
        bearer("a machine's secret", secret, Nobody),
        bearer("a machine", plain, Machine),
        bearer("a machine that verifies", watcher, MachineVerifier),
        bearer("a machine that administers", operator, MachineAdministrator),
        bearer(
            "a user of long ago",
            with_claims(&key, &user.access_token, &[("auth_time", json!(issued - 400))]),
            UserOfLongAgo,
        ),
        bearer(
            "a user who claims to administer",
            with_claims(&key, &user.access_token, &[("roles", json!(["admin"]))]),
            User,
        ),
        bearer("a demoted administrator", was_administrator, User),
        bearer("an administrator", administrator, Administrator),
        bearer("a user", Person::new("bob").register(client).await.set.access_token, User),
    ]
}
