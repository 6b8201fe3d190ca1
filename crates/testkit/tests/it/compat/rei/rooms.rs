//! Rooms: made, listed, looked at, changed, deleted.

use parlor_testkit::TestServer;
use parlor_wire::v1;
use serde_json::{Value, json};

use super::{Somebody, message, ok, unstamped};

/// The lobby's place in lists; everybody with a password is in it (8b.4).
fn without_lobby(said: &Value) -> Vec<Value> {
    let rooms = said["rooms"].as_array().unwrap();
    assert_eq!(rooms[0]["room_id"], "lobby", "{said}");
    rooms[1..].to_vec()
}

/// Row: POST /room → 201 `{"message":"ok"}` with a chosen `room_id`
/// Row: GET /public → 200, rooms without a password, in the order in which they were made
/// Row: GET /joined → 200 with owner, private, users, created_at, in the order in which they were
/// made; §8b.5: with session_id
/// Row: GET /room/{room_id} → 200 without `room_id`; §8b.5: with session_id
/// Row: 8b.4: every account is in the lobby, which is in /joined and /public
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_made_and_listed() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    ana.room(&server, "room1").await;
    let body = json!({"room_id": "Zimmer2", "name": "Two", "description": "", "password": "pw"});
    assert_eq!(ana.ask(&server, "POST", "/room", body).await, (201, ok()));
    let body = json!({"room_id": "abc", "name": "Three", "description": "", "password": ""});
    assert_eq!(bo.ask(&server, "POST", "/room", body).await, (201, ok()));
    let (status, public) = bo.get(&server, "/public").await;
    let expected = [
        json!({"room_id": "room1", "name": "RoomName", "description": "About it"}),
        json!({"room_id": "abc", "name": "Three", "description": ""}),
    ];
    assert_eq!((status, without_lobby(&public)), (200, expected.to_vec()));
    bo.join(&server, "room1").await;
    let (status, joined) = ana.get(&server, "/joined").await;
    let mut rooms = without_lobby(&joined);
    for room in &mut rooms {
        unstamped(&mut room["created_at"]);
    }
    let no = |at: usize| rooms[at]["session_id"].as_i64().unwrap();
    assert!(no(1) > no(0), "{joined}");
    let one = json!({
        "name": "RoomName", "description": "About it", "owner": ana.id, "private": false,
        "users": [ana.id, bo.id], "created_at": "WHEN", "session_id": no(0),
    });
    let mut first = one.clone();
    first["room_id"] = json!("room1");
    let second = json!({
        "room_id": "Zimmer2", "name": "Two", "description": "", "owner": ana.id, "private": true,
        "users": [ana.id], "created_at": "WHEN", "session_id": no(1),
    });
    assert_eq!((status, rooms), (200, vec![first, second]));
    let (status, mut said) = bo.get(&server, "/room/room1").await;
    unstamped(&mut said["room"]["created_at"]);
    assert_eq!((status, said), (200, json!({"message": "ok", "room": one})));
    server.stop().await;
}

/// Row: POST /room → 201 without `room_id` (the README's example): one is made and added to the
/// answer
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_chose_no_id_gets_one() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    for given in [None, Some(Value::Null)] {
        let mut body = json!({
            "name": "RoomName", "description": "Room Description", "password": "optionalpassword",
        });
        if let Some(given) = given {
            body["room_id"] = given;
        }
        let (status, said) = ana.ask(&server, "POST", "/room", body).await;
        let id = said["room_id"].as_str().unwrap();
        assert_eq!((status, &said), (201, &json!({"message": "ok", "room_id": id})));
        assert!((3..=32).contains(&id.len()) && id.chars().all(char::is_alphanumeric), "{id}");
        let (status, room) = ana.get(&server, &format!("/room/{id}")).await;
        assert_eq!((status, &room["room"]["name"]), (200, &json!("RoomName")));
    }
    server.stop().await;
}

/// Row: POST /room → 400 "Room ID must be between 3 and 16 characters" (32 are allowed), "Room ID
/// must be alphanumeric", "Name cannot be empty", in this order
/// Row: POST /room → 409 "Room ID taken", also for `join`, `delete` and `create`
/// Row: POST /room → 422 without `description`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_room_is_said_in_the_systems_own_order() {
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    let length = "Room ID must be between 3 and 16 characters";
    for (id, name, status, text) in [
        ("", "", 400, length),
        ("a!", "", 400, length),
        (&*"x".repeat(33), "N", 400, length),
        ("a-b", "", 400, "Room ID must be alphanumeric"),
        ("abc", "", 400, "Name cannot be empty"),
        ("abc", "  ", 400, "Name cannot be empty"),
        ("join", "N", 409, "Room ID taken"),
        ("delete", "N", 409, "Room ID taken"),
        ("create", "N", 409, "Room ID taken"),
        ("lobby", "N", 409, "Room ID taken"),
        ("0190f5c27a1e70008000000000000001", "N", 409, "Room ID taken"),
    ] {
        let body = json!({"room_id": id, "name": name, "description": ""});
        let said = ana.ask(&server, "POST", "/room", body).await;
        assert_eq!(said, (status, message(text)), "{id} {name}");
    }
    ana.room(&server, &"x".repeat(32)).await;
    let body = json!({"room_id": "x".repeat(32), "name": "N", "description": ""});
    let said = ana.ask(&server, "POST", "/room", body).await;
    assert_eq!(said, (409, message("Room ID taken")));
    let given = json!({"room_id": "abc", "name": "N"});
    let fault = json!({
        "type": "missing", "loc": ["body", "description"], "msg": "Field required", "input": given,
    });
    let said = ana.ask(&server, "POST", "/room", given).await;
    assert_eq!(said, (422, json!({"detail": [fault]})));
    let mistyped = json!({"name": "N", "description": "", "password": 5});
    let fault = json!({
        "type": "string_type", "loc": ["body", "password"],
        "msg": "Input should be a valid string", "input": 5,
    });
    let said = ana.ask(&server, "POST", "/room", mistyped).await;
    assert_eq!(said, (422, json!({"detail": [fault]})));
    server.stop().await;
}

/// Row: PUT /room/{room_id} → 200 (the README's example, which has no `room_id`; with one it is
/// ignored); an omitted password makes the room public
/// Row: PUT /room/{room_id} → 404 "Room not found", 403 "Forbidden" for who is not the owner, 400
/// "Name cannot be empty"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_changes_a_room() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    ana.room(&server, "room1").await;
    let update = json!({
        "name": "UpdatedRoomName", "description": "Updated Description", "password": "newpassword",
    });
    assert_eq!(ana.ask(&server, "PUT", "/room/room1", update.clone()).await, (200, ok()));
    let room = ana.get(&server, "/room/room1").await.1["room"].clone();
    assert_eq!(room["name"], "UpdatedRoomName");
    assert_eq!(room["description"], "Updated Description");
    assert_eq!(room["private"], true);
    let listed = async || without_lobby(&bo.get(&server, "/public").await.1).len();
    assert_eq!(listed().await, 0);
    let said = bo.ask(&server, "PUT", "/room/room1", update.clone()).await;
    assert_eq!(said, (403, message("Forbidden")));
    let said = ana.ask(&server, "PUT", "/room/room2", update).await;
    assert_eq!(said, (404, message("Room not found")));
    let open = json!({"room_id": "other", "name": "Open", "description": ""});
    assert_eq!(ana.ask(&server, "PUT", "/room/room1", open).await, (200, ok()));
    assert_eq!(listed().await, 1);
    bo.join(&server, "room1").await;
    let said = bo.ask(&server, "PUT", "/room/room1", json!({"name": "N", "description": ""})).await;
    assert_eq!(said, (403, message("Forbidden")));
    let said = ana.ask(&server, "PUT", "/room/room1", json!({"name": "", "description": ""})).await;
    assert_eq!(said, (400, message("Name cannot be empty")));
    server.stop().await;
}

/// Row: what was made private or unlisted elsewhere stays so when it is changed here
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_of_another_kind_keeps_it() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let rei = Somebody {
        id: ana.id.clone(),
        email: String::new(),
        access: ana.token.clone(),
        refresh: String::new(),
    };
    for kind in ["private", "unlisted"] {
        let room = ana.room(kind, "Apart", &[]).await;
        let path = format!("/room/{}", room.id.replace('-', ""));
        let body = json!({"name": "Changed", "description": "by another client"});
        assert_eq!(rei.ask(&server, "PUT", &path, body).await, (200, ok()));
        let now: v1::Room = ana.get(&format!("/rooms/{}", room.id)).await.unwrap();
        assert_eq!((&*now.name, now.kind.as_str()), ("Changed", kind));
    }
    server.stop().await;
}

/// Row: DELETE /room/{room_id} → 200; 404 "Room not found"; 403 "Forbidden" for who is not the
/// owner
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_deletes_a_room() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    ana.room(&server, "room1").await;
    let delete =
        async |who: &Somebody, path: &str| who.ask(&server, "DELETE", path, json!({})).await;
    assert_eq!(delete(&bo, "/room/room1").await, (403, message("Forbidden")));
    bo.join(&server, "room1").await;
    assert_eq!(delete(&bo, "/room/room1").await, (403, message("Forbidden")));
    assert_eq!(delete(&ana, "/room/room1").await, (200, ok()));
    assert_eq!(delete(&ana, "/room/room1").await, (404, message("Room not found")));
    assert_eq!(ana.get(&server, "/room/room1").await, (404, message("Room not found")));
    assert_eq!(delete(&ana, "/room/lobby").await, (403, message("Forbidden")));
    server.stop().await;
}

/// Row: GET /room/{room_id} → 404 "Room not found"
/// Row: §8: the details of a private room are for its members: 403 "Forbidden"; who is in a room is
/// told to its members
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_room_shows_itself_to_its_members() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    let body = json!({"room_id": "room1", "name": "N", "description": "D", "password": "pw"});
    assert_eq!(ana.ask(&server, "POST", "/room", body).await, (201, ok()));
    ana.room(&server, "room2").await;
    assert_eq!(bo.get(&server, "/room/room1").await, (403, message("Forbidden")));
    assert_eq!(bo.get(&server, "/room/nothing").await, (404, message("Room not found")));
    let (status, seen) = bo.get(&server, "/room/room2").await;
    assert_eq!((status, &seen["room"]["users"]), (200, &json!([])));
    assert_eq!(seen["room"]["owner"], json!(ana.id));
    server.stop().await;
}

/// Row: rooms that were made elsewhere have an id here: their uuid without hyphens; those of a few
/// people are called by the others' names
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_made_elsewhere_are_here_too() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, Somebody::new(&server, "Bo1").await);
    let made = v1::CreateRoomRequest {
        kind: Some("direct".to_owned()),
        members: vec![bo.id.clone()],
        ..v1::CreateRoomRequest::default()
    };
    let room = ana.make_room(&made).await.unwrap();
    let rooms = without_lobby(&bo.get(&server, "/joined").await.1);
    assert_eq!(rooms.len(), 1);
    assert_eq!(rooms[0]["room_id"], json!(room.id.replace('-', "")));
    assert_eq!((&rooms[0]["name"], &rooms[0]["private"]), (&json!("ana"), &json!(true)));
    server.stop().await;
}
