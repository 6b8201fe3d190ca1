//! Rooms.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Browser, NOW, assert_answer, lobby, server};

const STRANGE: &str = "00000000-0000-4000-8000-000000000000";

/// Row: GET /rooms/ → 200, in the order of joining, the lobby among them
/// Row: 8b.5: `session_id` in GET /rooms/
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_listed_in_the_order_in_which_one_came_in() {
    let (server, clock) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let first = ana.room("first").await;
    clock.advance(Duration::from_secs(1));
    let second = bo.room("second").await;
    clock.advance(Duration::from_secs(1));
    bo.join(&first).await;
    let listed = bo.get("/rooms/").await;
    let number = |n: usize| listed.json()["rooms"][n]["session_id"].clone();
    let user = |n: usize| listed.json()["rooms"][n]["created_by"]["id"].clone();
    assert!((0..3).all(|n| number(n).is_i64() && user(n).is_string()), "{}", listed.text());
    let row = |n: usize, name: &str, id: &str, at: &str, by: &str| {
        let by = json!({"id": user(n), "email": format!("{by}@example.org"), "username": by});
        json!({
            "room_name": name, "room_id": id, "created_at": at, "created_by": by,
            "session_id": number(n),
        })
    };
    let later = NOW.replace(":00.", ":01.");
    let all = json!({
        "rooms": [
            lobby(&listed.json()),
            row(1, "second", &second, &later, "bo"),
            row(2, "first", &first, NOW, "ana"),
        ],
        "count": 3,
        "message": "Rooms fetched successfully",
    });
    assert_answer(&listed, 200, all);
    // The first to come owns the lobby, where nobody's address is seen.
    let by = lobby(&listed.json())["created_by"].clone();
    assert_eq!((&by["id"], &by["username"]), (&user(2), &json!("ana")));
    assert_eq!(by["email"], "ana@users.noreply.127.0.0.1");
    server.stop().await;
}

/// Row: GET /rooms/ → 200 "No rooms found"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_left_even_the_lobby_has_no_rooms() {
    let (server, _) = server().await;
    let mut ana = Browser::of(&server, "ana").await;
    let id = lobby(&ana.get("/rooms/").await.json())["room_id"].as_str().unwrap().to_owned();
    ana.ours("POST", &format!("/rooms/{id}/leave"), Value::Null).await;
    let none = json!({"rooms": [], "count": 0, "message": "No rooms found"});
    assert_answer(&ana.get("/rooms/").await, 200, none);
    server.stop().await;
}

/// Row: POST /rooms/create/ → 201
/// Row: POST /rooms/create/ → 400 "Chat room name is required"
/// Row: POST /rooms/create/ → 400 "A room with this name already exists"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_made_with_a_name_that_no_other_room_has() {
    let (server, _) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let made = ana.post("/rooms/create/", json!({"chat_room_name": "general"})).await;
    let (id, by) = (made.json()["room_id"].clone(), made.json()["created_by"]["id"].clone());
    assert!(by.is_string() && id.as_str().unwrap().len() == 36, "{}", made.text());
    let by = json!({"id": by, "email": "ana@example.org", "username": "ana"});
    let said =
        json!({"room_id": id, "chat_room_name": "general", "created_by": by, "created_at": NOW});
    assert_answer(&made, 201, said);
    let taken = bo.post("/rooms/create/", json!({"chat_room_name": "general"})).await;
    assert_answer(&taken, 400, json!({"error": "A room with this name already exists"}));
    for asked in [json!({}), json!({"chat_room_name": " "}), json!({"chat_room_name": null})] {
        let refused = ana.post("/rooms/create/", asked).await;
        assert_answer(&refused, 400, json!({"error": "Chat room name is required"}));
    }
    ana.room(&"x".repeat(255)).await;
    let long = ana.post("/rooms/create/", json!({"chat_room_name": "y".repeat(256)})).await;
    let text = "Chat room name is longer than 255 characters";
    assert_answer(&long, 400, json!({"error": text}));
    server.stop().await;
}

/// Row: POST /room/join/ → 200 "Joined room …", 200 "Already in room …"
/// Row: POST /room/join/ → 400 "Room ID is required", 404 "Room not found", 500 "Error joining
/// room" for what is no id
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_by_the_id_works_as_often_as_one_likes() {
    let (server, _) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let id = ana.room("general").await;
    let asked = json!({"room_id": id});
    for message in ["Joined room general", "Already in room general"] {
        let joined = bo.post("/room/join/", asked.clone()).await;
        let no = joined.json()["user"]["id"].clone();
        assert!(no.is_string());
        let said = json!({
            "message": message,
            "room": {"room_id": id, "room_name": "general", "created_at": NOW},
            "user": {"id": no, "email": "bo@example.org", "username": "bo"},
        });
        assert_answer(&joined, 200, said);
    }
    let again = ana.post("/room/join/", asked).await;
    assert_eq!(again.json()["message"], "Already in room general");
    let tries = [
        (json!({}), 400, "Room ID is required"),
        (json!({"room_id": ""}), 400, "Room ID is required"),
        (json!({"room_id": STRANGE}), 404, "Room not found"),
        (json!({"room_id": "general"}), 500, "Error joining room"),
    ];
    for (asked, status, error) in tries {
        assert_answer(&bo.post("/room/join/", asked).await, status, json!({"error": error}));
    }
    server.stop().await;
}

/// Row: DELETE /room/delete/{room_id}/ → 200, and the room's sockets close
/// Row: DELETE /room/delete/{room_id}/ → 403 for everybody but the owner (the original: anybody)
/// Row: DELETE /room/delete/{room_id}/ → 404 "Room not found", 500 "Error deleting room" for what
/// is no id
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_owner_deletes_a_room_and_then_it_is_gone() {
    let (server, _) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let id = ana.room("general").await;
    let path = format!("/room/delete/{id}/");
    let theirs = json!({"error": "Only the owner can delete this room"});
    assert_answer(&bo.delete(&path).await, 403, theirs.clone());
    bo.join(&id).await;
    assert_answer(&bo.delete(&path).await, 403, theirs);
    let (mut chat, _) = bo.chat(&id).await;
    let said = json!({"message": "Room deleted successfully", "deleted_room": {"room_id": id}});
    assert_answer(&ana.delete(&path).await, 200, said);
    assert_eq!(chat.closed().await, (4003, "Not a member of this room".to_owned()));
    let gone = json!({"error": "Room not found"});
    assert_answer(&ana.delete(&path).await, 404, gone.clone());
    assert_answer(&bo.post("/room/join/", json!({"room_id": id})).await, 404, gone.clone());
    assert_answer(&ana.delete(&format!("/room/delete/{STRANGE}/")).await, 404, gone);
    let failed = json!({"error": "Error deleting room"});
    assert_answer(&ana.delete("/room/delete/general/").await, 500, failed);
    assert_eq!(bo.get("/rooms/").await.json()["count"], 1);
    server.stop().await;
}

/// Row: 8b.8: passwords, invitations and bans hold here, too
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_takes_more_than_its_id_cannot_be_joined_here() {
    let (server, _) = server().await;
    let (mut ana, mut bo) = (Browser::of(&server, "ana").await, Browser::of(&server, "bo").await);
    let mut rooms = vec![ana.room("banned").await];
    let ban = format!("/rooms/{}/bans/{}", rooms[0], bo.id().await);
    ana.ours("PUT", &ban, json!({})).await;
    for asked in [
        json!({"name": "vault", "kind": "public", "password": "open sesame"}),
        json!({"name": "den", "kind": "private"}),
    ] {
        let made = ana.ours("POST", "/rooms", asked).await.json();
        rooms.push(made["id"].as_str().unwrap().to_owned());
    }
    for room in &rooms {
        let refused = bo.post("/room/join/", json!({"room_id": room})).await;
        assert_answer(&refused, 404, json!({"error": "Room not found"}));
        assert_eq!(bo.socket(room).await.closed().await.0, 4003);
    }
    let den = format!("/rooms/{}/members", rooms[2]);
    ana.ours("POST", &den, json!({"users": [bo.id().await]})).await;
    bo.join(&rooms[2]).await;
    server.stop().await;
}
