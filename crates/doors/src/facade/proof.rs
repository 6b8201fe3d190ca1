//! Who asks, in the ways of other systems. Each façade says which of them it takes, and in which
//! order.

use axum::http::{HeaderMap, HeaderValue};
use parlor_app::{Actor, Error, Hidden};
use parlor_domain::Denied;

use crate::{Doors, auth, cookie as ours};

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    auth::bearer(headers)
}

/// A cookie's value.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    ours::find(name, headers)
}

/// Whom our own login cookie proves. A page of another origin cannot use it.
///
/// # Errors
/// [`Error::Unauthorized`] when it proves nobody, [`Denied::Forbidden`] for a foreign origin.
pub async fn by_login_cookie(doors: &Doors, headers: &HeaderMap) -> Result<Actor, Error> {
    let shown = ours::read(doors, headers).ok_or(Error::Unauthorized)?;
    if !doors.allows_origin_of(headers) {
        return Err(Denied::Forbidden("a page of another origin asks").into());
    }
    doors.app.authenticate_cookie(shown).await
}

/// The header that gives a browser our own login cookie.
pub fn login_cookie(doors: &Doors, value: &Hidden) -> HeaderMap {
    ours::set(doors, value)
}

/// A `Set-Cookie` that scripts cannot read and other sites' pages do not send; over TLS only where
/// the public URL is.
pub fn set_cookie(doors: &Doors, name: &str, value: &Hidden, max_age_s: u64) -> HeaderValue {
    written(doors, name, value.expose(), max_age_s)
}

/// A `Set-Cookie` that takes a cookie away.
pub fn clear_cookie(doors: &Doors, name: &str) -> HeaderValue {
    written(doors, name, "", 0)
}

fn written(doors: &Doors, name: &str, value: &str, max_age_s: u64) -> HeaderValue {
    let secure = if ours::is_secure(doors) { "; Secure" } else { "" };
    let text =
        format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
    // Tokens are base64 and dots, which a header may hold.
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
