//! Who asks: by `Authorization: Bearer`, or by the cookie of a browser.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use parlor_app::{Actor, Error};

use crate::{Doors, Refusal, cookie};

/// Somebody who is signed in. (That a request with a cookie comes from a page of ours, the guard
/// has seen to.)
pub struct Signed(pub Actor);

impl FromRequestParts<Doors> for Signed {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refusal> {
        Ok(Self(authenticate(doors, &parts.headers).await?))
    }
}

/// Who these headers prove.
///
/// # Errors
/// [`Error::Unauthorized`] when they prove nobody.
pub(crate) async fn authenticate(doors: &Doors, headers: &HeaderMap) -> Result<Actor, Error> {
    if let Some(token) = bearer(headers) {
        // A token that is not good is not made up for by a cookie.
        return doors.app.authenticate_bearer(token).await;
    }
    let cookie = cookie::read(doors, headers).ok_or(Error::Unauthorized)?;
    doors.app.authenticate_cookie(cookie).await
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let alone = values.next().is_none();
    (alone && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_stands_alone() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, line.parse().unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer x"]).as_deref(), Some("x"));
        assert_eq!(read(&["bearer x"]).as_deref(), Some("x"));
        for bad in [&["Basic x"][..], &["Bearer"], &[""], &["Bearer x", "Bearer y"]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
