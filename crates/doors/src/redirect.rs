//! Plain HTTP beside TLS: it says where to go, and shows a certificate authority the files that
//! prove whose the domain is, for those who have their certificates from another program.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// Bytes of a proof, at most.
const PROOF_BYTES_MAX: usize = 4096;

/// Where plain HTTP leads to.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// The public URL, which begins with `https://`.
    pub public_url: String,
    /// Further names of this server, which are kept as they are asked for.
    pub hosts: Vec<String>,
    /// The folder whose `.well-known/acme-challenge/` is shown.
    pub web_root: PathBuf,
}

/// Answers everything with the same place under TLS. The status keeps method and body.
pub fn router(redirect: Redirect) -> Router {
    Router::new()
        .route("/.well-known/acme-challenge/{token}", get(proof))
        .fallback(lead)
        .with_state(Arc::new(redirect))
}

async fn lead(State(to): State<Arc<Redirect>>, request: Request) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match HeaderValue::try_from(format!("https://{}{path}", to.authority(host))) {
        Ok(location) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// What a program like certbot has put there. A token has no characters that mean something in a
/// path.
async fn proof(State(to): State<Arc<Redirect>>, Path(token): Path<String>) -> Response {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if token.is_empty() || token.len() > 128 || !token.bytes().all(sound) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let path = to.web_root.join(".well-known/acme-challenge").join(token);
    match tokio::fs::read(path).await {
        Ok(bytes) if bytes.len() <= PROOF_BYTES_MAX => {
            ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Redirect {
    /// The authority of the address that is led to: the asked one where it is known, with the
    /// public port. Any other host may have been made up to have a cache lead people there.
    fn authority(&self, asked: Option<&str>) -> String {
        let public = self.public_url.strip_prefix("https://").unwrap_or(&self.public_url);
        let public = public.split('/').next().unwrap_or(public);
        let asked = asked.map(|host| bare(host).0);
        let known = asked.and_then(|host| self.hosts.iter().find(|h| h.eq_ignore_ascii_case(host)));
        match (known, bare(public).1) {
            (None, _) => public.to_owned(),
            (Some(host), None) => host.clone(),
            (Some(host), Some(port)) => format!("{host}:{port}"),
        }
    }
}

/// A host without its port, and the port.
fn bare(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_that_are_known_are_led_to() {
        let to = |public_url: &str, asked| {
            let hosts = vec!["rei.example".to_owned()];
            let public_url = public_url.to_owned();
            Redirect { public_url, hosts, web_root: PathBuf::new() }.authority(asked)
        };
        assert_eq!(to("https://chat.example", Some("chat.example:80")), "chat.example");
        assert_eq!(to("https://chat.example", Some("rei.example:8080")), "rei.example");
        assert_eq!(to("https://chat.example:8443/base", Some("rei.example")), "rei.example:8443");
        assert_eq!(to("https://chat.example", Some("evil.example")), "chat.example");
        assert_eq!(to("https://[::1]:8443", None), "[::1]:8443");
    }
}
