//! What every request passes on its way in, and every answer on its way out.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use parlor_domain::Limits;
use parlor_wire::Code;

use crate::error::new_request_id;
use crate::reply::{self, Reply};
use crate::{Doors, Refusal, cors, health, origin, socketio};

/// Headers of every answer that does not say otherwise itself.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Guards one request.
pub(crate) async fn guard(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let request_id = new_request_id();
    let began = doors.app.now();
    let (parts, body) = request.into_parts();
    let codec = reply::accepted(&parts.headers);
    let origin = cors::listed(&parts.headers, &doors);
    let (method, route) = (parts.method.clone(), route(&parts));
    let mut response = match admit(&parts, &doors) {
        Err(refusal) => refusal.into_response(),
        Ok(()) => match cors::preflight(&parts, &doors) {
            Some(response) => response,
            None => run(Request::from_parts(parts, body), next, doors.app.limits()).await,
        },
    };
    explain(&mut response, &request_id);
    reply::write(&mut response, codec);
    let headers = response.headers_mut();
    cors::allow(headers, origin);
    complete(headers, &request_id);
    if !doors.config.hsts.is_zero() {
        let text = format!("max-age={}", doors.config.hsts.as_secs());
        headers.extend(HeaderValue::try_from(text).map(|v| (header::STRICT_TRANSPORT_SECURITY, v)));
    }
    let spent = doors.app.now().since(began);
    count(&method, route, response.status(), spent);
    response
}

/// The route's own pattern, so that ids do not end up in metrics.
fn route(parts: &Parts) -> String {
    let matched = parts.extensions.get::<MatchedPath>();
    matched.map_or("none", MatchedPath::as_str).to_owned()
}

fn admit(parts: &Parts, doors: &Doors) -> Result<(), Refusal> {
    if parts.method == Method::CONNECT {
        return Err(Refusal::bare(StatusCode::METHOD_NOT_ALLOWED).closing());
    }
    check_coding(&parts.headers)?;
    check_host(parts, doors)?;
    check_path(parts.uri.path())?;
    check_query(parts.uri.query(), doors.app.limits())?;
    origin::check(parts, doors)
}

/// A body comes in chunks or with a length. Another coding around the chunks (`chunked, chunked`)
/// is one that a proxy may read otherwise than we do.
fn check_coding(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => {
            let message = "the body is coded in a way that is not read here";
            Err(Refusal::http(StatusCode::BAD_REQUEST, message).closing())
        }
    }
}

/// A request names one host, and where the operator says which, one of those.
fn check_host(parts: &Parts, doors: &Doors) -> Result<(), Refusal> {
    let bad = |message| Err(Refusal::http(StatusCode::BAD_REQUEST, message).closing());
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return bad("two hosts are named"),
        (Some(host), None) => host.to_str().ok(),
        (None, _) => parts.uri.authority().map(|a| a.as_str()),
    };
    let Some(host) = named else {
        // Who looks whether this node is up may be a load balancer that speaks HTTP/1.0.
        let looks = health::PATHS.contains(&parts.uri.path());
        let old = parts.version == Version::HTTP_10;
        return if old && looks { Ok(()) } else { bad("no host is named") };
    };
    let allowed = &doors.config.allowed_hosts;
    let known = allowed.is_empty() || allowed.iter().any(|name| same_host(name, host));
    if known {
        return Ok(());
    }
    let status = StatusCode::MISDIRECTED_REQUEST;
    Err(Refusal::http(status, "this server has another name"))
}

/// Whether a host is the named one, on any port unless the name says which.
fn same_host(name: &str, host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => host,
    };
    name.eq_ignore_ascii_case(host) || name.eq_ignore_ascii_case(bare)
}

/// Refuses paths that two readers could read differently.
fn check_path(path: &str) -> Result<(), Refusal> {
    let decoded = percent_decoded(path);
    let sound = decoded.is_some_and(|bytes| {
        std::str::from_utf8(&bytes).is_ok_and(|text| {
            !text.chars().any(|c| c.is_control() || c == '\\')
                && !text.contains("//")
                && text.split('/').all(|part| part != "." && part != "..")
                && text.matches('/').count() == path.matches('/').count()
        })
    });
    if sound {
        return Ok(());
    }
    Err(Refusal::http(StatusCode::BAD_REQUEST, "the path is not sound"))
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(decoded)
}

fn check_query(query: Option<&str>, limits: &Limits) -> Result<(), Refusal> {
    let pairs = query.map_or(0, |query| query.split('&').count()) as u64;
    if pairs > limits.query_params_max {
        return Err(Refusal::new(Code::BadRequest, "too many parameters"));
    }
    Ok(())
}

/// Runs the handler, within the time for an answer, and survives its panics.
async fn run(request: Request, next: Next, limits: &Limits) -> Response {
    let has_body = request.headers().contains_key(header::CONTENT_LENGTH)
        || request.headers().contains_key(header::TRANSFER_ENCODING);
    let body_ms = if has_body { limits.body_ms_max } else { 0 };
    // Somebody who polls is answered when there is something, or with the next ping.
    let poll_ms = match request.uri().path() {
        socketio::PATH => limits.heartbeat_ms,
        "/api/v1/e2ee/sync" => limits.key_wait_ms_max,
        _ => 0,
    };
    // A file takes as long as it moves; whoever takes it sees to that.
    let patience = (!takes_a_file(request.method(), request.uri().path()))
        .then(|| Duration::from_millis(limits.answer_ms_max + body_ms + poll_ms));
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(patience.unwrap_or(Duration::MAX), handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            Refusal::internal(format!("panic: {}", panic_text(&*panic))).into_response()
        }
        Err(_) => Refusal::new(Code::Unavailable, "it took too long; try again").into_response(),
    }
}

fn takes_a_file(method: &Method, path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/v1/") else { return false };
    match *method {
        Method::POST => matches!(path, "files" | "uploads"),
        Method::PATCH => path.starts_with("uploads/"),
        _ => false,
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of an unknown kind")
}

/// Gives a refusal its body; one that says nothing at all gets the body of its status.
fn explain(response: &mut Response, request_id: &str) {
    let status = response.status();
    let refusal = response.extensions_mut().remove::<Refusal>();
    let silent = || {
        let headers = response.headers();
        let bare = headers.get(header::CONTENT_TYPE).is_none();
        let error = status.is_client_error() || status.is_server_error();
        (bare && error).then(|| Refusal::bare(status))
    };
    let Some(refusal) = refusal.or_else(silent) else {
        return;
    };
    refusal.log(request_id);
    let mut headers = std::mem::take(response.headers_mut());
    // A router within this one has counted the body that is not there yet.
    headers.remove(header::CONTENT_LENGTH);
    *response = Reply(status, refusal.body(request_id)).into_response();
    response.headers_mut().extend(headers);
    refusal.headers(response.headers_mut());
}

fn complete(headers: &mut HeaderMap, request_id: &str) {
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
}

fn count(method: &Method, route: String, status: StatusCode, spent: Duration) {
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    };
    let labels =
        [("method", method.to_owned()), ("route", route), ("status", status.as_u16().to_string())];
    metrics::counter!("parlor_http_requests_total", &labels).increment(1);
    metrics::histogram!("parlor_http_request_seconds", &labels).record(spent.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_reading() {
        for good in ["/", "/api/v1/rooms", "/app/a%20b", "/a;b", "/%C3%A9"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in [
            "//",
            "/a//b",
            "/..",
            "/%2e%2e%2fetc",
            "/a/%2E/b",
            "/a%00",
            "/a%2fb",
            "/a%5cb",
            "/%c0%af",
            "/%",
            "/%zz",
            "/%ff",
        ] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_is_known_with_and_without_its_port() {
        assert!(same_host("chat.example.org", "Chat.Example.Org"));
        assert!(same_host("chat.example.org", "chat.example.org:8000"));
        assert!(same_host("localhost:8000", "localhost:8000"));
        assert!(!same_host("localhost:8000", "localhost:8001"));
        assert!(same_host("[::1]", "[::1]:8000"));
        assert!(!same_host("chat.example.org", "evil.org"));
        assert!(!same_host("chat.example.org", "chat.example.org.evil"));
    }

    #[test]
    fn a_query_has_few_parameters() {
        let limits = Limits::default();
        let query = |n: usize| vec!["a=b"; n].join("&");
        assert!(check_query(None, &limits).is_ok());
        assert!(check_query(Some(&query(100)), &limits).is_ok());
        assert!(check_query(Some(&query(101)), &limits).is_err());
    }
}
