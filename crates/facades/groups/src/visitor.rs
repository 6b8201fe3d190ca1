//! Who asks, by the `Authorization` header; never by a cookie.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use parlor_app::{Actor, Error};
use parlor_doors::Doors;
use parlor_doors::facade::{bearer, query_value};

use crate::error::Refused;

/// Who asks. Every path takes it, public ones too, since a token that is not good is refused on
/// every path.
pub(crate) enum Visitor {
    /// Nobody who shows a token.
    Nobody,
    /// The owner of an account that is deleted, by a token of theirs.
    Gone,
    /// Somebody.
    Known(Actor),
}

/// Who asks for a stream: a browser's `EventSource` cannot send the header, so the token may be in
/// the query.
pub(crate) struct Listener(pub(crate) Visitor);

impl Visitor {
    /// The actor.
    pub(crate) fn actor(self) -> Result<Actor, Refused> {
        match self {
            Self::Known(actor) => Ok(actor),
            Self::Nobody => Err(Refused::nobody()),
            Self::Gone => Err(Refused::not_found("User not found")),
        }
    }

    async fn of(doors: &Doors, token: Option<&str>) -> Result<Self, Refused> {
        const DOING: &str = "Failed to authenticate";
        let Some(token) = token else { return Ok(Self::Nobody) };
        match doors.app.authenticate_bearer(token).await {
            Ok(actor) => Ok(Self::Known(actor)),
            Err(Error::Unauthorized) => {
                let gone = doors.app.is_of_deleted(token).await.map_err(Refused::failed(DOING))?;
                let bad = Refused::Plain(StatusCode::BAD_REQUEST, "Invalid token");
                if gone { Ok(Self::Gone) } else { Err(bad) }
            }
            Err(error) => Err(Refused::Failed(DOING, error)),
        }
    }
}

impl FromRequestParts<Doors> for Visitor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refused> {
        Self::of(doors, shown(&parts.headers)).await
    }
}

impl FromRequestParts<Doors> for Listener {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refused> {
        let asked = query_value(&parts.uri, "token");
        let token = shown(&parts.headers).or(asked.as_deref());
        Visitor::of(doors, token).await.map(Self)
    }
}

/// The token that is shown; an empty one when there is something wrong with how it is shown. Other
/// schemes than Bearer show none.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let scheme = |value: &[u8]| value.get(..6).is_some_and(|s| s.eq_ignore_ascii_case(b"bearer"));
    bearer(headers).or_else(|| values.any(|value| scheme(value.as_bytes())).then_some(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_shown_and_a_malformed_one_is_none() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, line.parse().unwrap());
            }
            shown(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["bEARER x"]).as_deref(), Some("x"));
        assert_eq!(read(&["Bearer"]).as_deref(), Some(""));
        assert_eq!(read(&["Bearer x", "Bearer y"]).as_deref(), Some(""));
        assert_eq!(read(&["Basic x"]), None);
        assert_eq!(read(&["x"]), None);
        assert_eq!(read(&[]), None);
    }
}
