//! Who may do what: every route of the API, asked by everybody. The tables were written and
//! reviewed by hand; a route that is in none of them fails the test.

use std::collections::BTreeSet;

use parlor_testkit::http::{Request, Wire};
use parlor_testkit::person::{PASSWORD, fresh_id};
use parlor_testkit::{Person, TestServer};
use parlor_wire::v1;

/// Who asks, in the order of the tables' columns.
const ASKERS: [&str; 7] =
    ["anonymous", "stranger", "ex-member", "banned", "member", "moderator", "owner"];

/// A route, a body where it takes one, and the status for each asker.
type Rule = (&'static str, &'static str, [u16; 7]);

/// What has to do with no room.
const ALONE: &[Rule] = &[
    ("POST /auth/register", r#"{"username":"u{fresh}","password":"{password}"}"#, [201; 7]),
    ("POST /auth/verify", r#"{"email":"a@b.org","code":"000000"}"#, [422; 7]),
    ("POST /auth/resend", r#"{"email":"a@b.org"}"#, [204; 7]),
    ("POST /auth/forgot", r#"{"email":"a@b.org"}"#, [204; 7]),
    (
        "POST /auth/reset",
        r#"{"email":"a@b.org","code":"000000","password":"{password}"}"#,
        [422; 7],
    ),
    ("POST /auth/login", r#"{"login":"member","password":"{password}"}"#, [200; 7]),
    ("POST /auth/refresh", r#"{"refresh_token":"x"}"#, [401; 7]),
    ("POST /auth/logout", "", [401, 204, 204, 204, 204, 204, 204]),
    ("POST /auth/logout-all", "", [401, 204, 204, 204, 204, 204, 204]),
    ("GET /me", "", [401, 200, 200, 200, 200, 200, 200]),
    ("PATCH /me", r#"{"status":"here"}"#, [401, 200, 200, 200, 200, 200, 200]),
    // What is no picture is refused to everybody who may have one.
    ("PUT /me/picture", "abc", [401, 422, 422, 422, 422, 422, 422]),
    ("DELETE /me/picture", "", [401, 204, 204, 204, 204, 204, 204]),
    (
        "POST /me/password",
        r#"{"old":"{password}","new":"{password}"}"#,
        [401, 204, 204, 204, 204, 204, 204],
    ),
    ("GET /me/init", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /me/devices", "", [401, 200, 200, 200, 200, 200, 200]),
    // The owner's own device: to everybody else there is no such device.
    ("DELETE /me/devices/{device}", "", [401, 404, 404, 404, 404, 404, 204]),
    ("GET /me/sessions", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /me/events", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /me/drafts", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /me/threads", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /users", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /users/{target}", "", [401, 200, 200, 200, 200, 200, 200]),
    // Only what was said where the asker is comes: `elsewhere` below makes sure.
    ("GET /users/{owner}/messages", "", [401, 200, 200, 200, 200, 200, 200]),
    // Likewise.
    ("GET /search?q=from:owner", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /users/{owner}/sessions", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /rooms", "", [401, 200, 200, 200, 200, 200, 200]),
    ("POST /rooms", r#"{"name":"Mine"}"#, [401, 201, 201, 201, 201, 201, 201]),
    ("GET /rooms/public", "", [401, 200, 200, 200, 200, 200, 200]),
    ("OPTIONS /uploads", "", [204; 7]),
    ("POST /uploads", "", [401, 201, 201, 201, 201, 201, 201]),
    // The owner's own upload and file, which nobody was shown yet.
    ("HEAD /uploads/{upload}", "", [401, 404, 404, 404, 404, 404, 200]),
    ("PATCH /uploads/{upload}", "abc", [401, 404, 404, 404, 404, 404, 204]),
    ("DELETE /uploads/{upload}", "", [401, 404, 404, 404, 404, 404, 204]),
    ("POST /files?name=x", "abc", [401, 201, 201, 201, 201, 201, 201]),
    ("GET /files/{file}", "", [401, 404, 404, 404, 404, 404, 200]),
    ("DELETE /files/{file}", "", [401, 404, 404, 404, 404, 404, 204]),
    ("POST /media-ticket", "", [401, 200, 200, 200, 200, 200, 200]),
    // Each with a ticket of their own.
    ("GET /media/{file}/{name}", "", [401, 404, 404, 404, 404, 404, 200]),
    // There is none, as of no file that is no picture.
    ("GET /media/{file}/thumbnail", "", [401, 404, 404, 404, 404, 404, 404]),
    // Keys are one's own, and other people's where one meets them.
    ("GET /e2ee", "", [401, 200, 200, 200, 200, 200, 200]),
    ("POST /e2ee/keys/upload", "{}", [401, 200, 200, 200, 200, 200, 200]),
    ("POST /e2ee/keys/query", r#"{"device_keys":{}}"#, [401, 200, 200, 200, 200, 200, 200]),
    ("POST /e2ee/keys/claim", r#"{"one_time_keys":{}}"#, [401, 200, 200, 200, 200, 200, 200]),
    ("POST /e2ee/keys/device_signing/upload", "{}", [401, 200, 200, 200, 200, 200, 200]),
    ("POST /e2ee/keys/signatures/upload", "{}", [401, 200, 200, 200, 200, 200, 200]),
    (
        "PUT /e2ee/send_to_device/{fresh}/{fresh}",
        r#"{"messages":{}}"#,
        [401, 200, 200, 200, 200, 200, 200],
    ),
    ("GET /e2ee/sync", "", [401, 200, 200, 200, 200, 200, 200]),
    ("GET /e2ee/account_data/{fresh}", "", [401, 404, 404, 404, 404, 404, 404]),
    ("PUT /e2ee/account_data/{fresh}", "{}", [401, 204, 204, 204, 204, 204, 204]),
    ("GET /e2ee/room_keys/version", "", [401, 404, 404, 404, 404, 404, 404]),
    ("POST /e2ee/room_keys/version", "{}", [401, 400, 400, 400, 400, 400, 400]),
    ("GET /e2ee/room_keys/version/{fresh}", "", [401, 404, 404, 404, 404, 404, 404]),
    (
        "PUT /e2ee/room_keys/version/{fresh}",
        r#"{"auth_data":{}}"#,
        [401, 404, 404, 404, 404, 404, 404],
    ),
    ("DELETE /e2ee/room_keys/version/{fresh}", "", [401, 404, 404, 404, 404, 404, 404]),
    ("GET /e2ee/room_keys/keys?version=9", "", [401, 404, 404, 404, 404, 404, 404]),
    ("PUT /e2ee/room_keys/keys?version=9", r#"{"rooms":{}}"#, [401, 403, 403, 403, 403, 403, 403]),
    ("DELETE /e2ee/room_keys/keys?version=9", "", [401, 404, 404, 404, 404, 404, 404]),
    ("GET /e2ee/room_keys/keys/{fresh}?version=9", "", [401, 400, 400, 400, 400, 400, 400]),
    ("PUT /e2ee/room_keys/keys/{fresh}?version=9", "{}", [401, 400, 400, 400, 400, 400, 400]),
    ("DELETE /e2ee/room_keys/keys/{fresh}?version=9", "", [401, 400, 400, 400, 400, 400, 400]),
    ("GET /e2ee/room_keys/keys/{fresh}/{fresh}?version=9", "", [401, 400, 400, 400, 400, 400, 400]),
    (
        "PUT /e2ee/room_keys/keys/{fresh}/{fresh}?version=9",
        "{}",
        [401, 400, 400, 400, 400, 400, 400],
    ),
    (
        "DELETE /e2ee/room_keys/keys/{fresh}/{fresh}?version=9",
        "",
        [401, 400, 400, 400, 400, 400, 400],
    ),
    // Not a WebSocket handshake, whoever asks.
    ("GET /socket", "", [426; 7]),
];

/// What has to do with a private room: to outsiders there is none.
const PRIVATE: &[Rule] = &[
    ("GET /rooms/{room}", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PATCH /rooms/{room}", r#"{"name":"Yard"}"#, [401, 404, 404, 404, 403, 403, 200]),
    ("DELETE /rooms/{room}", "", [401, 404, 404, 404, 403, 403, 204]),
    ("POST /rooms/{room}/join", "", [401, 404, 404, 404, 200, 200, 200]),
    ("POST /rooms/{room}/leave", "", [401, 404, 404, 404, 204, 204, 204]),
    ("GET /rooms/{room}/members", "", [401, 404, 404, 404, 200, 200, 200]),
    (
        "POST /rooms/{room}/members",
        r#"{"users":["{newcomer}"]}"#,
        [401, 404, 404, 404, 403, 200, 200],
    ),
    (
        "PATCH /rooms/{room}/members/{target}",
        r#"{"role":"moderator"}"#,
        [401, 404, 404, 404, 403, 403, 204],
    ),
    ("DELETE /rooms/{room}/members/{target}", "", [401, 404, 404, 404, 403, 204, 204]),
    ("GET /rooms/{room}/bans", "", [401, 404, 404, 404, 403, 200, 200]),
    ("PUT /rooms/{room}/bans/{target}", "", [401, 404, 404, 404, 403, 204, 204]),
    ("DELETE /rooms/{room}/bans/{banned}", "", [401, 404, 404, 404, 403, 204, 204]),
    ("GET /rooms/{room}/sessions", "", [401, 404, 404, 404, 200, 200, 200]),
    (
        "POST /rooms/{room}/sessions",
        r#"{"name":"jokes","members":["{target}"]}"#,
        [401, 404, 404, 404, 201, 201, 201],
    ),
    ("GET /sessions/{session}", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PATCH /sessions/{session}", r#"{"name":"deeds"}"#, [401, 404, 404, 404, 403, 200, 200]),
    ("DELETE /sessions/{session}", "", [401, 404, 404, 404, 403, 204, 204]),
    ("GET /sessions/{session}/members", "", [401, 404, 404, 404, 200, 200, 200]),
    (
        "POST /sessions/{session}/members",
        r#"{"users":["{outside}"]}"#,
        [401, 404, 404, 404, 403, 200, 200],
    ),
    ("DELETE /sessions/{session}/members/{target}", "", [401, 404, 404, 404, 403, 204, 204]),
    ("PUT /sessions/{main}/read", r#"{"number":1}"#, [401, 404, 404, 404, 204, 204, 204]),
    ("POST /sessions/{main}/typing", "", [401, 404, 404, 404, 204, 204, 204]),
    ("GET /sessions/{main}/events", "", [401, 404, 404, 404, 200, 200, 200]),
    (
        "POST /sessions/{main}/messages",
        r#"{"client_id":"{fresh}","content":"hi"}"#,
        [401, 404, 404, 404, 201, 201, 201],
    ),
    ("GET /sessions/{main}/messages", "", [401, 404, 404, 404, 200, 200, 200]),
    ("GET /messages/{message}", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PATCH /messages/{message}", r#"{"content":"ho"}"#, [401, 404, 404, 404, 403, 403, 200]),
    ("DELETE /messages/{message}", "", [401, 404, 404, 404, 403, 204, 204]),
    ("GET /messages/{message}/revisions", "", [401, 404, 404, 404, 200, 200, 200]),
    ("GET /messages/{message}/reactions?emoji={emoji}", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PUT /messages/{message}/reactions/{emoji}", "", [401, 404, 404, 404, 204, 204, 204]),
    ("DELETE /messages/{message}/reactions/{emoji}", "", [401, 404, 404, 404, 204, 204, 204]),
    ("GET /sessions/{main}/pins", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PUT /messages/{message}/pin", "", [401, 404, 404, 404, 204, 204, 204]),
    ("DELETE /messages/{message}/pin", "", [401, 404, 404, 404, 204, 204, 204]),
    ("GET /messages/{message}/thread", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PUT /messages/{message}/thread/read", r#"{"number":2}"#, [401, 404, 404, 404, 204, 204, 204]),
    ("PUT /messages/{message}/thread/follow", "", [401, 404, 404, 404, 204, 204, 204]),
    ("DELETE /messages/{message}/thread/follow", "", [401, 404, 404, 404, 204, 204, 204]),
    ("PUT /sessions/{main}/draft", r#"{"content":"so far"}"#, [401, 404, 404, 404, 204, 204, 204]),
    ("DELETE /messages/{message}/previews", "", [401, 404, 404, 404, 403, 204, 204]),
    ("GET /events?session={main}", "", [401, 404, 404, 404, 200, 200, 200]),
    // It is not encrypted: there are none, and nobody is let in.
    ("GET /e2ee/statements/{session}", "", [401, 404, 404, 404, 200, 200, 200]),
    (
        "POST /e2ee/statements/{session}",
        r#"{"statements":[]}"#,
        [401, 404, 404, 404, 422, 422, 422],
    ),
];

/// What is different with a public room: who is not banned sees it, and may join.
const PUBLIC: &[Rule] = &[
    ("GET /rooms/{room}", "", [401, 200, 200, 404, 200, 200, 200]),
    ("PATCH /rooms/{room}", r#"{"name":"Yard"}"#, [401, 403, 403, 404, 403, 403, 200]),
    ("DELETE /rooms/{room}", "", [401, 403, 403, 404, 403, 403, 204]),
    ("POST /rooms/{room}/join", "", [401, 200, 200, 404, 200, 200, 200]),
    ("POST /rooms/{room}/leave", "", [401, 403, 403, 404, 204, 204, 204]),
    ("GET /rooms/{room}/members", "", [401, 403, 403, 404, 200, 200, 200]),
    (
        "POST /rooms/{room}/members",
        r#"{"users":["{newcomer}"]}"#,
        [401, 403, 403, 404, 200, 200, 200],
    ),
    ("DELETE /rooms/{room}/members/{target}", "", [401, 403, 403, 404, 403, 204, 204]),
    ("GET /rooms/{room}/bans", "", [401, 403, 403, 404, 403, 200, 200]),
    ("PUT /rooms/{room}/bans/{target}", "", [401, 403, 403, 404, 403, 204, 204]),
    ("DELETE /rooms/{room}/bans/{banned}", "", [401, 403, 403, 404, 403, 204, 204]),
    ("GET /rooms/{room}/sessions", "", [401, 403, 403, 404, 200, 200, 200]),
    ("POST /rooms/{room}/sessions", r#"{"name":"jokes"}"#, [401, 403, 403, 404, 201, 201, 201]),
    ("GET /sessions/{session}", "", [401, 404, 404, 404, 200, 200, 200]),
    ("GET /sessions/{main}", "", [401, 404, 404, 404, 200, 200, 200]),
    ("GET /sessions/{main}/messages", "", [401, 404, 404, 404, 200, 200, 200]),
    (
        "POST /sessions/{main}/messages",
        r#"{"client_id":"{fresh}","content":"hi"}"#,
        [401, 404, 404, 404, 201, 201, 201],
    ),
    ("GET /messages/{message}", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PUT /messages/{message}/reactions/{emoji}", "", [401, 404, 404, 404, 204, 204, 204]),
    ("GET /sessions/{main}/pins", "", [401, 404, 404, 404, 200, 200, 200]),
    // Those who keep order pin where everybody may come in.
    ("PUT /messages/{message}/pin", "", [401, 404, 404, 404, 403, 204, 204]),
    ("DELETE /messages/{message}/pin", "", [401, 404, 404, 404, 403, 204, 204]),
    ("GET /messages/{message}/thread", "", [401, 404, 404, 404, 200, 200, 200]),
    ("PUT /messages/{message}/thread/follow", "", [401, 404, 404, 404, 204, 204, 204]),
    ("PUT /sessions/{main}/draft", r#"{"content":"so far"}"#, [401, 404, 404, 404, 204, 204, 204]),
    ("DELETE /messages/{message}/previews", "", [401, 404, 404, 404, 403, 204, 204]),
    ("GET /events?session={main}", "", [401, 404, 404, 404, 200, 200, 200]),
];

/// Everybody.
struct Town {
    server: TestServer,
    people: Vec<Person>,
    /// In the room and in its session.
    target: Person,
    /// In the room, not in its session.
    outside: Person,
    /// Not in the room.
    newcomer: Person,
}

/// A room with everything in it.
struct Scene {
    room: v1::Room,
    session: String,
    message: String,
    device: String,
    upload: String,
    file: String,
}

impl Town {
    async fn new() -> Self {
        // Each scene leaves an upload of the owner's behind.
        let server = TestServer::builder().limit("uploads_max", 10_000).start().await;
        let mut people = Vec::new();
        for name in &ASKERS[1..] {
            people.push(server.person(name).await);
        }
        let target = server.person("target").await;
        let outside = server.person("outside").await;
        let newcomer = server.person("newcomer").await;
        Self { server, people, target, outside, newcomer }
    }

    fn person(&self, name: &str) -> &Person {
        let found = self.people.iter().find(|person| person.username == name);
        found.expect("everybody is here")
    }

    async fn scene(&self, kind: &str) -> Scene {
        let owner = self.person("owner");
        let people: Vec<_> = ["ex-member", "banned", "member", "moderator"]
            .map(|name| self.person(name))
            .into_iter()
            .chain([&self.target, &self.outside])
            .collect();
        let room = owner.room(kind, "Garden", &people).await;
        let path =
            |what: &str, name: &str| format!("/rooms/{}/{what}/{}", room.id, self.person(name).id);
        let role = v1::PatchMemberRequest { role: "moderator".to_owned() };
        let given = owner.call("PATCH", &path("members", "moderator"), Some(&role)).await;
        given.map(|_: v1::Ping| ()).expect("an owner gives roles");
        owner.done("DELETE", &path("members", "ex-member")).await.expect("an owner may kick");
        owner.done("PUT", &path("bans", "banned")).await.expect("an owner may ban");
        let members = [self.person("member"), self.person("moderator"), &self.target];
        let asked = v1::CreateSessionRequest {
            name: "plans".to_owned(),
            members: members.map(|person| person.id.clone()).to_vec(),
            ..v1::CreateSessionRequest::default()
        };
        let made = owner.call("POST", &format!("/rooms/{}/sessions", room.id), Some(&asked)).await;
        let session: v1::Session = made.expect("an owner may open a session");
        let message = owner.say(&room.main_session_id, "hello").await.expect("it is said");
        let answer = v1::SendRequest {
            client_id: fresh_id(),
            content: "and a word under it".to_owned(),
            thread_id: Some(message.id.clone()),
            ..v1::SendRequest::default()
        };
        let main = &room.main_session_id;
        let said = owner.call("POST", &format!("/sessions/{main}/messages"), Some(&answer)).await;
        said.map(|_: v1::Message| ()).expect("it is said in a thread");
        let device = self.server.device("owner").await.device;
        let begin = owner.request("POST", "/uploads").header("Tus-Resumable", "1.0.0");
        let begun = owner.send(begin.header("Upload-Length", "3")).await;
        let upload = begun.header("location").expect("an upload may begin");
        let upload = upload.rsplit('/').next().unwrap_or_default().to_owned();
        let sent = owner.request("POST", "/files?name=x").body("text/plain", *b"abc");
        let file = owner.send(sent).await.json()["id"].as_str().unwrap_or_default().to_owned();
        Scene { room, session: session.id, message: message.id, device, upload, file }
    }

    fn filled(&self, text: &str, scene: &Scene) -> String {
        let fresh = fresh_id();
        let short: String = fresh.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        [
            ("u{fresh}", &*format!("u{short}")),
            ("{fresh}", &fresh),
            ("{password}", PASSWORD),
            ("{room}", &scene.room.id),
            ("{main}", &scene.room.main_session_id),
            ("{session}", &scene.session),
            ("{message}", &scene.message),
            ("{emoji}", "%F0%9F%91%8D"),
            ("{device}", &scene.device),
            ("{upload}", &scene.upload),
            ("{file}", &scene.file),
            ("{name}", "x"),
            ("{target}", &self.target.id),
            ("{outside}", &self.outside.id),
            ("{newcomer}", &self.newcomer.id),
            ("{owner}", &self.person("owner").id),
            ("{banned}", &self.person("banned").id),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// What lets somebody fetch files.
    async fn ticket(&self, asker: &str) -> String {
        if asker == "anonymous" {
            return String::new();
        }
        let ticket = self.person(asker).call("POST", "/media-ticket", None::<&v1::Ping>).await;
        ticket.map(|ticket: v1::MediaTicket| ticket.ticket).expect("everybody gets one")
    }

    /// Asks, and returns the status. Whatever ends a login ends one that was made for it.
    async fn ask(&self, rule: &Rule, asker: &str, scene: &Scene) -> u16 {
        let (method, path) = rule.0.split_once(' ').expect("a method and a path");
        let mut path = format!("/api/v1{}", self.filled(path, scene));
        if path.starts_with("/api/v1/media/") {
            path = format!("{}?ticket={}", &path["/api/v1".len()..], self.ticket(asker).await);
        }
        let mut request = Request::new(method, &path);
        if path.contains("/uploads") {
            request = request.header("Tus-Resumable", "1.0.0").header("Upload-Length", "3");
            request = request.header("Upload-Offset", "0");
        }
        if rule.1 == "abc" {
            request = request.body("application/offset+octet-stream", *b"abc");
        } else if !rule.1.is_empty() {
            request = request.json(&self.filled(rule.1, scene));
        }
        let ends_login = path.contains("/auth/log") || path.contains("password");
        if asker != "anonymous" {
            let token = if path.ends_with("logout-all") {
                // An account of its own, lest the others' logins end, too.
                self.server.person(&format!("x{}", &fresh_id()[..8])).await.token
            } else if ends_login && !path.ends_with("login") {
                let account = format!("y{}", &fresh_id()[..8]);
                self.server.person(&account).await.token
            } else {
                self.person(asker).token.clone()
            };
            request = request.bearer(&token);
        }
        if path.contains("/events?") {
            // A stream has no end: its head says enough.
            let mut wire = Wire::open(self.server.address()).await;
            wire.write(&request.bytes()).await.expect("it is taken");
            return wire.head().await.expect("it is answered").status;
        }
        self.server.send(request).await.status
    }

    async fn check(&self, kind: &str, rules: &[Rule]) -> Vec<String> {
        let mut faults = Vec::new();
        for rule in rules {
            let mut scene = self.scene(kind).await;
            for (asker, expected) in ASKERS.iter().zip(rule.2) {
                let status = self.ask(rule, asker, &scene).await;
                if status != expected {
                    faults.push(format!("{kind}: {} by {asker}: {status}, not {expected}", rule.0));
                }
                // What was changed is made anew for the next.
                if !rule.0.starts_with("GET") && status < 300 {
                    scene = self.scene(kind).await;
                }
            }
        }
        faults
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_do_what_has_to_do_with_no_room() {
    let town = Town::new().await;
    let faults = town.check("private", ALONE).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    town.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_room_is_for_those_who_are_in_it() {
    let town = Town::new().await;
    let faults = town.check("private", PRIVATE).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    town.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_room_is_seen_by_all_and_heard_by_those_who_are_in_it() {
    let town = Town::new().await;
    for kind in ["public", "unlisted"] {
        let faults = town.check(kind, PUBLIC).await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
    town.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_in_the_tables() {
    let server = TestServer::start().await;
    let described: BTreeSet<_> = server
        .contract()
        .await
        .routes()
        .into_iter()
        .map(|(method, path)| shape(&format!("{method} {}", path.trim_start_matches("/api/v1"))))
        .collect();
    let rules = ALONE.iter().chain(PRIVATE);
    let known: BTreeSet<_> = rules.map(|rule| shape(rule.0)).collect();
    let missing: Vec<_> = described.difference(&known).collect();
    assert!(missing.is_empty(), "routes that nobody reviewed: {missing:#?}");
    let gone: Vec<_> = known.difference(&described).collect();
    assert!(gone.is_empty(), "routes that are not described: {gone:#?}");
    server.stop().await;
}

/// A route without the names of its ids and without its query.
fn shape(route: &str) -> String {
    let route = route.split('?').next().unwrap_or_default();
    let parts = route.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_said_elsewhere_is_not_found() {
    let town = Town::new().await;
    let scene = town.scene("public").await;
    for (asker, expected) in ASKERS.iter().zip([0, 0, 0, 0, 1, 1, 1]).skip(1) {
        let page: v1::SearchPage =
            town.person(asker).get("/search?q=from:owner").await.expect("a page");
        let messages = page.hits.iter().filter_map(|hit| hit.message.as_ref());
        let found = messages.filter(|message| message.id == scene.message).count();
        assert_eq!(found, expected, "{asker}");
    }
    town.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_said_elsewhere_is_not_listed() {
    let town = Town::new().await;
    let scene = town.scene("private").await;
    for (asker, expected) in ASKERS.iter().zip([0, 0, 0, 0, 1, 1, 1]).skip(1) {
        let path = format!("/users/{}/messages", town.person("owner").id);
        let list: v1::UserMessages = town.person(asker).get(&path).await.expect("a list");
        let found = list.messages.iter().filter(|message| message.id == scene.message).count();
        assert_eq!(found, expected, "{asker}");
    }
    town.server.stop().await;
}
