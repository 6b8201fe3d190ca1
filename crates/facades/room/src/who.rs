//! Who asks: one of our logins, by a Bearer token, by `?token=` where a client cannot send headers,
//! or by the cookie of a browser.

use axum::http::{HeaderMap, Uri};
use parlor_app::{Actor, Error};
use parlor_doors::Doors;
use parlor_doors::facade::{bearer, by_login_cookie, query_value};

/// Whom a request proves. A token that is not good is not made up for by another proof.
///
/// # Errors
/// [`Error::Unauthorized`] when it proves nobody; as [`by_login_cookie`].
pub(crate) async fn who(doors: &Doors, headers: &HeaderMap, uri: &Uri) -> Result<Actor, Error> {
    if let Some(token) = bearer(headers) {
        return doors.app.authenticate_bearer(token).await;
    }
    if let Some(token) = query_value(uri, "token") {
        return doors.app.authenticate_bearer(&token).await;
    }
    by_login_cookie(doors, headers).await
}
