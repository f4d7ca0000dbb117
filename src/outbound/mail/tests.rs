//! The mailers against a folder and against a server of a few lines.

mod sink;

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::id::MailId;
use crate::domain::mail::{MailError, MailMessage};
use sink::Sink;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

const LINK: &str =
    "https://auth.example.com/reset?token=kst_rst_aGVsbG8gd29ybGQgdGhpcyBpcyBhIHZlcnkgbG9uZyB0b2tlbiBpbmRlZWQ";

fn message() -> MailMessage {
    MailMessage {
        id: MailId::from_uuid(Uuid::from_u128(0x018b_cfe5_6800_7000_8000_0000_0000_0001)),
        to: Email::parse("ada@example.org").unwrap(),
        subject: "Set a new password".to_owned(),
        text: format!("Open this link:\n\n{LINK}\n"),
        html: format!("<p>Grüße</p><p><a href=\"{LINK}\">Set a new password</a></p>"),
    }
}

fn settings(delivery: Delivery) -> Settings {
    Settings { delivery, from: "Keystead <no-reply@example.com>".to_owned(), authorities: None }
}

fn by_smtp(url: &str) -> Settings {
    settings(Delivery::Smtp(Zeroizing::new(url.to_owned())))
}

async fn send(settings: &Settings, message: &MailMessage) -> Result<(), MailError> {
    mailer(settings, Arc::new(FixedClock)).unwrap().send(message).await
}

async fn written(message: &MailMessage) -> String {
    let folder = tempfile::tempdir().unwrap();
    send(&settings(Delivery::Files(folder.path().join("outbox"))), message).await.unwrap();
    let path = folder.path().join("outbox").join(format!("{}.eml", message.id));
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_file_shows_the_link_in_one_piece() {
    let mail = written(&message()).await;
    assert_eq!(mail.lines().filter(|line| *line == LINK).count(), 1, "{mail}");
    assert_eq!(mail.matches(LINK).count(), 2, "{mail}");
    assert!(mail.contains("Grüße"), "{mail}");
}

#[tokio::test]
async fn the_headers_say_who_when_which_and_that_nobody_typed_it() {
    let mail = written(&message()).await;
    for header in [
        "From: Keystead <no-reply@example.com>\r\n",
        "To: ada@example.org\r\n",
        "Subject: Set a new password\r\n",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
        "Message-ID: <018bcfe5-6800-7000-8000-000000000001@example.com>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: multipart/alternative;",
    ] {
        assert!(mail.contains(header), "{header} is missing: {mail}");
    }
}

#[tokio::test]
async fn a_line_break_in_a_subject_begins_no_header() {
    let subject = "Hello\r\nBcc: eve@example.com\n\nBcc: eve@example.com";
    let mail = written(&MailMessage { subject: subject.to_owned(), ..message() }).await;
    assert!(mail.contains("Subject: Hello"), "{mail}");
    assert!(!mail.lines().any(|line| line.starts_with("Bcc")), "{mail}");
}

#[tokio::test]
async fn files_belong_to_their_owner_alone_and_come_whole() {
    // promise S3
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().join("data/outbox");
    let settings = settings(Delivery::Files(outbox.clone()));
    for _ in 0..2 {
        send(&settings, &message()).await.unwrap();
    }
    let names: Vec<_> = std::fs::read_dir(&outbox).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names, [outbox.join("018bcfe5-6800-7000-8000-000000000001.eml")]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&outbox), mode(&names[0])), (0o700, 0o600));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_worth_another_try() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let delivery = Delivery::Files(file.path().join("outbox"));
    assert_eq!(send(&settings(delivery), &message()).await, Err(MailError::Transient));
}

#[tokio::test]
async fn a_server_gets_the_mail_in_seven_bits() {
    let sink = Sink::start("250 ok").await;
    assert_eq!(send(&by_smtp(&format!("{}?tls=none", sink.url())), &message()).await, Ok(()));
    let transcript = sink.transcript();
    assert!(transcript.contains("MAIL FROM:<no-reply@example.com>"), "{transcript}");
    assert!(transcript.contains("RCPT TO:<ada@example.org>"), "{transcript}");
    assert!(transcript.lines().any(|line| line == LINK), "{transcript}");
    assert!(transcript.is_ascii(), "{transcript}");
}

#[tokio::test]
async fn only_a_refusal_of_the_mail_itself_is_final() {
    for (answer, expected) in [
        ("550 no such user", MailError::Permanent),
        ("554 policy", MailError::Permanent),
        ("450 mailbox busy", MailError::Transient),
        ("421 going down", MailError::Transient),
        ("530 STARTTLS first", MailError::Transient),
        ("535 wrong password", MailError::Transient),
        ("gibberish", MailError::Transient),
    ] {
        let sink = Sink::start(answer).await;
        let url = format!("{}?tls=none", sink.url());
        assert_eq!(send(&by_smtp(&url), &message()).await, Err(expected), "{answer}");
    }
}

#[tokio::test]
async fn without_starttls_not_a_word_of_the_mail_leaves() {
    let sink = Sink::start("250 ok").await;
    for url in [sink.url(), format!("{}?tls=required", sink.url())] {
        assert_eq!(send(&by_smtp(&url), &message()).await, Err(MailError::Transient));
    }
    assert!(!sink.transcript().contains("MAIL"), "{}", sink.transcript());
}

#[tokio::test]
async fn a_server_that_is_away_is_worth_another_try() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert_eq!(
        send(&by_smtp(&format!("smtp://127.0.0.1:{port}?tls=none")), &message()).await,
        Err(MailError::Transient)
    );
}

#[test]
fn settings_name_every_fault_and_no_value() {
    let faults = |url: &str, from: &str| Settings { from: from.to_owned(), ..by_smtp(url) }.validate();
    for url in [
        "smtp://mail.example.com",
        "smtps://u:p%40ss@mail.example.com:465",
        "smtp://u:p@mail.example.com?tls=required",
        "smtp://localhost:2525?tls=none",
        "smtp://[::1]:2525?tls=none",
    ] {
        assert_eq!(faults(url, "a@example.com"), [], "{url}");
    }
    for url in [
        "",
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com?tls=none",
        "smtp://mail.example.com?tls=opportunistic",
        "smtps://mail.example.com?tls=none",
        "smtp://localhost.example?tls=none",
    ] {
        assert_eq!(faults(url, "a@example.com"), [SettingsFault::Url], "{url}");
    }
    assert_eq!(faults("", "nobody"), [SettingsFault::From, SettingsFault::Url]);
    assert!(!format!("{:?}", by_smtp("smtp://user:canary@mail.example.com")).contains("canary"));
}
