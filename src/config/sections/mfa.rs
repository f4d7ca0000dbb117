//! Second factors.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::domain::role::RoleName;
use crate::service::second_factor::settings::MfaSettings;

/// Longer names make QR codes that cameras do not read.
const MAX_ISSUER_CHARS: usize = 64;

pub fn read(reader: &mut Reader) -> MfaSettings {
    let default = MfaSettings::default();
    let required: Vec<String> = reader.checked(
        "mfa.required_roles",
        Vec::new(),
        "a list of names of roles (in a variable separated by commas)",
        |roles: &Vec<String>| roles.iter().all(|role| RoleName::parse(role).is_ok()),
        "Whoever has one of these roles needs a second factor; who has none can only enrol one. With `user` that is \
         everybody, once their address is verified.",
    );
    MfaSettings {
        required_roles: required.iter().filter_map(|role| RoleName::parse(role).ok()).collect(),
        challenge_lifetime: reader.checked(
            "mfa.challenge_lifetime",
            default.challenge_lifetime,
            "a span from 1m to 30m",
            |span| (Duration::from_mins(1)..=Duration::from_mins(30)).contains(span),
            "For how long a sign-in waits for its second factor, and an enrolment for its confirmation.",
        ),
        issuer: reader.checked(
            "mfa.issuer",
            default.issuer,
            "up to 64 characters, none of them a colon",
            |issuer: &String| issuer.chars().count() <= MAX_ISSUER_CHARS && !issuer.contains([':', '\n']),
            "The name under which an authenticator shows the account.",
        ),
    }
}
