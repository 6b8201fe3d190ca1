//! Which façade a request speaks to, where it says so.
//!
//! In this order: the address or the host name that it came to, `/compat/<name>/` in its path, a
//! header, and what is known of the systems' own clients.

use axum::extract::Request;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{HeaderMap, Method, header};
use parlor_wire::Dialect;

use crate::Front;

/// The header that names a façade.
const HEADER: &str = "x-chat-dialect";

/// What Rei's Android client calls itself.
const REI: &str = "Rei's Chatroom";

/// Bound to one façade by the address that the request came to.
#[derive(Debug, Clone, Copy)]
pub struct Bound(pub Dialect);

impl Front {
    /// The façade that the request asks for, if it does; the prefix is taken off its path.
    pub(crate) fn strict(&self, request: &mut Request) -> Option<Dialect> {
        let asked = self.bound(request).or_else(|| self.prefixed(request));
        let asked = asked.or_else(|| named(request.headers())).or_else(|| hinted(request));
        asked.filter(|dialect| self.config.on.contains(dialect))
    }

    /// The façade whose prefix the path has, which is taken off. Of one that is switched off it
    /// stays on: there is nothing behind it.
    fn prefixed(&self, request: &mut Request) -> Option<Dialect> {
        let (dialect, rest) = prefixed(request.uri())?;
        if self.config.on.contains(&dialect) {
            *request.uri_mut() = rest;
        }
        Some(dialect)
    }

    fn bound(&self, request: &Request) -> Option<Dialect> {
        if let Some(Bound(dialect)) = request.extensions().get() {
            return Some(*dialect);
        }
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        let same = |name: &str| name.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(bare);
        let found = self.config.hosts.iter().find(|(name, _)| same(name));
        found.map(|(_, dialect)| *dialect)
    }
}

fn prefixed(uri: &Uri) -> Option<(Dialect, Uri)> {
    let rest = uri.path().strip_prefix("/compat/")?;
    let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
    let dialect = Dialect::parse(name)?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path: PathAndQuery = format!("/{path}{query}").parse().ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    Some((dialect, Uri::from_parts(parts).ok()?))
}

fn named(headers: &HeaderMap) -> Option<Dialect> {
    Dialect::parse(headers.get(HEADER)?.to_str().ok()?)
}

/// What the systems' own clients show of themselves: Rei's says its name, and Mrsambosk's is the
/// only one in a browser that signs in at these paths.
fn hinted(request: &Request) -> Option<Dialect> {
    let headers = request.headers();
    if headers.get(header::USER_AGENT).is_some_and(|agent| agent == REI) {
        return Some(Dialect::Rei);
    }
    let signs_in =
        request.method() == Method::POST && matches!(request.uri().path(), "/login" | "/register");
    (signs_in && headers.contains_key(header::ORIGIN)).then_some(Dialect::Mrsambosk)
}
