//! Sessions.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::domain::session::SessionLimits;

pub fn read(reader: &mut Reader) -> SessionLimits {
    let default = SessionLimits::default();
    let limits = SessionLimits {
        idle_lifetime: reader.checked(
            "sessions.idle_lifetime",
            default.idle_lifetime,
            "a span of 1m or more",
            |span| *span >= Duration::from_mins(1),
            "A session that is not refreshed for so long ends.",
        ),
        absolute_lifetime: reader.value(
            "sessions.absolute_lifetime",
            default.absolute_lifetime,
            "A session ends after so long, however often it is refreshed.",
        ),
        grace: reader.checked(
            "sessions.grace",
            default.grace,
            "a span up to 1m",
            |span| *span <= Duration::from_mins(1),
            "For so long a refresh token just used gives the same successor again, for a client whose answer was lost; \
             `0s` is strict.",
        ),
        max_per_user: reader.checked(
            "sessions.max_per_user",
            default.max_per_user,
            "a whole number, 1 or more",
            |number| *number >= 1,
            "The oldest session over this number ends at the next sign-in.",
        ),
    };
    if limits.absolute_lifetime < limits.idle_lifetime {
        reader.fault("sessions.absolute_lifetime", "expected sessions.idle_lifetime or longer");
    }
    limits
}
