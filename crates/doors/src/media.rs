//! Files on their way out, from a path of their own that looks at no cookie. What a file holds is
//! never run here: it is given by its type with no guessing, in a sandbox, and whatever a browser
//! could take for more than a picture, a film or a sound is only to be kept.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlor_app::files::{Bytes, Part};
use parlor_app::media_is_shown;
use parlor_domain::FileId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::openapi::NotFound;
use crate::path::Id;
use crate::query::Query;
use crate::range::{self, Asked};
use crate::{Doors, Refusal};

/// What a page that is made of a file may do: nothing.
const POLICY: &str = "sandbox; default-src 'none'";

/// Browsers may keep a file, and ask each time whether they may still show it.
const CACHE: &str = "private, no-cache";

pub(crate) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default().routes(routes!(media)).routes(routes!(thumbnail))
}

/// What proves who asks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct Shown {
    /// The ticket of `POST /media-ticket`.
    #[param(required = true)]
    ticket: String,
}

/// The bytes of a file.
///
/// Whoever may read a message that carries it may have it, as of now. One range is answered with
/// 206; several are not, and get all of it.
#[utoipa::path(
    get, path = "/media/{id}/{name}", tag = "files",
    params(
        ("id" = String, Path, description = "The file"),
        ("name" = String, Path, description = "Any name: a browser keeps the file under it"),
        Shown
    ),
    responses(
        (status = 200, description = "All of it", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 206, description = "The range that was asked for", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 304, description = "It is the one that the asker has"),
        (status = 416, description = "The range is behind its end"),
        NotFound
    ),
    security(("ticket" = []))
)]
async fn media(
    State(doors): State<Doors>,
    Id(file): Id<FileId>,
    Query(shown): Query<Shown>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    answer(&doors, file, Part::Whole, &shown, &headers).await
}

/// The small picture of a file.
///
/// One that is still being drawn is waited for, for a few seconds; then 503 says to come back. 404:
/// there is none and none will be, so take the file itself.
#[utoipa::path(
    get, path = "/media/{id}/thumbnail", tag = "files",
    params(("id" = String, Path, description = "The file"), Shown),
    responses(
        (status = 200, description = "All of it", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 206, description = "The range that was asked for", body = Vec<u8>,
            content_type = "image/jpeg"),
        (status = 304, description = "It is the one that the asker has"),
        (status = 416, description = "The range is behind its end"),
        NotFound
    ),
    security(("ticket" = []))
)]
async fn thumbnail(
    State(doors): State<Doors>,
    Id(file): Id<FileId>,
    Query(shown): Query<Shown>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    answer(&doors, file, Part::Thumbnail, &shown, &headers).await
}

async fn answer(
    doors: &Doors,
    file: FileId,
    part: Part,
    shown: &Shown,
    asked: &HeaderMap,
) -> Result<Response, Refusal> {
    let actor = doors.app.authenticate_ticket(&shown.ticket).await?;
    let bytes = doors.app.bytes_of(&actor, file, part).await?;
    let tag = format!("\"{}\"", bytes.tag());
    let said = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    if said(header::IF_NONE_MATCH).is_some_and(|tags| tags.contains(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers(doors, &bytes, &tag)).into_response());
    }
    // A part of another file than the asker has begun with is of no use.
    let same = said(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = said(header::RANGE).filter(|_| same);
    let (status, range) = match range::read(range, bytes.length) {
        Asked::All => (StatusCode::OK, 0..bytes.length),
        Asked::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => {
            let refusal = Refusal::http(StatusCode::RANGE_NOT_SATISFIABLE, "there is no such part");
            let all = format!("bytes */{}", bytes.length);
            return Ok(([(header::CONTENT_RANGE, all)], refusal).into_response());
        }
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers(doors, &bytes, &tag);
    response.headers_mut().insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, bytes.length);
        response
            .headers_mut()
            .extend(HeaderValue::try_from(text).map(|v| (header::CONTENT_RANGE, v)));
    }
    *response.body_mut() = Body::from_stream(doors.app.read_bytes(&bytes, range).await?);
    Ok(response)
}

fn headers(doors: &Doors, bytes: &Bytes, tag: &str) -> HeaderMap {
    let shown = media_is_shown(bytes.media_type());
    // By its type alone a browser may begin to draw, or to run, what it was given.
    let media_type = if shown { bytes.media_type() } else { "application/octet-stream" };
    // Pages of other sites that the operator lets in may show it; they need a ticket all the same.
    let alone = doors.config.allowed_origins.is_empty();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, &disposition(shown, bytes.name())),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, CACHE),
        (header::ACCEPT_RANGES, "bytes"),
        (header::ETAG, tag),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            if alone { "same-origin" } else { "cross-origin" },
        ),
    ] {
        headers.extend(HeaderValue::from_str(value).map(|value| (name, value)));
    }
    headers
}

/// How a file is to be taken, and under which name (RFC 6266): for those who read no more, in plain
/// letters, and for everybody else as it is.
fn disposition(shown: bool, name: &str) -> String {
    let how = if shown { "inline" } else { "attachment" };
    let plain = |c: char| if c.is_ascii_graphic() && !"\"\\%;".contains(c) { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut whole = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            whole += &format!("%{byte:02X}");
        }
    }
    format!("{how}; filename=\"{ascii}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_say_more_than_a_name() {
        assert_eq!(
            disposition(true, "cat.jpg"),
            "inline; filename=\"cat.jpg\"; filename*=UTF-8''cat.jpg"
        );
        assert_eq!(
            disposition(false, "a\"; x=\"b\r\nSet-Cookie: c"),
            "attachment; filename=\"a___x=_b__Set-Cookie:_c\"; \
             filename*=UTF-8''a%22%3B%20x%3D%22b%0D%0ASet-Cookie%3A%20c"
        );
        assert_eq!(
            disposition(false, "日"),
            "attachment; filename=\"_\"; filename*=UTF-8''%E6%97%A5"
        );
    }
}
