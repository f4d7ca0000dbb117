//! What a provider tells of a person, made harmless: whatever is not certain counts as not told.

use serde_json::Value;

use super::id_token::Person;
use super::settings::{ProviderKind, ProviderSettings};
use crate::domain::email::Email;
use crate::domain::identity::{ExternalIdentity, Identity, ProvidedEmail, Subject};
use crate::domain::name::Name;

/// The person, by their subject. `None` where the subject is none.
pub fn external(provider: &ProviderSettings, subject: &str, person: &Person) -> Option<ExternalIdentity> {
    let subject = Subject::parse(subject).ok()?;
    let email = person.email.as_ref().and_then(Value::as_str).and_then(|text| Email::parse(text).ok());
    let name = person.name.as_ref().and_then(Value::as_str).and_then(|text| Name::parse(text).ok());
    Some(ExternalIdentity {
        provider: provider.name.clone(),
        identity: Identity { issuer: provider.issuer.clone(), subject },
        email: email.map(|email| ProvidedEmail { verified: is_vouched_for(provider.kind, &email, person), email }),
        display_name: name.unwrap_or_default(),
    })
}

/// Whether the provider says, and can know, that the person has the address (promise O7).
fn is_vouched_for(kind: ProviderKind, email: &Email, person: &Person) -> bool {
    // JSON's true alone: neither the word nor a number.
    let is_said = person.email_verified == Some(Value::Bool(true));
    let can_know = match kind {
        ProviderKind::Google => is_googles(email, person),
        ProviderKind::GitHub | ProviderKind::Oidc => true,
    };
    is_said && can_know
}

/// Whether Google has the mailbox itself. Of any other address it knows that it was verified once, and not whose it is by
/// now (Google Identity, "Verify the Google ID token on your server side").
fn is_googles(email: &Email, person: &Person) -> bool {
    let is_hosted = person.hd.as_ref().and_then(Value::as_str).is_some_and(|domain| !domain.is_empty());
    is_hosted || email.as_str().ends_with("@gmail.com")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::identity::{Issuer, ProviderName};

    fn provider(kind: ProviderKind) -> ProviderSettings {
        ProviderSettings {
            name: ProviderName::parse("idp").unwrap(),
            kind,
            issuer: Issuer::parse(kind.issuer().unwrap_or("https://idp.example.com")).unwrap(),
            client_id: String::new(),
            client_secret: String::new().into(),
            scopes: Vec::new(),
            callback: String::new(),
        }
    }

    fn told_by(kind: ProviderKind, person: Value) -> Option<ExternalIdentity> {
        let person: Person = serde_json::from_value(person).unwrap();
        external(&provider(kind), "1", &person)
    }

    fn told(person: Value) -> Option<ExternalIdentity> {
        told_by(ProviderKind::Oidc, person)
    }

    // promise O7
    #[test]
    fn an_address_is_verified_where_the_provider_says_true_and_nothing_else() {
        for (value, expected) in [
            (json!(true), true),
            (json!(false), false),
            (json!("true"), false),
            (json!(1), false),
            (json!(["true"]), false),
            (json!({}), false),
            (Value::Null, false),
        ] {
            let email = told(json!({ "email": "ada@example.com", "email_verified": value })).unwrap().email.unwrap();
            assert_eq!(email.verified, expected, "{value}");
        }
        assert!(!told(json!({ "email": "ada@example.com" })).unwrap().email.unwrap().verified);
    }

    // promise O7
    #[test]
    fn google_is_believed_about_its_own_mail_and_the_domains_that_it_hosts_alone() {
        for (email, hd, expected) in [
            ("ada@gmail.com", Value::Null, true),
            ("Ada@GMAIL.com", Value::Null, true),
            ("ada@example.com", json!("example.com"), true),
            ("ada@example.com", Value::Null, false),
            ("ada@example.com", json!(""), false),
            ("ada@example.com", json!(true), false),
            ("ada@example.com", json!(["example.com"]), false),
            ("ada@notgmail.com", Value::Null, false),
            ("ada@gmail.com.example.com", Value::Null, false),
        ] {
            let person = |said: bool| json!({ "email": email, "email_verified": said, "hd": hd });
            let is_verified = |kind, said| told_by(kind, person(said)).unwrap().email.unwrap().verified;
            assert_eq!(is_verified(ProviderKind::Google, true), expected, "{email} {hd}");
            assert!(!is_verified(ProviderKind::Google, false), "{email} {hd}");
            assert!(is_verified(ProviderKind::Oidc, true) && is_verified(ProviderKind::GitHub, true));
        }
    }

    #[test]
    fn what_is_no_address_or_no_name_is_not_told() {
        for email in [json!("nonsense"), json!(["ada@example.com"]), json!(null), json!("ada\u{200b}@example.com")] {
            assert_eq!(told(json!({ "email": email, "email_verified": true })).unwrap().email, None, "{email}");
        }
        for name in [json!(7), json!("a\nb"), json!("x".repeat(101))] {
            assert_eq!(told(json!({ "name": name })).unwrap().display_name, Name::default(), "{name}");
        }
    }

    #[test]
    fn nobody_is_told_of_without_a_subject() {
        let provider = provider(ProviderKind::Oidc);
        assert!(external(&provider, "", &Person::default()).is_none());
        assert!(external(&provider, "é", &Person::default()).is_none());
    }
}
