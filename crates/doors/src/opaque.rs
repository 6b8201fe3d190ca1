//! Bodies that are JSON and nothing else: those about keys of encryption, whose shape is Matrix's.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use parlor_app::e2ee::Object;
use parlor_wire::Code;
use parlor_wire::command::Codec;
use serde_json::Value;

use crate::body::{content_type, object, read_up_to};
use crate::{Doors, Refusal};

/// An object that somebody sent.
pub(crate) struct Opaque(pub(crate) Object);

impl FromRequest<Doors> for Opaque {
    type Rejection = Refusal;

    async fn from_request(request: Request, doors: &Doors) -> Result<Self, Refusal> {
        let codec = content_type(request.headers())?;
        let limits = doors.app.limits();
        let bytes = read_up_to(request, limits.keys_json_bytes_max, limits).await?;
        match codec {
            Some(Codec::Json) => object(&bytes, limits).map(Self),
            _ => Err(Refusal::new(Code::Unsupported, "the body must be JSON")),
        }
    }
}

/// An answer that is JSON, whatever the client would rather read.
pub(crate) struct Json(pub(crate) Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0.to_string()));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
