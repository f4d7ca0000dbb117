//! Values that files hold as text.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, Time, UtcOffset};

use crate::domain::clock::Timestamp;
use crate::service::admin::users::user_row::UserRow;

const MOMENT_FAULT: &str = "must be a time by RFC 3339";

/// A truth, as CSV has it; PostgreSQL writes `t` and `f`. Nothing is no truth.
pub fn truth(row: &mut UserRow, field: &str, text: &str) -> bool {
    match text {
        "true" | "t" => true,
        "" | "false" | "f" => false,
        _ => {
            row.fault(field, "must be `true` or `false`");
            false
        }
    }
}

/// A moment by RFC 3339, or as PostgreSQL writes it; `None` where there is no text.
pub fn moment(row: &mut UserRow, field: &str, text: &str) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    let moment = parse(text);
    if moment.is_none() {
        row.fault(field, MOMENT_FAULT);
    }
    moment
}

/// Milliseconds since the Unix epoch, where they are of the years that a time can have.
pub fn millis(row: &mut UserRow, field: &str, millis: i64) -> Option<Timestamp> {
    let is_a_time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).is_ok();
    if !is_a_time {
        row.fault(field, "must be a time in milliseconds");
    }
    is_a_time.then_some(Timestamp::from_millis(millis))
}

fn parse(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| parse_postgres(text))?;
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Timestamp::from_millis)
}

/// `2023-04-05 06:07:08.123456+00`
fn parse_postgres(text: &str) -> Option<OffsetDateTime> {
    let (date, rest) = text.split_once(' ')?;
    let sign = rest.find(['+', '-'])?;
    let (time, offset) = rest.split_at(sign);
    let date = Date::parse(date, time::macros::format_description!("[year]-[month]-[day]")).ok()?;
    let time =
        Time::parse(time, time::macros::format_description!("[hour]:[minute]:[second][optional [.[subsecond]]]"));
    let offset = UtcOffset::parse(
        offset,
        time::macros::format_description!("[offset_hour sign:mandatory][optional [:[offset_minute]]]"),
    );
    Some(OffsetDateTime::new_in_offset(date, time.ok()?, offset.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_both_forms_are_the_same() {
        for text in [
            "2023-04-05T06:07:08.123Z",
            "2023-04-05T08:07:08.123999+02:00",
            "2023-04-05 06:07:08.123456+00",
            "2023-04-05 08:07:08.123+02",
            "2023-04-05 11:37:08.123+05:30",
        ] {
            let mut row = UserRow::default();
            let at = moment(&mut row, "create_time", text).map(Timestamp::as_millis);
            assert_eq!((at, row.faults.len()), (Some(1_680_674_828_123), 0), "{text}");
        }
        assert_eq!(moment(&mut UserRow::default(), "create_time", ""), None);
        for text in ["now", "2023-04-05", "2023-13-05T06:07:08Z", "2023-04-05 06:07:08", "1680674828123"] {
            let mut row = UserRow::default();
            assert_eq!((moment(&mut row, "create_time", text), row.faults.len()), (None, 1), "{text}");
        }
    }

    #[test]
    fn what_is_no_truth_is_a_fault() {
        for (text, expected, faults) in
            [("true", true, 0), ("t", true, 0), ("", false, 0), ("f", false, 0), ("1", false, 1)]
        {
            let mut row = UserRow::default();
            assert_eq!((truth(&mut row, "email_verified", text), row.faults.len()), (expected, faults), "{text}");
        }
    }
}
