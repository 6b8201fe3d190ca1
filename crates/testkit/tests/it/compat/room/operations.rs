//! The operations that ROOM's list names and never had: in our own API.

use parlor_testkit::TestServer;
use parlor_wire::v1;

/// Row: its list "client init" → `GET /api/v1/me/init`
#[tokio::test]
async fn one_call_gives_a_first_screen() {
    let server = TestServer::builder().limit("first_messages_max", 2).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "a room", &[&bo]).await;
    let quiet = ana.room("private", "a quiet room", &[]).await;
    for text in ["1", "2", "3"] {
        ana.say(&room.main_session_id, text).await.unwrap();
    }
    let init: v1::Init = ana.get("/me/init").await.unwrap();
    assert_eq!(init.me.unwrap().user.unwrap().username, "ana");
    assert_eq!((init.rooms.len(), init.sessions.len()), (3, 3));
    let newest: Vec<_> = init.newest.iter().map(|newest| &*newest.session_id).collect();
    assert_eq!(newest, [&*room.main_session_id], "not {}", quiet.main_session_id);
    let texts: Vec<_> = init.newest[0].messages.iter().map(|message| &*message.content).collect();
    assert_eq!((texts, init.newest[0].has_more_before), (vec!["2", "3"], true));
    let limits = init.limits.unwrap();
    assert_eq!((limits.message_bytes_max, limits.page_max), (16 * 1024, 100));
    server.stop().await;
}

/// Row: its list "get user session and message in a room" →
/// `GET /api/v1/users/{id}/sessions?room_id=`, `GET /api/v1/users/{id}/messages?room_id=`
/// Row: its lists "get all user sessions" and "get all messages by a user" → the same without
/// `room_id`
#[tokio::test]
async fn sessions_and_messages_of_a_person_are_read_room_by_room() {
    let server = TestServer::start().await;
    let (ana, bo, cy) =
        (server.person("ana").await, server.person("bo").await, server.person("cy").await);
    let one = ana.room("private", "one", &[&bo]).await;
    let other = ana.room("private", "other", &[&bo, &cy]).await;
    ana.say(&one.main_session_id, "in one").await.unwrap();
    ana.say(&other.main_session_id, "in the other").await.unwrap();
    let messages = async |reader: &parlor_testkit::Person, query: &str| {
        let path = format!("/users/{}/messages{query}", ana.id);
        let list: v1::UserMessages = reader.get(&path).await.unwrap();
        list.messages.into_iter().map(|message| message.content).collect::<Vec<_>>()
    };
    let sessions = async |reader: &parlor_testkit::Person, query: &str| {
        let path = format!("/users/{}/sessions{query}", ana.id);
        let list: v1::SessionList = reader.get(&path).await.unwrap();
        list.sessions.into_iter().map(|session| session.room_id).collect::<Vec<_>>()
    };
    let (in_one, in_other) = (format!("?room_id={}", one.id), format!("?room_id={}", other.id));
    assert_eq!(messages(&bo, "").await, ["in the other", "in one"]);
    assert_eq!(messages(&bo, &in_one).await, ["in one"]);
    assert_eq!(messages(&cy, &in_other).await, ["in the other"]);
    assert!(messages(&cy, &in_one).await.is_empty());
    assert_eq!(sessions(&bo, "").await.len(), 3, "and the lobby");
    assert_eq!(sessions(&bo, &in_one).await, std::slice::from_ref(&one.id));
    assert!(sessions(&cy, &in_one).await.is_empty());
    for path in ["messages", "sessions"] {
        let path = format!("/users/{}/{path}?room_id=x", ana.id);
        let refused = bo.get::<v1::SessionList>(&path).await.unwrap_err();
        assert_eq!((refused.status, &*refused.code), (422, "invalid"));
    }
    server.stop().await;
}
