//! Mail: what it says, and how it is delivered.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::sections::data::DataSettings;
use crate::outbound::mail::{Delivery, Settings, SettingsFault};
use crate::service::mail::settings::{MailSettings, Subjects};

const URL: &str = "mail.smtp_url";
const URL_FORM: &str = "smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 (TLS)";
const SENDER: &str = "mail.sender";

pub fn read(reader: &mut Reader, data: &DataSettings) -> (MailSettings, Settings) {
    let texts = texts(reader);
    (texts, delivery(reader, data))
}

fn delivery(reader: &mut Reader, data: &DataSettings) -> Settings {
    let url = reader.secret(
        URL,
        URL_FORM,
        "The mail server. Without it mails are written as `.eml` files into the data folder's `outbox`.",
    );
    let settings = Settings {
        delivery: url.map_or_else(
            || Delivery::Files(data.directory.join("outbox")),
            |url| Delivery::Smtp(url.expose().to_owned().into()),
        ),
        from: reader.value(
            SENDER,
            "Keystead <no-reply@localhost>".to_owned(),
            "Who mails come from: `no-reply@example.com` or `Example <no-reply@example.com>`.",
        ),
    };
    for fault in settings.validate() {
        match fault {
            SettingsFault::From => reader.fault(SENDER, "expected an e-mail address, alone or as Name <address>"),
            SettingsFault::Url => reader.fault(URL, format!("expected {URL_FORM}")),
        }
    }
    settings
}

fn texts(reader: &mut Reader) -> MailSettings {
    let default = MailSettings::default();
    MailSettings {
        product: reader.value("mail.product", default.product, "How the service calls itself in mails."),
        reset_link: link(
            reader,
            "mail.reset_link",
            default.reset_link,
            "The page that takes a reset token; the token is appended as `#token=…`.",
        ),
        verification_link: link(
            reader,
            "mail.verification_link",
            default.verification_link,
            "The page that takes a verification token; the token is appended as `#token=…`.",
        ),
        subjects: subjects(reader),
        token_lifetime: reader.checked(
            "mail.token_lifetime",
            default.token_lifetime,
            "a span from 1m to 1d",
            |span| (Duration::from_mins(1)..=Duration::from_hours(24)).contains(span),
            "How long a mailed token works.",
        ),
        tokens_per_hour: default.tokens_per_hour,
        retry: default.retry,
    }
}

/// The token is appended as the fragment, so that it stays out of the logs of whoever serves the page.
fn link(reader: &mut Reader, path: &'static str, default: String, meaning: &'static str) -> String {
    let is_link = |url: &String| {
        (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['#', ' ', '"', '<', '>'])
    };
    reader.checked(path, default, "an http or https URL without fragment", is_link, meaning)
}

fn subjects(reader: &mut Reader) -> Subjects {
    let default = Subjects::default();
    let mut subject = |path, default, meaning| {
        let is_line = |text: &String| !text.contains(char::is_control);
        reader.checked(path, default, "one line of text", is_line, meaning)
    };
    Subjects {
        password_reset: subject(
            "mail.subject_password_reset",
            default.password_reset,
            "Subject of the mail that lets the owner set a new password.",
        ),
        email_verification: subject(
            "mail.subject_email_verification",
            default.email_verification,
            "Subject of the mail that verifies an address.",
        ),
        registration_attempt: subject(
            "mail.subject_registration_attempt",
            default.registration_attempt,
            "Subject of the mail that tells of a registration with a known address.",
        ),
        password_changed: subject(
            "mail.subject_password_changed",
            default.password_changed,
            "Subject of the mail that tells of a changed password.",
        ),
        new_sign_in: subject(
            "mail.subject_new_sign_in",
            default.new_sign_in,
            "Subject of the mail that tells of a sign-in from a new source.",
        ),
        email_changed: subject(
            "mail.subject_email_changed",
            default.email_changed,
            "Subject of the mail that tells the old address of an account of the new one.",
        ),
    }
}
