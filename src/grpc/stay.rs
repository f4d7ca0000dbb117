//! How long a stream may go on: until the server drains, or its connection has to go.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use super::status;
use crate::service::error::ServiceError;

/// When to connect again, to another replica.
const RECONNECT_AFTER: Duration = Duration::from_millis(500);

/// Word of when streams end.
#[derive(Clone)]
pub struct Stay {
    /// Cancelled when the server drains.
    pub drain: CancellationToken,
    /// The age at which connections are asked to go. A stream that began before that ends by itself before its
    /// connection is cut off, at twice that age.
    pub longest: Duration,
}

impl Stay {
    /// Waits until a stream that begins now has to end.
    pub async fn over(self) {
        // Either end is one: which one it was makes no difference.
        self.drain.run_until_cancelled(tokio::time::sleep(self.longest)).await.unwrap_or_default();
    }

    /// The messages that a teller has, each begun only when the one before has been taken, until there are no more or the
    /// stream has to end.
    ///
    /// What has been begun is brought to its end whether or not anybody looks: of a client who does not read, nobody
    /// would, and what is under way may hold a connection of the database, or its only writer.
    pub fn tell<W, M, F>(self, mut teller: W, next: F) -> BoxStream<'static, Result<M, Status>>
    where
        W: Send + 'static,
        M: Send + 'static,
        F: for<'w> Fn(&'w mut W) -> BoxFuture<'w, Result<Option<M>, Status>> + Send + 'static,
    {
        let (sender, messages) = mpsc::channel(1);
        let telling = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut over = pin!(self.over());
            while let Ok(room) = sender.reserve().await {
                let message = tokio::select! {
                    biased;
                    () = over.as_mut() => Err(ServiceError::Draining { retry_after: RECONNECT_AFTER }.into()),
                    message = next(&mut teller) => message,
                };
                let Some(message) = message.transpose() else { return };
                let is_last = message.is_err();
                room.send(message);
                if is_last {
                    return;
                }
            }
        }));
        let told = stream::unfold(Some((messages, telling)), |telling| async move {
            let (mut messages, telling) = telling?;
            match messages.recv().await {
                Some(message) => Some((message, Some((messages, telling)))),
                // The panic hook has told the place.
                None => telling.await.is_err().then(|| (Err(status::internal()), None)),
            }
        });
        told.boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    // promise N7
    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_with_its_server_or_with_its_time() {
        let drain = CancellationToken::new();
        let stay = Stay { drain: drain.clone(), longest: HOUR };
        assert!(tokio::time::timeout(HOUR / 2, stay.clone().over()).await.is_err());
        assert!(tokio::time::timeout(HOUR * 2, stay.clone().over()).await.is_ok());
        drain.cancel();
        assert!(tokio::time::timeout(Duration::ZERO, stay.over()).await.is_ok());
    }

    fn staying() -> Stay {
        Stay { drain: CancellationToken::new(), longest: HOUR }
    }

    // promise N4
    #[tokio::test(start_paused = true)]
    async fn what_has_been_begun_is_done_though_nobody_takes_it_and_no_more_is_begun() {
        // How many messages have been begun, and how many are done.
        let counts = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let counted = Arc::clone(&counts);
        let mut told = staying().tell(counted, |counted| {
            Box::pin(async {
                counted[0].fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Some(counted[1].fetch_add(1, Ordering::SeqCst)))
            })
        });
        assert_eq!(told.next().await.unwrap().unwrap(), 0);
        // As an encoder looks whether there is more before it sends what it has.
        assert!(futures_util::poll!(told.next()).is_pending());
        tokio::time::sleep(HOUR / 2).await;
        assert_eq!([0, 1].map(|place: usize| counts[place].load(Ordering::SeqCst)), [2, 2]);
        assert_eq!(told.next().await.unwrap().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_given_up_ends_what_it_has_begun_and_a_panic_is_no_good_end() {
        let dropped = CancellationToken::new();
        let guard = dropped.clone().drop_guard();
        let mut told = staying().tell(guard, |_| Box::pin(std::future::pending::<Result<Option<()>, Status>>()));
        assert!(futures_util::poll!(told.next()).is_pending());
        drop(told);
        tokio::time::timeout(HOUR, dropped.cancelled()).await.expect("the end of what was begun");

        let mut told = staying().tell((), |()| Box::pin(async { Err::<Option<()>, _>(panic_of_a_test()) }));
        assert_eq!(told.next().await.unwrap().unwrap_err().code(), tonic::Code::Internal);
        assert!(told.next().await.is_none());
    }

    fn panic_of_a_test() -> Status {
        panic!("a test wants it so")
    }
}
