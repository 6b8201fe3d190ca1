//! Whose page sent a request: ours, one that is allowed, or a foreign one.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};

use crate::{Doors, Refusal, auth};

impl Doors {
    /// Whether a request comes from a page of ours, from one that is allowed, or from no page at
    /// all.
    pub fn allows_origin_of(&self, headers: &HeaderMap) -> bool {
        let site = headers.get("sec-fetch-site");
        match headers.get(header::ORIGIN) {
            Some(origin) => {
                origin.to_str().is_ok_and(|origin| self.allows_origin(origin, host(headers)))
            }
            // A browser that says nothing of the origin says at least this.
            None => site.is_none_or(|site| site == "same-origin" || site == "none"),
        }
    }

    fn allows_origin(&self, origin: &str, host: Option<&str>) -> bool {
        self.is_own_origin(origin, host) || self.is_allowed_origin(origin)
    }

    /// Whether an origin is on the list of the operator.
    pub(crate) fn is_allowed_origin(&self, origin: &str) -> bool {
        self.config.allowed_origins.iter().any(|o| o == origin)
    }

    fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        is_own(&self.app.settings().public_url, origin, host)
    }
}

/// An origin is ours when it is the public URL's, or when the page was got from the very host that
/// is asked now: by another name of this machine, say. Under the public name only the public
/// scheme will do, since a page that came without TLS may be anybody's.
fn is_own(public_url: &str, origin: &str, host: Option<&str>) -> bool {
    let public = of_url(public_url);
    if origin == public {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let public_authority = public.split_once("://").map_or("", |(_, a)| a);
    matches!(scheme, "http" | "https")
        && !authority.is_empty()
        && authority != public_authority
        && Some(authority) == host
}

/// The origin of a URL: scheme and authority.
fn of_url(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url;
    };
    let end = rest.find('/').unwrap_or(rest.len());
    &url[..scheme.len() + 3 + end]
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// Refuses what another site's page would have a browser do in its user's name: change something
/// with the cookie, or sign them in as somebody else. Who shows a token is no browser that was
/// talked into it.
pub(crate) fn check(parts: &Parts, doors: &Doors) -> Result<(), Refusal> {
    let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let by_token = auth::bearer(&parts.headers).is_some();
    let ours = parts.uri.path().starts_with("/api/");
    if safe || by_token || !ours || doors.allows_origin_of(&parts.headers) {
        return Ok(());
    }
    let message = "the request comes from another site's page";
    Err(Refusal::http(StatusCode::FORBIDDEN, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_ours_by_the_public_url_or_by_the_host_that_is_asked() {
        let public = "https://chat.example.org/base";
        let own = |origin, host| is_own(public, origin, host);
        assert!(own("https://chat.example.org", None));
        assert!(own("https://chat.example.org", Some("chat.example.org")));
        assert!(own("http://localhost:8000", Some("localhost:8000")));
        for (origin, host) in [
            ("http://chat.example.org", "chat.example.org"),
            ("https://evil", "chat.example.org"),
            ("https://chat.example.org.evil", "chat.example.org"),
            ("null", "chat.example.org"),
            ("", "chat.example.org"),
            ("ftp://localhost:8000", "localhost:8000"),
            ("http://localhost:8001", "localhost:8000"),
        ] {
            assert!(!own(origin, Some(host)), "{origin}");
        }
    }
}
