//! A client of a list of replicas, as a headless Service gives one: a connection to each, by turns.
//!
//! It does what gRPC asks of every client and no more: it takes a connection for one only once the server has spoken on
//! it, and sends a call again only where the server has certainly not processed it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use prost::Message;

use super::bare::{Bare, framed};

/// More turns than any list has replicas, a few times over.
const MOST_TURNS: usize = 100;

/// Where the replicas are, in the eyes of all clients.
#[derive(Clone, Default)]
pub struct List(Arc<Mutex<Vec<SocketAddr>>>);

impl List {
    pub fn add(&self, address: SocketAddr) {
        self.0.lock().expect("no poison").push(address);
    }

    pub fn remove(&self, address: SocketAddr) {
        self.0.lock().expect("no poison").retain(|it| *it != address);
    }

    fn turn(&self, number: usize) -> SocketAddr {
        let list = self.0.lock().expect("no poison");
        list[number % list.len()]
    }
}

/// A client.
pub struct Balanced {
    list: List,
    connections: HashMap<SocketAddr, Bare>,
    turns: usize,
    /// Calls that were refused as never processed, and sent again.
    pub sent_again: usize,
}

impl Balanced {
    pub fn over(list: &List) -> Self {
        Self { list: list.clone(), connections: HashMap::new(), turns: 0, sent_again: 0 }
    }

    /// Makes a call, and says who answered; fails the test where it is lost, or answered otherwise than well.
    pub async fn call<A: Message + Default>(
        &mut self,
        path: &str,
        bearer: &str,
        message: &impl Message,
    ) -> (A, SocketAddr) {
        for _ in 0..MOST_TURNS {
            self.turns += 1;
            let address = self.list.turn(self.turns);
            let Some(connection) = self.connection(address).await else { continue };
            let mut request = connection.call(path);
            if !bearer.is_empty() {
                let value = format!("Bearer {bearer}").parse().expect("a header's value");
                request.headers_mut().insert("authorization", value);
            }
            match connection.try_send(request, framed(&message.encode_to_vec())).await {
                Ok(answer) if answer.is_ok() => {
                    return (A::decode(&answer.body[5..]).expect("a message"), address);
                }
                Ok(answer) => {
                    let refusal = answer.refusal();
                    assert_eq!(refusal.reason, "HASH_CAPACITY", "{path} failed: {refusal:?}");
                    tokio::time::sleep(refusal.retry_after.expect("a time")).await;
                }
                Err(error) => {
                    assert!(was_never_processed(&error), "a call of {path} was lost: {error:?}");
                    self.connections.remove(&address);
                    self.sent_again += 1;
                }
            }
        }
        panic!("no replica answers {path}");
    }

    /// The connection to this replica; `None` where none is to be had.
    async fn connection(&mut self, address: SocketAddr) -> Option<Bare> {
        if let Some(connection) = self.connections.get(&address) {
            return Some(connection.clone());
        }
        let connection = Bare::connect(address).await.ok()?;
        // Asking for the keys changes nothing: an answer says that somebody is there.
        let greeting = connection.call("/keystead.v1.TokenService/GetJwks");
        let answer = connection.try_send(greeting, framed(&[])).await.ok()?;
        assert!(answer.is_ok(), "{answer:?}");
        self.connections.insert(address, connection.clone());
        Some(connection)
    }
}

/// What a client may send again without a thought (RFC 9113, section 8.7).
pub fn was_never_processed(error: &h2::Error) -> bool {
    error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
        || error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM)
}
