//! What a provider tells of a person, made harmless: whatever is not certain counts as not told.

use serde_json::Value;

use super::id_token::Person;
use crate::domain::email::Email;
use crate::domain::identity::{ExternalIdentity, Identity, ProvidedEmail, ProviderName, Subject};
use crate::domain::name::Name;

/// The person, by their subject. `None` where the subject is none.
pub fn external(provider: &ProviderName, subject: &str, person: &Person) -> Option<ExternalIdentity> {
    let subject = Subject::parse(subject).ok()?;
    let email = person.email.as_ref().and_then(Value::as_str).and_then(|text| Email::parse(text).ok());
    // JSON's true alone: neither the word nor a number (promise O7).
    let verified = person.email_verified == Some(Value::Bool(true));
    let name = person.name.as_ref().and_then(Value::as_str).and_then(|text| Name::parse(text).ok());
    Some(ExternalIdentity {
        identity: Identity { provider: provider.clone(), subject },
        email: email.map(|email| ProvidedEmail { email, verified }),
        display_name: name.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(person: Value) -> Option<ExternalIdentity> {
        let person: Person = serde_json::from_value(person).unwrap();
        external(&ProviderName::parse("idp").unwrap(), "1", &person)
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
        let provider = ProviderName::parse("idp").unwrap();
        assert!(external(&provider, "", &Person::default()).is_none());
        assert!(external(&provider, "é", &Person::default()).is_none());
    }
}
