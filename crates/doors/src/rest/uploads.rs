//! Files that come in several requests, as tus 1.0 has it (tus.io): core, creation,
//! creation-with-upload, checksum, termination and expiration. The upload's id is the file's.

use std::time::{Duration, SystemTime};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parlor_app::Error;
use parlor_app::files::{NewFile, Upload, Written};
use parlor_domain::{Denied, FileId, Time};
use parlor_wire::Code;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Signed;
use crate::incoming::{CHECKSUMS, Checksum, pour};
use crate::openapi::Conflict;
use crate::path::Id;
use crate::reply::Done;
use crate::{Doors, Refusal};

/// The version that is spoken.
const VERSION: &str = "1.0.0";

const EXTENSIONS: &str = "creation,creation-with-upload,checksum,termination,expiration";

/// What a piece of a file calls itself.
const PIECE: &str = "application/offset+octet-stream";

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(begin_upload, upload_options))
        .routes(routes!(upload, write_upload, delete_upload))
        .layer(map_response(speak))
}

/// Every answer says which version is spoken.
async fn speak(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", HeaderValue::from_static(VERSION));
    }
    response
}

/// A request that speaks our version.
struct Spoken;

impl<S: Sync> FromRequestParts<S> for Spoken {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        if said(&parts.headers, &RESUMABLE) == Some(VERSION) {
            return Ok(Self);
        }
        let message = "say `Tus-Resumable: 1.0.0`";
        Err(Refusal::http(StatusCode::PRECONDITION_FAILED, message).closing())
    }
}

/// The headers of every request.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
struct Always {
    /// The version of tus.
    #[param(rename = "Tus-Resumable", inline)]
    version: Version,
}

/// The one version.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
enum Version {
    #[schema(rename = "1.0.0")]
    One,
}

/// What tus is spoken here.
#[utoipa::path(
    options, path = "/uploads", tag = "files",
    responses((status = 204, description = "Versions, extensions and limits, as headers")),
    security(())
)]
async fn upload_options(State(doors): State<Doors>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        ("tus-version", VERSION),
        ("tus-extension", EXTENSIONS),
        ("tus-checksum-algorithm", CHECKSUMS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("tus-max-size", doors.app.limits().upload_bytes_max.into());
    response
}

/// Begin to send a file in several requests.
///
/// `Upload-Metadata` names it (`filename`); `encrypted` says that only its readers can tell what it
/// is, `sha256` what all of it must be, in hexadecimal digits. A body is its beginning.
#[utoipa::path(
    post, path = "/uploads", tag = "files",
    params(
        Always,
        ("Upload-Length" = u64, Header, description = "Bytes that it will have"),
        ("Upload-Metadata" = Option<String>, Header,
            description = "Keys and Base64 values, separated by commas"),
    ),
    responses(
        (status = 201, description = "It has begun",
            headers(("Location", description = "Where to go on"))),
        (status = 412, description = "Another version of tus is spoken here"),
        (status = 413, description = "It is too long, or there is no room for it"),
        (status = 415, description = "The body is not a piece of a file"),
        (status = 422, description = "A header is not acceptable"),
        (status = 408, description = "The body came too slowly"),
        Conflict
    )
)]
async fn begin_upload(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    _: Spoken,
    request: Request,
) -> Result<Response, Refusal> {
    let begins = request.headers().contains_key(header::CONTENT_TYPE);
    if begins {
        check_type(request.headers())?;
    }
    let length = number(request.headers(), &LENGTH, "Upload-Length");
    let length = length.map_err(|error| Refusal::from(error).closing())?;
    let new = described(request.headers(), length)?;
    let begun = doors.app.begin_upload(&actor, new).await;
    let upload = begun.map_err(|error| Refusal::from(error).closing())?;
    let place = format!("/api/v1/uploads/{}", upload.id);
    let mut headers = at(&upload);
    if begins {
        let (id, length) = (upload.id, upload.length);
        let writing = doors.app.write_upload(&actor, id, 0, false).await?;
        headers = written(pour(&doors, request.into_body(), writing, None).await?, length);
    }
    headers.extend(HeaderValue::try_from(place).map(|place| (header::LOCATION, place)));
    Ok((StatusCode::CREATED, headers).into_response())
}

/// How much of a file has come.
#[utoipa::path(
    head, path = "/uploads/{id}", tag = "files",
    params(("id" = String, Path, description = "The upload"), Always),
    responses(
        (status = 200, description = "`Upload-Offset` bytes of `Upload-Length` are here"),
        (status = 412, description = "Another version of tus is spoken here"),
    )
)]
async fn upload(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    _: Spoken,
    Id(id): Id<FileId>,
) -> Result<HeaderMap, Refusal> {
    match doors.app.upload(&actor, id).await {
        Ok(upload) => {
            let mut headers = at(&upload);
            headers.insert(LENGTH, upload.length.into());
            Ok(headers)
        }
        // All of it has come, and it is a file by now.
        Err(Error::Denied(Denied::NotFound)) => {
            let length = doors.app.sent_length(&actor, id).await?;
            Ok(HeaderMap::from_iter([(OFFSET, length.into()), (LENGTH, length.into())]))
        }
        Err(error) => Err(error.into()),
    }
}

/// Go on with a file.
///
/// The last piece makes it a file: it can be asked for at once under the same id.
#[utoipa::path(
    patch, path = "/uploads/{id}", tag = "files",
    params(
        ("id" = String, Path, description = "The upload"),
        Always,
        ("Upload-Offset" = u64, Header, description = "Bytes that are here already"),
        ("Upload-Checksum" = Option<String>, Header,
            description = "`sha1` or `sha256`, and the piece's checksum in Base64"),
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "`Upload-Offset` bytes are here now"),
        (status = 412, description = "Another version of tus is spoken here"),
        (status = 460, description = "The piece is not what its checksum says"),
        Conflict
    )
)]
async fn write_upload(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    _: Spoken,
    Id(id): Id<FileId>,
    request: Request,
) -> Result<Response, Refusal> {
    let headers = request.headers();
    check_type(headers)?;
    let at = number(headers, &OFFSET, "Upload-Offset").map_err(|e| Refusal::from(e).closing())?;
    let checksum = headers.get("upload-checksum").map(|text| {
        let unknown = || Refusal::new(Code::BadRequest, "the checksum is not understood").closing();
        text.to_str().ok().and_then(Checksum::read).ok_or_else(unknown)
    });
    let checksum = checksum.transpose()?;
    let writing = doors.app.write_upload(&actor, id, at, checksum.is_some()).await;
    let writing = writing.map_err(|error| Refusal::from(error).closing())?;
    let length = writing.length();
    let done = pour(&doors, request.into_body(), writing, checksum).await?;
    Ok((StatusCode::NO_CONTENT, written(done, length)).into_response())
}

/// Give up sending a file.
#[utoipa::path(
    delete, path = "/uploads/{id}", tag = "files",
    params(("id" = String, Path, description = "The upload"), Always),
    responses(
        (status = 204, description = "Nothing of it is left"),
        (status = 412, description = "Another version of tus is spoken here"),
    )
)]
async fn delete_upload(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    _: Spoken,
    Id(id): Id<FileId>,
) -> Done {
    doors.app.delete_upload(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn said<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    if said(headers, &header::CONTENT_TYPE) == Some(PIECE) {
        return Ok(());
    }
    Err(Refusal::new(Code::Unsupported, format!("a piece of a file is {PIECE}")).closing())
}

fn number(headers: &HeaderMap, name: &HeaderName, field: &'static str) -> Result<u64, Denied> {
    let digits = said(headers, name).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or(Denied::invalid(field, "must be a number of bytes"))
}

/// What `Upload-Metadata` says.
fn described(headers: &HeaderMap, length: u64) -> Result<NewFile, Refusal> {
    const FIELD: &str = "Upload-Metadata";
    let mut new = NewFile { length, ..NewFile::default() };
    let text = headers.get("upload-metadata").map_or(Ok(""), HeaderValue::to_str);
    let text = text.map_err(|_| Denied::invalid(FIELD, "must be ASCII"))?;
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value =
            BASE64.decode(value.trim()).ok().and_then(|value| String::from_utf8(value).ok());
        let value = value.ok_or(Denied::invalid(FIELD, "a value must be Base64 of UTF-8"))?;
        match key {
            "filename" | "name" => new.name = value,
            "encrypted" => new.encrypted = value != "false",
            "sha256" => new.sha256 = Some(sha256(&value)?),
            // Its type, which is not believed, and whatever else clients add.
            _ => {}
        }
    }
    Ok(new)
}

fn sha256(text: &str) -> Result<[u8; 32], Denied> {
    let bad = Denied::invalid("sha256", "must be 64 hexadecimal digits");
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64).ok_or(bad)?;
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default();
    }
    Ok(hash)
}

/// Where an upload is, and until when it is kept.
fn at(upload: &Upload) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(OFFSET, upload.received.into())]);
    headers.extend(HeaderValue::try_from(date(upload.expires)).map(|date| (EXPIRES, date)));
    headers
}

/// What a piece has come to.
fn written(done: Written, length: i64) -> HeaderMap {
    match done {
        Written::Part(upload) => at(&upload),
        Written::Whole(_) => HeaderMap::from_iter([(OFFSET, length.into())]),
    }
}

/// A moment as HTTP writes it.
fn date(at: Time) -> String {
    let since = Duration::from_micros(u64::try_from(at.0).unwrap_or_default());
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Option<NewFile> {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static("upload-metadata"),
            HeaderValue::from_static(text),
        )]);
        described(&headers, 7).ok()
    }

    #[test]
    fn metadata_is_keys_and_values() {
        let new = read("filename Y2F0LmpwZw==,filetype aW1hZ2UvanBlZw==,encrypted").unwrap();
        assert_eq!((&*new.name, new.length, new.encrypted), ("cat.jpg", 7, true));
        assert_eq!(read("encrypted ZmFsc2U=").map(|new| new.encrypted), Some(false));
        assert_eq!(read(""), Some(NewFile { length: 7, ..NewFile::default() }));
        assert_eq!(read("filename *"), None);
        assert_eq!(read("sha256 YWI="), None);
    }

    #[test]
    fn a_hash_is_hexadecimal_digits() {
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(text).unwrap()[..3], [0xba, 0x78, 0x16]);
        assert!(sha256(&text[1..]).is_err());
        assert!(sha256(&text.replace('b', "x")).is_err());
    }

    #[test]
    fn an_end_is_told_as_http_has_it() {
        assert_eq!(date(Time(1_700_000_000_000_000)), "Tue, 14 Nov 2023 22:13:20 GMT");
    }
}
