//! The opening handshake (RFC 6455, 4.2). Owns what makes a request a WebSocket upgrade and what is
//! answered; refuses to look at `Host`, `Origin` or credentials, which are the door's to judge.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ALLOW, CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use sha1::{Digest as _, Sha1};

use crate::extension;

/// What every key is joined with before hashing (RFC 6455, 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What the server offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// Subprotocols, in the server's order of preference; each must be an HTTP token.
    pub protocols: &'a [&'static str],
    /// Whether permessage-deflate may be negotiated.
    pub deflate: bool,
}

/// An accepted opening handshake.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The subprotocol that both know, or `None`: the client named none that is offered.
    pub protocol: Option<&'static str>,
    /// Whether permessage-deflate was negotiated; tell the decoder.
    pub deflate: bool,
    accept: HeaderValue,
    extensions: Option<&'static str>,
}

impl Accepted {
    /// The 101 response, complete. More headers (cookies) may be added.
    pub fn response<B: Default>(&self) -> Response<B> {
        let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if let Some(protocol) = self.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        if let Some(extensions) = self.extensions {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(extensions));
        }
        response
    }
}

/// A refused handshake, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a GET: 405.
    #[error("accept the handshake: its method is not GET")]
    Method,
    /// Not HTTP/1.1, which is where an upgrade exists: 400.
    #[error("accept the handshake: it is not HTTP/1.1")]
    HttpVersion,
    /// `Upgrade: websocket` or `Connection: Upgrade` is missing: 426.
    #[error("accept the handshake: it asks for no upgrade to websocket")]
    NotAnUpgrade,
    /// `Sec-WebSocket-Version` is not exactly one 13: 426, naming 13.
    #[error("accept the handshake: its websocket version is not 13")]
    Version,
    /// `Sec-WebSocket-Key` is not exactly one base64 form of 16 bytes: 400.
    #[error("accept the handshake: its key is not 16 bytes in base64")]
    Key,
}

impl Refused {
    /// The status to answer: 400, 405 or 426.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::HttpVersion | Self::Key => StatusCode::BAD_REQUEST,
            Self::NotAnUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
        }
    }

    /// The response with the headers that the status asks for, and an empty body for the door to
    /// fill.
    pub fn response<B: Default>(&self) -> Response<B> {
        let mut response = empty(self.status());
        let headers = response.headers_mut();
        match self {
            Self::Method => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            Self::NotAnUpgrade | Self::Version => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            Self::HttpVersion | Self::Key => {}
        }
        response
    }
}

/// Judges an opening handshake. A client that names only unknown subprotocols is accepted without
/// one, and one whose compression cannot be honoured without compression.
///
/// # Errors
/// [`Refused`] for a request that is no proper upgrade to WebSocket 13 over HTTP/1.1.
pub fn accept(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
    offer: &Offer<'_>,
) -> Result<Accepted, Refused> {
    if method != Method::GET {
        return Err(Refused::Method);
    }
    if version != Version::HTTP_11 {
        return Err(Refused::HttpVersion);
    }
    if !lists(headers, &UPGRADE, "websocket") || !lists(headers, &CONNECTION, "upgrade") {
        return Err(Refused::NotAnUpgrade);
    }
    if only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(Refused::Version);
    }
    let accept = answer_key(headers).ok_or(Refused::Key)?;
    let extensions = if offer.deflate { extension::negotiate(headers) } else { None };
    let protocol = choose_protocol(headers, offer);
    Ok(Accepted { protocol, deflate: extensions.is_some(), accept, extensions })
}

/// The proof that this server understood this key. The RFC asks for the key as it was written, so
/// the decoded bytes only show that it was a proper one.
fn answer_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let key = only(headers, &SEC_WEBSOCKET_KEY)?;
    let nonce = STANDARD.decode(key).ok()?;
    if nonce.len() != 16 {
        return None;
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(STANDARD.encode(digest)).ok()
}

fn choose_protocol(headers: &HeaderMap, offer: &Offer<'_>) -> Option<&'static str> {
    let named = |known: &&&str| listed(headers, &SEC_WEBSOCKET_PROTOCOL).any(|it| it == **known);
    offer.protocols.iter().find(named).copied()
}

/// The elements of a comma-separated header, over all its lines. What is not ASCII is passed over.
pub(crate) fn listed<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',').map(str::trim))
}

fn lists(headers: &HeaderMap, name: &HeaderName, element: &str) -> bool {
    listed(headers, name).any(|listed| listed.eq_ignore_ascii_case(element))
}

/// A header that may stand only once: two of them could be read differently by a proxy and by us.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut lines = headers.get_all(name).into_iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => line.to_str().ok().map(str::trim),
        _ => None,
    }
}

fn empty<B: Default>(status: StatusCode) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = status;
    response
}
