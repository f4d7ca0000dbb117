//! Accepts connections for both edges: never more than the cap at a time, and for ever, whatever the system runs out of.
//!
//! Imports nothing of ours, and must not know what is spoken on a connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long to wait after a failure to accept, for descriptors to come free (promise N5).
const BACK_OFF: Duration = Duration::from_millis(250);

/// A bound socket, and how many connections it may still accept.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    connections: Connections,
}

/// How many connections are open, of how many that may be.
#[derive(Clone, Debug)]
pub struct Connections {
    slots: Arc<Semaphore>,
    most: usize,
}

impl Connections {
    fn up_to(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { slots: Arc::new(Semaphore::new(most)), most }
    }

    pub fn open(&self) -> usize {
        self.most.saturating_sub(self.slots.available_permits())
    }

    pub fn most(&self) -> usize {
        self.most
    }
}

/// A connection; its slot comes free when this is dropped.
#[derive(Debug)]
pub struct Accepted {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub slot: OwnedSemaphorePermit,
}

impl Listener {
    pub async fn bind(address: SocketAddr, max_connections: usize) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self { socket, connections: Connections::up_to(max_connections) })
    }

    pub fn connections(&self) -> Connections {
        self.connections.clone()
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next connection, once there is a slot for it.
    pub async fn accept(&self) -> Accepted {
        let Ok(slot) = Arc::clone(&self.connections.slots).acquire_owned().await else {
            // The semaphore is never closed.
            return std::future::pending().await;
        };
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection keeps its delay");
                    }
                    return Accepted { stream, peer, slot };
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted at the moment");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }
}

/// Whether the failure is of a connection that has gone before it was accepted, and says nothing of the next one.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt as _;

    use super::*;

    // promise N2
    #[tokio::test]
    async fn a_connection_over_the_cap_waits_until_another_one_ends() {
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), 1).await.unwrap();
        let address = listener.local_addr().unwrap();
        let _first_client = TcpStream::connect(address).await.unwrap();
        let first = listener.accept().await;
        assert_eq!((listener.connections().open(), listener.connections().most()), (1, 1));
        let second_client = TcpStream::connect(address).await.unwrap();
        assert!(listener.accept().now_or_never().is_none());
        drop(first);
        assert_eq!(listener.accept().await.peer, second_client.local_addr().unwrap());
    }
}
