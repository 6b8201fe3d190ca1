//! Moments on the wire: microseconds since 1970 in protobuf, RFC 3339 UTC with microseconds in
//! JSON.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use serde::{Deserialize, Deserializer, Serializer};

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// Writes a moment as RFC 3339; one that no calendar holds becomes the epoch.
pub fn rfc3339(micros: i64) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut text = String::with_capacity(27);
    // Writing to a string does not fail.
    let _ = PRINTER.print_timestamp(&time, &mut text);
    text
}

fn micros<E: serde::de::Error>(text: &str) -> Result<i64, E> {
    let time: Timestamp = text.parse().map_err(|_| E::custom("not an RFC 3339 time"))?;
    Ok(time.as_microsecond())
}

/// A time that is always there.
pub(crate) mod required {
    use super::{Deserialize, Deserializer, Serializer, micros, rfc3339};

    pub(crate) fn serialize<S: Serializer>(time: &i64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
        micros(&String::deserialize(from)?)
    }
}

/// A time that may be absent: `null` in JSON.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Serializer, micros, rfc3339};

    pub(crate) fn serialize<S: Serializer>(time: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.serialize_str(&rfc3339(*time)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| micros(&text)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_microseconds_and_ends_in_z() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(rfc3339(1_700_000_000_123_456), "2023-11-14T22:13:20.123456Z");
        assert_eq!(rfc3339(i64::MAX), "1970-01-01T00:00:00.000000Z");
    }
}
