//! A new release in the place of the old one, a replica at a time, while people sign in, refresh and are verified.

mod grpc_core;

use std::collections::HashSet;
use std::net::SocketAddr;

use keystead::grpc::pb::{self, TokenStatus, login_response};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::harness::balanced::{Balanced, List};
use crate::harness::{Backend, MASTER_KEY, Person, Program, Servers};

const WORKERS: usize = 4;

/// Replicas on the servers of production, and what they are started with.
struct Fleet {
    servers: Servers,
    folder: TempDir,
}

impl Fleet {
    async fn new() -> Self {
        let servers = Servers::start(Backend::PostgresRedis).await;
        Self { servers, folder: TempDir::new().expect("a folder") }
    }

    /// Starts a replica that listens there, and waits until it serves.
    async fn start(&self, listen: &str) -> Program {
        let redis = self.servers.redis.as_ref().expect("Redis").url();
        let variables = [
            ("KEYSTEAD_DATABASE_URL", self.servers.database_url.as_deref().expect("PostgreSQL")),
            ("KEYSTEAD_REDIS_URL", redis.as_str()),
            ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY),
            ("KEYSTEAD_GRPC_LISTEN", listen),
            ("KEYSTEAD_DRAIN_DELAY", "500ms"),
            ("KEYSTEAD_LIMITS_PER_SOURCE_BURST", "1000000"),
            ("KEYSTEAD_LIMITS_PER_SOURCE_PERIOD", "1ms"),
            ("KEYSTEAD_LIMITS_PER_ACCOUNT_AND_SOURCE_BURST", "1000000"),
            ("KEYSTEAD_LIMITS_PER_ACCOUNT_AND_SOURCE_PERIOD", "1ms"),
            ("KEYSTEAD_LIMITS_PER_ACCOUNT_BURST", "1000000"),
            ("KEYSTEAD_LIMITS_PER_ACCOUNT_PERIOD", "1ms"),
        ];
        Program::start(self.folder.path(), &variables).await
    }
}

/// Ends a replica as Kubernetes does; fails the test unless it ended well, with every call answered.
async fn ends_well(leaving: Program) {
    leaving.signal("TERM");
    let (status, log) = leaving.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("\"drained\":true"), "{log}");
    for fault in ["\"INTERNAL\"", "\"UNKNOWN\"", "\"UNAVAILABLE\"", "\"level\":\"ERROR\""] {
        assert!(!log.contains(fault), "{fault}: {log}");
    }
}

/// Somebody who signs in, is verified, refreshes and signs out, again and again; tells who answers.
struct Regular {
    person: Person,
    client: Balanced,
    told: UnboundedSender<(usize, SocketAddr)>,
    number: usize,
}

impl Regular {
    async fn call<A: prost::Message + Default>(
        &mut self,
        path: &str,
        bearer: &str,
        message: &impl prost::Message,
    ) -> A {
        let (answer, address) = self.client.call(&format!("/keystead.v1.{path}"), bearer, message).await;
        self.told.send((self.number, address)).expect("the test listens");
        answer
    }

    async fn live(mut self, enough: CancellationToken) -> usize {
        let registration = self.person.registration();
        self.call::<pb::RegisterResponse>("AuthService/Register", "", &registration).await;
        while !enough.is_cancelled() {
            self.visit().await;
        }
        self.client.sent_again
    }

    async fn visit(&mut self) {
        let (email, password) = (self.person.email.clone(), self.person.password.clone());
        let login = pb::LoginRequest { email, password, ..pb::LoginRequest::default() };
        let opened = self.call::<pb::LoginResponse>("AuthService/Login", "", &login).await;
        let Some(login_response::Result::TokenSet(mut set)) = opened.result else { panic!("tokens: {opened:?}") };
        for _ in 0..5 {
            let me = self.call::<pb::GetMeResponse>("AccountService/GetMe", &set.access_token, &pb::GetMeRequest {});
            assert_eq!(me.await.user.expect("the account").email, self.person.email);
            let access_token = set.access_token.clone();
            let question = pb::VerifyTokenRequest { access_token, ..pb::VerifyTokenRequest::default() };
            let verdict = self.call::<pb::VerifyTokenResponse>("AuthService/VerifyToken", "", &question).await;
            assert_eq!(verdict.status(), TokenStatus::Active);
            // A refresh that was processed twice, or lost, would end the session.
            let refresh = pb::RefreshRequest { refresh_token: set.refresh_token };
            let refreshed = self.call::<pb::RefreshResponse>("AuthService/Refresh", "", &refresh).await;
            set = refreshed.token_set.expect("tokens");
        }
        let logout = pb::LogoutRequest { refresh_token: set.refresh_token, ..pb::LogoutRequest::default() };
        self.call::<pb::LogoutResponse>("AuthService/Logout", "", &logout).await;
    }
}

/// The people, and what they tell.
struct Load {
    workers: JoinSet<usize>,
    calls: UnboundedReceiver<(usize, SocketAddr)>,
    enough: CancellationToken,
}

impl Load {
    fn on(list: &List) -> Self {
        let (told, calls) = unbounded_channel();
        let (mut workers, enough) = (JoinSet::new(), CancellationToken::new());
        for number in 0..WORKERS {
            let (person, client, told) = (Person::new("regular"), Balanced::over(list), told.clone());
            workers.spawn(Regular { person, client, told, number }.live(enough.clone()));
        }
        Self { workers, calls, enough }
    }

    /// Waits until this replica has answered everybody from now on; fails where one of them fails.
    async fn is_answered_by(&mut self, address: SocketAddr) {
        while self.calls.try_recv().is_ok() {}
        let mut answered = HashSet::new();
        while answered.len() < WORKERS {
            tokio::select! {
                call = self.calls.recv() => {
                    let (number, by) = call.expect("a call");
                    if by == address {
                        answered.insert(number);
                    }
                }
                ended = self.workers.join_next() => panic!("somebody gave up: {ended:?}"),
            }
        }
    }

    async fn end(self) -> usize {
        self.enough.cancel();
        self.workers.join_all().await.into_iter().sum()
    }
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_of_every_replica_under_load_loses_no_call() {
    let fleet = Fleet::new().await;
    let list = List::default();
    let old = [fleet.start("127.0.0.1:0").await, fleet.start("127.0.0.1:0").await];
    old.iter().for_each(|replica| list.add(replica.grpc));
    let mut load = Load::on(&list);
    let mut new = Vec::new();
    for leaving in old {
        load.is_answered_by(leaving.grpc).await;
        let newcomer = fleet.start("127.0.0.1:0").await;
        list.add(newcomer.grpc);
        load.is_answered_by(newcomer.grpc).await;
        let address = leaving.grpc;
        ends_well(leaving).await;
        // The list is the last to know.
        list.remove(address);
        new.push(newcomer);
    }
    for replica in &new {
        load.is_answered_by(replica.grpc).await;
    }
    load.end().await;
    for replica in new {
        ends_well(replica).await;
    }
}
