//! The link to the database lost between a commit and its answer, or just before the commit: nobody knows what has
//! become of it, and whoever asks again finds the whole of it or nothing.

use keystead::grpc::pb::TokenSet;
use tonic::Code;

use super::told_unavailable;
use crate::harness::{Backend, Client, Failure, Keystead, Link, Loss, Person, Rows, Setup, Way, eventually};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";

/// `CommandComplete` of a single statement, which is a transaction of its own (PostgreSQL, "Message Formats").
const UPDATED: &[u8] = b"C\0\0\0\x0dUPDATE 1\0";
/// The same of a commit.
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";
/// `Query`: what asks for a commit.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// A replica behind a link to its database, which loses what it is told to.
struct Lossy {
    keystead: Keystead,
    link: Link,
    client: Client,
    rows: Rows,
}

impl Lossy {
    async fn start() -> Self {
        let mut keystead = Setup::on(Backend::Postgres).waits_as_promised().replicas(0).start().await;
        let link = keystead.add_replica_behind_a_link().await;
        let (client, rows) = (keystead.client().await, keystead.rows().await);
        Self { keystead, link, client, rows }
    }

    /// The call meets the loss, and says that nobody knows.
    async fn loses<T: std::fmt::Debug>(
        &self,
        (way, words, loss): (Way, &'static [u8], Loss),
        call: impl Future<Output = Result<T, Failure>>,
    ) {
        let before = self.link.losses();
        self.link.lose(way, words, loss);
        told_unavailable("a call whose commit is in doubt", call).await;
        assert!(self.link.losses() > before, "nothing was lost");
        self.link.heal();
    }

    async fn generation(&self) -> i64 {
        self.rows.number("SELECT generation FROM sessions").await
    }
}

// promises R5, R2
async fn a_refresh_is_repeated(loss: Loss) {
    let lossy = Lossy::start().await;
    let person = Person::new("ada");
    let set = person.register(&lossy.client).await.set;
    let refresh = |set: &TokenSet| {
        let (client, token) = (lossy.client.clone(), set.refresh_token.clone());
        async move { client.use_refresh_token(&token).await }
    };
    lossy.loses((Way::Back, UPDATED, loss), refresh(&set)).await;
    assert_eq!(lossy.generation().await, 1, "it was done before the answer was lost");
    let first = in_the_end(|| refresh(&set)).await.expect("tokens");
    let second = in_the_end(|| refresh(&set)).await.expect("tokens");
    assert_eq!(first.refresh_token, second.refresh_token, "the same successor");
    assert_eq!(lossy.generation().await, 1, "and no second one");
    in_the_end(|| refresh(&first)).await.expect("the successor works");
    assert_eq!(lossy.generation().await, 2);
}

// promises R5, R2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_answer_was_cut_off_is_repeated_with_the_same_successor() {
    a_refresh_is_repeated(Loss::Closed).await;
}

// promises R5, R2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_answer_never_comes_is_repeated_with_the_same_successor() {
    a_refresh_is_repeated(Loss::Silent).await;
}

/// Asks again for as long as the service asks to come back: connections of before may be silent, and PostgreSQL ends
/// what they have begun, with its locks, after five seconds.
async fn in_the_end<T, F: Future<Output = Result<T, Failure>>>(ask: impl Fn() -> F) -> Result<T, Failure> {
    eventually("an answer", || {
        let answer = ask();
        async { Some(answer.await).filter(|answer| !answer.as_ref().is_err_and(Failure::is_busy)) }
    })
    .await
}

/// What a registration leaves: the account with its role, the mail, and the event.
async fn what_there_is_of(rows: &Rows, person: &Person) -> [i64; 4] {
    let id = format!("(SELECT id FROM users WHERE email = '{}')", person.email);
    let count = |what: String| async move { rows.number(&format!("SELECT count(*) FROM {what}")).await };
    [
        count(format!("users WHERE id = {id}")).await,
        count(format!("user_roles WHERE user_id = {id}")).await,
        count(format!("audit_events WHERE kind = 'user_created' AND outcome = 'success' AND subject = {id}")).await,
        count(format!("sessions WHERE user_id = {id} AND ended_at IS NULL")).await,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_whose_commit_is_in_doubt_is_there_as_a_whole_or_not_at_all() {
    let lossy = Lossy::start().await;
    for loss in [Loss::Closed, Loss::Silent] {
        let undone = Person::new("undone");
        lossy.loses((Way::There, COMMIT, loss), lossy.client.register(undone.registration())).await;
        assert_eq!(what_there_is_of(&lossy.rows, &undone).await, [0; 4], "nothing, {loss:?}");
        in_the_end(|| lossy.client.register(undone.registration())).await.expect("a new account");
        assert_eq!(what_there_is_of(&lossy.rows, &undone).await, [1; 4], "once and whole, {loss:?}");

        let done = Person::new("done");
        lossy.loses((Way::Back, COMMITTED, loss), lossy.client.register(done.registration())).await;
        let failure = in_the_end(|| lossy.client.register(done.registration())).await.expect_err("it was done");
        failure.is(Code::AlreadyExists, "EMAIL_TAKEN");
        assert_eq!(what_there_is_of(&lossy.rows, &done).await, [1, 1, 1, 0], "all of it, {loss:?}");
        in_the_end(|| done.log_in(&lossy.client)).await.expect("whoever asked twice has the account");
    }
}

/// Asks for a reset and waits for its token.
async fn reset_token(lossy: &Lossy, person: &Person) -> String {
    lossy.client.ask_for_reset(&person.email).await.expect("taken");
    lossy.keystead.mailbox().reset_token(&person.email).await
}

// promises X2, X4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_whose_commit_is_in_doubt_has_changed_all_or_nothing() {
    let lossy = Lossy::start().await;
    let client = &lossy.client;
    for loss in [Loss::Closed, Loss::Silent] {
        let undone = Person::new("undone");
        let set = undone.register(client).await.set;
        let token = reset_token(&lossy, &undone).await;
        lossy.loses((Way::There, COMMIT, loss), client.set_password(&token, NEW_PASSWORD)).await;
        in_the_end(|| client.use_refresh_token(&set.refresh_token)).await.expect("the session goes on");
        in_the_end(|| undone.log_in(client)).await.expect("the former password");
        in_the_end(|| client.set_password(&token, NEW_PASSWORD)).await.expect("the token is not used up");

        let done = Person::new("done");
        let set = done.register(client).await.set;
        let token = reset_token(&lossy, &done).await;
        lossy.loses((Way::Back, COMMITTED, loss), client.set_password(&token, NEW_PASSWORD)).await;
        in_the_end(|| client.log_in(&done.email, NEW_PASSWORD)).await.expect("the new password");
        let former = in_the_end(|| done.log_in(client)).await.expect_err("the former one");
        former.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        let again = in_the_end(|| client.set_password(&token, NEW_PASSWORD)).await.expect_err("used up");
        again.is(Code::Unauthenticated, "INVALID_TOKEN");
        let ended = in_the_end(|| client.use_refresh_token(&set.refresh_token)).await.expect_err("an ended session");
        ended.is(Code::Unauthenticated, "INVALID_TOKEN");
    }
}
