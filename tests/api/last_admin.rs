//! Two administrators who demote each other at once, again and again, over two replicas.

use keystead::grpc::pb::{ListRolesRequest, User};
use tonic::Code;

use crate::harness::{Backend, Client, Keystead, Person, Setup, on_each_backend};
use crate::rights::{disable, enable, grant, revoke};

const ROUNDS: usize = 200;

/// An administrator on a replica of their own.
struct Administrator {
    person: Person,
    user: User,
    client: Client,
    /// With the newest of their tokens.
    bearing: Client,
}

impl Administrator {
    async fn new(keystead: &Keystead, name: &str, client: Client) -> Self {
        let person = Person::new(name);
        let (bearing, user) = person.register_as_administrator(keystead, &client).await;
        Self { person, user, client, bearing }
    }

    async fn demote(&self, other: &Self, round: usize) -> Result<(), (Code, String)> {
        let answer = if round.is_multiple_of(2) {
            self.bearing.revoke_role(revoke(&other.user, "admin")).await.map(drop)
        } else {
            self.bearing.disable_user(disable(&other.user)).await.map(drop)
        };
        answer.map_err(|failure| (failure.code, failure.reason))
    }

    async fn restore(&self, other: &mut Self, round: usize) {
        if round.is_multiple_of(2) {
            self.bearing.grant_role(grant(&other.user, "admin")).await.expect("granted");
        } else {
            self.bearing.enable_user(enable(&other.user)).await.expect("enabled");
        }
        let tokens = other.person.log_in(&other.client).await.expect("tokens");
        other.bearing = other.client.bearing(&tokens.access_token);
    }

    async fn still_is_one(&self) -> bool {
        self.bearing.list_roles(ListRolesRequest {}).await.is_ok()
    }
}

/// Whoever lost was refused as the last one, or had lost role or bearer before the call was let in.
fn is_definite(refusal: &(Code, String)) -> bool {
    [
        (Code::FailedPrecondition, "LAST_ADMIN"),
        (Code::PermissionDenied, "ROLE_REQUIRED"),
        (Code::Unauthenticated, "BEARER_REQUIRED"),
    ]
    .iter()
    .any(|(code, reason)| refusal.0 == *code && refusal.1 == *reason)
}

// promise A4
async fn of_two_who_demote_each_other_one_stays_in_every_round(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let mut ada = Administrator::new(&keystead, "ada", here).await;
    let mut bob = Administrator::new(&keystead, "bob", there).await;
    let rows = keystead.rows().await;
    for round in 0..ROUNDS {
        let (by_ada, by_bob) = tokio::join!(ada.demote(&bob, round), bob.demote(&ada, round));
        let left = rows
            .number(
                "SELECT count(*) FROM user_roles r JOIN users u ON u.id = r.user_id \
                 WHERE r.role = 'admin' AND u.state = 'active'",
            )
            .await;
        assert_eq!(left, 1, "round {round}: {by_ada:?} {by_bob:?}");
        match (by_ada, by_bob) {
            (Ok(()), Err(refusal)) if is_definite(&refusal) => {
                assert!(ada.still_is_one().await, "round {round}");
                ada.restore(&mut bob, round).await;
            }
            (Err(refusal), Ok(())) if is_definite(&refusal) => {
                assert!(bob.still_is_one().await, "round {round}");
                bob.restore(&mut ada, round).await;
            }
            outcomes => panic!("round {round}: {outcomes:?}"),
        }
    }
}

on_each_backend!(of_two_who_demote_each_other_one_stays_in_every_round);
