//! REST, WebSocket, Socket.IO, streams and HTTP/2 under TLS.

use std::process::Command;

use futures_util::{SinkExt as _, StreamExt as _};
use parlor_testkit::http::Request;
use parlor_testkit::soon;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::Paper;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_is_spoken_and_the_browser_is_told_to_stay() {
    let paper = Paper::new();
    let server = paper.server().start().await;
    let (client, to) = (paper.client(), server.address());
    client.token(to, "ana").await;
    let body = json!({"login": "ana", "password": "correct horse battery"}).to_string();
    let answer = client.send(to, &Request::new("POST", "/api/v1/auth/login").json(&body)).await;
    let answer = answer.to_lowercase();
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    assert!(answer.contains("set-cookie: __host-parlor_login="), "{answer}");
    assert!(answer.contains("; secure"), "{answer}");
    // The whole of something that is larger than a record, and than what is buffered at once.
    let api = client.send(to, &Request::new("GET", "/openapi.json")).await;
    let (_, json) = api.split_once("\r\n\r\n").unwrap();
    assert!(json.len() > 65_536, "{} bytes", json.len());
    let api: Value = serde_json::from_str(json).unwrap();
    assert_eq!(api["servers"][0]["url"], format!("https://{to}"));
    server.stop().await;
}

/// Opens a WebSocket under TLS.
async fn socket(
    paper: &Paper,
    to: std::net::SocketAddr,
    path: &str,
    token: &str,
) -> WebSocketStream<TlsStream<TcpStream>> {
    let stream = paper.client().connect(to, "localhost").await.unwrap();
    let mut request = format!("wss://localhost{path}").into_client_request().unwrap();
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    let open = tokio_tungstenite::client_async(request, stream);
    soon("a WebSocket", open).await.unwrap().0
}

/// Joins the lobby, and returns its main session.
async fn join(paper: &Paper, to: std::net::SocketAddr, token: &str) -> Value {
    let request = Request::new("GET", "/api/v1/rooms/public").bearer(token);
    let rooms = paper.client().send(to, &request).await;
    let rooms: Value = serde_json::from_str(rooms.split_once("\r\n\r\n").unwrap().1).unwrap();
    let room = &rooms["rooms"][0];
    let path = format!("/api/v1/rooms/{}/join", room["id"].as_str().unwrap());
    let request = Request::new("POST", &path).bearer(token).json("{}");
    let joined = paper.client().send(to, &request).await;
    assert!(joined.starts_with("HTTP/1.1 20"), "{joined}");
    room["main_session_id"].clone()
}

async fn heard(socket: &mut WebSocketStream<TlsStream<TcpStream>>) -> Value {
    loop {
        match soon("a frame", socket.next()).await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) => {}
            other => panic!("not a frame of ours: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_carries_what_is_said_both_ways() {
    let paper = Paper::new();
    let server = paper.server().start().await;
    let to = server.address();
    let token = paper.client().token(to, "ana").await;
    let session = join(&paper, to, &token).await;
    let mut ana = socket(&paper, to, "/api/v1/socket", &token).await;
    assert_eq!(heard(&mut ana).await["type"], "hello");
    let subscribe = json!({"type": "subscribe", "ref": 1, "session_id": session});
    ana.send(Message::text(subscribe.to_string())).await.unwrap();
    while heard(&mut ana).await["ref"] != 1 {}
    // More than a call's worth at once: the answers are encrypted in several turns.
    let content = "x".repeat(3_000);
    for n in 0..100_u128 {
        let client_id = uuid::Uuid::from_u128(n + 1).to_string();
        let send = json!({
            "type": "send", "ref": 100 + n as u64, "session_id": session,
            "client_id": client_id, "content": format!("{n} {content}"),
        });
        ana.feed(Message::text(send.to_string())).await.unwrap();
    }
    ana.flush().await.unwrap();
    let mut next = 0;
    while next < 100 {
        let frame = heard(&mut ana).await;
        assert_ne!(frame["type"], "error", "{frame}");
        if let Some(text) = frame["posted"]["content"].as_str() {
            assert_eq!(text, format!("{next} {content}"));
            next += 1;
        }
    }
    ana.close(None).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socket_io_and_streams_are_spoken() {
    let paper = Paper::new();
    let server = paper.server().start().await;
    let to = server.address();
    let token = paper.client().token(to, "ana").await;
    let mut io = socket(&paper, to, "/socket.io/?EIO=4&transport=websocket", &token).await;
    let opened = soon("the first packet", io.next()).await.unwrap().unwrap();
    assert!(opened.to_text().unwrap().starts_with("0{"), "{opened:?}");
    let mut stream = paper.client().connect(to, "localhost").await.unwrap();
    let session = join(&paper, to, &token).await;
    let session = session.as_str().unwrap();
    let path = format!("/api/v1/events?session={session}");
    let request = Request::new("GET", &path).bearer(&token);
    stream.write_all(&request.bytes()).await.unwrap();
    let head = soon("a head", until(&mut stream, "\r\n\r\n")).await;
    assert!(head.contains("text/event-stream"), "{head}");
    let said = json!({"client_id": uuid::Uuid::from_u128(1), "content": "under TLS"}).to_string();
    let path = format!("/api/v1/sessions/{session}/messages");
    let request = Request::new("POST", &path).bearer(&token).json(&said);
    assert!(paper.client().send(to, &request).await.starts_with("HTTP/1.1 201 "));
    let told = soon("an event", until(&mut stream, "under TLS")).await;
    assert!(told.contains("data: "), "{told}");
    server.stop().await;
}

/// Reads until this is there.
async fn until(stream: &mut TlsStream<TcpStream>, mark: &str) -> String {
    let mut told = String::new();
    while !told.contains(mark) {
        let mut bytes = [0; 4096];
        let n = stream.read(&mut bytes).await.unwrap();
        assert_ne!(n, 0, "the stream ended: {told}");
        told += &String::from_utf8_lossy(&bytes[..n]);
    }
    told
}

/// Runs a client that is not ours and returns what it prints.
async fn run(mut program: Command) -> String {
    let done = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_speaks_both_versions_and_an_origin_counts_in_both() {
    let paper = Paper::new();
    let server = paper.server().start().await;
    let port = server.address().port();
    // By a name that is not the public one, so that the host of the request is asked.
    let url = format!("https://localhost:{port}");
    for (version, origin, expected) in [
        ("--http2", &*url, "2 401"),
        ("--http1.1", &*url, "1.1 401"),
        ("--http2", "https://evil.example", "2 403"),
        ("--http1.1", "https://evil.example", "1.1 403"),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", version, "--cacert"]).arg(paper.cert());
        curl.args(["-o", "/dev/null", "-w", "%{http_version} %{http_code}"]);
        // Without a body: this curl takes an answer amiss that comes before it has sent one.
        curl.args(["-X", "POST", "-H", &format!("Origin: {origin}")]);
        curl.arg(format!("{url}/api/v1/auth/logout"));
        assert_eq!(run(curl).await, expected, "{version} {origin}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_own_client_is_answered() {
    let paper = Paper::new();
    let server = paper.server().start().await;
    let script = "fetch(process.argv[1]).then(async r => console.log(r.status, await r.text()))";
    let mut node = Command::new("node");
    node.env("NODE_EXTRA_CA_CERTS", paper.cert()).arg("-e").arg(script);
    node.arg(format!("https://localhost:{}/health", server.address().port()));
    let said = run(node).await;
    assert!(said.starts_with("200 "), "{said}");
    server.stop().await;
}
