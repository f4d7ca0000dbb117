//! Identifiers: UUIDs of version 7 (RFC 9562, section 5.7), which sort by time of creation.

use std::fmt;

use uuid::Uuid;

use super::clock::{Clock, Entropy, Timestamp};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub fn generate(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self::generate_at(clock.now(), entropy)
            }

            /// An identifier for what happens at this moment.
            pub fn generate_at(at: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(time_ordered(at, entropy))
            }

            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

identifier!(
    /// Names an account.
    UserId
);
identifier!(
    /// Names a session: one sign-in on one device, however often it is refreshed.
    SessionId
);
identifier!(
    /// Names an audit event.
    AuditId
);
identifier!(
    /// Names a mail in the outbox.
    MailId
);

fn time_ordered(at: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = at.as_millis().max(0).unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
