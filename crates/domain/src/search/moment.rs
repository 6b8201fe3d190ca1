//! Dates and times as people write them in a query: ISO 8601, in UTC.

use crate::Time;

const DAY_S: i64 = 24 * 60 * 60;

/// Reads `2026-05-01`, `2026-05-01T18:30` or `2026-05-01T18:30:15`, the latter two with or without
/// a `Z`.
pub(super) fn read(text: &str) -> Option<Time> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let (date, clock) = match text.split_once(['T', 't']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-')?[..] else {
        return None;
    };
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1970..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let days = days_before_year(year) + lengths[..month as usize - 1].iter().sum::<i64>() + day - 1;
    let seconds = clock.map_or(Some(0), seconds)?;
    Some(Time((days * DAY_S + seconds) * 1_000_000))
}

/// The seconds of a day until this time of it.
fn seconds(clock: &str) -> Option<i64> {
    let parts = numbers(clock, ':')?;
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let good = hour < 24 && minute < 60 && second < 60;
    good.then_some((hour * 60 + minute) * 60 + second)
}

/// Numbers of two digits, or four, between marks.
fn numbers(text: &str, mark: char) -> Option<Vec<i64>> {
    let number = |part: &str| {
        let digits = matches!(part.len(), 2 | 4) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|_| digits)
    };
    text.split(mark).map(number).collect()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days from the beginning of 1970 to that of this year.
fn days_before_year(year: i64) -> i64 {
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

#[cfg(test)]
mod tests {
    use super::read;

    fn seconds(text: &str) -> Option<i64> {
        read(text).map(|time| time.0 / 1_000_000)
    }

    #[test]
    fn a_moment_is_a_date_or_a_time_in_utc() {
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("2000-03-01"), Some(951_868_800));
        assert_eq!(seconds("2023-11-14T22:13:20Z"), Some(1_700_000_000));
        assert_eq!(seconds("2023-11-14t22:13"), Some(1_699_999_980));
        assert_eq!(seconds("2024-12-31"), Some(1_735_603_200));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in [
            "",
            "2026",
            "2026-5-1",
            "2026-13-01",
            "2026-00-10",
            "2026-02-29",
            "2026-01-32",
            "1969-12-31",
            "2026-01-01T",
            "2026-01-01T24:00",
            "2026-01-01T10:00+02:00",
            "2026-01-01-01",
            "+026-01-01",
            "yesterday",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
