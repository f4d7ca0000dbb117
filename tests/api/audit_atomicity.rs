//! The trail and what it tells of, after the process was killed at random under load: never one without the other.

use std::process::Stdio;
use std::time::Duration;

use keystead::domain::clock::Entropy as _;
use keystead::grpc::pb::admin_service_client::AdminServiceClient;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use keystead::grpc::pb::{
    CreateUserRequest, DeleteUserRequest, DisableUserRequest, EnableUserRequest, GrantRoleRequest, LoginRequest,
    LogoutRequest, RefreshRequest, RegisterRequest, RevokeRoleRequest,
};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::harness::{Backend, MASTER_KEY, Person, Program, Rows, Servers, WRONG_PASSWORD, until};

/// Of each of the two databases: a hundred in all.
const KILLS: u32 = 50;
/// The kill comes at a random moment of this span, by a timer: that is what is tested.
const SPAN_MILLIS: u64 = 400;
const GENEROUS: [(&str, &str); 2] =
    [("KEYSTEAD_LIMITS_PER_SOURCE_BURST", "1000000"), ("KEYSTEAD_LIMITS_PER_ACCOUNT_AND_SOURCE_BURST", "1000000")];

/// What must be nowhere: a change without its event, or an event without its change.
const CONTRADICTIONS: [(&str, &str); 9] = [
    (
        "an account without its creation",
        "FROM users u WHERE NOT EXISTS (SELECT 1 FROM audit_events e \
         WHERE e.kind = 'user_created' AND e.outcome = 'success' AND e.subject = u.id)",
    ),
    (
        "a creation without its account",
        "FROM audit_events e WHERE e.kind = 'user_created' AND e.outcome = 'success' \
         AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = e.subject) \
         AND NOT EXISTS (SELECT 1 FROM audit_events d WHERE d.kind = 'user_deleted' AND d.subject = e.subject)",
    ),
    (
        "a deletion whose account is there",
        "FROM audit_events e JOIN users u ON u.id = e.subject WHERE e.kind = 'user_deleted'",
    ),
    (
        "a session without its opening",
        "FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM audit_events e \
         WHERE e.kind = 'session_created' AND e.session = s.id)",
    ),
    (
        "an opening without its session",
        "FROM audit_events e JOIN users u ON u.id = e.subject WHERE e.kind = 'session_created' \
         AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = e.session)",
    ),
    (
        "an ended session without its end",
        "FROM sessions s WHERE s.ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_events e \
         WHERE e.kind = 'session_expired' AND e.session = s.id)",
    ),
    (
        "an end of a session that has not ended",
        "FROM audit_events e JOIN sessions s ON s.id = e.session \
         WHERE e.kind = 'session_expired' AND s.ended_at IS NULL",
    ),
    (
        "a role that was not granted as often as it is held",
        "FROM users u WHERE (SELECT count(*) FROM user_roles r WHERE r.user_id = u.id AND r.role <> 'user') \
         <> (SELECT count(*) FROM audit_events e WHERE e.kind = 'authz_role_granted' AND e.subject = u.id) \
         - (SELECT count(*) FROM audit_events e WHERE e.kind = 'authz_role_revoked' AND e.subject = u.id)",
    ),
    (
        "a state that was not told",
        "FROM users u WHERE (CASE WHEN u.state = 'disabled' THEN 1 ELSE 0 END) \
         <> (SELECT count(*) FROM audit_events e WHERE e.kind = 'user_disabled' AND e.subject = u.id) \
         - (SELECT count(*) FROM audit_events e WHERE e.kind = 'user_enabled' AND e.subject = u.id)",
    ),
];

/// Random numbers that come again from the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

struct Scene {
    folder: TempDir,
    servers: Servers,
    root: Person,
}

impl Scene {
    async fn new(backend: Backend) -> Self {
        let folder = TempDir::new().expect("a folder");
        let scene = Self { folder, servers: Servers::start(backend).await, root: Person::new("root") };
        let mut create = Program::command(scene.folder.path(), &scene.variables());
        create.args(["admin", "create", "--email", &scene.root.email]).stdin(Stdio::piped());
        let mut child = create.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(scene.root.password.as_bytes()).await.expect("the input is taken");
        drop(stdin);
        assert!(child.wait().await.expect("the binary ends").success());
        scene
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        let mut variables = vec![("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY)];
        variables.extend(self.servers.database_url.as_deref().map(|url| ("KEYSTEAD_DATABASE_URL", url)));
        variables.extend(GENEROUS);
        variables
    }

    async fn rows(&self) -> Rows {
        match &self.servers.database_url {
            Some(url) => Rows::connect(url).await,
            None => Rows::connect(&format!("sqlite://{}/keystead.sqlite", self.folder.path().display())).await,
        }
    }

    /// Serves under load until killed, once.
    async fn round(&self, moment: impl Future<Output = ()>) {
        let program = Program::start(self.folder.path(), &self.variables()).await;
        let channel = program.client().await.channel;
        let root = self.root.clone();
        let mut load = JoinSet::new();
        for _ in 0..3 {
            load.spawn(people(channel.clone()));
        }
        load.spawn(administration(channel, root));
        moment.await;
        program.signal("KILL");
        program.end().await;
        while let Some(ended) = load.join_next().await {
            // Every call ends at some time with the connection; which one differs.
            ended.expect("no panic").expect_err("the process was killed");
        }
    }
}

/// People who register, mistype, refresh and log out, until the process is gone.
async fn people(channel: Channel) -> Result<(), Status> {
    let mut auth = AuthServiceClient::new(channel);
    loop {
        let person = Person::new("ada");
        let registered = auth.register(RegisterRequest { ..person.registration() }).await?.into_inner();
        let mistyped = LoginRequest {
            email: person.email.clone(),
            password: WRONG_PASSWORD.to_owned(),
            ..LoginRequest::default()
        };
        still_there(auth.login(mistyped).await.map(drop))?;
        let refresh_token = registered.token_set.expect("tokens").refresh_token;
        let refreshed = auth.refresh(RefreshRequest { refresh_token }).await?.into_inner();
        let refresh_token = refreshed.token_set.expect("tokens").refresh_token;
        auth.logout(LogoutRequest { refresh_token, ..LogoutRequest::default() }).await?;
    }
}

/// An administrator who creates, grants, revokes, closes, opens and deletes, until the process is gone.
async fn administration(channel: Channel, root: Person) -> Result<(), Status> {
    let login = LoginRequest { email: root.email.clone(), password: root.password.clone(), ..LoginRequest::default() };
    let response = AuthServiceClient::new(channel.clone()).login(login).await?.into_inner();
    let Some(keystead::grpc::pb::login_response::Result::TokenSet(tokens)) = response.result else {
        panic!("no tokens")
    };
    let bearer: AsciiMetadataValue = format!("Bearer {}", tokens.access_token).parse().expect("a header's value");
    let mut admin = AdminServiceClient::with_interceptor(channel, move |mut request: Request<()>| {
        request.metadata_mut().insert("authorization", bearer.clone());
        Ok(request)
    });
    loop {
        let create = CreateUserRequest { email: Person::new("bob").email, ..CreateUserRequest::default() };
        let user_id = admin.create_user(create).await?.into_inner().user.expect("the account").id;
        let role = "verifier".to_owned();
        admin.grant_role(GrantRoleRequest { user_id: user_id.clone(), role: role.clone() }).await?;
        admin.disable_user(DisableUserRequest { user_id: user_id.clone() }).await?;
        admin.enable_user(EnableUserRequest { user_id: user_id.clone() }).await?;
        admin.revoke_role(RevokeRoleRequest { user_id: user_id.clone(), role }).await?;
        admin.delete_user(DeleteUserRequest { user_id }).await?;
    }
}

/// A refusal is an answer; anything else says that the process is gone.
fn still_there(answer: Result<(), Status>) -> Result<(), Status> {
    match answer {
        Err(status) if status.code() == tonic::Code::Unauthenticated => Ok(()),
        other => other,
    }
}

// promise G2
async fn a_killed_process_leaves_no_change_without_its_event_and_no_event_without_its_change(backend: Backend) {
    let mut seed = [0; 8];
    keystead::app::system::SystemEntropy::new().fill(&mut seed);
    let seed = u64::from_le_bytes(seed);
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let scene = Scene::new(backend).await;
    let rows = scene.rows().await;
    scene.round(everything_has_happened(&rows)).await;
    for _ in 1..KILLS {
        scene.round(tokio::time::sleep(Duration::from_millis(dice.roll(SPAN_MILLIS)))).await;
    }
    for (what, from) in CONTRADICTIONS {
        assert_eq!(rows.number(&format!("SELECT count(*) {from}")).await, 0, "{what}; seed {seed}");
    }
}

/// However slow the machine is: the load has once come as far as it goes.
async fn everything_has_happened(rows: &Rows) {
    for kind in ["session_expired", "authz_role_revoked", "user_enabled", "user_deleted"] {
        until(kind, || async { rows.events(kind).await > 0 }).await;
    }
}

crate::harness::on_each_backend!(a_killed_process_leaves_no_change_without_its_event_and_no_event_without_its_change);
