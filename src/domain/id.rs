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

identifier!(
    /// Names an identity at a provider that opens an account.
    IdentityId
);
identifier!(
    /// Names a service account: a machine with tokens of its own.
    ServiceAccountId
);
identifier!(
    /// Names whoever acts or is acted upon: a user or a service account. Both are drawn from one space of UUIDs.
    PrincipalId
);

impl From<UserId> for PrincipalId {
    fn from(id: UserId) -> Self {
        Self(id.0)
    }
}

impl From<ServiceAccountId> for PrincipalId {
    fn from(id: ServiceAccountId) -> Self {
        Self(id.0)
    }
}

fn time_ordered(at: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = at.as_millis().max(0).unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::manual_clock::{CountingEntropy, ManualClock};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

    #[test]
    fn an_id_is_a_uuid_of_version_7_that_carries_its_time() {
        let id = UserId::generate(&ManualClock::new(NOW), &CountingEntropy::new()).as_uuid();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.as_u128() >> 80, NOW.as_millis().unsigned_abs().into());
    }

    #[test]
    fn ids_sort_by_time() {
        let (clock, entropy) = (ManualClock::new(NOW), CountingEntropy::new());
        let earlier = SessionId::generate(&clock, &entropy);
        clock.advance(Duration::from_millis(1));
        assert!(earlier < SessionId::generate(&clock, &entropy));
    }

    #[test]
    fn ids_of_one_moment_differ() {
        let (clock, entropy) = (ManualClock::new(NOW), CountingEntropy::new());
        let ids: BTreeSet<_> = (0..1_000).map(|_| MailId::generate(&clock, &entropy)).collect();
        assert_eq!(ids.len(), 1_000);
    }

    #[test]
    fn a_time_before_the_epoch_is_taken_for_the_epoch() {
        let clock = ManualClock::new(Timestamp::from_millis(-5));
        let id = AuditId::generate(&clock, &CountingEntropy::new()).as_uuid();
        assert_eq!(id.as_u128() >> 80, 0);
    }
}
