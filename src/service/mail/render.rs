//! What mails say: plain words, as text and as HTML, with nothing in them that a stranger has written.
//!
//! A link carries its token in the fragment (`#token=…`): a browser does not send that to the server, so that the token
//! stands in no access log and no Referer. The page that the link opens reads it there.

use time::OffsetDateTime;
use time::macros::format_description;

use super::settings::{MailSettings, Subjects};
use crate::domain::clock::Timestamp;
use crate::domain::mail::MailKind;

/// A rendered mail.
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// A token to put into a mail, and when it stops working.
#[derive(Clone, Copy)]
pub struct Link<'a> {
    pub token: &'a str,
    pub expires_at: Timestamp,
}

/// Renders a mail; `link` is what the kinds that hold a token are about.
pub fn render(kind: MailKind, link: Option<Link<'_>>, settings: &MailSettings) -> Rendered {
    let product = &settings.product;
    let words = words(kind, product);
    let url = link.map(|link| format!("{}#token={}", base(kind, settings), link.token));
    let expiry = link.map(|link| format!("The link works once, until {}.", in_words(link.expires_at)));

    let mut text = vec![words.opening.clone()];
    text.extend(url.clone());
    text.extend(expiry.clone());
    text.extend([words.closing.to_owned(), product.clone()]);

    let mut html = vec![paragraph(&words.opening)];
    html.extend(url.map(|url| format!("<p><a href=\"{0}\">{0}</a></p>", escape(&url))));
    html.extend(expiry.map(|text| paragraph(&text)));
    html.extend([paragraph(words.closing), paragraph(product)]);
    Rendered {
        subject: subject(kind, &settings.subjects).to_owned(),
        text: format!("{}\n", text.join("\n\n")),
        html: format!("<!DOCTYPE html>\n<html lang=\"en\"><body>\n{}\n</body></html>\n", html.join("\n")),
    }
}

struct Words {
    opening: String,
    closing: &'static str,
}

fn words(kind: MailKind, product: &str) -> Words {
    let (opening, closing) = match kind {
        MailKind::PasswordReset => (
            format!("Somebody, hopefully you, asked to set a new password for your account at {product}."),
            "If it was not you, do nothing: your password stays as it is.",
        ),
        MailKind::EmailVerification => (
            format!("Please confirm that this address belongs to your account at {product}."),
            "If you have no account there, do nothing: somebody has mistyped their address.",
        ),
        MailKind::RegistrationAttempt => (
            format!("Somebody tried to register at {product} with your address. You already have an account there."),
            "If it was you, sign in, or ask for a new password. If it was not, do nothing: nothing has changed.",
        ),
        MailKind::PasswordChanged => (
            format!("The password of your account at {product} was changed, and every device was signed out."),
            "If it was not you, ask for a new password at once.",
        ),
        MailKind::NewSignIn => (
            format!("Your account at {product} was signed in to from a place that we have not seen before."),
            "If it was not you, set a new password at once: that signs every device out.",
        ),
        MailKind::EmailChanged => (
            format!("Your account at {product} has a new address. Mails about it no longer go to this one."),
            "If you know nothing of this, write to whoever runs the service at once.",
        ),
    };
    Words { opening, closing }
}

fn subject(kind: MailKind, subjects: &Subjects) -> &str {
    match kind {
        MailKind::PasswordReset => &subjects.password_reset,
        MailKind::EmailVerification => &subjects.email_verification,
        MailKind::RegistrationAttempt => &subjects.registration_attempt,
        MailKind::PasswordChanged => &subjects.password_changed,
        MailKind::NewSignIn => &subjects.new_sign_in,
        MailKind::EmailChanged => &subjects.email_changed,
    }
}

/// The page that takes the token of this kind.
fn base(kind: MailKind, settings: &MailSettings) -> &str {
    match kind {
        MailKind::EmailVerification => &settings.verification_link,
        MailKind::PasswordReset
        | MailKind::RegistrationAttempt
        | MailKind::PasswordChanged
        | MailKind::NewSignIn
        | MailKind::EmailChanged => &settings.reset_link,
    }
}

/// Cut to the minute, so that it never promises more than there is.
fn in_words(moment: Timestamp) -> String {
    let format = format_description!("[hour]:[minute] UTC on [day padding:none] [month repr:long] [year]");
    OffsetDateTime::from_unix_timestamp(moment.as_seconds())
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| "it expires".to_owned())
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", escape(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link<'static> {
        Link { token: "ksp_abc", expires_at: Timestamp::from_millis(1_700_000_059_999) }
    }

    #[test]
    fn the_link_stands_on_the_configured_base_with_its_token_in_the_fragment() {
        // promise X5
        let mail = render(MailKind::PasswordReset, Some(link()), &MailSettings::default());
        assert!(mail.text.contains("http://localhost:8080/reset#token=ksp_abc\n"), "{}", mail.text);
        assert!(mail.html.contains("<a href=\"http://localhost:8080/reset#token=ksp_abc\">"), "{}", mail.html);
        let mail = render(MailKind::EmailVerification, Some(link()), &MailSettings::default());
        assert!(mail.text.contains("http://localhost:8080/verify#token=ksp_abc\n"), "{}", mail.text);
    }

    #[test]
    fn the_expiry_is_told_in_words() {
        let mail = render(MailKind::PasswordReset, Some(link()), &MailSettings::default());
        assert!(mail.text.contains("works once, until 22:14 UTC on 14 November 2023."), "{}", mail.text);
    }

    #[test]
    fn what_an_operator_configures_cannot_break_the_html() {
        let product = "<b>\"A\" & 'B'</b>".to_owned();
        let settings = MailSettings { product, ..MailSettings::default() };
        let mail = render(MailKind::PasswordChanged, None, &settings);
        assert!(mail.html.contains("&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;"), "{}", mail.html);
        assert!(!mail.html.contains("<b>"));
        assert!(!mail.text.contains("#token="));
    }
}
