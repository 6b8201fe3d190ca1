//! The socket of a room.

use parlor_testkit::http::{Request, Wire};
use parlor_testkit::raw_socket::{RawSocket, frame};
use parlor_testkit::{TestServer, soon};
use serde_json::{Value, json};

use super::super::chat::Chat;
use super::{Somebody, fetched, listen, ok, post, told};

/// A server, and two people in its room `room1`.
async fn two() -> (TestServer, Somebody, Somebody) {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    ana.room(&server, "room1").await;
    bo.join(&server, "room1").await;
    (server, ana, bo)
}

fn said_by(who: &Somebody, name: &str, id: i64, content: &str) -> Value {
    json!({
        "message_id": id, "user_id": who.id, "content": content, "timestamp": "WHEN",
        "username": name, "email": who.email,
    })
}

fn ids(messages: &Value) -> Vec<i64> {
    let messages = messages.as_array().unwrap().iter();
    messages.map(|message| message["message_id"].as_i64().unwrap()).collect()
}

/// Row: WS /ws/chat/{room_id}?token= and /room/{room_id} with a Bearer header, each with the token
/// in either place
/// Row: `initial_state` is the first frame; `last_read_id` is 0 after joining
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_opens_at_both_paths_with_the_token_in_both_places() {
    let (server, ana, _) = two().await;
    let bearer = format!("Bearer {}", ana.access);
    for path in ["/ws/chat/room1", "/room/room1"] {
        let query = format!("{path}?token={}", ana.access);
        for (path, headers) in
            [(query.as_str(), &[][..]), (path, &[("Authorization", bearer.as_str())][..])]
        {
            let mut chat = Chat::open(&server, path, headers).await;
            let first = json!({"type": "initial_state", "last_read_id": 0, "messages": []});
            assert_eq!(chat.json().await, first, "{path}");
        }
    }
    server.stop().await;
}

/// Row: close 4001 "Unauthorized" without a token, 4001 "Invalid token" with a bad one, both after
/// the handshake
/// Row: close 1008 "Room not found", 1008 "Forbidden" for who is not a member or is banned
/// Row: 8b.10: cookies open no socket
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_refused_opens_and_says_why() {
    let (server, ana, bo) = two().await;
    let cy = Somebody::new(&server, "Cy1").await;
    assert_eq!(ana.post(&server, &format!("/room/room1/ban/{}", bo.id)).await, (200, ok()));
    let cookie = format!("access_token={}; parlor={}", ana.access, ana.access);
    let basic = format!("Basic {}", ana.access);
    for path in ["/ws/chat/room1", "/room/room1"] {
        let with = |token: &str| format!("{path}?token={token}");
        let none = path.replace("room1", "room9");
        for (path, headers, code, reason) in [
            (path.to_owned(), &[][..], 4001, "Unauthorized"),
            (path.to_owned(), &[("Cookie", &*cookie)][..], 4001, "Unauthorized"),
            (path.to_owned(), &[("Authorization", &*basic)][..], 4001, "Invalid token"),
            (with(""), &[][..], 4001, "Invalid token"),
            (with(&ana.refresh), &[][..], 4001, "Invalid token"),
            (format!("{none}?token={}", ana.access), &[][..], 1008, "Room not found"),
            (with(&cy.access), &[][..], 1008, "Forbidden"),
            (with(&bo.access), &[][..], 1008, "Forbidden"),
        ] {
            let mut chat = Chat::open(&server, &path, headers).await;
            assert_eq!(chat.closed().await, (code, reason.to_owned()), "{path}");
        }
    }
    server.stop().await;
}

/// Row: `message` is trimmed, stored, and told to everybody who listens, the sender too, as
/// `latest_message`
/// Row: the message object: message_id from 1, user_id, content, timestamp, username, email
/// Row: sending moves the sender's marker to the new message
/// Row: before `listen_latest` nothing is told, and nothing is told again after it
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_is_told_to_those_who_listen() {
    let (server, ana, bo) = two().await;
    let mut hers = ana.listen(&server, "room1").await;
    let mut his = bo.open(&server, "room1").await;
    assert_eq!(his.json().await["type"], "initial_state");
    post(&mut hers, "  Hello, World!\n").await;
    let latest = |message| json!({"type": "latest_message", "message": message});
    let heard = async |chat: &mut Chat| {
        let mut frame = chat.json().await;
        frame["message"] = told(frame["message"].take());
        frame
    };
    let first = said_by(&ana, "Ana", 1, "Hello, World!");
    assert_eq!(heard(&mut hers).await, latest(first.clone()));
    listen(&mut his).await;
    listen(&mut his).await;
    post(&mut his, "hi").await;
    let second = said_by(&bo, "Bo1", 2, "hi");
    assert_eq!(heard(&mut his).await, latest(second.clone()));
    assert_eq!(heard(&mut hers).await, latest(second.clone()));
    let mut again = ana.open(&server, "room1").await;
    let mut state = again.json().await;
    for message in state["messages"].as_array_mut().unwrap() {
        *message = told(message.take());
    }
    let expected = json!({"type": "initial_state", "last_read_id": 1, "messages": [first, second]});
    assert_eq!(state, expected);
    server.stop().await;
}

/// Row: a message that is empty or has more than 5000 characters is ignored without a word; 5000
/// are stored
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_is_passed_over() {
    let (server, ana, _) = two().await;
    let mut chat = ana.listen(&server, "room1").await;
    for nothing in ["", " \n ", &"x".repeat(5_001), "a\0b", &"🎈".repeat(5_000)] {
        post(&mut chat, nothing).await;
    }
    post(&mut chat, &format!(" {} ", "ä".repeat(5_000))).await;
    let latest = chat.json().await;
    assert_eq!(latest["message"]["message_id"], 1);
    assert_eq!(latest["message"]["content"], "ä".repeat(5_000));
    server.stop().await;
}

/// Row: `initial_state` has the messages from 30 before the marker to 50 after it, ascending
/// Row: `fetch` is inclusive and ascending; numbers as texts are taken; a range the wrong way round
/// is empty
/// Row: `set_last_read` is not answered; it goes forward only, and not beyond the newest message
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_pages_through_what_was_said() {
    let (server, ana, bo) = two().await;
    let mut hers = ana.listen(&server, "room1").await;
    for n in 1..=120 {
        post(&mut hers, &format!("number {n}")).await;
    }
    for n in 1..=120 {
        assert_eq!(hers.json().await["message"]["message_id"], n);
    }
    let state = async || {
        let mut chat = bo.open(&server, "room1").await;
        let state = chat.json().await;
        (chat, state["last_read_id"].clone(), ids(&state["messages"]))
    };
    let (mut his, read, seen) = state().await;
    assert_eq!((read, seen), (json!(0), (1..=50).collect()));
    assert_eq!(ids(&fetched(&mut his, 51, 60).await), (51..=60).collect::<Vec<_>>());
    assert_eq!(fetched(&mut his, 2, 2).await[0]["content"], "number 2");
    assert_eq!(ids(&fetched(&mut his, -5, 2).await), [1, 2]);
    assert_eq!(ids(&fetched(&mut his, 119, 500).await), [119, 120]);
    assert_eq!(fetched(&mut his, 121, 500).await, json!([]));
    assert_eq!(fetched(&mut his, 10, 1).await, json!([]));
    assert_eq!(ids(&fetched(&mut his, 1, i64::MAX).await).len(), 120);
    his.say(r#"{"type":"fetch","from_id":" 3","to_id":"4"}"#).await;
    assert_eq!(ids(&his.json().await["messages"]), [3, 4]);
    for (said, marker, range) in [
        (json!(60), 60, 30..=110),
        (json!("61"), 61, 31..=111),
        (json!(10), 61, 31..=111),
        (json!(-1), 61, 31..=111),
        (json!(5_000), 120, 90..=120),
    ] {
        his.say(&json!({"type": "set_last_read", "message_id": said}).to_string()).await;
        assert_eq!(fetched(&mut his, 1, 0).await, json!([]));
        let (_, read, seen) = state().await;
        assert_eq!((read, seen), (json!(marker), range.collect()), "{said}");
    }
    server.stop().await;
}

/// Row: ranges are answered up to 5,000 messages
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_has_a_limit() {
    let server = TestServer::builder().limit("facade_rows_max", 7).start().await;
    let ana = Somebody::new(&server, "Ana").await;
    ana.room(&server, "room1").await;
    let mut chat = ana.listen(&server, "room1").await;
    for n in 1..=10 {
        post(&mut chat, &format!("number {n}")).await;
        assert_eq!(chat.json().await["message"]["message_id"], n);
    }
    assert_eq!(ids(&fetched(&mut chat, 2, 100).await), (2..=8).collect::<Vec<_>>());
    server.stop().await;
    assert_eq!(parlor_domain::Limits::default().facade_rows_max, 5_000);
}

/// Row: an unknown `type` is ignored
/// Row: close 1011 "Internal server error: 'type'" without `type` or another key that is needed
/// Row: close 1008 for what is no JSON, or no integer where one is needed
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_says_something_wrong_is_told_by_the_close() {
    let (server, ana, _) = two().await;
    for (said, code, reason) in [
        (r#"{"content":"x"}"#, 1011, Some("Internal server error: 'type'")),
        (r#"{"type":"fetch","to_id":1}"#, 1011, Some("Internal server error: 'from_id'")),
        (r#"{"type":"fetch","from_id":1}"#, 1011, Some("Internal server error: 'to_id'")),
        (r#"{"type":"set_last_read"}"#, 1011, Some("Internal server error: 'message_id'")),
        (r#"{"type":"message"}"#, 1011, Some("Internal server error: 'content'")),
        (r#"{"type":"message","content":5}"#, 1011, None),
        (r#"["type"]"#, 1011, None),
        (r#"{"type":"fetch","from_id":"one","to_id":1}"#, 1008, None),
        (r#"{"type":"set_last_read","message_id":"1x"}"#, 1008, None),
        ("hello", 1008, None),
        ("", 1008, None),
        (r#"{"type":"#, 1008, None),
    ] {
        let mut chat = ana.open(&server, "room1").await;
        chat.say(r#"{"type":"nonsense"}"#).await;
        chat.say(r#"{"type":null}"#).await;
        chat.say(said).await;
        let (closed, why) = chat.closed().await;
        assert_eq!(closed, code, "{said}: {why}");
        assert!(reason.is_none_or(|reason| reason == why), "{said}: {why}");
        assert!(!why.is_empty(), "{said}");
    }
    server.stop().await;
}

/// Row: close 1011 for a binary frame
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_of_texts_takes_no_bytes() {
    let (server, ana, _) = two().await;
    let mut socket = RawSocket::open(server.address(), &handshake(&ana)).await.unwrap();
    socket.write(&frame(0x82, br#"{"type":"listen_latest"}"#)).await.unwrap();
    assert_eq!(socket.close_code().await, 1011);
    server.stop().await;
}

/// Row: 8b.6: a message with `ttl_s` is there for so many seconds and then gone; its number stays
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_goes_again_when_it_is_to() {
    let (server, ana, _) = two().await;
    let mut chat = ana.listen(&server, "room1").await;
    chat.say(r#"{"type":"message","content":"never","ttl_s":0}"#).await;
    chat.say(r#"{"type":"message","content":"never","ttl_s":31536001}"#).await;
    chat.say(r#"{"type":"message","content":"short-lived","ttl_s":1}"#).await;
    assert_eq!(chat.json().await["message"]["content"], "short-lived");
    chat.say(r#"{"type":"message","content":"for ever","ttl_s":null}"#).await;
    assert_eq!(chat.json().await["message"]["message_id"], 2);
    let gone = async { while fetched(&mut chat, 1, 10).await[0]["content"] != "" {} };
    soon("it is gone", gone).await;
    let left = fetched(&mut chat, 1, 10).await;
    assert_eq!((&left[0]["message_id"], &left[1]["content"]), (&json!(1), &json!("for ever")));
    let mut chat = ana.open(&server, "room1").await;
    chat.say(r#"{"type":"message","content":"never","ttl_s":1.5}"#).await;
    assert_eq!(chat.closed().await.0, 1011);
    server.stop().await;
}

/// Row: §8, 8b.7: kicking, banning, leaving and deleting the room close every open socket of those
/// concerned with 1008 "Forbidden"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_out_hears_nothing_more() {
    let (server, ana, bo) = two().await;
    let out = (1008, "Forbidden".to_owned());
    let (kick, ban) = (format!("/room/room1/kick/{}", bo.id), format!("/room/room1/ban/{}", bo.id));
    for (who, path) in [(&ana, &*kick), (&bo, "/room/room1/leave"), (&ana, &*ban)] {
        let (mut one, mut two) =
            (bo.listen(&server, "room1").await, bo.open(&server, "room1").await);
        let mut hers = ana.listen(&server, "room1").await;
        assert_eq!(who.post(&server, path).await, (200, ok()));
        post(&mut hers, "after").await;
        assert_eq!(hers.json().await["message"]["content"], "after");
        for chat in [&mut one, &mut two] {
            assert_eq!(closed_at_once(chat).await, out, "{path}");
        }
        if path != ban {
            bo.join(&server, "room1").await;
        }
    }
    let mut hers = ana.listen(&server, "room1").await;
    assert_eq!(ana.ask(&server, "DELETE", "/room/room1", json!({})).await, (200, ok()));
    assert_eq!(hers.closed().await, out);
    server.stop().await;
}

/// Waits for the close; nothing but the first frame of a socket may come before it.
async fn closed_at_once(chat: &mut Chat) -> (u16, String) {
    chat.closed_after(|text| assert!(text.contains("initial_state"), "{text}")).await
}

/// Row: §8: sockets of a login that is over close with 4001
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_ends_with_its_login() {
    let (server, ana, _) = two().await;
    let mut chat = ana.listen(&server, "room1").await;
    let request = Request::new("POST", "/api/v1/auth/logout");
    let answer = request.bearer(&ana.access).send(server.address()).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(chat.closed().await, (4001, "Invalid token".to_owned()));
    server.stop().await;
}

/// Row: deleted messages stay in ranges, with an empty content, so that ids have no holes; reworded
/// ones read as they are now
/// Row: what is said elsewhere is told here, and the other way round
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_room_is_the_same_everywhere() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, Somebody::new(&server, "Bo1").await);
    bo.room(&server, "room1").await;
    let (_, joined) = bo.get(&server, "/joined").await;
    assert_eq!(joined["rooms"][1]["room_id"], "room1");
    let room = ana.get::<parlor_wire::v1::RoomList>("/rooms/public").await.unwrap();
    let room = room.rooms.into_iter().find(|room| room.name == "RoomName").unwrap();
    ana.done("POST", &format!("/rooms/{}/join", room.id)).await.unwrap();
    let mut chat = bo.listen(&server, "room1").await;
    let mut said = Vec::new();
    for text in ["one", "two", "three"] {
        said.push(ana.say(&room.main_session_id, text).await.unwrap());
        let latest = chat.json().await["message"].clone();
        let expected = json!({
            "message_id": said.len(), "user_id": ana.id, "content": text, "timestamp": "WHEN",
            "username": "ana", "email": "ana@users.noreply.127.0.0.1",
        });
        assert_eq!(told(latest), expected);
    }
    ana.done("DELETE", &format!("/messages/{}", said[1].id)).await.unwrap();
    let edit = json!({"content": "drei"}).to_string();
    let edit = ana.request("PATCH", &format!("/messages/{}", said[2].id)).json(&edit);
    assert_eq!(ana.send(edit).await.status, 200);
    let range = fetched(&mut chat, 1, 3).await;
    let texts: Vec<_> = range.as_array().unwrap().iter().map(|m| m["content"].clone()).collect();
    assert_eq!(texts, ["one", "", "drei"]);
    assert_eq!(ids(&range), [1, 2, 3]);
    post(&mut chat, "four").await;
    assert_eq!(chat.json().await["message"]["message_id"], 4);
    let path = format!("/sessions/{}/messages", room.main_session_id);
    let page: parlor_wire::v1::MessagePage = ana.get(&path).await.unwrap();
    assert_eq!(page.messages.last().unwrap().content, "four");
    server.stop().await;
}

/// Row: 8b.11: in the lobby nobody sees another's real address
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lobby_shows_no_addresses() {
    let (server, ana, bo) = two().await;
    let mut chat = ana.listen(&server, "lobby").await;
    let mut his = bo.listen(&server, "lobby").await;
    post(&mut his, "hello").await;
    let latest = chat.json().await;
    assert_eq!(latest["message"]["email"], "Bo1@users.noreply.127.0.0.1");
    let fetched = fetched(&mut chat, 1, 1).await;
    assert_eq!(fetched[0]["email"], "Bo1@users.noreply.127.0.0.1");
    server.stop().await;
}

/// Row: many questions at once are answered in order, and who does not read the answers is left
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_and_does_not_read_is_left() {
    let server = TestServer::builder().limit("stall_ms_max", 300).start().await;
    let ana = Somebody::new(&server, "Ana").await;
    ana.room(&server, "room1").await;
    let mut chat = ana.listen(&server, "room1").await;
    for n in 1..=50 {
        post(&mut chat, &"x".repeat(5_000)).await;
        assert_eq!(chat.json().await["message"]["message_id"], n);
    }
    for n in 1..=50 {
        chat.say(&json!({"type": "fetch", "from_id": n, "to_id": 50}).to_string()).await;
    }
    for n in 1..=50 {
        assert_eq!(ids(&chat.json().await["messages"]), (n..=50).collect::<Vec<_>>());
    }
    let wire = Wire::open_narrow(server.address()).await;
    let mut deaf = RawSocket::open_on(wire, &handshake(&ana)).await.unwrap();
    let ask = json!({"type": "fetch", "from_id": 1, "to_id": 50}).to_string();
    let left = async { while deaf.text(&ask).await.is_ok() {} };
    soon("the end of a connection that takes nothing", left).await;
    server.stop().await;
}

/// The handshake for `room1` with a header.
fn handshake(who: &Somebody) -> Request {
    Request::new("GET", "/room/room1")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .bearer(&who.access)
}
