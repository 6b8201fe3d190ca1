//! What a room lays down for its sessions, over the wire.

use std::sync::Arc;
use std::time::Duration;

use parlor_testkit::person::{Refused, fresh_id};
use parlor_testkit::socket::Socket;
use parlor_testkit::{Person, TestServer, VirtualClock};
use parlor_wire::command::Codec;
use parlor_wire::v1::{self, event::Kind};

use crate::decay::told;

const HOUR: i64 = 3_600;

/// A second, in microseconds.
const SECOND: i64 = 1_000_000;

async fn set(who: &Person, room: &str, asked: v1::PatchRoomRequest) -> Result<v1::Room, Refused> {
    who.call("PATCH", &format!("/rooms/{room}"), Some(&asked)).await
}

fn retention(seconds: i64) -> v1::PatchRoomRequest {
    v1::PatchRoomRequest { retention_s: Some(seconds), ..v1::PatchRoomRequest::default() }
}

async fn open(
    who: &Person,
    room: &str,
    message_ttl_s: Option<i64>,
) -> Result<v1::Session, Refused> {
    let asked = v1::CreateSessionRequest {
        name: "Shed".to_owned(),
        message_ttl_s,
        ..v1::CreateSessionRequest::default()
    };
    who.call("POST", &format!("/rooms/{room}/sessions"), Some(&asked)).await
}

async fn session(who: &Person, session: &str) -> v1::Session {
    who.get(&format!("/sessions/{session}")).await.expect("they are in it")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_room_lays_down_is_heard_by_everybody_and_holds_for_new_sessions() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let asked = v1::CreateRoomRequest {
        name: "Garden".to_owned(),
        kind: Some("private".to_owned()),
        members: vec![bo.id.clone()],
        message_ttl_s: Some(60),
        sessions_max: Some(3),
        ..v1::CreateRoomRequest::default()
    };
    let room = ana.make_room(&asked).await.expect("a room");
    let laid_down = (room.message_ttl_s, room.retention_s, room.sessions_max);
    assert_eq!(laid_down, (Some(60), None, Some(3)));
    assert_eq!(session(&bo, &room.main_session_id).await.message_ttl_s, Some(60));
    let mut socket = Socket::open(&bo, Codec::Json).await;
    socket.subscribe(&room.main_session_id, None, &mut vec![]).await.expect("bo is in it");
    let day =
        v1::PatchRoomRequest { message_ttl_s: Some(24 * HOUR), ..v1::PatchRoomRequest::default() };
    let refused = set(&bo, &room.id, day.clone()).await.unwrap_err();
    assert_eq!((refused.status, &*refused.code), (403, "forbidden"));
    let now = set(&ana, &room.id, day).await.expect("hers");
    assert_eq!((now.message_ttl_s, now.sessions_max), (Some(24 * HOUR), Some(3)));
    let (_, told) = told(&mut socket).await;
    let Kind::RoomSettings(told) = told else { panic!("{told:?}") };
    assert_eq!((told.message_ttl_s, told.sessions_max), (Some(24 * HOUR), Some(3)));

    assert_eq!(session(&bo, &room.main_session_id).await.message_ttl_s, Some(60), "as it was");
    let first = open(&bo, &room.id, None).await.expect("it is opened");
    assert_eq!(first.message_ttl_s, Some(24 * HOUR));
    let for_ever = open(&bo, &room.id, Some(0)).await.expect("it is opened");
    assert_eq!(for_ever.message_ttl_s, None);
    assert_eq!(bo.say(&for_ever.id, "for ever").await.expect("said").expires_at, None);
    let full = open(&bo, &room.id, None).await.unwrap_err();
    assert_eq!((full.status, &*full.code), (409, "conflict"), "the main session counts");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_room_can_lay_down_is_refused() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let year = 365 * 24 * HOUR;
    let none = v1::PatchRoomRequest::default();
    for bad in [
        v1::PatchRoomRequest { message_ttl_s: Some(-1), ..none.clone() },
        v1::PatchRoomRequest { message_ttl_s: Some(year + 1), ..none.clone() },
        retention(-1),
        retention(1),
        retention(HOUR - 1),
        retention(10 * year + 1),
        retention(i64::MAX),
        v1::PatchRoomRequest { sessions_max: Some(-1), ..none.clone() },
        v1::PatchRoomRequest { sessions_max: Some(1_001), ..none.clone() },
    ] {
        let refused = set(&ana, &room.id, bad.clone()).await.unwrap_err();
        assert_eq!((refused.status, &*refused.code), (422, "invalid"), "{bad:?}");
    }
    let direct = v1::CreateRoomRequest {
        kind: Some("direct".to_owned()),
        members: vec![bo.id.clone()],
        ..v1::CreateRoomRequest::default()
    };
    let bad = v1::CreateRoomRequest { retention_s: Some(HOUR), ..direct.clone() };
    assert_eq!(ana.make_room(&bad).await.unwrap_err().status, 422, "nobody could take it back");
    let minute = v1::CreateRoomRequest { message_ttl_s: Some(60), ..direct };
    let room = ana.make_room(&minute).await.expect("a direct room");
    let refused = set(&bo, &room.id, retention(HOUR)).await.unwrap_err();
    assert_eq!(refused.status, 403, "a direct room has no settings");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_of_two_people_says_how_long_messages_live_between_them() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let direct = ana.room("direct", "", &[&bo]).await;
    let path = format!("/sessions/{}", direct.main_session_id);
    for (who, seconds) in [(&ana, 60), (&bo, 5), (&ana, 0), (&bo, 60)] {
        let asked = v1::PatchSessionRequest {
            message_ttl_s: Some(seconds),
            ..v1::PatchSessionRequest::default()
        };
        let now: v1::Session = who.call("PATCH", &path, Some(&asked)).await.expect("theirs");
        assert_eq!(now.message_ttl_s, Some(seconds).filter(|seconds| *seconds > 0));
    }
    let said = ana.say(&direct.main_session_id, "for a minute").await.expect("it is said");
    assert_eq!(said.expires_at, Some(said.sent_at + 60 * SECOND));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_older_than_a_room_keeps_it_is_gone_and_told() {
    let clock = Arc::new(VirtualClock::new());
    // A login does not last for as long as a room keeps what is said in it at least.
    let settings = TestServer::builder().limit("retention_s_min", 60);
    let server = settings.clock(Arc::clone(&clock) as _).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let main = &room.main_session_id;
    ana.say(main, "long ago").await.expect("it is said");
    clock.advance(Duration::from_secs(120));
    let lately = ana.say(main, "lately").await.expect("it is said");
    let mut socket = Socket::open(&bo, Codec::Json).await;
    socket.subscribe(main, Some(lately.seq), &mut vec![]).await.expect("bo is in it");
    let now = set(&ana, &room.id, retention(60)).await.expect("hers");
    assert_eq!(now.retention_s, Some(60));
    let (_, Kind::RoomSettings(settings)) = told(&mut socket).await else { panic!("no settings") };
    assert_eq!(settings.retention_s, Some(60));
    assert_eq!(told(&mut socket).await.1, Kind::Decayed(v1::Decayed { from: 1, to: 1 }));
    let page: v1::MessagePage =
        bo.get(&format!("/sessions/{main}/messages")).await.expect("bo is in it");
    let texts: Vec<&str> = page.messages.iter().map(|message| &*message.content).collect();
    assert_eq!(texts, ["", "lately"]);
    let ends = Some(lately.sent_at + 60 * SECOND);
    assert_eq!(page.messages.last().map(|message| message.expires_at), Some(ends));

    // What is passed on from there goes when it would have gone there.
    let elsewhere = bo.room("private", "Shed", &[]).await;
    let forward = v1::SendRequest {
        client_id: fresh_id(),
        forward: Some(lately.id.clone()),
        ..v1::SendRequest::default()
    };
    let path = format!("/sessions/{}/messages", elsewhere.main_session_id);
    let copy: v1::Message = bo.call("POST", &path, Some(&forward)).await.expect("passed on");
    assert_eq!(copy.expires_at, ends);
    let now = set(&ana, &room.id, retention(0)).await.expect("hers");
    assert_eq!(now.retention_s, None);
    assert_eq!(ana.say(main, "for ever").await.expect("it is said").expires_at, None);
    clock.advance(Duration::from_secs(60));
    let next = loop {
        match told(&mut socket).await.1 {
            Kind::Decayed(decayed) => break decayed,
            _ => continue,
        }
    };
    assert_eq!(next, v1::Decayed { from: 2, to: 2 }, "what was to end still ends");
    server.stop().await;
}
