//! Sessions that end by themselves, over the wire.

use std::sync::Arc;
use std::time::Duration;

use parlor_testkit::person::{Refused, fresh_id};
use parlor_testkit::socket::Socket;
use parlor_testkit::{Person, TestServer, VirtualClock};
use parlor_wire::command::Codec;
use parlor_wire::v1::{self, event::Kind};

use crate::decay::told;

/// A second, in microseconds.
const SECOND: i64 = 1_000_000;

async fn open(
    who: &Person,
    room: &v1::Room,
    other: &Person,
    end: Option<v1::SessionEndRequest>,
) -> Result<v1::Session, Refused> {
    let asked = v1::CreateSessionRequest {
        name: "Shed".to_owned(),
        members: vec![other.id.clone()],
        end,
        ..v1::CreateSessionRequest::default()
    };
    who.call("POST", &format!("/rooms/{}/sessions", room.id), Some(&asked)).await
}

async fn set(
    who: &Person,
    session: &str,
    end: v1::SessionEndRequest,
) -> Result<v1::Session, Refused> {
    let asked = v1::PatchSessionRequest { end: Some(end), ..v1::PatchSessionRequest::default() };
    who.call("PATCH", &format!("/sessions/{session}"), Some(&asked)).await
}

async fn seen(who: &Person, session: &str) -> v1::Session {
    who.get(&format!("/sessions/{session}")).await.expect("they are in it")
}

async fn texts(who: &Person, session: &str) -> Vec<String> {
    let path = format!("/sessions/{session}/messages");
    let page = who.get::<v1::MessagePage>(&path).await.expect("they see it");
    page.messages.into_iter().map(|message| message.content).collect()
}

/// An end at this moment, in microseconds since 1970.
fn at(at: i64) -> v1::SessionEndRequest {
    v1::SessionEndRequest { at: Some(at), ..v1::SessionEndRequest::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_at_its_moment_and_keeps_its_name_alone() {
    let clock = Arc::new(VirtualClock::new());
    let server = TestServer::builder().clock(Arc::clone(&clock) as _).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let shed = open(&ana, &room, &bo, None).await.expect("a new one");
    assert_eq!(shed.end, None);
    let ends = shed.created_at + 60 * SECOND;
    let end = v1::SessionEndRequest { read_only_s: Some(20), ..at(ends) };
    let now = v1::SessionEnd { at: ends, silence_s: None, read_only_s: Some(20) };
    assert_eq!(set(&ana, &shed.id, end).await.expect("hers").end, Some(now));
    let mut socket = Socket::open(&bo, Codec::Json).await;
    socket.subscribe(&shed.id, None, &mut vec![]).await.expect("bo is in it");
    let secret = ana.say(&shed.id, "a secret").await.expect("it is said");
    let (_, kind) = told(&mut socket).await;
    assert!(matches!(kind, Kind::Posted(_)), "{kind:?}");

    clock.advance(Duration::from_secs(41));
    let forward = v1::SendRequest {
        client_id: fresh_id(),
        forward: Some(secret.id.clone()),
        ..v1::SendRequest::default()
    };
    let path = format!("/sessions/{}/messages", room.main_session_id);
    let copy: v1::Message = bo.call("POST", &path, Some(&forward)).await.expect("passed on");
    assert_eq!((&*copy.content, copy.expires_at), ("a secret", Some(ends)), "no longer than here");
    let late = bo.say(&shed.id, "too late").await.unwrap_err();
    assert_eq!((late.status, &*late.code), (409, "conflict"), "the last moments are for reading");
    assert_eq!(texts(&bo, &shed.id).await, ["a secret"], "it has not ended");
    clock.advance(Duration::from_secs(20));
    let (event, kind) = told(&mut socket).await;
    assert_eq!(kind, Kind::Ended(v1::Ended { by: None }));
    let now = seen(&bo, &shed.id).await;
    assert_eq!((&*now.name, now.ended_at, now.end), ("Shed", Some(event.at), None));
    assert_eq!(texts(&bo, &shed.id).await, [""]);
    let again = set(&ana, &shed.id, at(ends + 60 * SECOND)).await.unwrap_err();
    assert_eq!(again.status, 409, "nothing brings it back");

    for codec in [Codec::Json, Codec::Proto] {
        let mut late = Socket::open(&ana, codec).await;
        late.subscribe(&shed.id, Some(0), &mut vec![]).await.expect("ana is in it");
        let (_, kind) = told(&mut late).await;
        assert!(matches!(kind, Kind::SessionSettings(_)), "{kind:?}");
        let (_, kind) = told(&mut late).await;
        let Kind::Posted(message) = kind else { panic!("{kind:?}") };
        assert_eq!((&*message.content, message.number), ("", 1));
        let (_, kind) = told(&mut late).await;
        assert_eq!(kind, Kind::Ended(v1::Ended { by: None }));
        late.close().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_a_session_and_a_word_puts_it_off() {
    let clock = Arc::new(VirtualClock::new());
    let server = TestServer::builder().clock(Arc::clone(&clock) as _).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let asked = v1::SessionEndRequest { silence_s: Some(60), ..v1::SessionEndRequest::default() };
    let shed = open(&ana, &room, &bo, Some(asked)).await.expect("a new one");
    let end = shed.end.expect("it ends");
    assert_eq!((end.at, end.silence_s), (shed.created_at + 60 * SECOND, Some(60)));
    let mut socket = Socket::open(&bo, Codec::Json).await;
    socket.subscribe(&shed.id, None, &mut vec![]).await.expect("bo is in it");
    clock.advance(Duration::from_secs(50));
    let said = bo.say(&shed.id, "still here").await.expect("it is said");
    told(&mut socket).await;
    let end = seen(&ana, &shed.id).await.end.expect("it ends later");
    assert_eq!(end.at, said.sent_at + 60 * SECOND);
    clock.advance(Duration::from_secs(50));
    assert_eq!(texts(&ana, &shed.id).await, ["still here"]);
    clock.advance(Duration::from_secs(11));
    let (_, kind) = told(&mut socket).await;
    assert_eq!(kind, Kind::Ended(v1::Ended { by: None }));
    assert_eq!(texts(&ana, &shed.id).await, [""]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_is_a_moment_within_a_year_or_a_silence() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let shed = open(&ana, &room, &bo, None).await.expect("a new one");
    let soon = shed.created_at + 3_600 * SECOND;
    let silence = |silence_s| v1::SessionEndRequest {
        silence_s: Some(silence_s),
        ..v1::SessionEndRequest::default()
    };
    let bad = [
        at(shed.created_at),
        at(0),
        at(shed.created_at + 366 * 86_400 * SECOND),
        silence(0),
        silence(-1),
        silence(31_536_001),
        v1::SessionEndRequest { silence_s: Some(5), ..at(soon) },
        v1::SessionEndRequest { read_only_s: Some(0), ..at(soon) },
        v1::SessionEndRequest { read_only_s: Some(5), ..silence(60) },
        v1::SessionEndRequest { read_only_s: Some(5), ..v1::SessionEndRequest::default() },
    ];
    let refused = Refused { status: 422, code: "invalid".to_owned() };
    for end in bad {
        assert_eq!(set(&ana, &shed.id, end).await.unwrap_err(), refused, "{end:?}");
        assert_eq!(open(&ana, &room, &bo, Some(end)).await.unwrap_err(), refused, "{end:?}");
    }
    assert_eq!(set(&bo, &shed.id, at(soon)).await.unwrap_err().status, 403);
    let main = set(&ana, &room.main_session_id, at(soon)).await.unwrap_err();
    assert_eq!(main.status, 409, "it lives as long as its room");
    let set_to = v1::SessionEnd { at: soon, ..v1::SessionEnd::default() };
    assert_eq!(set(&ana, &shed.id, at(soon)).await.expect("hers").end, Some(set_to));
    let none = set(&ana, &shed.id, v1::SessionEndRequest::default()).await.expect("hers");
    assert_eq!(none.end, None);
    // By the clock on the wall: at its moment, and not two seconds later.
    let mut socket = Socket::open(&bo, Codec::Json).await;
    let head = seen(&bo, &shed.id).await.head_seq;
    socket.subscribe(&shed.id, Some(head), &mut vec![]).await.expect("bo is in it");
    let now = ana.say(&shed.id, "not for long").await.expect("it is said").sent_at;
    told(&mut socket).await;
    set(&ana, &shed.id, at(now + SECOND)).await.expect("hers");
    told(&mut socket).await;
    let (event, kind) = told(&mut socket).await;
    assert_eq!(kind, Kind::Ended(v1::Ended { by: None }));
    let late = event.at - (now + SECOND);
    assert!((0..2 * SECOND).contains(&late), "{late} microseconds late");
    server.stop().await;
}
