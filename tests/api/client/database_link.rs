//! A replica whose link to the database is silent: what it can still hear of, and what it no longer claims to know.

use keystead::grpc::pb::TokenSet;
use keystead_client::{Ignorance, KeysteadClient, Outcome, StalePolicy};

use super::{LIMIT, accepts, builder, following, is_good_at, is_refused_everywhere_in_time, outcome, prepared};
use crate::harness::{Backend, Client, Keystead, Link, Person, Setup, until};

/// Two replicas, the second behind a link to the database; clients of both, and two sessions.
struct Cut {
    keystead: Keystead,
    link: Link,
    here: Client,
    there: Client,
    tokens: [TokenSet; 2],
}

impl Cut {
    async fn on(backend: Backend) -> Self {
        let mut keystead = Setup::on(backend).waits_as_promised().start().await;
        let link = keystead.add_replica_behind_a_link().await;
        let [here, there] = keystead.pair().await;
        let ada = Person::new("ada");
        let tokens = [ada.register(&here).await.set, ada.log_in(&here).await.expect("tokens")];
        Self { keystead, link, here, there, tokens }
    }

    /// Clients of the replica behind the link, by each policy; refusing, asking, accepting.
    async fn clients(&self) -> [KeysteadClient; 3] {
        let (_, credentials) = prepared(&self.keystead).await;
        let address = self.keystead.replica(1).grpc;
        let refusing = following(address, &credentials).await;
        let asking = builder(address, &credentials).when_stale(StalePolicy::FallBackToVerifyToken).start();
        let accepting = builder(address, &credentials).when_stale(StalePolicy::AcceptUntilExpiry).start();
        for client in [&asking, &accepting] {
            client.ready().await;
        }
        [refusing, asking, accepting]
    }
}

async fn a_replica_cut_off_from_its_database_soon_vouches_for_nothing_and_heals(backend: Backend) {
    let cut = Cut::on(backend).await;
    let [refusing, asking, accepting] = cut.clients().await;
    assert!(is_good_at(&cut.there, &cut.tokens[0]).await);
    cut.link.hold();
    is_refused_everywhere_in_time(&cut.here, &cut.tokens[0], &[&refusing], &cut.there, LIMIT).await;
    until("the replica to vouch for nothing", || async { !is_good_at(&cut.there, &cut.tokens[1]).await }).await;
    // The session still goes on: only nobody there can know.
    assert_eq!(outcome(&refusing, &cut.tokens[1]).await, Outcome::Unknown(Ignorance::StaleFeed));
    until("the one that asks to have no answer", || async {
        outcome(&asking, &cut.tokens[1]).await == Outcome::Unknown(Ignorance::NoAnswer)
    })
    .await;
    assert!(accepts(&accepting, &cut.tokens[1]).await, "as its policy says");
    cut.link.heal();
    until("the replica to know again", || is_good_at(&cut.there, &cut.tokens[1])).await;
    assert!(!is_good_at(&cut.there, &cut.tokens[0]).await, "heard of after the fact");
    for client in [&refusing, &asking, &accepting] {
        until("the client to know again", || async { accepts(client, &cut.tokens[1]).await }).await;
        until("the client to refuse", || async { !accepts(client, &cut.tokens[0]).await }).await;
    }
}

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_a_replica_cut_off_from_its_database_vouches_for_nothing() {
    a_replica_cut_off_from_its_database_soon_vouches_for_nothing_and_heals(Backend::Postgres).await;
}

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_it_vouches_for_nothing_either_for_the_table_alone_is_the_truth() {
    a_replica_cut_off_from_its_database_soon_vouches_for_nothing_and_heals(Backend::PostgresRedis).await;
}
