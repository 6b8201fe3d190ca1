//! Whole numbers in requests. JSON has one kind of number, so `2.0` is as whole as `2`.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Serialize as _, Serializer};

/// Up to here a number with a point is the whole number that it looks like.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub(crate) fn serialize<S: Serializer>(number: &i64, to: S) -> Result<S::Ok, S::Error> {
    number.serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    from.deserialize_i64(Whole)
}

/// The same where it may be left out.
pub(crate) mod optional {
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands over the field")]
    pub(crate) fn serialize<S: Serializer>(number: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
        number.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        #[derive(Deserialize)]
        struct Number(#[serde(with = "super")] i64);
        let number = Option::<Number>::deserialize(from)?;
        Ok(number.map(|Number(number)| number))
    }
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        let wrong = |_| E::invalid_value(Unexpected::Unsigned(number), &self);
        i64::try_from(number).map_err(wrong)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
        if number.fract() != 0.0 || number.abs() > EXACT {
            return Err(E::invalid_value(Unexpected::Float(number), &self));
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
        let whole = number as i64;
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use crate::v1::ReadRequest;

    #[test]
    fn a_whole_number_may_have_a_point_and_never_wraps() {
        let read = |text: &str| {
            let body = format!("{{\"number\":{text}}}");
            serde_json::from_str::<ReadRequest>(&body).ok().map(|read| read.number)
        };
        assert_eq!(read("7"), Some(7));
        assert_eq!(read("7.0"), Some(7));
        assert_eq!(read("7e2"), Some(700));
        assert_eq!(read("-0"), Some(0));
        assert_eq!(read("9223372036854775807"), Some(i64::MAX));
        for bad in ["1.5", "1e30", "9223372036854775808", "9223372036854775808.0", "\"1\"", "null"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
