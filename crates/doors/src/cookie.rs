//! The browser's proof of a login. Scripts cannot read it, and other sites' pages do not send it.

use axum::http::{HeaderMap, HeaderValue, header};
use parlor_app::Hidden;

use crate::Doors;

/// How long a browser keeps it: as long as browsers keep anything. The server ends it sooner.
const MAX_AGE_S: u32 = 400 * 24 * 60 * 60;

/// Its name; with the prefix, browsers take it only over TLS, from this very host.
pub(crate) fn name(doors: &Doors) -> &'static str {
    if is_secure(doors) { "__Host-parlor_login" } else { "parlor_login" }
}

pub(crate) fn is_secure(doors: &Doors) -> bool {
    doors.app.settings().public_url.starts_with("https://")
}

/// The cookie's value in a request.
pub(crate) fn read<'a>(doors: &Doors, headers: &'a HeaderMap) -> Option<&'a str> {
    find(name(doors), headers)
}

pub(crate) fn find<'a>(name: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Gives the browser a cookie.
pub(crate) fn set(doors: &Doors, value: &Hidden) -> HeaderMap {
    header(doors, value.expose(), MAX_AGE_S)
}

/// Takes the cookie away.
pub(crate) fn clear(doors: &Doors) -> HeaderMap {
    header(doors, "", 0)
}

fn header(doors: &Doors, value: &str, max_age_s: u32) -> HeaderMap {
    let secure = if is_secure(doors) { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}",
        name(doors)
    );
    let mut headers = HeaderMap::new();
    if let Ok(mut value) = HeaderValue::try_from(text) {
        value.set_sensitive(true);
        headers.insert(header::SET_COOKIE, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; parlor_login=x=y".parse().unwrap());
        headers.append(header::COOKIE, "parlor_login2=z".parse().unwrap());
        assert_eq!(find("parlor_login", &headers), Some("x=y"));
        assert_eq!(find("parlor", &headers), None);
    }
}
