//! What a request's query says.

use axum::extract::{FromRequestParts, Query as Parsed};
use axum::http::request::Parts;
use parlor_domain::{Denied, Limits, RoomId};
use parlor_wire::Code;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::{Doors, Refusal};

/// Rows of a page when nobody asks for more or less.
const PAGE: u64 = 50;

/// The query, read as a `T`; an unknown parameter is nobody's business.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Doors> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Doors) -> Result<Self, Refusal> {
        let read = Parsed::<T>::try_from_uri(&parts.uri);
        let Parsed(query) = read.map_err(|_| Refusal::new(Code::Invalid, NOT_UNDERSTOOD))?;
        Ok(Self(query))
    }
}

const NOT_UNDERSTOOD: &str = "the query is not understood: a value is missing, doubled or wrong";

/// A page that goes on where a cursor points.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct Paged {
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// A page of what is in one room, or in any.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct PagedInRoom {
    /// Only what is in this room.
    pub(crate) room_id: Option<String>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// A page of those who react by one emoji.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct PagedByEmoji {
    /// By which emoji.
    #[param(required = true)]
    pub(crate) emoji: String,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// What is in one room, or in any.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct InRoom {
    /// Only what is in this room.
    pub(crate) room_id: Option<String>,
}

/// A search with pages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct Search {
    /// What to look for; everything when empty.
    pub(crate) query: String,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// A search for messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct FindMessages {
    /// What to look for: words and `"phrases"` that must all match, `word*`, `-word`, and
    /// `from: in: session: before: after: has:`.
    #[param(required = true, min_length = 1)]
    pub(crate) q: String,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// How many rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct Limited {
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// Whom to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct FindUsers {
    /// The beginning of a username or name; everybody when empty.
    pub(crate) query: String,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// A stretch of a log.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct After {
    /// The last one seen.
    pub(crate) after: i64,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// A page of messages: at most one of `before`, `after` and `around`; the newest without.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(crate) struct Numbers {
    /// Messages before this number.
    pub(crate) before: Option<i64>,
    /// Messages after this number.
    pub(crate) after: Option<i64>,
    /// Messages on both sides of this number.
    pub(crate) around: Option<i64>,
    /// Rows: 1 to 100.
    pub(crate) limit: Option<u64>,
}

/// The room that is asked about, if it is one.
pub(crate) fn room(asked: Option<&str>) -> Result<Option<RoomId>, Denied> {
    let read = asked.map(str::parse).transpose();
    read.map_err(|_| Denied::invalid("room_id", "not an id"))
}

/// How many rows are asked for.
pub(crate) fn limit(asked: Option<u64>, limits: &Limits) -> Result<u64, Denied> {
    let rows = asked.unwrap_or(PAGE.min(limits.page_max));
    if rows == 0 || rows > limits.page_max {
        return Err(Denied::invalid("limit", "must be at least 1 and not more than a page"));
    }
    Ok(rows)
}

/// A number that counts from the beginning.
pub(crate) fn count(field: &'static str, number: i64) -> Result<i64, Denied> {
    if number < 0 {
        return Err(Denied::invalid(field, "must not be negative"));
    }
    Ok(number)
}

/// A cursor that is a number.
pub(crate) fn number_cursor(cursor: Option<&str>) -> Result<Option<i64>, Denied> {
    let unknown = || Denied::invalid("cursor", "not one of ours");
    let read = cursor.map(|text| text.parse().ok().filter(|n: &i64| *n >= 0));
    read.map(|number| number.ok_or_else(unknown)).transpose()
}

/// Where the next page goes on: after the last row, if this page is full.
pub(crate) fn next_cursor<T>(
    rows: &[T],
    limit: u64,
    cursor: impl Fn(&T) -> String,
) -> Option<String> {
    rows.last().filter(|_| rows.len() as u64 >= limit).map(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_between_one_and_the_most_rows() {
        let limits = Limits::default();
        assert_eq!(limit(None, &limits), Ok(50));
        assert_eq!(limit(Some(100), &limits), Ok(100));
        assert!(limit(Some(0), &limits).is_err());
        assert!(limit(Some(101), &limits).is_err());
    }

    #[test]
    fn only_a_full_page_has_a_next_one() {
        assert_eq!(next_cursor(&[1, 2], 2, i32::to_string), Some("2".into()));
        assert_eq!(next_cursor(&[1], 2, i32::to_string), None);
        assert_eq!(next_cursor(&[], 2, i32::to_string), None);
    }

    #[test]
    fn a_cursor_is_a_number_of_ours() {
        assert_eq!(number_cursor(None), Ok(None));
        assert_eq!(number_cursor(Some("7")), Ok(Some(7)));
        for bad in ["", "-1", "x", "9223372036854775808"] {
            assert!(number_cursor(Some(bad)).is_err(), "{bad}");
        }
    }
}
