//! Who asks: by the cookie that signing in gave, or else by a token. What a page of another site
//! sends with somebody's cookies is not heard at all.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use parlor_app::accounts::{SignedIn, Unproved};
use parlor_app::{Actor, Error};
use parlor_doors::Doors;
use parlor_doors::facade::{bearer, clear_cookie, cookie, query_value, set_cookie};

use crate::error::Refused;

const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";

/// Seconds for which a browser keeps the cookies. The tokens in them live as long as the server is
/// set to let them.
const ACCESS_S: u64 = 900;
const REFRESH_S: u64 = 604_800;

/// A request that no foreign page sent with somebody's cookies.
pub(crate) struct Visit {
    headers: HeaderMap,
    uri: Uri,
}

/// Why nobody is proved.
pub(crate) enum Stranger {
    /// No token is shown.
    NoToken,
    /// Its time is over.
    Over,
    /// It is for something else.
    OtherKind,
    /// It is not good, or its login is over.
    Unknown,
    /// Something failed.
    Failed(Error),
}

/// Somebody who is signed in.
pub(crate) struct Known(pub(crate) Actor);

impl FromRequestParts<Doors> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refused> {
        let visit = Self { headers: parts.headers.clone(), uri: parts.uri.clone() };
        if visit.cookie(ACCESS).is_some() || visit.refresh_token().is_some() {
            visit.check_page(doors)?;
        }
        Ok(visit)
    }
}

impl FromRequestParts<Doors> for Known {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refused> {
        let visit = Visit::from_request_parts(parts, doors).await?;
        Ok(Self(visit.actor(doors).await?))
    }
}

impl Visit {
    /// Refuses what another site's page sends: it could use somebody's cookies, or have their
    /// browser sign in as somebody else.
    pub(crate) fn check_page(&self, doors: &Doors) -> Result<(), Refused> {
        if doors.allows_origin_of(&self.headers) {
            return Ok(());
        }
        let text = "CSRF Failed: Origin checking failed.";
        Err(Refused::detail(StatusCode::FORBIDDEN, text))
    }

    /// The actor; a cookie goes before every other token.
    pub(crate) async fn actor(&self, doors: &Doors) -> Result<Actor, Stranger> {
        let token = self.token().ok_or(Stranger::NoToken)?;
        let tried = doors.app.try_bearer(&token).await;
        tried.map_err(|unproved| match unproved {
            Unproved::OtherKind => Stranger::OtherKind,
            Unproved::Over => Stranger::Over,
            Unproved::Unknown => Stranger::Unknown,
            Unproved::Failed(error) => Stranger::Failed(error),
        })
    }

    fn token(&self) -> Option<Cow<'_, str>> {
        let shown = self.cookie(ACCESS).or_else(|| bearer(&self.headers)).map(Cow::Borrowed);
        shown.or_else(|| query_value(&self.uri, "token").map(Cow::Owned))
    }

    /// The refresh token, which is never anywhere but in its cookie.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.cookie(REFRESH)
    }

    /// What the client calls itself.
    pub(crate) fn agent(&self) -> Option<String> {
        let agent = self.headers.get(header::USER_AGENT)?;
        agent.to_str().ok().map(str::to_owned)
    }

    /// A cookie's value; an empty one is none.
    fn cookie(&self, name: &str) -> Option<&str> {
        cookie(&self.headers, name).filter(|value| !value.is_empty())
    }
}

impl From<Stranger> for Refused {
    fn from(stranger: Stranger) -> Self {
        let text = match stranger {
            Stranger::NoToken => "Authentication credentials were not provided.",
            Stranger::Over => "Access token expired",
            Stranger::OtherKind => "Authentication error: Invalid token type",
            Stranger::Unknown => "Invalid token",
            Stranger::Failed(error) => return error.into(),
        };
        // Not 403, as in the original: its own client refreshes on 401 only.
        Self::detail(StatusCode::UNAUTHORIZED, text)
    }
}

/// An answer that gives the browser both cookies.
pub(crate) fn with_cookies(doors: &Doors, proofs: &SignedIn, answer: Response) -> Response {
    let access = set_cookie(doors, ACCESS, &proofs.access_token, ACCESS_S);
    let refresh = set_cookie(doors, REFRESH, &proofs.refresh_token, REFRESH_S);
    with_headers(answer, [access, refresh])
}

/// An answer that takes both cookies away.
pub(crate) fn without_cookies(doors: &Doors, answer: Response) -> Response {
    with_headers(answer, [ACCESS, REFRESH].map(|name| clear_cookie(doors, name)))
}

fn with_headers(answer: Response, cookies: [header::HeaderValue; 2]) -> Response {
    let mut answer = answer.into_response();
    for cookie in cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}
