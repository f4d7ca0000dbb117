//! How often may be tried.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::domain::throttle::Limit;
use crate::service::auth::settings::LimitSettings;

pub fn read(reader: &mut Reader) -> LimitSettings {
    let default = LimitSettings::default();
    LimitSettings {
        per_source: limit(
            reader,
            ["limits.per_source_burst", "limits.per_source_period"],
            default.per_source,
            "Secrets of every kind that one source (IPv4 address, IPv6 /64) may present at once.",
        ),
        per_account_and_source: limit(
            reader,
            ["limits.per_account_and_source_burst", "limits.per_account_and_source_period"],
            default.per_account_and_source,
            "Passwords that one source may try on one account at once.",
        ),
        per_account: limit(
            reader,
            ["limits.per_account_burst", "limits.per_account_period"],
            default.per_account,
            "Passwords that all sources new to an account may try on it together at once.",
        ),
        mail_per_source: limit(
            reader,
            ["limits.mail_per_source_burst", "limits.mail_per_source_period"],
            default.mail_per_source,
            "Mails that one source may ask for at once.",
        ),
        mail_per_address_and_source: limit(
            reader,
            ["limits.mail_per_address_and_source_burst", "limits.mail_per_address_and_source_period"],
            default.mail_per_address_and_source,
            "Mails that one source may ask for at once on behalf of one address.",
        ),
        max_failures: reader.checked(
            "limits.max_failures",
            default.max_failures,
            "a whole number from 1 to 100",
            |number| (1..=100).contains(number),
            "Failures in a row after which an account takes no password from a source that is new to it.",
        ),
    }
}

fn limit(reader: &mut Reader, paths: [&'static str; 2], default: Limit, meaning: &'static str) -> Limit {
    let [burst, period] = paths;
    Limit {
        burst: reader.checked(burst, default.burst, "a whole number, 1 or more", |number| *number >= 1, meaning),
        period: reader.checked(
            period,
            default.period,
            "a span from 1ms to 1d",
            |span| (Duration::from_millis(1)..=Duration::from_hours(24)).contains(span),
            "After those, one in each such span.",
        ),
    }
}
