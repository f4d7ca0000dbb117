use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::service::testing::World;

/// Word that a test sends.
#[derive(Default)]
struct Word(Notify);

#[async_trait]
impl RevocationSignal for Word {
    async fn announce(&self) {
        self.0.notify_one();
    }

    async fn heard(&self) {
        self.0.notified().await;
    }
}

/// Lets the loop run until every revocation is known as of now.
async fn until_complete(world: &World) {
    while world.revocations.fresh() != Ok(world.clock.now()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_loop_reads_at_the_start_and_when_told_and_ends_when_cancelled() {
    let world = World::new().await;
    let signal = Arc::new(Word::default());
    let (table, state) = (Arc::new(world.store.clone()), world.revocations.clone());
    let an_hour = Duration::from_hours(1);
    let reader = ReadRevocations::new(table, signal.clone(), state, world.clock.clone(), an_hour);
    let cancelled = CancellationToken::new();
    let told = cancelled.clone();
    let running = tokio::spawn(async move { reader.run(told).await });
    until_complete(&world).await;
    world.advance(Duration::from_secs(1));
    signal.announce().await;
    until_complete(&world).await;
    cancelled.cancel();
    running.await.unwrap();
}
