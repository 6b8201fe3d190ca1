//! One question and its answer over one connection, which is closed with it.

use std::pin::pin;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST,
    HeaderName, LOCATION, USER_AGENT,
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parlor_domain::Limits;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::{Kept, Packing};
use crate::target::Target;
use crate::{EgressError, Fetched, Want};

/// How we name ourselves, with a place where somebody who minds finds out who we are.
const AGENT: &str = "Parlor (+https://github.com/parlor-chat/parlor)";

/// The smallest buffer that hyper takes.
const BUFFER_MIN: usize = 8 * 1024;

/// What is answered.
pub(crate) enum Answer {
    /// It is here.
    Here(Fetched),
    /// It is elsewhere.
    Elsewhere(String),
}

/// Asks over a connection.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    target: &Target,
    want: &Want,
    limits: &Limits,
) -> Result<Answer, EgressError> {
    let header_bytes = size(limits.egress_header_bytes_max);
    let mut builder = http1::Builder::new();
    builder
        .max_headers(size(limits.egress_header_fields_max))
        .max_header_size(header_bytes)
        .max_buf_size(header_bytes.max(BUFFER_MIN));
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|_| EgressError::Garbled)?;
    let request = request(target, want)?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(|_| EgressError::Garbled)?;
        read(response, target, want).await
    };
    let mut answered = pin!(answered);
    tokio::select! {
        answer = &mut answered => answer,
        // The other side has hung up: what it said is still to be read.
        _ = connection => answered.await,
    }
}

fn request(target: &Target, want: &Want) -> Result<Request<Empty<Bytes>>, EgressError> {
    let request = Request::get(target.path()?)
        .header(HOST, target.authority())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, want.types.join(", "))
        .header(ACCEPT_ENCODING, "gzip")
        .header(CONNECTION, "close");
    request.body(Empty::new()).map_err(|_| EgressError::Url)
}

async fn read(
    response: Response<Incoming>,
    target: &Target,
    want: &Want,
) -> Result<Answer, EgressError> {
    let (head, body) = response.into_parts();
    if head.status.is_redirection()
        && let Some(location) = field(&head.headers, &LOCATION)
    {
        return Ok(Answer::Elsewhere(location.to_owned()));
    }
    if head.status != StatusCode::OK {
        return Err(EgressError::Status(head.status.as_u16()));
    }
    let content_type = field(&head.headers, &CONTENT_TYPE).unwrap_or_default();
    if !is_wanted(content_type, want) {
        return Err(EgressError::Type);
    }
    let said = field(&head.headers, &CONTENT_LENGTH).and_then(|said| said.parse::<u64>().ok());
    if !want.beginning && said.is_some_and(|bytes| bytes > want.bytes_max) {
        return Err(EgressError::TooLarge);
    }
    let packing = Packing::read(field(&head.headers, &CONTENT_ENCODING).unwrap_or_default())?;
    let bytes = take(body, Kept::new(packing, size(want.bytes_max)), want.beginning).await?;
    let (url, content_type) = (target.url().to_owned(), content_type.to_owned());
    Ok(Answer::Here(Fetched { url, content_type, bytes }))
}

/// Takes as much of a body as is wanted, and no more.
async fn take(mut body: Incoming, mut kept: Kept, beginning: bool) -> Result<Vec<u8>, EgressError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| EgressError::Garbled)?;
        let Ok(piece) = frame.into_data() else { continue };
        match kept.take(&piece) {
            Err(EgressError::TooLarge) if beginning => return Ok(kept.so_far()),
            taken => taken?,
        }
    }
    match kept.end() {
        Err(EgressError::TooLarge) if beginning => Ok(kept.so_far()),
        ended => ended.map(|()| kept.so_far()),
    }
}

fn is_wanted(content_type: &str, want: &Want) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    want.types.iter().any(|wanted| essence.eq_ignore_ascii_case(wanted))
}

/// A field of the header; none when it is not plain text.
fn field<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A limit as a size of memory.
fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
