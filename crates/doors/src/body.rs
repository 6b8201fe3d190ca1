//! What a request says, in JSON or protobuf by its `Content-Type`, and nothing else.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use parlor_domain::Limits;
use parlor_wire::Code;
use parlor_wire::command::Codec;
use parlor_wire::json::{self, JsonError};
use prost::Message;
use serde::de::DeserializeOwned;

use crate::reply::PROTOBUF;
use crate::{Doors, Refusal};

/// A request's body, read as a `T`.
pub(crate) struct Body<T>(pub(crate) T);

/// A body that may be absent, which means the default.
pub(crate) struct MaybeBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Message + Default> FromRequest<Doors> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Refusal> {
        let codec = content_type(request.headers())?;
        let limits = doors.app.limits();
        let bytes = read(request, limits).await?;
        let codec = codec.ok_or_else(|| unsupported("say what the body is: JSON or protobuf"))?;
        parse(codec, &bytes, limits).map(Self)
    }
}

impl<T: DeserializeOwned + Message + Default> FromRequest<Doors> for MaybeBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Refusal> {
        let codec = content_type(request.headers())?;
        let limits = doors.app.limits();
        let bytes = read(request, limits).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let codec = codec.ok_or_else(|| unsupported("say what the body is: JSON or protobuf"))?;
        parse(codec, &bytes, limits).map(Self)
    }
}

fn unsupported(message: &str) -> Refusal {
    Refusal::new(Code::Unsupported, message)
}

/// What the body is said to be. A form or plain text, which any page on the web can have a
/// browser send, is never read; nor is anything packed.
pub(crate) fn content_type(headers: &HeaderMap) -> Result<Option<Codec>, Refusal> {
    let packed = headers.get(header::CONTENT_ENCODING);
    if packed.is_some_and(|how| how != "identity") {
        return Err(unsupported("send the body as it is, not packed").closing());
    }
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => Ok(Some(Codec::Json)),
        PROTOBUF => Ok(Some(Codec::Proto)),
        _ => Err(unsupported("the body must be JSON or protobuf").closing()),
    }
}

/// The bytes of a body, within the limits of size and time.
pub(crate) async fn read(request: Request, limits: &Limits) -> Result<Bytes, Refusal> {
    read_up_to(request, limits.json_bytes_max, limits).await
}

/// As [`read`], of a body that may be as long as this.
pub(crate) async fn read_up_to(
    request: Request,
    limit: u64,
    limits: &Limits,
) -> Result<Bytes, Refusal> {
    let too_long =
        || Refusal::new(Code::TooLong, format!("the body is longer than {limit}")).closing();
    let said = request.headers().get(header::CONTENT_LENGTH);
    let said = said.and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|n| n > limit) {
        return Err(too_long());
    }
    let max = usize::try_from(limit).unwrap_or(usize::MAX);
    let reading = Limited::new(request.into_body(), max).collect();
    let patience = Duration::from_millis(limits.body_ms_max);
    match tokio::time::timeout(patience, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
        Ok(Err(_)) => Err(Refusal::new(Code::BadRequest, "the body is broken").closing()),
        Err(_) => {
            let late = StatusCode::REQUEST_TIMEOUT;
            Err(Refusal::http(late, "the body came too slowly").closing())
        }
    }
}

/// Reads an object of JSON.
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, Refusal> {
    json::read(bytes, limits.json_depth_max).map_err(|error| {
        let code = match error {
            JsonError::Syntax(_) | JsonError::Duplicate => Code::InvalidJson,
            JsonError::TooDeep => Code::TooDeep,
            JsonError::Shape(_) => Code::Invalid,
        };
        Refusal::new(code, error.to_string())
    })
}

fn parse<T>(codec: Codec, bytes: &[u8], limits: &Limits) -> Result<T, Refusal>
where
    T: DeserializeOwned + Message + Default,
{
    match codec {
        Codec::Json => object(bytes, limits),
        Codec::Proto => T::decode(bytes)
            .map_err(|_| Refusal::new(Code::BadRequest, "the body is not this message")),
    }
}
