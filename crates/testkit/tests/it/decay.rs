//! Messages that decay, over the wire.

use std::sync::Arc;
use std::time::Duration;

use parlor_testkit::person::{Refused, fresh_id};
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::{Person, TestServer, VirtualClock, soon};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1::{self, event::Kind};

/// Says something that lives for so many seconds.
async fn say_for(
    who: &Person,
    session: &str,
    content: &str,
    ttl_s: i64,
) -> Result<v1::Message, Refused> {
    let asked = v1::SendRequest {
        client_id: fresh_id(),
        content: content.to_owned(),
        ttl_s: Some(ttl_s),
        ..v1::SendRequest::default()
    };
    who.call("POST", &format!("/sessions/{session}/messages"), Some(&asked)).await
}

async fn page(who: &Person, session: &str) -> Vec<v1::Message> {
    let path = format!("/sessions/{session}/messages");
    who.get::<v1::MessagePage>(&path).await.expect("they see it").messages
}

/// The next event of a session that says something else than who came.
pub(crate) async fn told(socket: &mut Socket) -> (v1::Event, Kind) {
    let next = async {
        loop {
            let Heard::Frame(Frame::Event(event)) = socket.next().await else { continue };
            match event.kind.clone() {
                Some(Kind::Joined(_)) | None => {}
                Some(kind) => return (event, kind),
            }
        }
    };
    soon("an event", next).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_gone_when_its_time_is_over_and_its_number_stays() {
    let clock = Arc::new(VirtualClock::new());
    let server = TestServer::builder().clock(Arc::clone(&clock) as _).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let session = &room.main_session_id;
    let mut socket = Socket::open(&bo, Codec::Json).await;
    socket.subscribe(session, None, &mut vec![]).await.expect("bo is in it");
    let said = say_for(&ana, session, "for a minute", 60).await.expect("it is said");
    let minute = 60_000_000;
    assert_eq!(said.expires_at, Some(said.sent_at + minute));
    let (_, kind) = told(&mut socket).await;
    assert_eq!(kind, Kind::Posted(said.clone()));
    ana.say(session, "for ever").await.expect("it is said");
    told(&mut socket).await;

    clock.advance(Duration::from_micros(59_999_999));
    assert_eq!(page(&bo, session).await[0].content, "for a minute", "it is not early");
    clock.advance(Duration::from_micros(1));
    let (event, kind) = told(&mut socket).await;
    assert_eq!(kind, Kind::Decayed(v1::Decayed { from: 1, to: 1 }));
    let left = page(&bo, session).await;
    let texts: Vec<&str> = left.iter().map(|message| &*message.content).collect();
    assert_eq!((texts, left[0].number), (vec!["", "for ever"], 1));
    assert_eq!((left[0].expires_at, left[0].deleted_at), (said.expires_at, Some(event.at)));

    // Whoever listens from before hears that there was something, and not what.
    for codec in [Codec::Json, Codec::Proto] {
        let mut late = Socket::open(&ana, codec).await;
        late.subscribe(session, Some(said.seq - 1), &mut vec![]).await.expect("ana is in it");
        let (_, kind) = told(&mut late).await;
        let Kind::Posted(message) = kind else { panic!("{kind:?}") };
        assert_eq!((&message.id, &*message.content), (&said.id, ""));
        assert!(message.deleted_at.is_some());
        late.close().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_to_live_is_from_a_second_to_a_year() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let session = ana.room("private", "Garden", &[]).await.main_session_id;
    let refused = Refused { status: 422, code: "invalid".to_owned() };
    let mut socket = Socket::open(&ana, Codec::Json).await;
    for bad in [i64::MIN, -1, 0, 31_536_001, 1_000_000_000_000_000_000] {
        let answer = say_for(&ana, &session, "never", bad).await;
        assert_eq!(answer.unwrap_err(), refused, "{bad}");
        let send = |r#ref| {
            Command::Send(v1::Send {
                r#ref,
                session_id: session.clone(),
                client_id: fresh_id(),
                content: "never".to_owned(),
                ttl_s: Some(bad),
                ..v1::Send::default()
            })
        };
        let answer = socket.ask(send, &mut vec![]).await;
        assert_eq!(answer.unwrap_err().code, "invalid", "{bad}");
        let asked = v1::PatchSessionRequest { message_ttl_s: Some(bad), ..Default::default() };
        let patched: Result<v1::Session, _> =
            ana.call("PATCH", &format!("/sessions/{session}"), Some(&asked)).await;
        // For a session 0 means that messages live for ever.
        assert_eq!(patched.err(), (bad != 0).then(|| refused.clone()), "{bad}");
    }
    let fraction = ana.request("POST", &format!("/sessions/{session}/messages"));
    let body = format!("{{\"client_id\":\"{}\",\"content\":\"x\",\"ttl_s\":1.5}}", fresh_id());
    let answer = ana.send(fraction.json(&body)).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
    assert!(page(&ana, &session).await.is_empty());
    say_for(&ana, &session, "a year", 31_536_000).await.expect("it is said");
    // By the clock on the wall: a second, and not two more.
    let said = say_for(&ana, &session, "a second", 1).await.expect("it is said");
    socket.subscribe(&session, Some(said.seq), &mut vec![]).await.expect("ana is in it");
    let (event, kind) = told(&mut socket).await;
    assert_eq!(kind, Kind::Decayed(v1::Decayed { from: 2, to: 2 }));
    let late = event.at - said.expires_at.expect("it ends");
    assert!((0..2_000_000).contains(&late), "{late} microseconds late");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_how_long_messages_live_in_a_session() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let session = &room.main_session_id;
    let path = format!("/sessions/{session}");
    let mut socket = Socket::open(&bo, Codec::Json).await;
    socket.subscribe(session, None, &mut vec![]).await.expect("bo is in it");
    let set = |seconds| v1::PatchSessionRequest {
        message_ttl_s: Some(seconds),
        ..v1::PatchSessionRequest::default()
    };
    let now: v1::Session = ana.call("PATCH", &path, Some(&set(3_600))).await.expect("hers");
    assert_eq!(now.message_ttl_s, Some(3_600));
    let (_, kind) = told(&mut socket).await;
    let settings = |message_ttl_s| {
        Kind::SessionSettings(v1::SessionSettings {
            name: String::new(),
            by: ana.id.clone(),
            message_ttl_s,
            end: None,
        })
    };
    assert_eq!(kind, settings(Some(3_600)));
    let hour = 3_600_000_000;
    let said = bo.say(session, "an hour").await.expect("it is said");
    assert_eq!(said.expires_at, Some(said.sent_at + hour));
    let short = say_for(&bo, session, "a minute", 60).await.expect("it is said");
    assert_eq!(short.expires_at, Some(short.sent_at + hour / 60));
    let refused: Result<v1::Session, _> = bo.call("PATCH", &path, Some(&set(0))).await;
    assert_eq!(refused.unwrap_err().status, 403);
    let now: v1::Session = ana.call("PATCH", &path, Some(&set(0))).await.expect("hers");
    assert_eq!(now.message_ttl_s, None);
    assert_eq!(bo.say(session, "for ever").await.expect("it is said").expires_at, None);

    // Opened so from the beginning, and what is passed on from there ends when it would have.
    let asked = v1::CreateSessionRequest {
        name: "Shed".to_owned(),
        members: vec![bo.id.clone()],
        message_ttl_s: Some(60),
        ..v1::CreateSessionRequest::default()
    };
    let shed: v1::Session =
        ana.call("POST", &format!("/rooms/{}/sessions", room.id), Some(&asked)).await.expect("new");
    assert_eq!(shed.message_ttl_s, Some(60));
    let said = ana.say(&shed.id, "in the shed").await.expect("it is said");
    let forward = v1::SendRequest {
        client_id: fresh_id(),
        forward: Some(said.id.clone()),
        ..v1::SendRequest::default()
    };
    let path = format!("/sessions/{session}/messages");
    let copy: v1::Message = bo.call("POST", &path, Some(&forward)).await.expect("it is passed on");
    assert_eq!((&*copy.content, copy.expires_at), ("in the shed", said.expires_at));
    server.stop().await;
}
