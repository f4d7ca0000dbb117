//! Redis that answers, and does not do what it is asked: emptied, full, no longer the master.

use std::net::SocketAddr;

use tokio::task::block_in_place;

use super::{BUDGET, judged, judged_by_both, limits_are_shared_again, with_shared_limits};
use crate::harness::{Backend, Client, Keystead, Link, Person, Setup, eventually, until};
use crate::support::redis::RedisServer;

/// Whether a replica says that it asks Redis.
async fn asks_redis(keystead: &Keystead, replica: usize) -> bool {
    let page = keystead.replica(replica).get("/metrics", &[]).await.body;
    let value = page.lines().find_map(|line| line.strip_prefix("keystead_redis_available "));
    value.expect("the metric") == "1"
}

/// Both replicas say that their limits are local, while nobody but people with right passwords comes by.
async fn told_as_degraded(keystead: &Keystead, clients: &[Client; 2], person: &Person) {
    for (replica, client) in clients.iter().enumerate() {
        until("the replica to say that limits are local", || async {
            person.log_in(client).await.expect("a login goes on");
            !asks_redis(keystead, replica).await
        })
        .await;
    }
}

/// Each replica still limits, by itself.
async fn limited_locally(clients: &[Client; 2]) {
    for client in clients {
        let email = Person::new("guessed").email;
        assert_eq!(judged(client, &email, 4 * BUDGET).await, BUDGET, "each replica for itself");
    }
}

async fn told_as_healed(keystead: &Keystead, clients: &[Client; 2]) {
    limits_are_shared_again(clients).await;
    for replica in 0..clients.len() {
        assert!(asks_redis(keystead, replica).await, "no longer degraded");
    }
}

// promises L1, L3, R6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_flushed_again_and_again_gives_nobody_a_second_budget() {
    let keystead = with_shared_limits().await;
    let clients = [keystead.client_of(0).await, keystead.client_of(1).await];
    let person = Person::new("steady");
    let set = person.register(&clients[0]).await.set;
    let email = Person::new("guessed").email;
    let mut let_through = [0; 2];
    for _ in 0..3 * BUDGET {
        for (client, let_through) in clients.iter().zip(&mut let_through) {
            block_in_place(|| keystead.servers.flush_redis());
            *let_through += judged(client, &email, 1).await;
            person.log_in(client).await.expect("a login goes on");
        }
    }
    // Redis knows nothing of the guess before; what a replica has let through it remembers by itself.
    assert_eq!(let_through, [BUDGET; 2], "one budget a replica at most");
    clients[1].use_refresh_token(&set.refresh_token).await.expect("the session knows nothing of it");
    told_as_healed(&keystead, &clients).await;
}

// promise L1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_is_full_is_told_as_degraded_limits_stay_and_it_heals() {
    let keystead = with_shared_limits().await;
    let clients = [keystead.client_of(0).await, keystead.client_of(1).await];
    let person = Person::new("steady");
    person.register(&clients[0]).await;
    let redis = keystead.servers.redis.as_ref().expect("Redis");
    assert_eq!(redis.command("CONFIG SET maxmemory-policy noeviction"), "+OK");
    assert_eq!(redis.command("CONFIG SET maxmemory 1"), "+OK");
    assert!(redis.command("SET a b").starts_with("-OOM"), "nothing can be written");
    told_as_degraded(&keystead, &clients, &person).await;
    limited_locally(&clients).await;
    assert_eq!(redis.command("CONFIG SET maxmemory 0"), "+OK");
    told_as_healed(&keystead, &clients).await;
}

/// A master and its replica, behind an address that leads to the master.
struct Failover {
    servers: [RedisServer; 2],
    link: Link,
}

fn address(server: &RedisServer) -> SocketAddr {
    ([127, 0, 0, 1], server.port()).into()
}

impl Failover {
    async fn start() -> Self {
        let servers = block_in_place(|| [RedisServer::start(), RedisServer::start()]);
        let link = Link::to(address(&servers[0])).await;
        let failover = Self { servers, link };
        failover.follow(1, 0).await;
        failover
    }

    /// Makes one the replica of the other, and waits until it has all that the other has.
    async fn follow(&self, replica: usize, master: usize) {
        let [replica, master] = [replica, master].map(|number| &self.servers[number]);
        assert_eq!(replica.command(&format!("REPLICAOF 127.0.0.1 {}", master.port())), "+OK");
        eventually("the replica to follow", || async {
            master.command("INCR followed");
            (replica.command("EXISTS followed") == ":1").then_some(())
        })
        .await;
    }

    /// The replica takes over, and the address leads there; whoever is connected to the former master stays so.
    async fn fail_over(&self) {
        assert_eq!(self.servers[1].command("REPLICAOF NO ONE"), "+OK");
        self.follow(0, 1).await;
        assert!(self.servers[0].command("SET a b").starts_with("-READONLY"), "the former master follows");
    }
}

// promises L1, R6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_failed_over_is_followed_though_the_former_master_goes_on_as_a_replica() {
    let failover = Failover::start().await;
    let keystead = Setup::on(Backend::Postgres)
        .waits_as_promised()
        .replicas(2)
        .with("redis.url", &format!("'redis://{}'", failover.link.address()))
        .with("limits.per_account_and_source_burst", &BUDGET.to_string())
        .with("limits.per_account_and_source_period", "\"1h\"")
        .start()
        .await;
    let clients = [keystead.client_of(0).await, keystead.client_of(1).await];
    let person = Person::new("steady");
    let set = person.register(&clients[0]).await.set;
    limits_are_shared_again(&clients).await;

    failover.fail_over().await;
    told_as_degraded(&keystead, &clients, &person).await;
    limited_locally(&clients).await;
    clients[1].use_refresh_token(&set.refresh_token).await.expect("the session knows nothing of it");

    failover.link.lead_to(address(&failover.servers[1]));
    told_as_healed(&keystead, &clients).await;
    let spent = Person::new("guessed").email;
    assert_eq!(judged(&clients[0], &spent, BUDGET).await, BUDGET);
    assert_eq!(judged(&clients[1], &spent, 1).await, 0, "counted where both look");
    assert_eq!(judged_by_both(&clients).await, BUDGET);
}
