//! Rows B1 to B3: protobuf that is none, on both doors that speak it.

use parlor_testkit::http::Request;
use parlor_testkit::raw_socket::{RawSocket, frame, handshake};
use parlor_testkit::watch::Watch;
use parlor_testkit::{Person, TestServer};
use parlor_wire::v1;
use prost::Message as _;

use super::{Row, row, try_all};

const PROTOBUF: &str = "application/x-protobuf";

/// Bytes that are no message at all.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let groups: Vec<u8> = [vec![0x0b; 1000], vec![0x0c; 1000]].concat();
    vec![
        ("B1 a number of 11 bytes", [&[0x08][..], &[0xff; 10], &[0x01]].concat()),
        ("B1 a length of 2^31", vec![0x0a, 0x80, 0x80, 0x80, 0x80, 0x08]),
        ("B1 a length of 2^63", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ("B1 cut off", vec![0x0a, 0x05, b'a']),
        ("B1 groups in groups", groups),
        ("B1 the field 0", vec![0x02, 0x00]),
        ("B1 the wire type 7", vec![0x0f, 0x00]),
        ("B1 an end without a beginning", vec![0x0c]),
        ("B1 no UTF-8", vec![0x0a, 0x02, 0xff, 0xfe]),
        ("B1 JSON", b"{\"name\":\"Garden\"}".to_vec()),
    ]
}

fn make(person: &Person, bytes: &[u8]) -> Request {
    person.request("POST", "/rooms").body(PROTOBUF, bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_message_is_refused() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let mut rows: Vec<Row> = broken()
        .iter()
        .map(|(what, bytes)| row(what, &make(&ana, bytes), &[400], "bad_request"))
        .collect();
    let event = v1::Event { at: 1, seq: Some(7), ..v1::Event::default() }.encode_to_vec();
    rows.push(row("B2 another message", &make(&ana, &event), &[400, 422], ""));
    rows.push(row("B2 nothing", &make(&ana, b""), &[422], "invalid"));
    let list: v1::RoomList = ana.get("/rooms").await.expect("her own");
    let before = list.rooms.len();
    try_all(&server, &mut watch, &rows).await;
    let list: v1::RoomList = ana.get("/rooms").await.expect("her own");
    assert_eq!(list.rooms.len(), before, "something was made");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_schema_does_not_know_is_passed_over_and_the_last_value_counts() {
    let server = TestServer::start().await;
    let mut ana = server.person("ana").await;
    ana.speak(parlor_wire::command::Codec::Proto);
    let named = |name: &str| {
        v1::CreateRoomRequest { name: name.to_owned(), ..v1::CreateRoomRequest::default() }
            .encode_to_vec()
    };
    // Field 1000, as a number, ten thousand times.
    let unknown = [0xc0, 0x3e, 0x01].repeat(10_000);
    for (what, bytes, name) in [
        ("B1 10,000 unknown fields", [named("Garden"), unknown].concat(), "Garden"),
        ("B2 a value twice", [named("Garden"), named("Yard")].concat(), "Yard"),
    ] {
        let answer = ana.send(make(&ana, &bytes).header("Accept", PROTOBUF)).await;
        assert_eq!(answer.status, 201, "{what}: {}", answer.text());
        let room = v1::Room::decode(&*answer.body).expect("a room");
        assert_eq!(room.name, name, "{what}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_is_no_message_is_refused() {
    let server = TestServer::start().await;
    let mut watch = Watch::begin(&server).await;
    let ana = server.person("ana").await;
    let greet = handshake(&ana.token).header("Sec-WebSocket-Protocol", "parlor.v1.proto");
    let mut frames = broken();
    frames.push(("B2 nothing", Vec::new()));
    let event = v1::Event { at: 1, ..v1::Event::default() }.encode_to_vec();
    frames.push(("B2 another message", event));
    for (what, bytes) in frames {
        let mut socket = RawSocket::open(server.address(), &greet).await.expect("an upgrade");
        assert!(socket.next().await.is_some_and(|frame| frame.opcode == 2), "{what}: a greeting");
        for _ in 0..3 {
            assert!(socket.write(&frame(0x82, &bytes)).await.is_ok(), "{what}");
            let answer = socket.next().await.expect("an answer");
            let said = v1::ServerFrame::decode(&*answer.payload).expect("a frame").frame;
            let code = match said {
                Some(v1::server_frame::Frame::Error(error)) => error.code,
                other => panic!("{what}: {other:?}"),
            };
            assert_eq!(code, "bad_request", "{what}");
        }
        assert_eq!(socket.close_code().await, 1008, "{what}");
        watch.all_is_well(what).await;
    }
    let mut socket = RawSocket::open(server.address(), &greet).await.expect("an upgrade");
    assert!(socket.text("{\"type\":\"ping\",\"ref\":1}").await.is_ok());
    assert_eq!(socket.close_code().await, 1003, "B3 JSON on a protobuf socket");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_and_its_answer_may_speak_differently_but_never_mixed() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let json = || ana.request("POST", "/rooms").json("{\"name\":\"Garden\"}");
    let answer = ana.send(json().header("Accept", PROTOBUF)).await;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some(PROTOBUF)), "B3");
    assert!(v1::Room::decode(&*answer.body).is_ok_and(|room| room.name == "Garden"), "B3");
    let refused = ana.request("POST", "/rooms").json("{").header("Accept", PROTOBUF);
    let answer = ana.send(refused).await;
    assert_eq!((answer.status, answer.header("content-type")), (400, Some(PROTOBUF)), "B3");
    let error = v1::ErrorBody::decode(&*answer.body).expect("an error");
    assert_eq!(error.error.map(|error| error.code).as_deref(), Some("invalid_json"), "B3");
    let bytes = v1::CreateRoomRequest { name: "Yard".to_owned(), ..Default::default() };
    let answer = ana.send(make(&ana, &bytes.encode_to_vec())).await;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")));
    server.stop().await;
}
