//! Rows R1 to R29 that are one request: bodies, values, ids, methods, headers, paths.

use parlor_testkit::http::Request;
use parlor_testkit::watch::Watch;
use parlor_testkit::{Person, TestServer};
use parlor_wire::v1;

use super::{Row, bytes_row, row, try_all};

const KIB: usize = 1024;

/// A room with one message, and a stranger to both.
struct Place {
    server: TestServer,
    watch: Watch,
    ana: Person,
    stranger: Person,
    room: v1::Room,
    message: v1::Message,
}

impl Place {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let watch = Watch::begin(&server).await;
        let ana = server.person("ana").await;
        let stranger = server.person("stranger").await;
        let room = ana.room("private", "Garden", &[]).await;
        let message = ana.say(&room.main_session_id, "hello").await.expect("it is said");
        Self { server, watch, ana, stranger, room, message }
    }

    fn send(&self, json: &str) -> Request {
        let path = format!("/sessions/{}/messages", self.room.main_session_id);
        self.ana.request("POST", &path).json(json)
    }

    /// A message with this content, which is JSON already.
    fn say(&self, content: &str) -> Request {
        let id = parlor_testkit::person::fresh_id();
        self.send(&format!(r#"{{"client_id":"{id}","content":{content}}}"#))
    }

    async fn try_all(mut self, rows: &[Row]) {
        try_all(&self.server, &mut self.watch, rows).await;
        let path = format!("/sessions/{}/messages", self.room.main_session_id);
        let page: v1::MessagePage = self.ana.get(&path).await.expect("it can be read");
        assert_eq!(page.messages.len(), 1, "something was stored: {:?}", page.messages);
        self.server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_json_is_refused() {
    let place = Place::new().await;
    let deep = "[".repeat(60_000);
    let nested = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    let twice = r#"{"content":"a","content":"b","client_id":"x"}"#;
    let invalid = place.send("").body("application/json", b"{\"content\":\"\xff\xfe\"}".to_vec());
    let rows = [
        row("R1 only a brace", &place.send("{"), &[400], "invalid_json"),
        row("R1 cut off", &place.send("{\"content\":\"a"), &[400], "invalid_json"),
        row("R1 garbage behind", &place.send("{} x"), &[400], "invalid_json"),
        row("R1 two documents", &place.send("{}{}"), &[400], "invalid_json"),
        row("R1 nothing", &place.send(""), &[400], "invalid_json"),
        row("R1 a comment", &place.send("{/**/}"), &[400], "invalid_json"),
        row("R1 single quotes", &place.send("{'content':1}"), &[400], "invalid_json"),
        row("R2 very deep", &place.send(&deep), &[400], "too_deep"),
        row("R2 40 objects", &place.send(&nested), &[400], "too_deep"),
        row("R4 a key twice", &place.send(twice), &[400], "invalid_json"),
        row("R4 twice, escaped", &place.send(r#"{"a":1,"\u0061":2}"#), &[400], "invalid_json"),
        row("R6 a lone surrogate", &place.say(r#""\ud800""#), &[400], "invalid_json"),
        row("R6 invalid UTF-8", &invalid, &[400], "invalid_json"),
    ];
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_another_shape_is_refused() {
    let place = Place::new().await;
    let patch = |json: &str| place.ana.request("PATCH", "/me").json(json);
    let read = |number: &str| {
        let path = format!("/sessions/{}/read", place.room.main_session_id);
        place.ana.request("PUT", &path).json(&format!("{{\"number\":{number}}}"))
    };
    let mut rows = vec![
        row("R1 a list", &place.send("[]"), &[422], "invalid"),
        row("R1 null", &place.send("null"), &[422], "invalid"),
        row("R1 a text", &place.send("\"x\""), &[422], "invalid"),
        row("R1 fields in a list", &patch("[null,null,null,null]"), &[422], "invalid"),
        row("R1 null content", &place.say("null"), &[422], ""),
        row("R1 an object as content", &place.say("{}"), &[422], "invalid"),
        row("R9 a sender", &place.send(r#"{"sender_id":"x","content":"a"}"#), &[422], "invalid"),
        row("R9 a seq", &place.send(r#"{"seq":7,"content":"a"}"#), &[422], "invalid"),
        row("R9 an admin", &patch(r#"{"is_admin":true}"#), &[422], "invalid"),
        row("R9 an id", &patch(r#"{"id":"x","no":1}"#), &[422], "invalid"),
        row("R9 verified", &patch(r#"{"email_verified":true}"#), &[422], "invalid"),
    ];
    for number in ["1e400", "NaN", "Infinity", "01", "1.", "0x1"] {
        rows.push(row(&format!("R5 {number}"), &read(number), &[400], "invalid_json"));
    }
    for number in
        ["9223372036854775808", "18446744073709551616", "1.5", "1e18", "\"1\"", "-1", "1e30"]
    {
        rows.push(row(&format!("R5 {number}"), &read(number), &[422], "invalid"));
    }
    // Zero is zero, with whatever sign and point, and as far as anybody can have read.
    for zero in ["-0", "0.0", "0e7"] {
        rows.push(row(&format!("R5 {zero}"), &read(zero), &[204], ""));
    }
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_says_nothing_or_too_much_is_refused() {
    let place = Place::new().await;
    let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    let room = |name: &str| {
        let body = format!("{{\"name\":{}}}", quoted(name));
        place.ana.request("POST", "/rooms").json(&body)
    };
    let family = "👩‍👩‍👧‍👦";
    let rows = [
        row("R7 NUL in a message", &place.say(r#""a\u0000b""#), &[422], "invalid"),
        row("R7 NUL in a name", &room("a\0b"), &[422], "invalid"),
        row("R10 no name", &room(""), &[422], "invalid"),
        row("R10 blanks", &room("   "), &[422], "invalid"),
        row("R10 a name of 81", &room(&"x".repeat(81)), &[413, 422], ""),
        row(
            "R10 marks without end",
            &room(&format!("a{}", "\u{301}".repeat(5000))),
            &[413, 422],
            "",
        ),
        row("R10 81 families", &room(&family.repeat(81)), &[413, 422], ""),
        row("R10 controls", &room("a\u{1b}[31mb"), &[422], "invalid"),
        row("R11 nothing", &place.say("\"\""), &[422], "empty"),
        row("R11 zero width", &place.say(&quoted("\u{200b}\u{200d}\u{feff}")), &[422], "empty"),
        row("R11 tags", &place.say(&quoted("\u{e0041}\u{e0042}")), &[422], "empty"),
        row(
            "R11 16 KiB and one",
            &place.say(&quoted(&"x".repeat(16 * KIB + 1))),
            &[413],
            "too_long",
        ),
        row("R16 51 people", &place.say(&quoted(&people(51))), &[422], "invalid"),
        row("R16 10,000 people", &place.say(&quoted(&people(2_000))), &[413, 422], ""),
    ];
    place.try_all(&rows).await;
}

fn people(count: usize) -> String {
    (0..count).map(|n| format!("@user{n} ")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_as_long_as_they_may_be_are_taken() {
    let place = Place::new().await;
    for name in ["x".repeat(80), "é".repeat(80), "👩‍👩‍👧‍👦".repeat(25)] {
        let room = place.ana.room("public", &name, &[]).await;
        assert_eq!(room.name, name);
    }
    let said = place.ana.say(&place.room.main_session_id, &"x".repeat(16 * KIB)).await;
    assert_eq!(said.map(|message| message.content.len()), Ok(16 * KIB));
    let zalgo = format!("a{}", "\u{301}".repeat(5000));
    assert!(place.ana.say(&place.room.main_session_id, &zalgo).await.is_ok());
    place.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let mut place = Place::new().await;
    let over = 64 * KIB + 1;
    let path = format!("/api/v1/sessions/{}/messages", place.room.main_session_id);
    let head = |how: &str| {
        let token = &place.ana.token;
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n{how}\r\n\r\n"
        )
    };
    let body = vec![b' '; over];
    let length = head(&format!("Content-Length: {over}")).into_bytes();
    let lie = head("Content-Length: 1000000000000").into_bytes();
    let chunked = head("Transfer-Encoding: chunked").into_bytes();
    let chunk = [format!("{over:x}\r\n").into_bytes(), body.clone(), b"\r\n0\r\n\r\n".to_vec()];
    let rows = [
        bytes_row("R3 with a length", [length, body].concat(), &[413], "too_long"),
        bytes_row("R3 with a terabyte announced", lie, &[413], "too_long"),
        bytes_row("R3 in chunks", [chunked, chunk.concat()].concat(), &[413], "too_long"),
    ];
    for row in &rows {
        let mut wire = parlor_testkit::http::Wire::open(place.server.address()).await;
        let answer = wire.exchange(&row.bytes).await.expect("it is answered");
        assert_eq!(answer.status, 413, "{}", row.id);
        assert_eq!(answer.header("connection"), Some("close"), "{}", row.id);
        wire.closed().await;
        place.watch.all_is_well(&row.id).await;
    }
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_in_a_form_that_is_not_spoken_is_refused() {
    let place = Place::new().await;
    let path = format!("/sessions/{}/messages", place.room.main_session_id);
    let text = r#"{"client_id":"0190f5c2-7a1e-7000-8000-000000000001","content":"a"}"#;
    let of = |kind: &str| place.ana.request("POST", &path).body(kind, text.as_bytes());
    let none = {
        let request = place.ana.request("POST", &path).json(text).bytes();
        String::from_utf8_lossy(&request).replace("Content-Type: application/json\r\n", "")
    };
    let gzip = place.send(text).header("Content-Encoding", "gzip");
    let rows = [
        row("R8 plain text", &of("text/plain"), &[415], "unsupported"),
        row("R8 a form", &of("application/x-www-form-urlencoded"), &[415], "unsupported"),
        row("R8 a multipart form", &of("multipart/form-data; boundary=x"), &[415], "unsupported"),
        row("R8 almost JSON", &of("application/jsonp"), &[415], "unsupported"),
        row("R8 nothing said", &Request::new("GET", "/api/v1/nowhere"), &[404], "not_found"),
        bytes_row("R8 no Content-Type", none.into_bytes(), &[415], "unsupported"),
        row("R27 packed", &gzip, &[415], "unsupported"),
        row("B3 JSON called protobuf", &of("application/x-protobuf"), &[400, 415], ""),
    ];
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_none_is_refused() {
    let place = Place::new().await;
    let session = &place.room.main_session_id;
    let get = |path: &str| place.ana.request("GET", path);
    let mut rows = Vec::new();
    for query in [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=1000000",
        "limit=x",
        "limit=1.5",
        "limit=",
        "before=-1",
        "before=x",
        "after=9223372036854775808",
        "around=1e3",
        "before=3&after=1",
        "limit=1&limit=2",
    ] {
        let request = get(&format!("/sessions/{session}/messages?{query}"));
        rows.push(row(&format!("R12 messages?{query}"), &request, &[422], "invalid"));
    }
    for query in ["limit=0", "limit=101", "after=-1", "after=x"] {
        for path in [format!("/sessions/{session}/events"), "/me/events".to_owned()] {
            let request = get(&format!("{path}?{query}"));
            rows.push(row(&format!("R12 {path}?{query}"), &request, &[422], "invalid"));
        }
    }
    for query in ["cursor=-1", "cursor=x", "limit=0", "limit=101"] {
        let request = get(&format!("/rooms/public?{query}"));
        rows.push(row(&format!("R12 rooms?{query}"), &request, &[422], "invalid"));
    }
    let beyond = get(&format!("/sessions/{session}/events?after=1000000000"));
    rows.push(row("W19 a place beyond the head", &beyond, &[410], "resync_required"));
    let far = get(&format!("/sessions/{session}/messages?before=1000000000"));
    rows.push(row("R12 before a far number", &far, &[200], ""));
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_none_names_nothing() {
    let place = Place::new().await;
    let get = |path: String| place.ana.request("GET", &path);
    let simple = place.room.id.replace('-', "");
    let long = "a".repeat(10 * KIB);
    let mut rows = Vec::new();
    for id in [
        "1",
        "-1",
        "null",
        "undefined",
        "%27%20OR%201%3D1--",
        "%22",
        "0",
        "*",
        &*simple,
        &*long,
        "00000000-0000-0000-0000-000000000000",
        "urn:uuid:00000000-0000-0000-0000-000000000000",
    ] {
        for what in ["rooms", "sessions", "messages", "users"] {
            let shown: String = id.chars().take(40).collect();
            let name = format!("R13 {what}/{shown}");
            rows.push(row(&name, &get(format!("/{what}/{id}")), &[404], "not_found"));
        }
    }
    let climb = get("/rooms/..%2f..%2fetc%2fpasswd".to_owned());
    rows.push(row("R13 a way up", &climb, &[400, 404], ""));
    let upper = get(format!("/rooms/{}", place.room.id.to_uppercase()));
    rows.push(row("R13 capitals", &upper, &[200, 404], ""));
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_may_not_see_does_not_exist() {
    let place = Place::new().await;
    let none = parlor_testkit::person::fresh_id();
    let mut rows = Vec::new();
    for (what, id) in [("that is there", &place.message.id), ("that is not", &none)] {
        let path = format!("/messages/{id}");
        let as_stranger = |method: &str| place.stranger.request(method, &path);
        let edit = as_stranger("PATCH").json("{\"content\":\"mine\"}");
        for request in [as_stranger("GET"), edit, as_stranger("DELETE")] {
            let name = format!("R14 {} a message {what}", request.method());
            rows.push(row(&name, &request, &[404], "not_found"));
        }
        let revisions = place.stranger.request("GET", &format!("{path}/revisions"));
        rows.push(row(&format!("R14 wordings {what}"), &revisions, &[404], "not_found"));
    }
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_stands_for_one_request() {
    let mut place = Place::new().await;
    let make = |name: &str, key: &str| {
        let body = format!("{{\"name\":\"{name}\"}}");
        place.ana.request("POST", "/rooms").header("Idempotency-Key", key).json(&body)
    };
    let first = place.ana.send(make("Yard", "order-1")).await;
    assert_eq!(first.status, 201);
    let again = place.ana.send(make("Yard", "order-1")).await;
    assert_eq!((again.status, &again.json()["id"]), (200, &first.json()["id"]));
    let other = make("Attic", "order-1");
    let long = make("Long", &"x".repeat(200));
    let rows = [
        row("R15 another body", &other, &[409], "idempotency_conflict"),
        row("R15 a key that is too long", &long, &[422], "invalid"),
    ];
    try_all(&place.server, &mut place.watch, &rows).await;
    let stranger = place.stranger.request("POST", "/rooms").header("Idempotency-Key", "order-1");
    let theirs = place.stranger.send(stranger.json("{\"name\":\"Mine\"}")).await;
    assert_eq!(theirs.status, 201, "a key is its user's own");
    place.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_is_only_words() {
    let place = Place::new().await;
    let long = "x".repeat(10 * KIB);
    let mut rows = Vec::new();
    for query in [
        "((((a%2B)%2B)%2B)%2B%24",
        "%22*%20NEAR(",
        "%25%25%25%25",
        "_%5F_",
        "%27%3B--",
        "%5C",
        &*"*".repeat(1000),
        &*long,
        "%00",
    ] {
        for path in ["/rooms/public", "/users"] {
            let request = place.ana.request("GET", &format!("{path}?query={query}"));
            let shown: String = query.chars().take(20).collect();
            rows.push(row(&format!("R17 {path} {shown}"), &request, &[200, 422], ""));
        }
        let request = place.ana.request("GET", &format!("/search?q={query}"));
        let shown: String = query.chars().take(20).collect();
        // None of them is a word, but for two.
        let found: &[u16] = if query.contains(['a', 'N']) { &[200] } else { &[422] };
        rows.push(row(&format!("R17 /search {shown}"), &request, found, ""));
    }
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_reworded_so_often_and_no_more() {
    let server = TestServer::builder().limit("revisions_max", 3).start().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let message = ana.say(&room.main_session_id, "0").await.expect("it is said");
    for n in 1..=5 {
        let body = format!("{{\"content\":\"{n}\"}}");
        let request = ana.request("PATCH", &format!("/messages/{}", message.id)).json(&body);
        let answer = ana.send(request).await;
        let expected = if n <= 3 { 200 } else { 409 };
        assert_eq!(answer.status, expected, "R19 edit {n}: {}", answer.text());
    }
    server.stop().await;
}

/// Row R16: a thousand times everybody is everybody once, and that only for who may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_named_once_and_not_by_just_anybody() {
    let server = TestServer::builder().limit("room_mention_people_max", 1).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("public", "Garden", &[&bo]).await;
    let everybody = "@everyone ".repeat(1_000);
    let refused = bo.say(&room.main_session_id, &everybody).await.expect_err("they may not");
    assert_eq!((refused.status, &*refused.code), (403, "forbidden"));
    let said = ana.say(&room.main_session_id, &everybody).await.expect("who keeps order may");
    let sessions: v1::SessionList = bo.get(&format!("/rooms/{}/sessions", room.id)).await.unwrap();
    let seen = sessions.sessions.iter().map(|it| (it.mentions, it.head_number));
    assert_eq!(seen.collect::<Vec<_>>(), [(1, said.number)]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_method_is_not_allowed() {
    let place = Place::new().await;
    let mut rows = Vec::new();
    for method in ["TRACE", "FOO", "PROPFIND", "DELETE"] {
        let request = place.ana.request(method, "/rooms");
        rows.push(row(&format!("R20 {method}"), &request, &[405, 501], ""));
    }
    let connect = b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\
        Connection: close\r\n\r\n";
    rows.push(bytes_row("R20 CONNECT", connect.to_vec(), &[400, 404, 405, 501], ""));
    let allow = place.ana.send(place.ana.request("FOO", "/rooms")).await;
    assert!(allow.header("allow").is_some_and(|methods| methods.contains("GET")));
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_over_the_limit_is_refused() {
    let place = Place::new().await;
    let get = || Request::new("GET", "/health");
    let many = (0..101).fold(get(), |request, n| request.header(&format!("X-{n}"), "a"));
    let large = get().header("X-Large", &"a".repeat(64 * KIB));
    let path = Request::new("GET", &format!("/{}", "a".repeat(20 * KIB)));
    let rows = [
        row("R21 101 fields", &many, &[431], ""),
        row("R21 64 KiB", &large, &[431], ""),
        row("R21 a path of 20 KiB", &path, &[414, 431], ""),
    ];
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_names_one_host() {
    let none = b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec();
    let two = Request::new("GET", "/health").header("Host", "a").header("Host", "b");
    let old = b"GET /api/v1/me HTTP/1.0\r\n\r\n".to_vec();
    // As a load balancer looks whether a node is up, when it is told nothing else.
    let looks = b"GET /ready HTTP/1.0\r\n\r\n".to_vec();
    let rows = [
        bytes_row("R25 none", none, &[400], ""),
        row("R25 two", &two, &[400], ""),
        bytes_row("R25 HTTP/1.0 without", old, &[400], ""),
        bytes_row("R25 HTTP/1.0 without, is it ready", looks, &[200], ""),
    ];
    Place::new().await.try_all(&rows).await;
    let server = TestServer::builder().set("allowed_hosts", "chat.example.org").start().await;
    for (host, status) in [
        ("chat.example.org", 200),
        ("Chat.Example.Org:8000", 200),
        ("evil.example.org", 421),
        ("chat.example.org.evil", 421),
        ("chat.example.org@evil", 421),
    ] {
        let answer =
            Request::new("GET", "/health").header("Host", host).send(server.address()).await;
        assert_eq!(answer.status, status, "R25 {host}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_has_one_reading() {
    let place = Place::new().await;
    let mut rows = Vec::new();
    for path in [
        "/%2e%2e%2fetc%2fpasswd",
        "/api/v1/../v1/me",
        "/api/v1/%2e%2e/me",
        "/api/v1/me%00",
        "/api//v1/me",
        "//api/v1/me",
        "/api/v1/me;a",
        "/api/v1/m%65%2f",
        "/%c0%ae%c0%ae/",
        "/%",
        "/%zz",
        "/%ff",
        "/api/v1\\me",
        "/app/..%5c..%5cetc",
        "/app/%2e%2e/Cargo.toml",
        "/api/v1/me/",
    ] {
        let request = Request::new("GET", path).bearer(&place.ana.token);
        rows.push(row(&format!("R26 {path}"), &request, &[400, 404], ""));
    }
    place.try_all(&rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_are_not_multiplied() {
    let place = Place::new().await;
    let ranges: Vec<_> = (0..1000).map(|n| format!("0-{n}")).collect();
    let range = format!("bytes={}", ranges.join(","));
    let page =
        Request::new("GET", "/app/").header("Range", &range).send(place.server.address()).await;
    assert!(matches!(page.status, 200 | 416), "R28: {}", page.status);
    assert_ne!(page.header("content-type"), Some("multipart/byteranges"));
    place.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_keys_are_no_many_times_many_keys() {
    let place = Place::new().await;
    let params: Vec<_> = (0..1500).map(|n| format!("a{n}=")).collect();
    let query = place.ana.request("GET", &format!("/users?{}", params.join("&")));
    let keys: Vec<_> = (0..6000).map(|n| format!("\"k{n}\":0")).collect();
    let body = format!("{{{}}}", keys.join(","));
    let rows = [
        row("R29 1,500 parameters", &query, &[400], "bad_request"),
        row("R29 6,000 keys", &place.send(&body), &[422], "invalid"),
    ];
    place.try_all(&rows).await;
}
