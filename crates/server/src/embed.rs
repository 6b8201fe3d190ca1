//! The web client, inside the binary. A build without `web/dist` has a plain page instead, which
//! says how to build it. The client's build leaves what is worth it packed only: as `.br` and
//! `.gz`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read as _;
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
use bytes::Bytes;
use flate2::read::GzDecoder;
use rust_embed::RustEmbed;

/// What the page may load: its own files, and nothing that somebody put into it. What it opened
/// itself, pictures, sounds and films that came encrypted, it reads from `blob:`.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; \
    worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types parlor";

const MISSING: &str = "<!doctype html><html lang=\"en\"><title>Parlor</title><p>This build has no \
    web client. Build it with <code>cargo xtask web</code> and build the server again; the API is \
    at <a href=\"/docs\">/docs</a>.</p></html>";

/// What never changes under its name is kept for a year; the rest is asked for anew.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASKED: HeaderValue = HeaderValue::from_static("no-cache");

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// A file in the forms that it lies here in: as it is, or packed.
#[derive(Default)]
struct Asset {
    plain: Option<Bytes>,
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
    etag: Option<HeaderValue>,
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

/// A file of the client; a path that names none is one of its screens.
fn page(path: &str, headers: &HeaderMap) -> Response<Body> {
    static ASSETS: OnceLock<HashMap<String, Asset>> = OnceLock::new();
    let assets = ASSETS.get_or_init(|| gathered(Dist::iter().filter_map(|name| load(&name))));
    from(assets, path, headers)
}

/// A file as it is in the binary: its name, its bytes, and their hash.
type Stored = (String, Bytes, [u8; 32]);

fn load(name: &str) -> Option<Stored> {
    let file = Dist::get(name)?;
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Some((name.to_owned(), bytes, file.metadata.sha256_hash()))
}

fn from(assets: &HashMap<String, Asset>, path: &str, headers: &HeaderMap) -> Response<Body> {
    let is_file = path.starts_with("assets/");
    if let Some(asset) = assets.get(path) {
        return answer(path, asset, headers);
    }
    let mut response = Response::new(Body::empty());
    if is_file {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    if let Some(index) = assets.get("index.html") {
        return answer("index.html", index, headers);
    }
    *response.body_mut() = Body::from(MISSING);
    response.headers_mut().insert(CONTENT_TYPE, kind("index.html"));
    response
}

fn answer(path: &str, asset: &Asset, headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let to = response.headers_mut();
    to.insert(CACHE_CONTROL, if path.starts_with("assets/") { KEPT } else { ASKED });
    to.insert(CONTENT_TYPE, kind(path));
    to.insert(VARY, HeaderValue::from_static("accept-encoding"));
    to.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Some(etag) = &asset.etag {
        to.insert(ETAG, etag.clone());
        if headers.get(IF_NONE_MATCH) == Some(etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
    }
    let (encoding, bytes) = asset.as_asked(headers);
    if let Some(encoding) = encoding {
        to.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Body::from(bytes);
    response
}

impl Asset {
    /// The shortest form that the browser takes.
    fn as_asked(&self, headers: &HeaderMap) -> (Option<&'static str>, Bytes) {
        let packed = [("br", &self.brotli), ("gzip", &self.gzip)];
        for (encoding, bytes) in packed {
            if let Some(bytes) = bytes.as_ref().filter(|_| takes(headers, encoding)) {
                return (Some(encoding), bytes.clone());
            }
        }
        (None, self.unpacked())
    }

    /// For whoever takes nothing packed. Browsers do, but something may stand before them.
    fn unpacked(&self) -> Bytes {
        let unpack = |packed: &Bytes| {
            let mut plain = Vec::new();
            GzDecoder::new(packed.as_ref()).read_to_end(&mut plain).map(|_| plain.into()).ok()
        };
        let plain = self.plain.clone().or_else(|| self.gzip.as_ref().and_then(unpack));
        plain.unwrap_or_default()
    }
}

/// Whether the browser takes an encoding; one of the weight 0 it does not.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        name.trim().eq_ignore_ascii_case(encoding) && weight.is_none_or(|weight: f32| weight > 0.0)
    })
}

/// The files by their names, each with its packed forms.
fn gathered(files: impl Iterator<Item = Stored>) -> HashMap<String, Asset> {
    let mut assets = HashMap::<String, Asset>::new();
    for (name, bytes, hash) in files {
        let (name, form) = match name.rsplit_once('.') {
            Some((name, form @ ("br" | "gz"))) => (name, form),
            _ => (name.as_str(), ""),
        };
        let asset = assets.entry(name.to_owned()).or_default();
        match form {
            "br" => asset.brotli = Some(bytes),
            "gz" => asset.gzip = Some(bytes),
            _ => asset.plain = Some(bytes),
        }
        if form != "br" {
            let hash: String = hash[..16].iter().map(|b| format!("{b:02x}")).collect();
            asset.etag = HeaderValue::from_str(&format!("\"{hash}\"")).ok();
        }
    }
    assets
}

/// What a file is, by the end of its name.
fn kind(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use axum::body::to_bytes;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const LIBRARY: &[u8] = b"\0asm and so on";

    fn built() -> HashMap<String, Asset> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(LIBRARY).unwrap();
        let files: [(&str, Bytes); 4] = [
            ("index.html", Bytes::from_static(b"<!doctype html>")),
            ("assets/keys-1a2b.wasm.br", Bytes::from_static(b"by brotli")),
            ("assets/keys-1a2b.wasm.gz", gzip.finish().unwrap().into()),
            ("assets/figtree.woff2", Bytes::from_static(b"a font")),
        ];
        gathered(files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes, [7; 32])))
    }

    fn asked(path: &str, accepts: &str) -> Response<Body> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accepts.parse().unwrap());
        from(&built(), path, &headers)
    }

    fn said(response: &Response<Body>, name: axum::http::HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn bytes(response: Response<Body>) -> Bytes {
        to_bytes(response.into_body(), usize::MAX).await.unwrap()
    }

    #[tokio::test]
    async fn a_library_is_sent_packed_as_the_browser_takes_it_and_kept_for_a_year() {
        let path = "assets/keys-1a2b.wasm";
        for (accepts, encoding) in [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip, deflate", "gzip"),
            ("br;q=0, gzip;q=0.5", "gzip"),
            ("identity", ""),
        ] {
            let response = asked(path, accepts);
            assert_eq!(said(&response, CONTENT_ENCODING), encoding, "{accepts}");
            assert_eq!(said(&response, CONTENT_TYPE), "application/wasm");
            assert_eq!(said(&response, CACHE_CONTROL), "public, max-age=31536000, immutable");
            assert_eq!(said(&response, VARY), "accept-encoding");
        }
        assert_eq!(bytes(asked(path, "br")).await, "by brotli");
        assert_eq!(bytes(asked(path, "identity")).await, LIBRARY);
    }

    #[tokio::test]
    async fn what_is_not_packed_is_sent_as_it_is() {
        let response = asked("assets/figtree.woff2", "gzip, br");
        assert_eq!(said(&response, CONTENT_ENCODING), "");
        assert_eq!(said(&response, CONTENT_TYPE), "font/woff2");
        assert_eq!(bytes(response).await, "a font");
    }

    #[tokio::test]
    async fn a_path_of_no_file_is_a_screen_and_asked_for_anew() {
        let response = asked("r/1", "");
        assert_eq!(said(&response, CACHE_CONTROL), "no-cache");
        assert_eq!(bytes(response).await, "<!doctype html>");
        assert_eq!(asked("assets/gone.js", "").status(), StatusCode::NOT_FOUND);
        assert_eq!(asked("assets/keys-1a2b.wasm.br", "").status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn what_the_browser_has_already_is_not_sent_again() {
        let response = asked("assets/keys-1a2b.wasm", "br");
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, said(&response, ETAG).parse().unwrap());
        let again = from(&built(), "assets/keys-1a2b.wasm", &headers);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn sounds_and_films_that_the_page_opened_may_be_played() {
        let response = asked("index.html", "");
        let policy = said(&response, CONTENT_SECURITY_POLICY);
        assert!(policy.contains("media-src 'self' blob:;"), "{policy}");
        assert!(!policy.contains("'unsafe"), "{policy}");
    }
}
