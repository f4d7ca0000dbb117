//! Templates of the operator's own, and languages.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::mailbox::RESET;
use crate::harness::{Backend, Keystead, Person, Program, Setup, on_each_backend};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a made folder");
        fs::write(path, text).expect("a written file");
    }
    folder
}

fn setup(backend: Backend, folder: &Path, language: &str) -> Setup {
    Setup::on(backend)
        .with("mail.templates", &format!("'{}'", folder.display()))
        .with("mail.language", &format!("'{language}'"))
}

async fn speaks(keystead: &Keystead, person: &Person, language: &str) {
    let records = keystead.records().await;
    records.execute(&format!("UPDATE users SET language = '{language}' WHERE email = '{}'", person.email)).await;
}

/// The words of a reset mail to somebody who has chosen a language.
async fn reset_in(keystead: &Keystead, language: &str) -> String {
    let client = keystead.client().await;
    let person = Person::new("reader");
    person.register(&client).await;
    speaks(keystead, &person, language).await;
    client.ask_for_reset(&person.email).await.expect("taken");
    keystead.mailbox().reset_token(&person.email).await;
    let mails = keystead.mailbox().to(&person.email);
    mails.into_iter().find(|mail| mail.token(RESET).is_some()).expect("a reset mail").raw
}

async fn an_operators_template_is_used_and_files_that_change_later_are_not(backend: Backend) {
    let folder = folder(&[
        ("en/password_reset.subject", "A key for {{ product }}\n"),
        ("en/password_reset.txt", "Ahoy!\n{{ link }}\n{{ minutes }} minutes left"),
        // As Kubernetes mounts a ConfigMap.
        ("..data/anything", "not a template"),
    ]);
    let keystead = setup(backend, folder.path(), "en").start().await;
    fs::write(folder.path().join("en/password_reset.txt"), "{{ nonsense }}").expect("a written file");
    let mail = reset_in(&keystead, "").await;
    assert!(mail.contains("Subject: A key for Keystead\r\n"), "{mail}");
    assert!(mail.contains("Ahoy!") && mail.contains("30 minutes left"), "{mail}");
    assert!(mail.contains("Somebody, hopefully you"), "the built-in HTML stays: {mail}");
}

async fn a_language_falls_back_to_its_primary_one_and_to_the_services(backend: Backend) {
    let folder = folder(&[
        ("pt-BR/password_reset.subject", "Nova senha"),
        ("pt-BR/password_reset.txt", "Olhe: {{ link }}"),
        ("pt-BR/password_reset.html", "<p>Olhe: {{ link }}</p>"),
    ]);
    let keystead = setup(backend, folder.path(), "de").start().await;
    for (language, words) in [
        ("pt-br", "Olhe: http"),
        ("pt", "Jemand, hoffentlich Sie"),
        ("en-gb", "Somebody, hopefully you"),
        ("", "Jemand, hoffentlich Sie"),
    ] {
        let mail = reset_in(&keystead, language).await;
        assert!(mail.contains(words), "{language}: {mail}");
    }
}

on_each_backend!(
    an_operators_template_is_used_and_files_that_change_later_are_not,
    a_language_falls_back_to_its_primary_one_and_to_the_services,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn templates_that_will_not_do_stop_the_start_and_every_one_is_named() {
    let templates = folder(&[
        ("en/password_reset.txt", "no link"),
        ("en/password_changed.html", "<p>{{ passwort }}</p>"),
        ("en/new_sign_in.subject", "{% if %}"),
        ("en/readme.md", "what is this?"),
        ("nolanguage9/new_sign_in.txt", "hello"),
        ("fr/email_changed.txt", "seul"),
    ]);
    let data = tempfile::tempdir().expect("a temporary folder");
    let path = templates.path().display().to_string();
    let mut command = Program::command(data.path(), &[("KEYSTEAD_MAIL_TEMPLATES", &path)]);
    let ended = Program::finish(&mut command).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    for name in [
        "mail.templates",
        "en/password_reset.txt: lacks the link",
        "en/password_changed.html: this mail has no passwort",
        "en/new_sign_in.subject: ",
        "en/readme.md: ",
        "nolanguage9/new_sign_in.txt: ",
        "fr/email_changed.subject: is missing",
        "fr/email_changed.html: is missing",
    ] {
        assert!(ended.output.contains(name), "{name} is missing: {}", ended.output);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_not_there_or_a_language_nobody_wrote_stops_the_start() {
    let data = tempfile::tempdir().expect("a temporary folder");
    for (variable, value) in [("KEYSTEAD_MAIL_TEMPLATES", "/nonexistent/templates"), ("KEYSTEAD_MAIL_LANGUAGE", "fr")] {
        let ended = Program::finish(&mut Program::command(data.path(), &[(variable, value)])).await;
        assert_eq!(ended.code, Some(64), "{}", ended.output);
        assert!(ended.output.contains("mail."), "{}", ended.output);
    }
}
