//! Coming into rooms, leaving them, being sent away.

use parlor_testkit::TestServer;
use serde_json::json;

use super::super::chat::send;
use super::{Somebody, asked, message, ok, read};

/// Row: POST /room/{room_id}/join → 200 (the README's example), also `{"password": null}` for a
/// room without
/// Row: POST /room/{room_id}/join → 422 without a JSON body
/// Row: POST /room/{room_id}/join → 404; 400 "Password required"; 400 "Invalid password"; 409
/// "Already joined"; 403 "Forbidden" for the banned
/// Row: 8b.8: a room's password holds for who knows its id
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_joined_with_its_password() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    let body = json!({
        "room_id": "room1", "name": "N", "description": "", "password": "optionalpassword",
    });
    assert_eq!(ana.ask(&server, "POST", "/room", body).await, (201, ok()));
    ana.room(&server, "room2").await;
    let join = async |who: &Somebody, room: &str, body| {
        who.ask(&server, "POST", &format!("/room/{room}/join"), body).await
    };
    assert_eq!(join(&bo, "nothing", json!({})).await, (404, message("Room not found")));
    // The answers are the same for those who are in.
    for who in [&bo, &ana] {
        for none in [json!({}), json!({"password": null}), json!({"password": ""})] {
            let said = join(who, "room1", none).await;
            assert_eq!(said, (400, message("Password required")));
        }
        let said = join(who, "room1", json!({"password": "wrong"})).await;
        assert_eq!(said, (400, message("Invalid password")));
    }
    let right = json!({"password": "optionalpassword"});
    assert_eq!(join(&bo, "room1", right.clone()).await, (200, ok()));
    assert_eq!(join(&bo, "room1", right.clone()).await, (409, message("Already joined")));
    assert_eq!(join(&bo, "room2", json!({"password": null})).await, (200, ok()));
    assert_eq!(join(&bo, "room2", json!({})).await, (409, message("Already joined")));
    let bare = asked("POST", "/room/room2/join", Some(&bo.access), None);
    let (status, said) = read(&send(&server, bare).await);
    assert_eq!((status, &said["detail"][0]["loc"]), (422, &json!(["body"])));
    assert_eq!(ana.post(&server, &format!("/room/room1/ban/{}", bo.id)).await, (200, ok()));
    assert_eq!(join(&bo, "room1", right).await, (403, message("Forbidden")));
    server.stop().await;
}

/// Row: POST /room/{room_id}/leave → 200; 404 "Room not found"; 409 "User not in room"
/// Row: an owner may leave; the room goes to the longest-standing of those who stay
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_left() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    ana.room(&server, "room1").await;
    let gone = bo.post(&server, "/room/room1/leave").await;
    assert_eq!(gone, (409, message("User not in room")));
    bo.join(&server, "room1").await;
    assert_eq!(ana.post(&server, "/room/room1/leave").await, (200, ok()));
    let again = ana.post(&server, "/room/room1/leave").await;
    assert_eq!(again, (409, message("User not in room")));
    let missing = ana.post(&server, "/room/nothing/leave").await;
    assert_eq!(missing, (404, message("Room not found")));
    let room = bo.get(&server, "/room/room1").await.1["room"].clone();
    assert_eq!((&room["owner"], &room["users"]), (&json!(bo.id), &json!([bo.id])));
    server.stop().await;
}

/// Row: POST /room/{room_id}/kick/{user_id} → 200; 404; 403 "Forbidden" for who is not the owner;
/// 400 "Cannot kick yourself"; 409 "User not in room"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_sends_somebody_away() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    ana.room(&server, "room1").await;
    let kick = async |who: &Somebody, room: &str, whom: &str| {
        who.post(&server, &format!("/room/{room}/kick/{whom}")).await
    };
    assert_eq!(kick(&bo, "room1", &ana.id).await, (403, message("Forbidden")));
    for nobody in [&*bo.id, "somebody", "0190f5c2-7a1e-7000-8000-000000000001"] {
        let said = kick(&ana, "room1", nobody).await;
        assert_eq!(said, (409, message("User not in room")), "{nobody}");
    }
    bo.join(&server, "room1").await;
    assert_eq!(kick(&bo, "room1", &ana.id).await, (403, message("Forbidden")));
    assert_eq!(kick(&bo, "room1", &bo.id).await, (403, message("Forbidden")));
    assert_eq!(kick(&ana, "room1", &ana.id).await, (400, message("Cannot kick yourself")));
    assert_eq!(kick(&ana, "nothing", &bo.id).await, (404, message("Room not found")));
    assert_eq!(kick(&ana, "room1", &bo.id).await, (200, ok()));
    let room = ana.get(&server, "/room/room1").await.1["room"].clone();
    assert_eq!(room["users"], json!([ana.id]));
    bo.join(&server, "room1").await;
    server.stop().await;
}

/// Row: POST /room/{room_id}/ban/{user_id} → 200, also kicks, works on who is not in; 404; 403; 400
/// "Cannot ban yourself", "Already banned"
/// Row: POST /room/{room_id}/unban/{user_id} → 200; 404; 403; 400 "Cannot unban yourself", "User
/// not banned"
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_keeps_somebody_out_and_lets_them_back() {
    let server = TestServer::start().await;
    let (ana, bo) = (Somebody::new(&server, "Ana").await, Somebody::new(&server, "Bo1").await);
    let cy = Somebody::new(&server, "Cy1").await;
    ana.room(&server, "room1").await;
    bo.join(&server, "room1").await;
    let done = async |who: &Somebody, what: &str, whom: &str| {
        who.post(&server, &format!("/room/room1/{what}/{whom}")).await
    };
    for what in ["ban", "unban"] {
        assert_eq!(done(&bo, what, &ana.id).await, (403, message("Forbidden")));
        assert_eq!(done(&cy, what, &bo.id).await, (403, message("Forbidden")));
        let oneself = format!("Cannot {what} yourself");
        assert_eq!(done(&ana, what, &ana.id).await, (400, message(&oneself)));
        let missing = ana.post(&server, &format!("/room/nothing/{what}/{}", bo.id)).await;
        assert_eq!(missing, (404, message("Room not found")));
    }
    assert_eq!(done(&ana, "unban", &bo.id).await, (400, message("User not banned")));
    assert_eq!(done(&ana, "unban", "nobody").await, (400, message("User not banned")));
    assert_eq!(done(&ana, "ban", "nobody").await, (404, message("User not found")));
    for whom in [&bo.id, &cy.id] {
        assert_eq!(done(&ana, "ban", whom).await, (200, ok()));
        assert_eq!(done(&ana, "ban", whom).await, (400, message("Already banned")));
    }
    let room = ana.get(&server, "/room/room1").await.1["room"].clone();
    assert_eq!(room["users"], json!([ana.id]));
    for path in ["/room/room1", "/room/room1/join"] {
        let (method, body) =
            if path.ends_with("join") { ("POST", json!({})) } else { ("GET", json!({})) };
        let said = bo.ask(&server, method, path, body).await;
        assert_eq!(said, (403, message("Forbidden")), "{path}");
    }
    assert_eq!(done(&ana, "unban", &bo.id).await, (200, ok()));
    bo.join(&server, "room1").await;
    server.stop().await;
}
