//! Mail: what it says, and how it is delivered.

use std::sync::Arc;
use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::sections::data::DataSettings;
use crate::config::sections::tls::Authorities;
use crate::outbound::mail::{Delivery, Settings, SettingsFault};
use crate::service::mail::settings::MailSettings;

const URL: &str = "mail.smtp_url";
const URL_FORM: &str = "smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 (TLS)";
const SENDER: &str = "mail.sender";

pub fn read(reader: &mut Reader, data: &DataSettings, authorities: Option<&Authorities>) -> (MailSettings, Settings) {
    let texts = texts(reader);
    (texts, delivery(reader, data, authorities))
}

fn delivery(reader: &mut Reader, data: &DataSettings, authorities: Option<&Authorities>) -> Settings {
    let url = reader.secret(
        URL,
        URL_FORM,
        "The mail server; a replica has eight connections to it at most. Without it mails are written as \
         `.eml` files into the data folder's `outbox`.",
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
        authorities: authorities.map(|authorities| Arc::clone(&authorities.pem)),
    };
    for fault in settings.validate() {
        match fault {
            SettingsFault::From => reader.fault(SENDER, "expected an e-mail address, alone or as Name <address>"),
            // They have been checked where they were read.
            SettingsFault::Authorities => {}
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
        email_change_link: link(
            reader,
            "mail.email_change_link",
            default.email_change_link,
            "The page that takes the token of a new address; the token is appended as `#token=…`.",
        ),
        language: reader.value(
            "mail.language",
            default.language,
            "The language of mails to those who have chosen none; `en` and `de` are built in.",
        ),
        templates: reader.optional(
            "mail.templates",
            "A folder of templates that take the places of the built-in ones; see `docs/mail-templates.md`.",
        ),
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
