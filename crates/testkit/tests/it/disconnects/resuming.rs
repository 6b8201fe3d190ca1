//! What holds for each: a connection is caught up with at once, what comes first counts, asking
//! again is no more than asking, and what is known of a session is not known for ever.

use parlor_testkit::person::fresh_id;
use parlor_testkit::raw_socket::{RawSocket, frame, handshake};
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::{TestServer, soon};
use parlor_wire::command::Codec;
use parlor_wire::frame::Frame;
use parlor_wire::v1;

#[tokio::test]
async fn a_long_log_is_caught_up_with_without_a_pause() {
    let server = TestServer::builder().limit("replay_page_max", 1).start().await;
    let ana = server.person("ana").await;
    let session = ana.room("public", "long", &[]).await.main_session_id;
    for n in 0..40 {
        ana.say(&session, &format!("message {n}")).await.unwrap();
    }
    let mut socket = Socket::open(&ana, Codec::Json).await;
    let head = socket.subscribe(&session, Some(0), &mut Vec::new()).await.unwrap();
    // The server's timer wakes a connection now and then: a page of this log would wait for it.
    let all = async {
        let mut seq = 0;
        while seq < head {
            if let Heard::Frame(Frame::Event(event)) = socket.next().await
                && event.session_id.is_some()
            {
                assert_eq!(event.seq, Some(seq + 1));
                seq += 1;
            }
        }
    };
    soon("the whole log", all).await;
}

#[tokio::test]
async fn what_was_said_before_a_goodbye_counts() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let session = ana.room("public", "short", &[]).await.main_session_id;
    let mut socket = RawSocket::open(server.address(), &handshake(&ana.token)).await.unwrap();
    socket.next().await.expect("a greeting");
    let send = format!(
        r#"{{"type":"send","ref":1,"session_id":"{session}","client_id":"{}","content":"bye"}}"#,
        fresh_id()
    );
    let mut bytes = frame(0x81, send.as_bytes());
    bytes.extend(frame(0x88, &1000_u16.to_be_bytes()));
    socket.write(&bytes).await.unwrap();
    assert_eq!(socket.close_code().await, 1000);
    // What comes later is stored later: the number tells whether the message is there.
    let next = ana.say(&session, "and one more thing").await.unwrap();
    assert_eq!(next.number, 2, "the message was dropped");
}

#[tokio::test]
async fn who_hears_as_much_as_they_may_can_ask_again() {
    // The user's own log, and one session.
    let server = TestServer::builder().limit("subscriptions_max", 2).start().await;
    let ana = server.person("ana").await;
    let sessions = ["one", "two"].map(|name| ana.room("public", name, &[]));
    let [one, two] = sessions;
    let (one, two) = (one.await.main_session_id, two.await.main_session_id);
    let mut socket = Socket::open(&ana, Codec::Proto).await;
    let mut meanwhile = Vec::new();
    for _ in 0..2 {
        socket.subscribe(&one, Some(0), &mut meanwhile).await.unwrap();
    }
    let refused = socket.subscribe(&two, Some(0), &mut meanwhile).await;
    assert_eq!(refused.unwrap_err().code, "conflict");
}

#[tokio::test]
async fn a_room_that_is_open_again_is_so_in_every_session() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("public", "shut", &[]).await.id;
    let asked = v1::CreateSessionRequest {
        name: "aside".to_owned(),
        members: vec![],
        ..v1::CreateSessionRequest::default()
    };
    let path = format!("/rooms/{room}");
    let made: v1::Session =
        ana.call("POST", &format!("{path}/sessions"), Some(&asked)).await.unwrap();
    for archived in [true, false] {
        let patch = v1::PatchRoomRequest { archived: Some(archived), ..Default::default() };
        ana.call::<v1::Room>("PATCH", &path, Some(&patch)).await.unwrap();
        let said = ana.say(&made.id, "is anybody here?").await;
        assert_eq!(said.is_err(), archived, "{said:?}");
    }
}
