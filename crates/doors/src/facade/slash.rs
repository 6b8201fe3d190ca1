//! Slashes at the end of a path, which some systems send their clients on about.

use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};

use crate::Doors;

/// The path with the slash at its end taken away or added, and the header that sends a client
/// there. The location is absolute, as these systems write it, and keeps the prefix that the
/// request came by.
pub fn other_slash(doors: &Doors, request: &Request) -> (String, [(HeaderName, HeaderValue); 1]) {
    let asked = request.extensions().get::<OriginalUri>().map_or(request.uri(), |uri| &uri.0);
    let public = doors.app.settings().public_url.as_str();
    let (scheme, rest) = public.split_once("://").unwrap_or(("http", public));
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = named.or_else(|| rest.split('/').next()).unwrap_or_default();
    let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{scheme}://{host}{}{query}", toggled(asked.path()));
    // What came as a path and a host is of characters that a header may hold.
    let location = HeaderValue::try_from(location).unwrap_or(HeaderValue::from_static("/"));
    (toggled(request.uri().path()), [(header::LOCATION, location)])
}

fn toggled(path: &str) -> String {
    match path.strip_suffix('/') {
        Some(bare) => bare.to_owned(),
        None => format!("{path}/"),
    }
}

/// Whether a path is one of these, by whatever method.
pub fn is_one_of(paths: &[(Method, &str)], path: &str) -> bool {
    paths.iter().any(|(_, pattern)| fits(pattern, path))
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_by_its_parts_and_its_slash() {
        let paths = [(Method::GET, "/user/{id}"), (Method::POST, "/login")];
        assert!(is_one_of(&paths, "/user/7") && is_one_of(&paths, "/login"));
        for other in ["/user/", "/user/7/", "/user", "/login/", "/"] {
            assert!(!is_one_of(&paths, other), "{other}");
        }
        assert_eq!((toggled("/login/"), toggled("/login")), ("/login".into(), "/login/".into()));
    }
}
