//! A link between a client and a replica, or a replica and its database, that a test can hold up.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A link; it ends with its test's runtime.
pub struct Link {
    address: SocketAddr,
    target: Arc<watch::Sender<SocketAddr>>,
    held: Arc<watch::Sender<bool>>,
}

impl Link {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the port's number");
        let link = Self { address, target: Arc::new(watch::Sender::new(target)), held: Arc::default() };
        let (target, held) = (Arc::clone(&link.target), Arc::clone(&link.held));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let to = *target.borrow();
                let held = Arc::clone(&held);
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(to).await else { return };
                    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                    tokio::join!(
                        carry(near_read, far_write, held.subscribe()),
                        carry(far_read, near_write, held.subscribe()),
                    );
                });
            }
        });
        link
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing passes any more, and nobody is told: connections stay open, and new ones are accepted.
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// What was held up passes, late, and all that comes after it.
    pub fn heal(&self) {
        self.held.send_replace(false);
    }

    /// New connections lead to another replica.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }
}

/// Carries bytes one way until either end is closed.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut held: watch::Receiver<bool>) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if held.wait_for(|held| !held).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
