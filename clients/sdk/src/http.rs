//! Requests and answers, without a login.
//!
//! Owns the connection pool, timeouts and the reading of refusals. Refuses an answer that is longer
//! than its limit: a server is not trusted with this program's memory.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use parlor_wire::v1;

use crate::Error;

/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of an answer that is JSON.
const JSON_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a file that is fetched into memory.
const FILE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// What a request carries.
pub(crate) enum Body<'a> {
    Nothing,
    Json(&'a serde_json::Value),
    Octets(Bytes),
}

/// The way to one server.
#[derive(Clone)]
pub(crate) struct Http {
    base: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Http {
    /// The way to the server at this address, which has no path.
    pub(crate) fn new(base: &str) -> Self {
        let https =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(https);
        Self { base: base.trim_end_matches('/').to_owned(), client }
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks, and gives the JSON that is answered; null for none.
    pub(crate) async fn json(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Body<'_>,
    ) -> Result<serde_json::Value, Error> {
        let bytes = self.ask(method, path, token, body, JSON_BYTES_MAX).await?;
        if bytes.is_empty() {
            return Ok(serde_json::Value::Null);
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Fetches bytes.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Bytes, Error> {
        self.ask("GET", path, None, Body::Nothing, FILE_BYTES_MAX).await
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Body<'_>,
        bytes_max: usize,
    ) -> Result<Bytes, Error> {
        let request = self.request(method, path, token, body)?;
        let answering = async {
            let answer = self.client.request(request).await.map_err(unreachable)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), bytes_max).collect().await;
            Ok::<_, Error>((status, body.map_err(unreachable)?.to_bytes()))
        };
        let (status, bytes) =
            tokio::time::timeout(PATIENCE, answering).await.map_err(unreachable)??;
        if status.is_success() { Ok(bytes) } else { Err(refusal(status, &bytes)) }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Body<'_>,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let method = Method::from_bytes(method.as_bytes()).map_err(Error::malformed)?;
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let (kind, bytes) = match body {
            Body::Nothing => (None, Bytes::new()),
            Body::Json(json) => (Some("application/json"), serde_json::to_vec(json)?.into()),
            Body::Octets(octets) => (Some("application/octet-stream"), octets),
        };
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Full::new(bytes)).map_err(Error::malformed)
    }
}

fn unreachable(error: impl std::fmt::Display) -> Error {
    Error::Unreachable(error.to_string())
}

fn refusal(status: StatusCode, body: &[u8]) -> Error {
    let said: v1::ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let said = said.error.unwrap_or_default();
    Error::Refused {
        status: status.as_u16(),
        code: said.code,
        message: said.message,
        retry_after_ms: said.retry_after_ms.and_then(|ms| u64::try_from(ms).ok()),
    }
}
