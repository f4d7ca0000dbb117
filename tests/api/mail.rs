//! The outbox, with a mail server that comes and goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keystead::grpc::pb;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Endpoint;

use crate::harness::mailbox::RESET;
use crate::harness::smtp::{MailServer, smtp_url};
use crate::harness::{Backend, Keystead, Person, Setup, on_each_backend, until};
use crate::support::process::free_port;

/// What the settings say; a header says otherwise.
const LINK: &str = "https://accounts.example.com/new-password#token=";

/// A reset mail that was tried; with a condition, since the table holds other mails too.
const SEALED_RESET: &str = "outbox WHERE kind = 'password_reset' AND sealed IS NOT NULL";

fn setup(backend: Backend, port: u16) -> Setup {
    Setup::on(backend)
        .with("mail.smtp_url", &format!("'{}'", smtp_url(port)))
        .with("mail.reset_link", "\"https://accounts.example.com/new-password\"")
}

/// The tokens of the reset mails that have come for somebody.
fn resets(server: &MailServer, person: &Person) -> Vec<String> {
    server.to(&person.email).iter().filter_map(|mail| mail.token(RESET)).collect()
}

async fn outbox_is_empty(keystead: &Keystead) {
    let records = keystead.records().await;
    until("an empty outbox", || async { records.count("outbox").await == 0 }).await;
}

async fn mail_waits_for_its_server_and_a_restart_loses_nothing(backend: Backend) {
    let port = free_port();
    let mut keystead = setup(backend, port).start().await;
    let client = keystead.client().await;
    let person = Person::new("waiting");
    person.register(&client).await;
    client.ask_for_reset(&person.email).await.expect("taken, though the mail server is away");
    person.log_in(&client).await.expect("a login never notices");
    let records = keystead.records().await;
    until("a try to deliver", || async { records.count(SEALED_RESET).await == 1 }).await;
    keystead.restart().await;
    let client = keystead.client().await;
    let server = MailServer::start(port).await;
    assert_eq!(records.count(SEALED_RESET).await, 1, "the mail is still there after a restart");
    until("the mail", || async {
        // Towards the next try, and not so fast that the token in the mail expires.
        keystead.clock.advance(Duration::from_secs(1));
        !resets(&server, &person).is_empty()
    })
    .await;
    outbox_is_empty(&keystead).await;
    let tokens = resets(&server, &person);
    assert_eq!(tokens.len(), 1, "one mail for one request");
    client.set_password(&tokens[0], "fresh paint on the boathouse").await.expect("the token works");
}

// promise X5
async fn a_mail_has_text_and_html_and_its_link_stands_on_the_configured_base(backend: Backend) {
    let port = free_port();
    let server = MailServer::start(port).await;
    let keystead = setup(backend, port).start().await;
    let person = Person::new("reader");
    person.register(&keystead.client().await).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", keystead.replica(0).grpc)).expect("an address");
    let origin = "https://evil.example.net".parse().expect("an origin");
    let channel = endpoint.origin(origin).connect().await.expect("a connection");
    let mut request = tonic::Request::new(pb::RequestResetRequest { email: person.email.clone() });
    for header in ["x-forwarded-host", "x-forwarded-proto", "forwarded", "origin", "referer", "x-original-url"] {
        request.metadata_mut().insert(header, "host=evil.example.net".parse().expect("a value"));
    }
    AuthServiceClient::new(channel).request_reset(request).await.expect("taken");
    until("the mail", || async { !resets(&server, &person).is_empty() }).await;
    let mail = server.to(&person.email).into_iter().find(|mail| mail.token(RESET).is_some()).expect("a reset mail");
    let token = mail.token(RESET).expect("a token");
    assert!(mail.raw.contains("Content-Type: text/plain"), "{}", mail.raw);
    assert!(mail.raw.contains("Content-Type: text/html"), "{}", mail.raw);
    let link = format!("{LINK}{token}");
    assert!(mail.text.lines().any(|line| line == link), "a line for the link alone: {}", mail.text);
    assert!(mail.text.contains(&format!("<a href=\"{link}\">")), "{}", mail.text);
    assert!(!mail.raw.contains("evil"), "{}", mail.raw);
}

// promise L6
async fn an_owner_gets_three_reset_mails_an_hour_at_most(backend: Backend) {
    let port = free_port();
    let server = MailServer::start(port).await;
    let keystead = setup(backend, port).start().await;
    let client = keystead.client().await;
    let person = Person::new("flooded");
    person.register(&client).await;
    for _ in 0..6 {
        client.ask_for_reset(&person.email).await.expect("taken, whatever comes of it");
    }
    outbox_is_empty(&keystead).await;
    assert_eq!(resets(&server, &person).len(), 3);
    keystead.clock.advance(Duration::from_mins(61));
    let client = keystead.client().await;
    client.ask_for_reset(&person.email).await.expect("taken");
    until("a fourth mail an hour later", || async { resets(&server, &person).len() == 4 }).await;
}

// promises L5, L6
async fn only_an_owner_is_written_to_and_at_the_address_that_is_stored(backend: Backend) {
    let port = free_port();
    let server = MailServer::start(port).await;
    let keystead = setup(backend, port).start().await;
    let client = keystead.client().await;
    let (owner, nobody) = (Person::new("owner"), Person::new("nobody"));
    owner.register(&client).await;
    client.ask_for_reset(&nobody.email).await.expect("the same answer");
    client.ask_for_reset(&owner.email.to_uppercase()).await.expect("the same answer");
    outbox_is_empty(&keystead).await;
    let strangers: Vec<_> = server.all().into_iter().filter(|(recipient, _)| *recipient != owner.email).collect();
    assert!(strangers.is_empty(), "nobody else is written to, nor an address as it was typed: {strangers:?}");
    assert_eq!(resets(&server, &owner).len(), 1);
}

// promise S1
async fn a_sealed_mail_shows_no_token_and_is_erased_on_delivery(backend: Backend) {
    let port = free_port();
    let keystead = setup(backend, port).start().await;
    let client = keystead.client().await;
    let person = Person::new("sealed");
    person.register(&client).await;
    client.ask_for_reset(&person.email).await.expect("taken");
    let records = keystead.records().await;
    until("a sealed mail", || async { records.count(SEALED_RESET).await == 1 }).await;
    let at_rest = records.dump().await.to_lowercase();
    let server = MailServer::start(port).await;
    until("the mail", || async {
        // Towards the next try, and not so fast that the token in the mail expires.
        keystead.clock.advance(Duration::from_secs(1));
        !resets(&server, &person).is_empty()
    })
    .await;
    let token = resets(&server, &person).remove(0);
    let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(!at_rest.contains(&hex) && !at_rest.contains(&token.to_lowercase()), "a token at rest");
    outbox_is_empty(&keystead).await;
}

/// A mail server that takes connections and says nothing; how many of them are open.
async fn silent_server(port: u16) -> Arc<AtomicUsize> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    let open = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&open);
    let hold = |mut stream: TcpStream, count: Arc<AtomicUsize>| async move {
        count.fetch_add(1, Ordering::SeqCst);
        let end = stream.read_to_end(&mut Vec::new()).await;
        count.fetch_sub(1, Ordering::SeqCst);
        end
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(hold(stream, Arc::clone(&count)));
        }
    });
    open
}

async fn a_silent_server_is_sent_eight_mails_at_once(backend: Backend) {
    let port = free_port();
    let keystead = setup(backend, port).start().await;
    let client = keystead.client().await;
    for _ in 0..12 {
        Person::new("waiting").register(&client).await;
    }
    let records = keystead.records().await;
    until("a try of each", || async { records.count("outbox WHERE sealed IS NOT NULL").await == 12 }).await;
    let open = silent_server(port).await;
    // Beyond the next try of each.
    keystead.clock.advance(Duration::from_mins(3));
    until("eight mails under way", || async { open.load(Ordering::SeqCst) == 8 }).await;
}

on_each_backend!(
    a_silent_server_is_sent_eight_mails_at_once,
    mail_waits_for_its_server_and_a_restart_loses_nothing,
    a_mail_has_text_and_html_and_its_link_stands_on_the_configured_base,
    an_owner_gets_three_reset_mails_an_hour_at_most,
    only_an_owner_is_written_to_and_at_the_address_that_is_stored,
    a_sealed_mail_shows_no_token_and_is_erased_on_delivery,
);
