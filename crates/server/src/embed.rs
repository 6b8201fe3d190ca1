//! The web client, inside the binary. A build without `web/dist` has a plain page instead, which
//! says how to build it.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

/// What the page may load: its own files, and nothing that somebody put into it.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self'; font-src 'self'; connect-src 'self'; \
    worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types parlor";

const MISSING: &str = "<!doctype html><html lang=\"en\"><title>Parlor</title><p>This build has no \
    web client. Build it with <code>cargo xtask web</code> and build the server again; the API is \
    at <a href=\"/docs\">/docs</a>.</p></html>";

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

struct Asset {
    plain: bytes::Bytes,
    gzip: Option<bytes::Bytes>,
    etag: HeaderValue,
    kind: HeaderValue,
}

/// The routes of the web client: `/app/…`. (What stands at `/`, the front knows.)
pub fn pages<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/app", get(async || parlor_front::web_client()))
        .route("/app/", get(|headers: HeaderMap| async move { page("index.html", &headers) }))
        .route(
            "/app/{*path}",
            get(
                |Path(path): Path<String>, headers: HeaderMap| async move { page(&path, &headers) },
            ),
        )
}

/// The names of the embedded files.
pub fn names() -> Vec<String> {
    let mut names: Vec<_> = assets().keys().cloned().collect();
    names.sort();
    names
}

/// A file of the client; a path that names none is one of its screens.
fn page(path: &str, headers: &HeaderMap) -> Response<Body> {
    let is_file = path.starts_with("assets/");
    let asset = assets().get(path).or_else(|| (!is_file).then(|| assets().get("index.html"))?);
    let mut response = Response::new(Body::empty());
    let Some(asset) = asset else {
        if !is_file {
            *response.body_mut() = Body::from(MISSING);
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, html);
        } else {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
        return response;
    };
    let known = headers.get(IF_NONE_MATCH).is_some_and(|etag| etag == asset.etag);
    let to = response.headers_mut();
    let lifetime = if is_file { "public, max-age=31536000, immutable" } else { "no-cache" };
    to.insert(CACHE_CONTROL, HeaderValue::from_static(lifetime));
    to.insert(CONTENT_TYPE, asset.kind.clone());
    to.insert(ETAG, asset.etag.clone());
    to.insert(VARY, HeaderValue::from_static("accept-encoding"));
    to.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let takes_gzip = headers
        .get(ACCEPT_ENCODING)
        .is_some_and(|accepted| accepted.to_str().is_ok_and(|text| text.contains("gzip")));
    match &asset.gzip {
        Some(gzip) if takes_gzip => {
            to.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            *response.body_mut() = Body::from(gzip.clone());
        }
        _ => *response.body_mut() = Body::from(asset.plain.clone()),
    }
    response
}

fn assets() -> &'static HashMap<String, Asset> {
    static ASSETS: OnceLock<HashMap<String, Asset>> = OnceLock::new();
    ASSETS.get_or_init(|| {
        Dist::iter().filter_map(|name| Some((name.to_string(), load(&name)?))).collect()
    })
}

fn load(name: &str) -> Option<Asset> {
    let file = Dist::get(name)?;
    let plain = bytes::Bytes::from(file.data.into_owned());
    let hash = file.metadata.sha256_hash();
    let hash: String = hash[..16].iter().map(|b| format!("{b:02x}")).collect();
    let kind = HeaderValue::from_str(file.metadata.mimetype()).ok()?;
    let text = kind.to_str().is_ok_and(|kind| {
        ["text/", "javascript", "json", "svg", "manifest"].iter().any(|t| kind.contains(t))
    });
    let kind = match kind.to_str() {
        Ok("text/html") => HeaderValue::from_static("text/html; charset=utf-8"),
        _ => kind,
    };
    let gzip = if text { compressed(&plain) } else { None };
    let etag = HeaderValue::from_str(&format!("\"{hash}\"")).ok()?;
    Some(Asset { plain, gzip, etag, kind })
}

/// The bytes compressed, where that is shorter.
fn compressed(plain: &[u8]) -> Option<bytes::Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < plain.len()).then(|| packed.into())
}
