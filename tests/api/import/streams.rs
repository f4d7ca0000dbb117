//! Imports that stand still, that nobody reads, and that run at once.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::client::ResponseFuture;
use keystead::grpc::pb::{ImportStatus, ImportUsersRequest, ImportUsersResponse, LogoutScope, UserImport};
use prost::Message as _;
use tonic::{Code, Status};

use super::{administered, row};
use crate::harness::bare::{Bare, framed};
use crate::harness::import::Import;
use crate::harness::{Backend, Failure, Keystead, PROMISED, Person, Setup, on_each_backend, within};

const IMPORT_USERS: &str = "/keystead.v1.AdminService/ImportUsers";
/// As many rows as a message may have.
const MANY: usize = 500;
/// More rows than a server whose answers nobody reads could take in without keeping the answers somewhere.
const MOST_UNREAD: i64 = 20_000;
/// More messages than its windows have room for.
const MOST_MESSAGES: usize = 200;

fn people(name: &str) -> Vec<UserImport> {
    (0..MANY).map(|number| row(&format!("{name}-{number}"), &format!("{name}{number}@example.com"))).collect()
}

async fn accounts(keystead: &Keystead) -> i64 {
    keystead.rows().await.number("SELECT count(*) FROM users").await
}

// promise T8
async fn an_import_that_stands_still_ends_with_its_callers_session(backend: Backend) {
    let (keystead, _, root) = administered(backend).await;
    let client = keystead.client().await;
    let tokens = root.log_in(&client).await.expect("tokens");
    let mut import = Import::begin(&client.bearing(&tokens.access_token)).await.expect("begun");
    import.send(vec![row("1", &Person::new("ada").email)]).await.expect("results");
    client.log_out(&tokens.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    let ended = within(PROMISED, "the end of the import", import.answer()).await;
    ended.expect_err("the session has ended").is(Code::Unauthenticated, "BEARER_REQUIRED");
}

async fn of_two_imports_of_the_same_rows_at_once_each_row_is_created_by_one(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &keystead.client().await).await;
    let [here, there] = keystead.pair().await.map(|client| admin.on(&client));
    // The other way round, so that each holds what the other waits for, if anything is held.
    let (rows, mut reversed) = (people("ada"), people("ada"));
    reversed.reverse();
    let (first, second) = tokio::join!(here.import(rows), there.import(reversed));
    let (first, mut second) = (first.expect("results"), second.expect("results"));
    second.reverse();
    let mut statuses = BTreeMap::new();
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one.user_id, other.user_id, "both know the same account");
        let mut pair = [one.status(), other.status()];
        pair.sort_unstable();
        *statuses.entry(pair).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([([ImportStatus::Created, ImportStatus::Exists], MANY)]));
    assert_eq!(accounts(&keystead).await, i64::try_from(MANY).expect("few") + 1);
}

/// An import by a client that reads only when it is told to.
struct Unread {
    response: ResponseFuture,
    rows: SendStream<Bytes>,
}

impl Unread {
    async fn begin(keystead: &Keystead, access_token: &str) -> Self {
        let bare = Bare::connect(keystead.replica(0).grpc).await.expect("a connection");
        let mut request = bare.call(IMPORT_USERS);
        request.headers_mut().insert("authorization", format!("Bearer {access_token}").parse().expect("a value"));
        let (response, rows) = bare.begin(request).await.expect("a begun call");
        Self { response, rows }
    }

    /// Sends until the server takes no more, neither bytes nor rows; how many messages went.
    async fn fill(&mut self, keystead: &Keystead) -> usize {
        let mut before = 0;
        for number in 0..MOST_MESSAGES {
            let users = people(&format!("wave{number}-"));
            let mut bytes = Bytes::from(framed(&ImportUsersRequest { users }.encode_to_vec()));
            while !bytes.is_empty() {
                self.rows.reserve_capacity(bytes.len());
                let more = tokio::time::timeout(STANDSTILL, poll_fn(|context| self.rows.poll_capacity(context))).await;
                let Ok(more) = more else {
                    let now = accounts(keystead).await;
                    if now == before {
                        return number;
                    }
                    before = now;
                    continue;
                };
                let room = more.expect("an open stream").expect("room");
                self.rows.send_data(bytes.split_to(room.min(bytes.len())), false).expect("an open stream");
            }
        }
        MOST_MESSAGES
    }

    /// Reads everything; how many rows were answered, and how it ended.
    async fn read(self) -> (usize, Failure) {
        let (_, mut stream) = self.response.await.expect("a response").into_parts();
        let (mut bytes, mut answered) = (Vec::new(), 0);
        while let Some(data) = stream.data().await {
            let data = data.expect("an open stream");
            stream.flow_control().release_capacity(data.len()).expect("what was taken");
            bytes.extend_from_slice(&data);
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[1..5].try_into().expect("four bytes"));
            let (message, more) = rest[5..].split_at(usize::try_from(length).expect("a length"));
            answered += ImportUsersResponse::decode(message).expect("a message").results.len();
            rest = more;
        }
        let trailers = stream.trailers().await.expect("an end").expect("a status");
        (answered, Failure::checked(Status::from_header_map(&trailers).expect("a status")))
    }
}

/// How long a server may do nothing before it is taken to wait for its reader.
const STANDSTILL: Duration = Duration::from_secs(3);

// promise T8
async fn an_import_that_nobody_reads_takes_in_no_more_and_nothing_after_its_callers_session(backend: Backend) {
    let (keystead, _, root) = administered(backend).await;
    let client = keystead.client().await;
    let tokens = root.log_in(&client).await.expect("tokens");
    let mut import = Unread::begin(&keystead, &tokens.access_token).await;
    let sent = import.fill(&keystead).await;
    let taken = accounts(&keystead).await;
    assert!(taken < MOST_UNREAD, "{taken} rows of {sent} messages are in, and no answer was read");
    root.log_in(&client).await.expect("everybody else is served");
    client.log_out(&tokens.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    let (answered, end) = import.read().await;
    end.is(Code::Unauthenticated, "BEARER_REQUIRED");
    assert!(answered > 0 && answered < sent * MANY, "{answered} of {sent} messages");
    assert_eq!(accounts(&keystead).await, i64::try_from(answered).expect("few") + 1, "all that is in was told");
}

on_each_backend!(
    an_import_that_stands_still_ends_with_its_callers_session,
    of_two_imports_of_the_same_rows_at_once_each_row_is_created_by_one,
    an_import_that_nobody_reads_takes_in_no_more_and_nothing_after_its_callers_session,
);
