//! Times in words: when something was said, and how long it is still there.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Hour and minute of a time, where the reader is.
pub(super) fn clock(time: &str, zone: Option<&TimeZone>) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return "--:--".to_owned() };
    let there = time.to_zoned(zone.cloned().unwrap_or(TimeZone::UTC));
    format!("{:02}:{:02}", there.hour(), there.minute())
}

/// How long something is still there.
pub(super) fn left(until: &str, now: Timestamp) -> Option<String> {
    let left = self::until(until, now)?;
    Some(if left == "now" { "gone".to_owned() } else { format!("gone {left}") })
}

/// How far away a moment is.
pub(super) fn until(until: &str, now: Timestamp) -> Option<String> {
    let until: Timestamp = until.parse().ok()?;
    // What is left of a second is a second: nothing is said to be gone that is still there.
    let milliseconds = until.as_millisecond() - now.as_millisecond();
    let seconds = milliseconds.div_euclid(1_000) + i64::from(milliseconds.rem_euclid(1_000) > 0);
    Some(if seconds > 0 { format!("in {}", span(seconds)) } else { "now".to_owned() })
}

/// A span of seconds, in the two units that matter.
pub(super) fn span(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let (unit, name) = UNITS[first];
    let rest = UNITS.get(first + 1).map(|(small, name)| (seconds % unit / small, name));
    match rest.filter(|(count, _)| *count > 0) {
        Some((count, small)) => format!("{}{name} {count}{small}", seconds / unit),
        None => format!("{}{name}", seconds / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_two_units_and_never_too_early() {
        let now = "2026-05-01T10:00:00.400Z".parse().unwrap();
        let after = |until: &str| left(until, now).unwrap();
        assert_eq!(after("2026-05-01T10:00:01Z"), "gone in 1s");
        assert_eq!(after("2026-05-01T10:01:05.400Z"), "gone in 1m 5s");
        assert_eq!(after("2026-05-01T12:00:00.400Z"), "gone in 2h");
        assert_eq!(after("2026-05-03T13:00:00.400Z"), "gone in 2d 3h");
        assert_eq!(after("2026-05-01T10:00:00.400Z"), "gone");
        assert_eq!(left("soon", now), None);
    }

    #[test]
    fn times_are_those_of_where_the_reader_is() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(clock("2026-05-01T23:30:00Z", Some(&zone)), "01:30");
        assert_eq!(clock("2026-05-01T23:30:00Z", None), "23:30");
        assert_eq!(clock("\u{1b}[2J", None), "--:--");
    }
}
