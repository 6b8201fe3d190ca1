//! What the façades do not copy: every way in keeps the same doors shut.

use parlor_testkit::http::{Request, Wire};
use parlor_testkit::{Person, TestServer, person};
use parlor_wire::v1;
use serde_json::{Value, json};

use super::chat::{Chat, send};

/// The pages of somebody else.
const FOREIGN: [&str; 2] = ["https://evil.example", "null"];

fn slug(room: &v1::Room) -> String {
    room.id.replace('-', "")
}

async fn main_session_no(person: &Person, room: &v1::Room) -> i64 {
    let path = format!("/sessions/{}", room.main_session_id);
    let session: v1::Session = person.get(&path).await.unwrap();
    session.no
}

async fn me(person: &Person) -> v1::User {
    person.get::<v1::Me>("/me").await.unwrap().user.unwrap()
}

fn shh(person: &Person) -> String {
    format!("access_token={}", person.token)
}

/// Row: Mrsambosk WS `/ws/{id}` with somebody else's id, or without the login's cookie → 4000
#[tokio::test]
async fn nobody_speaks_as_somebody_else_by_a_number() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let path = format!("/ws/{}", me(&ana).await.no);
    for headers in [&[("Cookie", &*eve.cookie)][..], &[], &[("Cookie", &*shh(&ana))]] {
        let mut socket = Chat::open(&server, &path, headers).await;
        assert_eq!(socket.closed().await.0, 4000, "{headers:?}");
    }
    server.stop().await;
}

/// Row: ROOM `POST /send_message` with somebody else's `user_id` or `sender_id` → 403
#[tokio::test]
async fn nobody_sends_as_somebody_else_by_a_number() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("public", "den", &[&eve]).await;
    let session = main_session_no(&ana, &room).await;
    let (ana_no, eve_no) = (me(&ana).await.no, me(&eve).await.no);
    for (user, sender, status) in
        [(ana_no, ana_no, 403), (eve_no, ana_no, 403), (eve_no, eve_no, 200)]
    {
        let path = format!("/send_message?session_id={session}&user_id={user}");
        let body = json!({"mid": 1, "sender_id": sender, "session": session, "text": "hi"});
        let request = Request::new("POST", &path).bearer(&eve.token).json(&body.to_string());
        let answer = send(&server, request).await;
        assert_eq!(answer.status, status, "{user} {sender}: {}", answer.text());
    }
    let page: v1::MessagePage =
        ana.get(&format!("/sessions/{}/messages", room.main_session_id)).await.unwrap();
    assert_eq!(page.messages.len(), 1);
    assert_eq!(page.messages[0].sender_id, eve.id);
    server.stop().await;
}

/// Row: Chat Room API `POST /auth/login` with the name of an account that has a password → 404
#[tokio::test]
async fn a_name_opens_no_account_that_has_a_password() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    for name in ["ana", "Ana", "ana "] {
        let body = json!({"name": name}).to_string();
        let login = send(&server, Request::new("POST", "/auth/login").json(&body)).await;
        assert_eq!((login.status, login.json()), (404, json!({"error": "User not found"})));
        let register = send(&server, Request::new("POST", "/auth/register").json(&body)).await;
        assert_eq!(register.status, 400, "{name}: {}", register.text());
    }
    assert_eq!(me(&ana).await.username, "ana");
    server.stop().await;
}

/// Row: shh `DELETE /room/delete/{id}/` without a login → 401, by another member → 403
/// Row: Rei `DELETE /room/{id}` and Chat Room API `DELETE /groups/{id}` by another member → 403
#[tokio::test]
async fn a_room_is_deleted_by_its_owner_alone() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("public", "den", &[&eve]).await;
    let at_shh = format!("/room/delete/{}/", room.id);
    let at_rei = format!("/room/{}", slug(&room));
    let at_groups = format!("/groups/{}", room.id);
    let asked = [
        (Request::new("DELETE", &at_shh), 401),
        (Request::new("DELETE", &at_shh).header("Cookie", &shh(&eve)), 403),
        (Request::new("DELETE", &at_rei).bearer(&eve.token), 403),
        (Request::new("DELETE", &at_groups), 401),
        (Request::new("DELETE", &at_groups).bearer(&eve.token), 403),
    ];
    for (request, status) in asked {
        let answer = send(&server, request.clone()).await;
        assert_eq!(answer.status, status, "{}: {}", request.path(), answer.text());
    }
    assert!(ana.get::<v1::Room>(&format!("/rooms/{}", room.id)).await.is_ok(), "it is there");
    let by_owner = Request::new("DELETE", &at_shh).header("Cookie", &shh(&ana));
    assert_eq!(send(&server, by_owner).await.status, 200);
    assert!(ana.get::<v1::Room>(&format!("/rooms/{}", room.id)).await.is_err(), "it is gone");
    server.stop().await;
}

/// Row: in every system, what is said in a room is read by its members alone
#[tokio::test]
async fn who_is_not_a_member_reads_nothing() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("private", "den", &[]).await;
    let said = ana.say(&room.main_session_id, "a secret").await.unwrap();
    let (id, token) = (&room.id, &eve.token);
    let session = main_session_no(&ana, &room).await;
    for path in [
        format!("/groups/{id}/messages"),
        format!("/groups/{id}/participants"),
        format!("/groups/{id}"),
        format!("/messages/{}", said.no),
        format!("/messages?group_uuid={id}"),
        "/messages/search?q=secret".to_owned(),
        format!("/users/{}/messages", ana.id),
        format!("/users/{}/groups", ana.id),
        format!("/room/{}", slug(&room)),
        "/groups".to_owned(),
        "/public".to_owned(),
        "/joined".to_owned(),
    ] {
        for request in [Request::new("GET", &path).bearer(token), Request::new("GET", &path)] {
            let answer = send(&server, request).await;
            assert!(!answer.text().contains("secret") || path.contains("q=secret"), "{path}");
            assert!(!answer.text().contains("\"den\""), "{path}: {}", answer.text());
            let found = &answer.json()["results"];
            assert!(found.as_array().is_none_or(Vec::is_empty), "{path}: {found}");
        }
    }
    for path in [
        format!("/ws/chat/{}?token={token}", slug(&room)),
        format!("/ws/chat/{id}/"),
        format!("/message/{session}?token={token}"),
    ] {
        let mut socket = Chat::open(&server, &path, &[("Cookie", &shh(&eve))]).await;
        let (code, _) = socket.closed().await;
        assert!(code == 1008 || (4003..5000).contains(&code), "{path}: {code}");
    }
    server.stop().await;
}

/// Row: in every system, a room by invitation is not there for those who were not invited
#[tokio::test]
async fn nobody_joins_a_room_by_invitation_only() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("private", "den", &[]).await;
    let body = json!({"room_id": room.id}).to_string();
    let asked = [
        Request::new("POST", &format!("/room/{}/join", slug(&room))).bearer(&eve.token).json("{}"),
        Request::new("POST", &format!("/groups/{}/join", room.id)).bearer(&eve.token),
        Request::new("POST", "/room/join/").header("Cookie", &shh(&eve)).json(&body),
    ];
    for request in asked {
        let answer = send(&server, request.clone()).await;
        assert_eq!(answer.status, 404, "{}: {}", request.path(), answer.text());
    }
    let members: v1::MemberList = ana.get(&format!("/rooms/{}/members", room.id)).await.unwrap();
    assert_eq!(members.members.len(), 1);
    server.stop().await;
}

/// Row: in every system, the password of a room is asked for whichever way in
#[tokio::test]
async fn nobody_joins_without_the_rooms_password() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let asked = v1::CreateRoomRequest {
        name: "den".to_owned(),
        password: Some("open sesame".to_owned()),
        ..v1::CreateRoomRequest::default()
    };
    let room = ana.make_room(&asked).await.unwrap();
    let body = json!({"room_id": room.id}).to_string();
    let refused = [
        Request::new("POST", &format!("/room/{}/join", slug(&room))).bearer(&eve.token).json("{}"),
        Request::new("POST", &format!("/groups/{}/join", room.id)).bearer(&eve.token),
        Request::new("POST", "/room/join/").header("Cookie", &shh(&eve)).json(&body),
    ];
    for request in refused {
        let answer = send(&server, request.clone()).await;
        assert!(answer.status >= 400, "{}: {}", request.path(), answer.text());
    }
    let right = json!({"password": "open sesame"}).to_string();
    let path = format!("/room/{}/join", slug(&room));
    let joined = send(&server, Request::new("POST", &path).bearer(&eve.token).json(&right)).await;
    assert_eq!(joined.status, 200, "{}", joined.text());
    server.stop().await;
}

/// Row: a kick closes every open connection into the room at once: Rei 1008, shh and ROOM another
/// code than 4000 to 4002, the stream of a Chat Room API group ends
#[tokio::test]
async fn who_is_kicked_is_cut_off_at_every_door() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("public", "den", &[&eve]).await;
    let token = &eve.token;
    let session = main_session_no(&ana, &room).await;
    let at_rei = format!("/ws/chat/{}?token={token}", slug(&room));
    let at_room = format!("/message/{session}?token={token}");
    let mut rei = Chat::open(&server, &at_rei, &[]).await;
    let mut shh_chat =
        Chat::open(&server, &format!("/ws/chat/{}/", room.id), &[("Cookie", &shh(&eve))]).await;
    let mut in_room = Chat::open(&server, &at_room, &[]).await;
    rei.json().await;
    shh_chat.json().await;
    let stream = format!("/stream/group?group_uuid={}", room.id);
    let mut group = Wire::open(server.address()).await;
    let request = Request::new("GET", &stream).bearer(token);
    group.write(&request.bytes()).await.unwrap();
    assert_eq!(group.head().await.unwrap().status, 200);
    assert!(group.chunk().await.unwrap().is_some(), "it is connected");
    // So that the last of them surely listens.
    ana.say(&room.main_session_id, "all here?").await.unwrap();
    assert_eq!(in_room.text().await, "all here?");
    ana.done("DELETE", &format!("/rooms/{}/members/{}", room.id, eve.id)).await.unwrap();
    assert_eq!(rei.closed().await, (1008, "Forbidden".to_owned()));
    for socket in [&mut shh_chat, &mut in_room] {
        let (code, _) = socket.closed().await;
        assert!(code > 1000 && !(4000..=4002).contains(&code), "{code}");
    }
    while group.chunk().await.unwrap().is_some() {}
    server.stop().await;
}

/// Row: deleting a room closes every open connection into it
#[tokio::test]
async fn a_deleted_room_closes_its_sockets() {
    let server = TestServer::start().await;
    let (ana, eve) = (server.person("ana").await, server.person("eve").await);
    let room = ana.room("public", "den", &[&eve]).await;
    let token = &eve.token;
    let mut rei = Chat::open(&server, &format!("/room/{}?token={token}", slug(&room)), &[]).await;
    let mut shh_chat =
        Chat::open(&server, &format!("/ws/chat/{}/", room.id), &[("Cookie", &shh(&eve))]).await;
    rei.json().await;
    shh_chat.json().await;
    ana.done("DELETE", &format!("/rooms/{}", room.id)).await.unwrap();
    assert_eq!(rei.closed().await.0, 1008);
    let (code, _) = shh_chat.closed().await;
    assert!(code > 1000 && !(4000..=4002).contains(&code), "{code}");
    server.stop().await;
}

/// Row: a request that a cookie proves is refused when a page of another origin sends it
#[tokio::test]
async fn a_foreign_page_cannot_use_a_cookie() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("public", "den", &[]).await;
    let said = ana.say(&room.main_session_id, "hello").await.unwrap();
    let lobby = said.no;
    let body = json!({"chat_room_name": "another"}).to_string();
    let session = main_session_no(&ana, &room).await;
    let user = me(&ana).await.no;
    let sent = format!("/send_message?session_id={session}&user_id={user}");
    let message = json!({"mid": 1, "sender_id": user, "session": session, "text": "hi"});
    let asked = [
        Request::new("GET", "/rooms/").header("Cookie", &shh(&ana)),
        Request::new("GET", "/api/users/").header("Cookie", &shh(&ana)),
        Request::new("POST", "/rooms/create/").header("Cookie", &shh(&ana)).json(&body),
        Request::new("DELETE", &format!("/room/delete/{}/", room.id)).header("Cookie", &shh(&ana)),
        Request::new("GET", "/messages").header("Cookie", &ana.cookie),
        Request::new("GET", "/get_all_users").header("Cookie", &ana.cookie),
        Request::new("DELETE", &format!("/message/{lobby}")).header("Cookie", &ana.cookie),
        Request::new("POST", &sent).header("Cookie", &ana.cookie).json(&message.to_string()),
        Request::new("POST", "/api/v1/auth/logout").header("Cookie", &ana.cookie),
    ];
    for request in &asked {
        for origin in FOREIGN {
            let answer = send(&server, request.clone().header("Origin", origin)).await;
            assert!(matches!(answer.status, 401 | 403), "{}: {}", request.path(), answer.status);
        }
    }
    let own = server.url();
    let answer = send(&server, asked[0].clone().header("Origin", &own)).await;
    // The test's host name is another than the address, so the address is what a page would say.
    assert!(matches!(answer.status, 200 | 403), "{}", answer.text());
    assert_eq!(send(&server, asked[0].clone()).await.status, 200, "no page at all");
    server.stop().await;
}

/// Row: a socket that a cookie proves is refused when a page of another origin opens it
#[tokio::test]
async fn a_foreign_page_cannot_open_a_socket_with_a_cookie() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("public", "den", &[]).await;
    let session = main_session_no(&ana, &room).await;
    let sockets = [
        (format!("/ws/chat/{}/", room.id), shh(&ana)),
        (format!("/ws/{}", me(&ana).await.no), ana.cookie.clone()),
        (format!("/message/{session}"), ana.cookie.clone()),
        ("/api/v1/socket".to_owned(), ana.cookie.clone()),
    ];
    for (path, cookie) in &sockets {
        for origin in FOREIGN {
            let headers = [("Cookie", &**cookie), ("Origin", origin)];
            match Chat::try_open(&server, path, &headers).await {
                Err(answer) => assert_eq!(answer.status, 403, "{path}"),
                Ok(mut socket) => assert!(socket.closed().await.0 >= 1008, "{path}"),
            }
        }
    }
    server.stop().await;
}

/// Row: Rei, Chat Room API and Mrsambosk pay no heed to the cookies `access_token` and
/// `refresh_token`
#[tokio::test]
async fn the_cookies_of_one_system_open_nothing_in_another() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    for path in ["/user", "/joined", "/auth/me", "/groups", "/messages?page=1", "/get_all_users"] {
        let request = Request::new("GET", path).header("Cookie", &shh(&ana));
        let answer = send(&server, request).await;
        assert!(matches!(answer.status, 400..=422), "{path}: {}", answer.text());
    }
    server.stop().await;
}

/// Row: the real mail address is shown in rooms other than the lobby, of those who let it be seen
#[tokio::test]
async fn an_address_is_shown_to_those_only_who_share_a_room() {
    let server = TestServer::start().await;
    let register = |n: &str| {
        let email = format!("{n}@example.org");
        let body = json!({"email": email, "username": n, "password": "a long password"});
        Request::new("POST", "/register").json(&body.to_string())
    };
    for name in ["rita", "rob"] {
        assert_eq!(send(&server, register(name)).await.status, 201);
    }
    let login = async |name: &str| -> Value {
        let body = json!({"email": format!("{name}@example.org"), "password": "a long password"});
        send(&server, Request::new("POST", "/login").json(&body.to_string())).await.json()
    };
    let (rita, rob) = (login("rita").await, login("rob").await);
    let token = |login: &Value| login["tokens"]["access_token"].as_str().unwrap().to_owned();
    let look = Request::new("GET", &format!("/user/{}", rita["user_id"].as_str().unwrap()));
    let look = look.bearer(&token(&rob));
    let stranger = send(&server, look.clone()).await.json();
    let shown = stranger["user_details"]["email"].as_str().unwrap().to_owned();
    assert!(shown.contains("@users.noreply."), "{shown}");
    let room = json!({"room_id": "den", "name": "Den", "description": ""}).to_string();
    let made = Request::new("POST", "/room").bearer(&token(&rita)).json(&room);
    assert_eq!(send(&server, made).await.status, 201);
    let join = Request::new("POST", "/room/den/join").bearer(&token(&rob)).json("{}");
    assert_eq!(send(&server, join).await.status, 200);
    let known = send(&server, look).await.json();
    assert_eq!(known["user_details"]["email"], "rita@example.org");
    server.stop().await;
}

/// Row: who made their account elsewhere is shown by a no-reply address until they choose otherwise
#[tokio::test]
async fn an_address_is_shown_when_its_owner_chooses_so() {
    let server = TestServer::start().await;
    let account =
        json!({"username": "cara", "email": "cara@example.org", "password": person::PASSWORD});
    let register = Request::new("POST", "/api/v1/auth/register").json(&account.to_string());
    assert_eq!(send(&server, register).await.status, 201);
    let cara = server.device("cara").await;
    let bo = server.person("bo").await;
    cara.room("public", "den", &[&bo]).await;
    let look = Request::new("GET", &format!("/user/{}", cara.id)).bearer(&bo.token);
    let shown = async || send(&server, look.clone()).await.json()["user_details"]["email"].clone();
    assert!(shown().await.as_str().unwrap().starts_with("cara@users.noreply."));
    for (chosen, email) in [(true, "cara@example.org"), (false, "cara@users.noreply.127.0.0.1")] {
        let body = json!({"show_email": chosen}).to_string();
        let me = cara.send(cara.request("PATCH", "/me").json(&body)).await;
        assert_eq!((me.status, &me.json()["show_email"]), (200, &Value::from(chosen)));
        assert_eq!(shown().await, email);
    }
    server.stop().await;
}

/// Row: a façade that is switched off answers nothing, and a façade path never answers HTML
#[tokio::test]
async fn a_facade_can_be_switched_off() {
    let server = TestServer::builder().set("compat", "rei").start().await;
    let ana = server.person("ana").await;
    for path in ["/get_all_users", "/groups", "/rooms/", "/compat/shh/rooms/"] {
        let request = Request::new("GET", path).bearer(&ana.token).header("Accept", "text/html");
        let answer = send(&server, request).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains('<'), "{path}: {}", answer.text());
    }
    let joined = Request::new("GET", "/joined").bearer(&ana.token);
    assert_eq!(send(&server, joined).await.status, 200);
    server.stop().await;
}
