//! What a handler answers: a thing of the schema, written as JSON or protobuf, as the client reads.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parlor_wire::command::Codec;
use prost::Message;
use serde::Serialize;

use crate::Refusal;

/// Protobuf's content type.
pub(crate) const PROTOBUF: &str = "application/x-protobuf";

/// A status and a thing of the schema.
pub(crate) struct Reply<T>(pub(crate) StatusCode, pub(crate) T);

/// What most handlers return.
pub(crate) type Answer<T> = Result<Reply<T>, Refusal>;

/// What handlers return that have nothing to say.
pub(crate) type Done = Result<StatusCode, Refusal>;

/// A good answer.
pub(crate) fn ok<T>(thing: T) -> Answer<T> {
    Ok(Reply(StatusCode::OK, thing))
}

/// The answer to a creating request: 201, or 200 when an earlier one had done it.
pub(crate) fn created<T>(fresh: bool, thing: T) -> Answer<T> {
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Reply(status, thing))
}

/// Something that can be written in both forms.
trait Writable: Send + Sync {
    fn json(&self) -> Vec<u8>;
    fn protobuf(&self) -> Vec<u8>;
}

impl<T: Serialize + Message> Writable for T {
    fn json(&self) -> Vec<u8> {
        // Our types have text keys only, so this does not fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn protobuf(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

/// Travels with a response until the guard writes it.
#[derive(Clone)]
struct Unwritten(Arc<dyn Writable>);

impl<T: Serialize + Message + 'static> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(Unwritten(Arc::new(self.1)));
        response
    }
}

/// Writes a reply's body in the form that was asked for.
pub(crate) fn write(response: &mut Response, codec: Codec) {
    let Some(Unwritten(thing)) = response.extensions_mut().remove() else {
        return;
    };
    let (bytes, kind) = match codec {
        Codec::Json => (thing.json(), "application/json"),
        Codec::Proto => (thing.protobuf(), PROTOBUF),
    };
    *response.body_mut() = Body::from(bytes);
    let kind = HeaderValue::from_static(kind);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    // A router inside may have counted the body that there was.
    headers.remove(header::CONTENT_LENGTH);
}

/// The form that a client reads: protobuf where `Accept` prefers it, JSON otherwise.
pub(crate) fn accepted(headers: &HeaderMap) -> Codec {
    let texts = headers.get_all(header::ACCEPT).iter();
    let ranges = texts.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let (mut protobuf, mut json) = (0.0, 0.0_f32);
    for range in ranges {
        let (kind, quality) = quality(range);
        match kind.to_ascii_lowercase().as_str() {
            PROTOBUF => protobuf = quality,
            "application/json" | "application/*" | "*/*" => json = json.max(quality),
            _ => {}
        }
    }
    if protobuf > 0.0 && protobuf >= json { Codec::Proto } else { Codec::Json }
}

fn quality(range: &str) -> (&str, f32) {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    (kind, quality.map_or(1.0, |q| q.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protobuf_is_for_those_who_prefer_it() {
        let codec = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            accepted(&headers)
        };
        for json in [
            "",
            "*/*",
            "text/html",
            "application/json",
            "application/json, application/x-protobuf;q=0.5",
            "application/x-protobuf;q=0",
        ] {
            assert_eq!(codec(json), Codec::Json, "{json}");
        }
        for proto in [
            "application/x-protobuf",
            "Application/X-Protobuf",
            "application/x-protobuf, */*;q=0.1",
            "application/json;q=0.5, application/x-protobuf",
        ] {
            assert_eq!(codec(proto), Codec::Proto, "{proto}");
        }
        assert_eq!(accepted(&HeaderMap::new()), Codec::Json);
    }
}
