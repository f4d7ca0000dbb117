//! OAuth's endpoints, with secrets right and wrong in every place where a client can put one.

use keystead::grpc::pb;

use super::notes::Notes;
use crate::harness::oauth::{As, FORM, OAuth, OAuthAnswer};
use crate::harness::records::canary;
use crate::harness::{Machine, Program};

const CLIENT_CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

/// Everything that the endpoints take and give, by an administrator who has just signed in.
pub async fn through(program: &Program, notes: &mut Notes, administrator: &pb::TokenSet) {
    let oauth = OAuth(program.http);
    let admin = program.client().await.bearing(&administrator.access_token);
    let machine = Machine::create(&admin, &["verifier"]).await;
    notes.token("the secret of a machine", &machine.secret);
    let issued = oauth.token(As::Basic(&machine), &[CLIENT_CREDENTIALS]).await;
    let bearer = noted(notes, &issued);
    noted(notes, &oauth.token(As::Post(&machine), &[CLIENT_CREDENTIALS]).await);
    let refreshed = oauth.refresh(&administrator.refresh_token).await;
    noted(notes, &refreshed);
    for caller in [As::Basic(&machine), As::Post(&machine), As::Bearer(&bearer)] {
        assert_eq!(oauth.introspect(caller, &bearer).await.json["active"], true);
    }
    wrong(oauth, notes, &machine).await;
    let told = oauth.introspect(As::Basic(&machine), refreshed.text("refresh_token")).await;
    notes.told(told);
    for token in [refreshed.text("refresh_token"), &bearer] {
        notes.told(oauth.revoke(As::Nobody, token).await);
    }
    notes.told(oauth.refresh(refreshed.text("refresh_token")).await);
}

/// Takes down what an answer gave.
fn noted(notes: &mut Notes, issued: &OAuthAnswer) -> String {
    let access_token = issued.text("access_token").to_owned();
    notes.token("an access token by an endpoint", access_token.rsplit('.').next().expect("a signature"));
    if let Some(refresh_token) = issued.json["refresh_token"].as_str() {
        notes.token("a refresh token by an endpoint", refresh_token);
    }
    access_token
}

async fn wrong(oauth: OAuth, notes: &mut Notes, machine: &Machine) {
    let guess = Machine { secret: format!("kss_{}", canary("guess-of-a-machine-")), ..machine.clone() };
    notes.token("a guessed secret", &guess.secret);
    let forged = format!("ksr_{}", canary("forged-refresh-token"));
    notes.token("a forged token", &forged);
    let mut refused = vec![oauth.refresh(&forged).await];
    for caller in [As::Basic(&guess), As::Post(&guess), As::Bearer(&guess.secret)] {
        refused.push(oauth.token(caller, &[CLIENT_CREDENTIALS]).await);
        refused.push(oauth.introspect(caller, &forged).await);
        refused.push(oauth.revoke(caller, &forged).await);
    }
    let in_url = format!("/oauth2/token?client_secret={}", guess.secret);
    refused.push(oauth.raw(&in_url, &[FORM], "grant_type=client_credentials").await);
    refused.push(oauth.raw("/oauth2/token", &[("content-type", "text/plain")], &forged).await);
    let twice = format!("token={forged}&token={forged}");
    refused.push(oauth.raw("/oauth2/revoke", &[FORM], &twice).await);
    for answer in refused {
        assert!(answer.status >= 400, "{answer:?}");
        notes.told(answer);
    }
}

/// Every parameter and header that a client controls, filled with what would break a line of the log.
pub async fn send_nasty_things(program: &Program, nasty: &str) {
    let oauth = OAuth(program.http);
    let header = "forged \"\\ \t {";
    let headers = ["traceparent", "x-forwarded-for", "forwarded", "x-request-id", "user-agent", "authorization"];
    let headers: Vec<_> = headers.map(|name| (name, header)).into();
    let names = ["grant_type", "client_id", "client_secret", "refresh_token", "scope", "audience", "token"];
    let form: Vec<_> = names.map(|name| (name, nasty)).into();
    for door in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        oauth.post(door, As::Nobody, &form, &headers).await;
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", nasty), ("token", nasty)];
        oauth.post(door, As::Nobody, &refresh, &headers[..4]).await;
        let by_secret =
            [("grant_type", "client_credentials"), ("client_id", nasty), ("client_secret", nasty), ("token", nasty)];
        oauth.post(door, As::Nobody, &by_secret, &headers[..4]).await;
    }
}
