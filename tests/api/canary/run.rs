//! A run through everything that takes or gives a secret, in the real binary.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deadpool_redis::redis;
use keystead::grpc::pb;
use keystead::grpc::pb::account_service_client::AccountServiceClient;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Response};

use super::forms::Secret;
use super::notes::Notes;
use super::provider::sign_in_there;
use super::second_factor::second_factor;
use super::transfer::take_in;
use super::{Scene, doors};
use crate::harness::collector::Collector;
use crate::harness::federation::IDP;
use crate::harness::mailbox::{EMAIL_CHANGE, RESET, VERIFICATION};
use crate::harness::provider::Provider;
use crate::harness::records::canary;
use crate::harness::smtp::MailServer;
use crate::harness::{Program, Records, Values, http_get, until};
use crate::support::process::free_port;

pub type Api = AuthServiceClient<Channel>;

pub const EMAIL: &str = "bird@example.com";

/// What the run has left behind.
pub struct Run {
    pub secrets: Vec<Secret>,
    /// What lies in the database, and nowhere else.
    pub stored: Vec<Secret>,
    pub output: String,
    /// Every refusal, with its details and metadata.
    pub answers: String,
    pub metrics: String,
    pub traces: String,
    pub dump: String,
    pub user_id: String,
    pub session_id: String,
    pub wrong_login: Trace,
    pub replay: Trace,
    pub throttled: Trace,
}

/// A trace of the test's own.
pub struct Trace {
    pub id: String,
}

impl Trace {
    fn new(number: u8) -> Self {
        Self { id: format!("4bf92f3577b34da6a3ce929d0e0e47{number:02x}") }
    }

    fn on<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let header = format!("00-{}-00f067aa0ba902b7-01", self.id);
        request.metadata_mut().insert("traceparent", header.parse().expect("a value"));
        request
    }
}

/// The secrets of the settings.
struct Configured {
    master_key: [u8; 32],
    pepper: String,
    smtp_password: String,
    database_password: String,
    redis_password: String,
}

impl Configured {
    fn new() -> Self {
        let mut master_key = [0; 32];
        master_key.copy_from_slice(&canary("masterkey-padding").as_bytes()[..32]);
        Self {
            master_key,
            pepper: canary("pepper"),
            smtp_password: canary("smtp"),
            database_password: canary("database"),
            redis_password: canary("redis"),
        }
    }

    fn values(&self, scene: &Scene, smtp_port: u16) -> Values {
        let mut values = Values::generous();
        values.place(scene.folder.path(), &scene.servers);
        values.set("keys.master_key", &format!("'{}'", STANDARD.encode(self.master_key)));
        values.set("passwords.pepper", &format!("'{}'", self.pepper));
        let smtp = format!("smtp://bird:{}@127.0.0.1:{smtp_port}?tls=none", self.smtp_password);
        values.set("mail.smtp_url", &format!("'{smtp}'"));
        if let Some(url) = &scene.servers.database_url {
            // The server trusts whoever comes from the loopback, and asks for no password.
            let url = url.replace("://keystead@", &format!("://keystead:{}@", self.database_password));
            assert!(url.contains(&self.database_password), "the URL has a password");
            values.set("database.url", &format!("'{url}'"));
        }
        if let Some(server) = &scene.servers.redis {
            let url = server.url().replace("redis://", &format!("redis://:{}@", self.redis_password));
            values.set("redis.url", &format!("'{url}'"));
        }
        values.limit("per_account_and_source", 6, "1h");
        values
    }

    fn secrets(&self) -> Vec<Secret> {
        vec![
            Secret::new("the master key", self.master_key),
            Secret::new("the pepper", &self.pepper),
            Secret::new("the password of the mail server", &self.smtp_password),
            Secret::new("the password of the database", &self.database_password),
            Secret::new("the password of Redis", &self.redis_password),
        ]
    }
}

pub fn login(email: &str, password: &str) -> pb::LoginRequest {
    pb::LoginRequest { email: email.into(), password: password.into(), ..pb::LoginRequest::default() }
}

fn signed_in(response: Response<pb::LoginResponse>) -> pb::TokenSet {
    match response.into_inner().result.expect("a result") {
        pb::login_response::Result::TokenSet(set) => set,
        pb::login_response::Result::MfaChallenge(challenge) => panic!("a second factor is asked for: {challenge:?}"),
    }
}

impl Run {
    pub async fn through(scene: &mut Scene) -> Self {
        let configured = Configured::new();
        if let Some(server) = &scene.servers.redis {
            demand_password(&server.url(), &configured.redis_password).await;
        }
        let port = free_port();
        let mut values = configured.values(scene, port);
        let provider = Provider::start().await;
        values.at_provider(IDP, "oidc", &provider);
        let collector = Collector::start().await;
        values.set("telemetry.otlp_endpoint", &format!("'{}'", collector.endpoint()));
        values.set("telemetry.sample_ratio", "1");
        let program = Program::configured(scene.folder.path(), &values, &[("KEYSTEAD_LOG_LEVEL", "trace")]).await;
        let mut api = AuthServiceClient::new(program.client().await.channel);
        let mut notes = Notes::default();
        notes.secrets.extend(configured.secrets());

        let (mut password, registered) = register(&mut api, &mut notes).await;
        let user_id = registered.user.expect("an account").id;
        let set = registered.token_set.expect("tokens");
        let [wrong_login, replay, throttled] = [1, 2, 3].map(Trace::new);
        let session_id = set.session_id.clone();
        attempt_and_replay(&mut api, &mut notes, &set, &wrong_login, &replay).await;
        let records = Records::open(&scene.database_url()).await;
        // What waits for the mail server lies in the database meanwhile.
        api.request_reset(pb::RequestResetRequest { email: EMAIL.into() }).await.expect("taken");
        until("mails that wait", || async { records.count("outbox WHERE sealed IS NOT NULL").await == 2 }).await;
        let waiting = records.dump().await;
        let waiting = waiting + &sign_in_there(&mut api, &mut notes, &program, &provider, &records).await;
        let server = MailServer::start(port).await;
        confirm_what_is_mailed(&mut api, &mut notes, &server, &mut password).await;
        let again = api.login(login(EMAIL, &password)).await.expect("the new password");
        let again = signed_in(again);
        notes.tokens(&again);
        change_address(&mut api, &mut notes, &server, program.client().await.channel, &again.access_token).await;
        let administrator = promote(&mut api, &mut notes, &records, &password).await;
        let stored = take_in(&program, &mut notes, &administrator).await;
        doors::through(&program, &mut notes, &administrator).await;
        second_factor(&mut api, &mut notes, program.client().await.channel, &again.access_token, &password).await;
        refuse_many(&mut api, &mut notes, &throttled).await;
        outage(scene, &mut api, &mut notes, &password).await;

        let metrics = http_get(program.http, "/metrics", &[]).await.body;
        program.signal("TERM");
        let (_, output) = program.end().await;
        let dump = waiting + &records.dump().await;
        let traces = collector.text();
        let Notes { secrets, answers } = notes;
        Self {
            secrets,
            stored,
            output,
            answers,
            metrics,
            traces,
            dump,
            user_id,
            session_id,
            wrong_login,
            replay,
            throttled,
        }
    }
}

/// Makes the account an administrator's that has a password; the other came by the provider.
async fn promote(api: &mut Api, notes: &mut Notes, records: &Records, password: &str) -> pb::TokenSet {
    let all = "INSERT INTO user_roles (user_id, role) SELECT id, 'admin' FROM users";
    records.execute(&format!("{all} WHERE password_hash IS NOT NULL")).await;
    let administrator = signed_in(api.login(login(EMAIL, password)).await.expect("the same password"));
    notes.tokens(&administrator);
    administrator
}

async fn demand_password(url: &str, password: &str) {
    let client = redis::Client::open(url).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis answers");
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg("requirepass").arg(password);
    command.query_async::<()>(&mut connection).await.expect("a password from now on");
}

async fn register(api: &mut Api, notes: &mut Notes) -> (String, pb::RegisterResponse) {
    let refused = notes.password("a password that is refused");
    let too_long = format!("{refused} {}", "long ".repeat(60));
    let request = |password: &str, email: &str| pb::RegisterRequest {
        email: email.into(),
        password: password.into(),
        ..pb::RegisterRequest::default()
    };
    notes.refused(api.register(request(&too_long, EMAIL)).await);
    notes.refused(api.register(request(&refused, "no address")).await);
    let password = notes.password("a right password");
    let registered = api.register(request(&password, EMAIL)).await.expect("an account").into_inner();
    notes.refused(api.register(request(&refused, EMAIL)).await);
    notes.tokens(registered.token_set.as_ref().expect("tokens"));
    (password, registered)
}

async fn attempt_and_replay(api: &mut Api, notes: &mut Notes, set: &pb::TokenSet, wrong: &Trace, replay: &Trace) {
    let password = notes.password("a wrong password");
    notes.refused(api.login(wrong.on(login(EMAIL, &password))).await);
    let verify = pb::VerifyTokenRequest { access_token: set.access_token.clone(), ..Default::default() };
    api.verify_token(verify).await.expect("a verdict");
    let mut last = set.clone();
    for _ in 0..2 {
        let response =
            api.refresh(pb::RefreshRequest { refresh_token: last.refresh_token }).await.expect("a successor");
        last = response.into_inner().token_set.expect("tokens");
        notes.tokens(&last);
    }
    let first = pb::RefreshRequest { refresh_token: set.refresh_token.clone() };
    notes.refused(api.refresh(replay.on(first)).await);
    notes.refused(api.refresh(pb::RefreshRequest { refresh_token: last.refresh_token.clone() }).await);
    let forged = format!("{}{}", last.refresh_token, canary("A"));
    notes.token("a forged refresh token", &forged);
    notes.refused(api.refresh(pb::RefreshRequest { refresh_token: forged }).await);
}

async fn confirm_what_is_mailed(api: &mut Api, notes: &mut Notes, server: &MailServer, password: &mut String) {
    let mailed = |prefix: &str| server.to(EMAIL).iter().find_map(|mail| mail.token(prefix));
    // The first tries have failed; the next ones come within half a minute.
    let both = async {
        while mailed(RESET).is_none() || mailed(VERIFICATION).is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), both).await.expect("both mails come");
    let (reset_token, verification_token) = (mailed(RESET).expect("a token"), mailed(VERIFICATION).expect("a token"));
    notes.token("a reset token", &reset_token);
    notes.token("a verification token", &verification_token);
    let swapped = pb::ConfirmEmailRequest { verification_token: reset_token.clone() };
    notes.refused(api.confirm_email(swapped).await);
    api.confirm_email(pb::ConfirmEmailRequest { verification_token }).await.expect("verified");
    let new_password = notes.password("a new password");
    let request = pb::ConfirmResetRequest { reset_token, new_password: new_password.clone() };
    api.confirm_reset(request.clone()).await.expect("a new password");
    notes.refused(api.confirm_reset(request).await);
    *password = new_password;
}

/// To the same address in other letters, so that the run can go on signing in.
async fn change_address(api: &mut Api, notes: &mut Notes, server: &MailServer, channel: Channel, bearer: &str) {
    let new_email = EMAIL.to_uppercase();
    let mut request = Request::new(pb::ChangeEmailRequest { new_email });
    request.metadata_mut().insert("authorization", format!("Bearer {bearer}").parse().expect("a value"));
    AccountServiceClient::new(channel).change_email(request).await.expect("taken");
    let mailed = || server.all().iter().find_map(|(_, mail)| mail.token(EMAIL_CHANGE));
    until("a mail to the new address", || async { mailed().is_some() }).await;
    let email_change_token = mailed().expect("a token");
    notes.token("a token of a new address", &email_change_token);
    let swapped = pb::ConfirmEmailRequest { verification_token: email_change_token.clone() };
    notes.refused(api.confirm_email(swapped).await);
    let request = pb::ConfirmEmailChangeRequest { email_change_token };
    api.confirm_email_change(request.clone()).await.expect("a new address");
    notes.refused(api.confirm_email_change(request).await);
}

/// More wrong passwords for somebody unknown than the limit allows.
async fn refuse_many(api: &mut Api, notes: &mut Notes, throttled: &Trace) {
    for _ in 0..8 {
        let password = notes.password("a guess");
        notes.refused(api.login(throttled.on(login("nobody@example.com", &password))).await);
    }
}

/// What is told when the servers go away must not hold their passwords.
async fn outage(scene: &mut Scene, api: &mut Api, notes: &mut Notes, password: &str) {
    if let Some(redis) = &mut scene.servers.redis {
        tokio::task::block_in_place(|| redis.kill());
        for _ in 0..6 {
            notes.tokens(&signed_in(api.login(login(EMAIL, password)).await.expect("a login without Redis")));
        }
    }
    if let Some(postgres) = &mut scene.servers.postgres {
        tokio::task::block_in_place(|| postgres.stop());
        notes.refused(api.login(login(EMAIL, password)).await);
        tokio::task::block_in_place(|| postgres.start_again());
    }
}

/// What would break out of a line, or into a terminal.
const NASTY: &[&str] = &[
    "forged\n{\"level\":\"INFO\",\"fields\":{\"message\":\"forged\"}}",
    "forged\r\n\u{1b}[2J\u{1b}[31mred",
    "forged \"quoted\\\" and \u{0}\u{7}\u{8}\u{7f}\u{85}\u{2028}\u{2029}\u{feff}",
];

/// The same tags as `LoginRequest`, and bytes instead of text.
#[derive(Clone, PartialEq, prost::Message)]
struct RawLogin {
    #[prost(bytes = "vec", tag = "1")]
    email: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    password: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    audience: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    device_name: Vec<u8>,
}

/// Every field that a client controls, filled with what would break a line.
pub async fn send_nasty_things(program: &Program) {
    let channel = program.client().await.channel;
    let mut api = AuthServiceClient::new(channel.clone());
    let mut notes = Notes::default();
    for nasty in NASTY {
        let text = (*nasty).to_owned();
        let of_names = pb::RegisterRequest {
            email: format!("{text}@example.com"),
            password: text.clone(),
            display_name: text.clone(),
            device_name: text.clone(),
        };
        notes.refused(api.register(of_names).await);
        notes.refused(api.login(login("bird@example.com", nasty)).await);
        let audience = pb::LoginRequest { audience: text.clone(), ..login("bird@example.com", nasty) };
        notes.refused(api.login(audience).await);
        notes.refused(api.refresh(pb::RefreshRequest { refresh_token: text.clone() }).await);
        notes.refused(api.confirm_email(pb::ConfirmEmailRequest { verification_token: text.clone() }).await);
        let reset = pb::ConfirmResetRequest { reset_token: text.clone(), new_password: text.clone() };
        notes.refused(api.confirm_reset(reset).await);
        let verify = pb::VerifyTokenRequest {
            access_token: text.clone(),
            expected_audience: text.clone(),
            required_roles: vec![text.clone()],
        };
        // A verdict or a refusal: here only the log matters.
        drop(api.verify_token(verify).await);
        doors::send_nasty_things(program, nasty).await;
        raw_call(&channel, "/keystead.v1.AuthService/Login", [nasty.as_bytes(), b"\xff\xfe\xc3("].concat()).await;
    }
    for path in
        ["/forged%0A%7B%22level%22:1%7D", "/keystead.v1.AuthService/Login%00forged", "/%1b%5b31mforged?a=%22b%22"]
    {
        raw_call(&channel, path, b"forged \xff".to_vec()).await;
        crate::harness::http_get(program.http, path, &[("user-agent", "forged \"\\ \t {"), ("referer", "forged")])
            .await;
    }
}

/// A call with headers that are legal in HTTP/2 and nasty in a log.
async fn raw_call(channel: &Channel, path: &str, bytes: Vec<u8>) {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("a connection");
    let (email, password, audience, device_name) = (bytes.clone(), bytes.clone(), bytes.clone(), bytes);
    let mut request = Request::new(RawLogin { email, password, audience, device_name });
    for name in ["traceparent", "x-forwarded-for", "forwarded", "x-forged", "grpc-trace-bin-not", "tracestate"] {
        let value = tonic::metadata::MetadataValue::try_from(&b"forged \"\\\t{}\xff\xc3("[..]).expect("a legal value");
        request.metadata_mut().insert(name, value);
    }
    let path = path.parse().expect("a path");
    let codec = tonic_prost::ProstCodec::<RawLogin, pb::LoginResponse>::default();
    client.unary(request, path, codec).await.expect_err("a refusal");
}
