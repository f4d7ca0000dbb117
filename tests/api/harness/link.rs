//! A link between a client and a replica, or a replica and what it stands on, that a test can hold up, lead elsewhere,
//! and lose bytes on.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A link; it ends with its test's runtime.
pub struct Link {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From whoever made the connection.
    There,
    Back,
}

/// What becomes of a connection whose bytes were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Both ends are told, as by a server that dies.
    Closed,
    /// Neither is told, as by a network that drops packets: nothing comes any more.
    Silent,
}

/// Words that do not arrive.
#[derive(Clone, Copy)]
struct Lost {
    way: Way,
    words: &'static [u8],
    loss: Loss,
}

struct State {
    target: SocketAddr,
    is_held: bool,
    /// Connections of an earlier generation are silent for good.
    generation: u64,
    lost: Option<Lost>,
    /// How often words were lost.
    losses: usize,
}

impl Link {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the port's number");
        let state = State { target, is_held: false, generation: 0, lost: None, losses: 0 };
        let state = Arc::new(watch::Sender::new(state));
        let link = Self { address, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connect(near, Arc::clone(&state)));
            }
        });
        link
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing passes any more, and nobody is told: connections stay open, and new ones are accepted.
    pub fn hold(&self) {
        self.state.send_modify(|state| state.is_held = true);
    }

    /// What was held up passes, late, and all that comes after it; and no more words are lost.
    pub fn heal(&self) {
        self.state.send_modify(|state| {
            state.is_held = false;
            state.lost = None;
        });
    }

    /// New connections lead to another address; those that are there stay where they are.
    pub fn lead_to(&self, target: SocketAddr) {
        self.state.send_modify(|state| state.target = target);
    }

    /// The connections that are there fall silent for good, and nobody is told; new ones are well.
    pub fn abandon_connections(&self) {
        self.state.send_modify(|state| state.generation += 1);
    }

    /// From now on these words are lost, with all that would come after them on the same connection.
    pub fn lose(&self, way: Way, words: &'static [u8], loss: Loss) {
        self.state.send_modify(|state| state.lost = Some(Lost { way, words, loss }));
    }

    /// How often words were lost so far.
    pub fn losses(&self) -> usize {
        self.state.borrow().losses
    }
}

async fn connect(near: TcpStream, state: Arc<watch::Sender<State>>) {
    let (target, generation) = {
        let state = state.borrow();
        (state.target, state.generation)
    };
    let Ok(far) = TcpStream::connect(target).await else { return };
    // What comes together should go on together, and at once.
    for stream in [&near, &far] {
        stream.set_nodelay(true).expect("an open socket");
    }
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    let (closed, silent) = (CancellationToken::new(), CancellationToken::new());
    let wire =
        |way| Wire { way, generation, state: Arc::clone(&state), closed: closed.clone(), silent: silent.clone() };
    let both = async {
        tokio::join!(wire(Way::There).carry(near_read, far_write), wire(Way::Back).carry(far_read, near_write));
    };
    tokio::pin!(both);
    tokio::select! {
        () = &mut both => {}
        () = closed.cancelled() => {}
        // Both ends stay open as long as `both` is there.
        () = silent.cancelled() => std::future::pending().await,
    }
}

/// One way of one connection.
struct Wire {
    way: Way,
    generation: u64,
    state: Arc<watch::Sender<State>>,
    closed: CancellationToken,
    silent: CancellationToken,
}

impl Wire {
    /// Carries bytes until either end is closed.
    async fn carry(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut state = self.state.subscribe();
        let (mut bytes, mut tail) = (vec![0; 65_536], Vec::new());
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let read = &bytes[..count];
            if state.wait_for(|state| !state.is_held && state.generation == self.generation).await.is_err() {
                return;
            }
            if let Some(loss) = self.loses(&mut tail, read) {
                match loss {
                    Loss::Closed => self.closed.cancel(),
                    Loss::Silent => self.silent.cancel(),
                }
                return std::future::pending().await;
            }
            if to.write_all(read).await.is_err() {
                return;
            }
        }
    }

    /// Whether the words that are to be lost end in what was just read; `tail` is what came before it.
    fn loses(&self, tail: &mut Vec<u8>, read: &[u8]) -> Option<Loss> {
        let lost = self.state.borrow().lost.filter(|lost| lost.way == self.way)?;
        tail.extend_from_slice(read);
        if tail.windows(lost.words.len()).any(|window| window == lost.words) {
            self.state.send_modify(|state| state.losses += 1);
            return Some(lost.loss);
        }
        tail.drain(..tail.len().saturating_sub(lost.words.len() - 1));
        None
    }
}
