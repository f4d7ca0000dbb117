//! The release binary, as an operator runs it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::process::{self, Usage};

/// Everybody of the bench has this password.
pub const PASSWORD: &str = "a password of the bench";

/// So many that limits on guesses, which are not measured here, stand in nobody's way.
const UNLIMITED: [&str; 4] = [
    "KEYSTEAD_LIMITS_PER_SOURCE_BURST",
    "KEYSTEAD_LIMITS_PER_ACCOUNT_BURST",
    "KEYSTEAD_LIMITS_PER_ACCOUNT_AND_SOURCE_BURST",
    "KEYSTEAD_LIMITS_MAIL_PER_SOURCE_BURST",
];

/// Builds the binary that is measured.
pub async fn build() -> Result<()> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--locked", "--package", "keystead", "--bin", "keystead"]);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    ensure!(command.status().await?.success(), "the release binary is not built");
    Ok(())
}

/// It lies beside the bench itself.
fn program() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("keystead"))
}

/// Settings and a data folder; replicas are started from it.
pub struct Installation {
    settings: Vec<(String, String)>,
    folder: Arc<TempDir>,
}

impl Installation {
    /// With nothing but itself.
    pub fn sqlite() -> Result<Self> {
        let settings = UNLIMITED.iter().map(|name| ((*name).to_owned(), "1000000000".to_owned())).collect();
        Ok(Self { settings, folder: Arc::new(TempDir::new()?) })
    }

    pub fn postgres(database: &str) -> Result<Self> {
        let key =
            BASE64_STANDARD.encode(std::array::from_fn::<u8, 32, _>(|index| u8::try_from(index * 7).unwrap_or(9)));
        Ok(Self::sqlite()?.with("DATABASE_URL", database).with("KEYS_MASTER_KEY", &key))
    }

    /// Sets what the environment calls `KEYSTEAD_` and this name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((format!("KEYSTEAD_{name}"), value.to_owned()));
        self
    }

    /// Where the users are, if they are on SQLite.
    pub fn sqlite_file(&self) -> PathBuf {
        self.folder.path().join("keystead.sqlite")
    }

    /// In bytes.
    #[expect(clippy::cast_precision_loss, reason = "far from 2^52 bytes")]
    pub fn binary_size() -> Result<f64> {
        Ok(std::fs::metadata(program()?)?.len() as f64)
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(program()?);
        command.env_clear().envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.env("KEYSTEAD_DATA_DIRECTORY", self.folder.path()).stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }

    pub async fn create_administrator(&self, email: &str) -> Result<()> {
        let mut command = self.command()?;
        command.args(["admin", "create", "--email", email]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let mut input = child.stdin.take().context("its standard input")?;
        input.write_all(format!("{PASSWORD}\n").as_bytes()).await?;
        drop(input);
        ensure!(child.wait().await?.success(), "no administrator");
        Ok(())
    }

    pub async fn migrate(&self) -> Result<()> {
        let mut command = self.command()?;
        let output = command.arg("migrate").output().await?;
        ensure!(output.status.success(), "no schema: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Takes accounts in from a file.
    pub async fn import(&self, file: &Path) -> Result<()> {
        let mut command = self.command()?;
        let output = command.args(["users", "import"]).arg(file).output().await?;
        ensure!(output.status.success(), "not every row: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Starts a replica, and waits until it is ready.
    pub async fn start(&self) -> Result<Keystead> {
        let (grpc, http) = (process::free_address(), process::free_address());
        let log = std::fs::File::create(self.folder.path().join(format!("{}.log", grpc.port())))?;
        let mut command = self.command()?;
        command.env("KEYSTEAD_GRPC_LISTEN", grpc.to_string()).env("KEYSTEAD_HTTP_LISTEN", http.to_string());
        let process = command.stdout(Stdio::null()).stderr(log).spawn().context("the release binary starts")?;
        let keystead = Keystead { grpc, http, process, _folder: Arc::clone(&self.folder) };
        keystead.is_ready().await?;
        Ok(keystead)
    }
}

/// A running replica; it is killed when dropped.
pub struct Keystead {
    pub grpc: SocketAddr,
    http: SocketAddr,
    process: Child,
    _folder: Arc<TempDir>,
}

impl Keystead {
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.process.id().context("the replica runs")?)
    }

    async fn is_ready(&self) -> Result<()> {
        for _ in 0..30_000 {
            if says_ready(self.http).await.unwrap_or(false) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!("the replica is not ready")
    }
}

async fn says_ready(http: SocketAddr) -> Result<bool> {
    let mut stream = TcpStream::connect(http).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"HTTP/1.1 200")
}
