//! Its socket.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use parlor_testkit::raw_socket::{RawSocket, frame as raw_frame};
use parlor_wire::v1;
use serde_json::json;

use super::{BASE, Member, frame, lobby, offline, send, told};
use crate::compat::chat::Chat;

/// Row: `WS /ws/{int}`: a text frame is stored verbatim and told to all, the sender too, as
/// `{"time":"HH:MM","clientId":<int>,"message":<text>}`
#[tokio::test]
async fn every_text_is_stored_as_it_is_and_told_to_all() {
    let server = TestServer::start().await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let (mut a, mut b) = (alice.socket(&server).await, bo.socket(&server).await);
    let texts = ["hello", r#"{"message":"no JSON to it"}"#, "  blanks, \n lines and \u{1f600} "];
    for text in texts {
        a.say(text).await;
        assert_eq!(frame(&mut a).await, told(alice.no, text));
        assert_eq!(frame(&mut b).await, told(alice.no, text));
    }
    assert_eq!(bo.contents(&server).await, texts);
    server.stop().await;
}

/// Row: `WS /ws/{int}`: an empty frame is told with `"message":""` and not stored
#[tokio::test]
async fn an_empty_text_is_told_and_not_stored() {
    let server = TestServer::start().await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let (mut a, mut b) = (alice.socket(&server).await, bo.socket(&server).await);
    for text in ["", " "] {
        a.say(text).await;
        assert_eq!(frame(&mut a).await, told(alice.no, text));
        assert_eq!(frame(&mut b).await, told(alice.no, text));
    }
    assert!(alice.contents(&server).await.is_empty());
    server.stop().await;
}

/// Row: `WS /ws/{int}`: on connect the user is online, and nothing is sent to anyone
/// Row: `WS /ws/{int}`: on disconnect of a socket that sent a frame the rest get
/// `{"time","clientId","message":"Offline","type_offline":true}`; of one that sent none, nothing
#[tokio::test]
async fn who_has_said_something_is_missed_when_they_go() {
    let server = TestServer::start().await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let mut a = alice.socket(&server).await;
    assert!(!alice.is_online(&server, bo.no).await);
    let silent = bo.socket(&server).await;
    alice.sees_online(&server, bo.no, true).await;
    drop(silent);
    let mut b = bo.socket(&server).await;
    b.say("").await;
    assert_eq!(frame(&mut a).await, told(bo.no, ""), "the first that is heard of them");
    drop(b);
    assert_eq!(frame(&mut a).await, offline(bo.no));
    alice.sees_online(&server, bo.no, false).await;
    server.stop().await;
}

/// Row: `WS /ws/{int}`: `online` stays true while another tab is open
#[tokio::test]
async fn somebody_with_another_tab_is_still_here() {
    let server = TestServer::start().await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let mut a = alice.socket(&server).await;
    let mut one = bo.socket(&server).await;
    let other = bo.socket(&server).await;
    one.say("hi").await;
    assert_eq!(frame(&mut a).await, told(bo.no, "hi"));
    drop(one);
    assert_eq!(frame(&mut a).await, offline(bo.no));
    alice.sees_online(&server, bo.no, true).await;
    drop(other);
    server.stop().await;
}

/// Row: `WS /ws/{id}`: no integer → the handshake is refused with 403
/// Row: `WS /ws/{int}`: an unknown integer → accepted, then closed 4000 without a reason
/// Row: no cookie, or another person's id → accepted, then closed 4000
/// Row: a foreign `Origin`, or `null` → accepted, then closed 4000
#[tokio::test]
async fn nobody_speaks_as_somebody_else() {
    let server = TestServer::start().await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let cookie = ("Cookie", &*alice.cookie);
    let path = |id: &str| format!("{BASE}/ws/{id}");
    let refused = Chat::try_open(&server, &path("abc"), &[cookie]).await;
    assert_eq!(refused.err().map(|answer| answer.status), Some(403));
    let (own, other) = (path(&alice.no.to_string()), path(&bo.no.to_string()));
    let tokens = format!("access_token={0}; refresh_token={0}", server.person("eve").await.token);
    for (path, headers) in [
        (&path("99"), vec![cookie]),
        (&other, vec![cookie]),
        (&own, vec![]),
        (&own, vec![("Cookie", "parlor_login=nonsense")]),
        (&own, vec![("Cookie", &*tokens)]),
        (&own, vec![cookie, ("Origin", "https://evil.example")]),
        (&own, vec![cookie, ("Origin", "null")]),
    ] {
        let mut chat = Chat::open(&server, path, &headers).await;
        assert_eq!(chat.closed().await, (4000, String::new()), "{path} {headers:?}");
    }
    let mut chat = Chat::open(&server, &own, &[cookie, ("Origin", "http://localhost")]).await;
    chat.say("it is me").await;
    assert_eq!(frame(&mut chat).await, told(alice.no, "it is me"));
    server.stop().await;
}

/// Row: `WS /ws/{int}`: a binary frame ends the socket; the client sees 1006
#[tokio::test]
async fn bytes_end_the_socket_without_a_goodbye() {
    let server = TestServer::start().await;
    let alice = Member::new(&server, "alice").await;
    let handshake = Request::new("GET", &format!("{BASE}/ws/{}", alice.no))
        .header("Cookie", &alice.cookie)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let mut socket = RawSocket::open(server.address(), &handshake).await.unwrap();
    socket.write(&raw_frame(0x82, b"bytes")).await.unwrap();
    assert_eq!(socket.close_code().await, 1006);
    server.stop().await;
}

/// Row: `WS /ws/{int}`: a text beyond the server's limit closes the socket with 1009
#[tokio::test]
async fn a_text_that_is_too_long_ends_the_socket_with_a_code_that_says_so() {
    let server = TestServer::start().await;
    let alice = Member::new(&server, "alice").await;
    let mut chat = alice.socket(&server).await;
    chat.say(&"x".repeat(16 * 1024)).await;
    assert_eq!(frame(&mut chat).await["message"].as_str().unwrap().len(), 16 * 1024);
    chat.say(&"x".repeat(16 * 1024 + 1)).await;
    assert_eq!(chat.closed().await, (1009, "content is longer than 16384".to_owned()));
    let mut chat = alice.socket(&server).await;
    chat.say(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(chat.closed().await.0, 1009);
    assert_eq!(alice.contents(&server).await.len(), 1);
    server.stop().await;
}

/// Row: a message posted by any other door shows as a frame
/// Row: an edit or a deletion anywhere shows as the empty frame of whoever did it
#[tokio::test]
async fn what_happens_at_other_doors_is_told_here() {
    let server = TestServer::start().await;
    let owner = server.person("owner").await;
    let ana = server.person("ana").await;
    let alice = Member::new(&server, "alice").await;
    let mut chat = alice.socket(&server).await;
    let main = lobby(&ana).await.main_session_id;
    let said = ana.say(&main, "hello").await.unwrap();
    assert_eq!(frame(&mut chat).await, told(2, "hello"));
    let asked = v1::EditRequest { content: "hello, all".to_owned(), ..v1::EditRequest::default() };
    let path = format!("/messages/{}", said.id);
    ana.call::<v1::Message>("PATCH", &path, Some(&asked)).await.unwrap();
    assert_eq!(frame(&mut chat).await, told(2, ""));
    assert_eq!(alice.contents(&server).await, ["hello, all"]);
    owner.done("DELETE", &path).await.unwrap();
    assert_eq!(frame(&mut chat).await, told(1, ""), "of who deleted it");
    assert!(alice.contents(&server).await.is_empty());
    chat.say("bye").await;
    assert_eq!(frame(&mut chat).await, told(alice.no, "bye"));
    let answer = alice.ask(&server, "DELETE", "/message/2").await;
    assert_eq!(answer.status, 200);
    assert_eq!(frame(&mut chat).await, told(alice.no, ""), "deletions here are told as well");
    server.stop().await;
}

/// Row: only the lobby is told of here
#[tokio::test]
async fn other_rooms_and_sessions_are_none_of_its_business() {
    let server = TestServer::start().await;
    Member::new(&server, "owner").await;
    let ana = server.person("ana").await;
    let alice = Member::new(&server, "alice").await;
    let mut chat = alice.socket(&server).await;
    let room = ana.room("public", "elsewhere", &[]).await;
    let elsewhere = ana.say(&room.main_session_id, "elsewhere").await.unwrap();
    ana.say(&lobby(&ana).await.main_session_id, "here").await.unwrap();
    assert_eq!(frame(&mut chat).await, told(2, "here"));
    assert_eq!(alice.contents(&server).await, ["here"]);
    let by_cookie =
        |method: &str, path: String| Request::new(method, &path).header("Cookie", &ana.cookie);
    let asked = by_cookie("DELETE", format!("{BASE}/message/{}", elsewhere.no));
    let answer = send(&server, asked).await;
    assert_eq!(answer.status, 404, "not even one's own");
    assert_eq!(answer.json(), json!({"detail": "Message not found"}));
    server.stop().await;
}

/// Row: being sent out of the lobby closes the socket (4003)
/// Row: an account that is deleted, or a login that is over, closes it (4000)
#[tokio::test]
async fn who_is_sent_away_hears_nothing_more() {
    let server = TestServer::start().await;
    let owner = server.person("owner").await;
    let (alice, bo) = (Member::new(&server, "alice").await, Member::new(&server, "bo").await);
    let (mut a, mut b) = (alice.socket(&server).await, bo.socket(&server).await);
    let lobby = lobby(&owner).await;
    let people: v1::UserList = owner.get("/users?query=alice").await.unwrap();
    let ban = format!("/rooms/{}/bans/{}", lobby.id, people.users[0].id);
    owner.done("PUT", &ban).await.unwrap();
    assert_eq!(a.closed().await, (4003, "not in the lobby".to_owned()));
    owner.say(&lobby.main_session_id, "she is gone").await.unwrap();
    assert_eq!(frame(&mut b).await, told(1, "she is gone"));
    let path = format!("{BASE}/ws/{}", alice.no);
    let mut again = Chat::open(&server, &path, &[("Cookie", &alice.cookie)]).await;
    assert_eq!(again.closed().await.0, 4003);
    assert_eq!(alice.ask(&server, "GET", "/messages").await.status, 404);
    let out = Request::new("POST", "/api/v1/auth/logout").header("Cookie", &bo.cookie);
    assert_eq!(send(&server, out).await.status, 204);
    assert_eq!(b.closed().await, (4000, String::new()));
    server.stop().await;
}
