//! The replicas and what they stand on, all of them processes that can be killed.

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::block_in_place;

use super::harness::{Backend, Mailbox, Program, Records, Servers, Values};
use super::history::Recorder;
use super::judge::Run;
use super::verdicts::MAX_STALENESS;

/// A replica that serves: where, and which of all runs it is.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    pub run: usize,
    pub address: std::net::SocketAddr,
}

/// What clients may count on.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// By replica.
    pub seats: Vec<Option<Seat>>,
    pub database: bool,
}

/// The replicas and their servers; they end with it.
pub struct Fleet {
    servers: Servers,
    replicas: Vec<Replica>,
    runs: Vec<Run>,
    standing: watch::Sender<Standing>,
}

struct Replica {
    folder: TempDir,
    values: Values,
    program: Option<Program>,
}

impl Fleet {
    /// As many replicas as the backend takes, and all of them serve.
    pub async fn start(backend: Backend) -> Self {
        let servers = Servers::start(backend).await;
        let replicas: Vec<_> = (0..backend.replicas()).map(|_| Replica::on(&servers)).collect();
        let seats = vec![None; replicas.len()];
        let standing = watch::Sender::new(Standing { seats, database: true });
        let mut fleet = Self { servers, replicas, runs: Vec::new(), standing };
        fleet.complete().await;
        fleet
    }

    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    pub fn size(&self) -> usize {
        self.replicas.len()
    }

    /// Every run of a replica so far.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Kills a replica as `kill -9` does.
    pub async fn kill(&mut self, replica: usize, recorder: &Recorder) {
        let program = self.replicas[replica].program.take().expect("the replica runs");
        let seat = self.standing.borrow().seats[replica].expect("the replica serves");
        self.standing.send_modify(|standing| standing.seats[replica] = None);
        self.runs[seat.run].killed = Some(recorder.now());
        program.signal("KILL");
        let (_, log) = program.end().await;
        holds_no_error(&log);
    }

    /// Kills PostgreSQL with all its processes.
    pub fn kill_database(&mut self) {
        self.standing.send_modify(|standing| standing.database = false);
        let postgres = self.servers.postgres.as_mut().expect("PostgreSQL");
        block_in_place(|| postgres.kill());
    }

    /// Starts whatever was killed, and waits until it serves.
    pub async fn complete(&mut self) {
        if !self.standing.borrow().database {
            let postgres = self.servers.postgres.as_mut().expect("PostgreSQL");
            block_in_place(|| postgres.start_again());
            self.standing.send_modify(|standing| standing.database = true);
        }
        let down: Vec<_> =
            self.replicas.iter_mut().enumerate().filter(|(_, replica)| replica.program.is_none()).collect();
        let started = join_all(down.into_iter().map(async |(index, replica)| (index, replica.start().await))).await;
        for (replica, address) in started {
            let run = self.runs.len();
            self.runs.push(Run { killed: None });
            self.standing.send_modify(|standing| standing.seats[replica] = Some(Seat { run, address }));
        }
    }

    /// Ends the replicas as SIGTERM does.
    pub async fn stop(self) {
        for replica in self.replicas {
            let program = replica.program.expect("the replica runs");
            program.signal("TERM");
            let (status, log) = program.end().await;
            assert_eq!(status.code(), Some(0), "{log}");
            holds_no_error(&log);
        }
    }

    /// The database, past the service.
    pub async fn records(&self) -> Records {
        let sqlite = format!("sqlite://{}", self.replicas[0].folder.path().join("keystead.sqlite").display());
        Records::open(self.servers.database_url.as_deref().unwrap_or(&sqlite)).await
    }

    /// Removes the mails so far: each look for one reads them all.
    pub fn forget_mail(&self) {
        let folders = self.replicas.iter().map(|replica| replica.folder.path().join("outbox"));
        let files = folders.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        let paths = files.map(|file| file.expect("a readable folder").path());
        for mail in paths.filter(|path| path.extension().is_some_and(|extension| extension == "eml")) {
            std::fs::remove_file(mail).expect("a mail");
        }
    }

    /// Where mails arrive: any replica may send them.
    pub fn mailboxes(&self) -> Vec<Mailbox> {
        self.replicas.iter().map(|replica| Mailbox::of(replica.folder.path().join("outbox"))).collect()
    }
}

impl Replica {
    fn on(servers: &Servers) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut values = Values::generous();
        values.place(folder.path(), servers);
        values.set("sessions.grace", "\"1m\"");
        values.set("sessions.max_per_user", "10000");
        values.set("tokens.access_lifetime", "\"1h\"");
        values.set("revocation.poll_interval", "\"100ms\"");
        values.set("revocation.max_staleness", &format!("\"{}ms\"", MAX_STALENESS / 1_000_000));
        Self { folder, values, program: None }
    }

    async fn start(&mut self) -> std::net::SocketAddr {
        let program = Program::configured(self.folder.path(), &self.values, &[]).await;
        let address = program.grpc;
        self.program = Some(program);
        address
    }
}

/// An outage is a warning; an error is a fault of the service's own.
fn holds_no_error(log: &str) {
    let errors: Vec<_> = log.lines().filter(|line| line.contains(r#""level":"ERROR""#)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
