//! One throw-away Keystead for one test: its servers, its replicas, its clock, its mail.
//!
//! A test says what it needs by [`Setup`] and gets a [`Keystead`]; it speaks to it by [`Client`] alone, over the wire,
//! so that every status of the whole run passes one check. Nothing here knows what a promise says.

mod backend;
pub mod balanced;
pub mod bare;
mod client;
mod clock;
pub mod collector;
mod database;
mod email_changes;
pub mod encrypted;
mod failure;
pub mod federation;
pub mod feed;
pub mod frames;
mod http;
pub mod import;
mod link;
mod log;
mod machine;
pub mod mailbox;
pub mod oauth;
mod own_account;
mod person;
mod program;
pub mod provider;
pub mod records;
mod replica;
mod second_factor;
mod service_key;
mod settings;
pub mod smtp;
pub mod token;
mod wait;
pub mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use keystead::domain::clock::{Clock as _, Timestamp};
use tempfile::TempDir;

pub(crate) use backend::on_each_backend;
pub use backend::{Backend, Servers};
pub use client::Client;
pub use clock::TestClock;
pub use database::Rows;
pub use failure::Failure;
pub use http::{get as http_get, send as http_send};
pub use link::{Link, Loss, Way};
pub use machine::Machine;
pub use mailbox::Mailbox;
use oauth::OAuth;
pub use person::{Person, WRONG_PASSWORD};
pub use program::Program;
pub use records::Records;
pub use replica::Replica;
pub use second_factor::Authenticator;
pub use service_key::ServiceKey;
pub use settings::{MASTER_KEY, Values};
pub use wait::{PROMISED, eventually, until, within};

/// What a test needs of its Keystead.
pub struct Setup {
    backend: Backend,
    replicas: usize,
    values: Values,
}

impl Setup {
    /// One replica, with limits that no test meets by accident, be they of rates or of time.
    pub fn on(backend: Backend) -> Self {
        Self { backend, replicas: 1, values: Values::generous() }
    }

    /// So many replicas on one database.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// A setting by its path and its value in TOML: `("registration.open", "false")`.
    pub fn with(mut self, path: &str, value: &str) -> Self {
        self.values.set(path, value);
        self
    }

    /// Replicas that wait for the database and for Redis as the service promises to.
    pub fn waits_as_promised(mut self) -> Self {
        self.values.waits_as_promised = true;
        self
    }

    /// The settings so far.
    pub fn values(self) -> Values {
        self.values
    }

    pub async fn start(self) -> Keystead {
        let replicas = self.replicas;
        let mut keystead = self.place().await;
        for _ in 0..replicas {
            keystead.add_replica().await;
        }
        keystead
    }

    /// One replica on a database that these statements make, at a time of before.
    pub async fn start_from(self, statements: &str, at: Timestamp) -> Keystead {
        let mut keystead = self.place().await;
        keystead.clock.step(at.as_millis() - keystead.clock.now().as_millis());
        keystead.records().await.execute(statements).await;
        keystead.add_replica().await;
        keystead
    }

    async fn place(self) -> Keystead {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let servers = Servers::start(self.backend).await;
        let clock = Arc::new(TestClock::default());
        let mut keystead = Keystead { servers, clock, values: self.values, folder, replicas: Vec::new() };
        keystead.values.place(keystead.folder.path(), &keystead.servers);
        keystead
    }
}

/// A running Keystead.
pub struct Keystead {
    pub servers: Servers,
    pub clock: Arc<TestClock>,
    values: Values,
    folder: TempDir,
    replicas: Vec<Replica>,
}

impl Keystead {
    /// One replica, nothing out of the ordinary.
    pub async fn start(backend: Backend) -> Self {
        Setup::on(backend).start().await
    }

    /// Starts another replica on the same database.
    pub async fn add_replica(&mut self) {
        let replica = Replica::start(&self.values, self.clock.clone()).await;
        self.replicas.push(replica);
    }

    /// Starts another replica, which reaches the database over a link that the test can hold up.
    pub async fn add_replica_behind_a_link(&mut self) -> Link {
        let url = self.servers.database_url.as_deref().expect("a database server");
        let (before, after) = url.split_once('@').expect("a user");
        let (address, name) = after.split_once('/').expect("a database");
        let link = Link::to(address.parse().expect("an address")).await;
        let mut values = self.values.clone();
        values.set("database.url", &format!("'{before}@{}/{name}'", link.address()));
        self.replicas.push(Replica::start(&values, self.clock.clone()).await);
        link
    }

    /// Stops the replicas and starts as many anew: what lay in memory alone is gone.
    pub async fn restart(&mut self) {
        let count = self.replicas.len();
        for replica in self.replicas.drain(..) {
            replica.stop().await;
        }
        for _ in 0..count {
            self.add_replica().await;
        }
    }

    /// The same with another setting.
    pub async fn restart_with(&mut self, path: &str, value: &str) {
        self.values.set(path, value);
        self.restart().await;
    }

    /// A client of the first replica, on a connection of its own.
    pub async fn client(&self) -> Client {
        self.client_of(0).await
    }

    /// A client of one replica, on a connection of its own.
    pub async fn client_of(&self, replica: usize) -> Client {
        Client::connect(self.replicas[replica].grpc).await
    }

    /// Clients of the first replica and of the last: of two replicas where the backend has them, else two connections
    /// to the one.
    pub async fn pair(&self) -> [Client; 2] {
        [self.client_of(0).await, self.client_of(self.replicas.len() - 1).await]
    }

    /// What lies in the database.
    pub async fn rows(&self) -> Rows {
        match &self.servers.database_url {
            Some(url) => Rows::connect(url).await,
            None => Rows::connect(&format!("sqlite://{}", self.sqlite_file().display())).await,
        }
    }

    pub fn replica(&self, index: usize) -> &Replica {
        &self.replicas[index]
    }

    /// The endpoints of OAuth on the first replica.
    pub fn oauth(&self) -> OAuth {
        OAuth(self.replica(0).http)
    }

    pub fn mailbox(&self) -> Mailbox {
        Mailbox::of(self.folder.path().join("outbox"))
    }

    /// The database, past the service.
    pub async fn records(&self) -> Records {
        let sqlite = format!("sqlite://{}?mode=rwc", self.sqlite_file().display());
        Records::open(self.servers.database_url.as_deref().unwrap_or(&sqlite)).await
    }

    /// Where the database lies, for tests that read what is at rest.
    pub fn sqlite_file(&self) -> PathBuf {
        self.folder.path().join("keystead.sqlite")
    }
}
