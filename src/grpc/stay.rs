//! How long a stream may go on: until the server drains, or its connection has to go.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use tokio_util::sync::CancellationToken;
use tonic::Status;

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

    /// The messages that a teller has, each asked for only when the one before has been taken, until there are no more or
    /// the stream has to end.
    pub fn tell<W, M, F>(self, teller: W, next: F) -> BoxStream<'static, Result<M, Status>>
    where
        W: Send + 'static,
        M: Send + 'static,
        F: for<'w> Fn(&'w mut W) -> BoxFuture<'w, Result<Option<M>, Status>> + Send + 'static,
    {
        let over: BoxFuture<'static, ()> = Box::pin(self.over());
        let messages = stream::try_unfold((teller, next, over), |(mut teller, next, mut over)| async move {
            let message = tokio::select! {
                biased;
                () = &mut over => Err(ServiceError::Draining { retry_after: RECONNECT_AFTER }.into()),
                message = next(&mut teller) => message,
            };
            Ok(message?.map(|message| (message, (teller, next, over))))
        });
        messages.boxed()
    }
}

#[cfg(test)]
mod tests {
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
}
