//! Somebody in between, who reads everything that a client and the server say and may change it:
//! what a malicious server could do is done here.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message as Said;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, connect_async};

use crate::proxy::address;

/// Frames that wait for a client whose socket is slow.
const FRAMES_MAX: usize = 64;

/// Changes the answer to a request: method and path, what was asked, what is answered.
type OnAnswer = Box<dyn FnMut(&Asked, &mut Value) + Send>;

/// Changes a frame of the server: what the client hears in its place.
type OnFrame = Box<dyn FnMut(Value) -> Vec<Value> + Send>;

/// What a client asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path below `/api/v1`.
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// A frame on a socket.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The how manieth socket it is on.
    pub(crate) line: u64,
    pub(crate) by_server: bool,
    pub(crate) said: Value,
}

/// Somebody in between.
pub(crate) struct Middle {
    pub(crate) url: String,
    wire: Arc<Wire>,
    _tasks: JoinSet<()>,
}

struct Wire {
    server: Mutex<SocketAddr>,
    http: Client<HttpConnector, Full<Bytes>>,
    on_answer: Mutex<Option<OnAnswer>>,
    on_frame: Mutex<Option<OnFrame>>,
    asked: Mutex<Vec<Asked>>,
    lines: AtomicU64,
    frames: Mutex<Vec<Frame>>,
    /// Everything that passed, as it was.
    bytes: Mutex<Vec<u8>>,
    said: broadcast::Sender<Value>,
    passed: watch::Sender<u64>,
    sockets: Mutex<JoinSet<()>>,
}

impl Middle {
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let wire = Arc::new(Wire {
            server: Mutex::new(address(url)),
            http: Client::builder(TokioExecutor::new()).build_http(),
            on_answer: Mutex::default(),
            on_frame: Mutex::default(),
            asked: Mutex::default(),
            lines: AtomicU64::new(0),
            frames: Mutex::default(),
            bytes: Mutex::default(),
            said: broadcast::Sender::new(FRAMES_MAX),
            passed: watch::Sender::new(0),
            sockets: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, Arc::clone(&wire)));
        Self { url: own, wire, _tasks: tasks }
    }

    /// Changes answers from now on.
    pub(crate) fn answers(&self, change: impl FnMut(&Asked, &mut Value) + Send + 'static) {
        *self.wire.on_answer.lock().unwrap() = Some(Box::new(change));
    }

    /// Changes what the server says on the socket from now on.
    pub(crate) fn hears(&self, change: impl FnMut(Value) -> Vec<Value> + Send + 'static) {
        *self.wire.on_frame.lock().unwrap() = Some(Box::new(change));
    }

    /// Lets everything pass as it is.
    pub(crate) fn is_honest(&self) {
        *self.wire.on_answer.lock().unwrap() = None;
        *self.wire.on_frame.lock().unwrap() = None;
    }

    /// Says something on the socket in the server's name.
    pub(crate) fn say(&self, frame: Value) {
        self.wire.said.send(frame).expect("a client listens");
    }

    /// What clients asked so far by a path that has this in it.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.wire.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.path.contains(path)).cloned().collect()
    }

    /// The frames of the server so far, as they were before they were changed.
    pub(crate) fn frames(&self) -> Vec<Value> {
        let frames = self.dialogue().into_iter().filter(|frame| frame.by_server);
        frames.map(|frame| frame.said).collect()
    }

    /// The frames of both sides so far, in the order in which they passed.
    pub(crate) fn dialogue(&self) -> Vec<Frame> {
        self.wire.frames.lock().unwrap().clone()
    }

    /// Changes whenever a frame has passed.
    pub(crate) fn passes(&self) -> watch::Receiver<u64> {
        self.wire.passed.subscribe()
    }

    /// Every byte of both sides so far: heads, bodies and frames, without their masks.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.wire.bytes.lock().unwrap().clone()
    }

    /// The server is somewhere else now.
    pub(crate) fn retarget(&self, url: &str) {
        *self.wire.server.lock().unwrap() = address(url);
    }
}

async fn listen(listener: TcpListener, wire: Arc<Wire>) {
    let mut wires = JoinSet::new();
    loop {
        let Ok((peer, _)) = listener.accept().await else { return };
        let wire = Arc::clone(&wire);
        wires.spawn(async move {
            let answer = service_fn(|request| {
                let wire = Arc::clone(&wire);
                async move { Ok::<_, Infallible>(wire.pass(request).await) }
            });
            let serving = http1::Builder::new().serve_connection(TokioIo::new(peer), answer);
            // A peer that goes away is not a fault.
            let _ = serving.with_upgrades().await;
        });
    }
}

impl Wire {
    async fn pass(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let passed = if request.headers().contains_key(header::UPGRADE) {
            self.socket(request).await
        } else {
            self.ask(request).await
        };
        passed.unwrap_or_else(|| {
            let mut gone = Response::new(Full::default());
            *gone.status_mut() = StatusCode::BAD_GATEWAY;
            gone
        })
    }

    async fn ask(&self, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        self.note(&[format!("{} {} {:?}", head.method, head.uri, head.headers).as_bytes(), &body]);
        let path = head.uri.path_and_query()?.as_str().to_owned();
        let asked = Asked {
            method: head.method.to_string(),
            path: path.trim_start_matches("/api/v1").to_owned(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        self.asked.lock().unwrap().push(asked.clone());
        let mut onward = Request::builder()
            .method(head.method)
            .uri(format!("http://{}{path}", self.server()))
            .body(Full::new(body))
            .ok()?;
        copy(&head.headers, onward.headers_mut());
        let (head, body) = self.http.request(onward).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        self.note(&[format!("{} {:?}", head.status, head.headers).as_bytes(), &body]);
        let body = self.change(&asked, body);
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = head.status;
        copy(&head.headers, answer.headers_mut());
        Some(answer)
    }

    fn change(&self, asked: &Asked, body: Bytes) -> Bytes {
        let mut rule = self.on_answer.lock().unwrap();
        let (Some(rule), Ok(mut answer)) = (&mut *rule, serde_json::from_slice(&body)) else {
            return body;
        };
        rule(asked, &mut answer);
        answer.to_string().into()
    }

    async fn socket(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Option<Response<Full<Bytes>>> {
        let url = format!("ws://{}{}", self.server(), request.uri().path());
        let mut onward = url.into_client_request().ok()?;
        for name in [header::AUTHORIZATION, header::SEC_WEBSOCKET_PROTOCOL] {
            onward.headers_mut().insert(&name, request.headers().get(&name)?.clone());
        }
        let key = derive_accept_key(request.headers().get(header::SEC_WEBSOCKET_KEY)?.as_bytes());
        let protocol = request.headers().get(header::SEC_WEBSOCKET_PROTOCOL)?.clone();
        let mut server = connect_async(onward).await.ok()?.0;
        let upgrade = hyper::upgrade::on(&mut request);
        let line = self.lines.fetch_add(1, Ordering::Relaxed);
        let wire = Arc::clone(&self);
        self.sockets.lock().unwrap().spawn(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let io = TokioIo::new(upgraded);
            let mut client = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
            let mut own = wire.said.subscribe();
            loop {
                tokio::select! {
                    said = server.next() => {
                        let Some(Ok(said)) = said else { return };
                        for frame in wire.frames_for(line, said) {
                            if client.send(frame).await.is_err() { return }
                        }
                    }
                    said = client.next() => {
                        let Some(Ok(said)) = said else { return };
                        wire.hear(line, false, &said);
                        if server.send(said).await.is_err() { return }
                    }
                    Ok(frame) = own.recv() => {
                        if client.send(Said::text(frame.to_string())).await.is_err() { return }
                    }
                }
            }
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::UPGRADE, "websocket")
            .header(header::CONNECTION, "upgrade")
            .header(header::SEC_WEBSOCKET_ACCEPT, key)
            .header(header::SEC_WEBSOCKET_PROTOCOL, protocol)
            .body(Full::default())
            .ok()
    }

    fn frames_for(&self, line: u64, said: Said) -> Vec<Said> {
        let Some(frame) = self.hear(line, true, &said) else { return vec![said] };
        match &mut *self.on_frame.lock().unwrap() {
            Some(rule) => {
                rule(frame).into_iter().map(|frame| Said::text(frame.to_string())).collect()
            }
            None => vec![said],
        }
    }

    /// Notes a frame.
    fn hear(&self, line: u64, by_server: bool, said: &Said) -> Option<Value> {
        let Said::Text(text) = said else { return None };
        self.note(&[text.as_bytes()]);
        let said: Value = serde_json::from_str(text).unwrap();
        self.frames.lock().unwrap().push(Frame { line, by_server, said: said.clone() });
        self.passed.send_modify(|passed| *passed += 1);
        Some(said)
    }

    fn note(&self, pieces: &[&[u8]]) {
        let mut bytes = self.bytes.lock().unwrap();
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
    }

    fn server(&self) -> SocketAddr {
        *self.server.lock().unwrap()
    }
}

/// What is not of the one connection only.
fn copy(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT] {
        if let Some(value) = from.get(&name) {
            to.insert(name, value.clone());
        }
    }
}
