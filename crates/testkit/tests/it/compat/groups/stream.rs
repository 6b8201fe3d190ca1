//! What happens, as it happens.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use serde_json::{Value, json};

use super::super::chat::send;
use super::{Caller, Events, error, fails, stream, told};

const NOWHERE: &str = "0190f5c2-7a1e-7000-8000-000000000001";

fn new_message(data: Value) -> Option<Value> {
    Some(json!({"type": "new_message", "data": data}))
}

fn assert_head(events: &Events) {
    let head = &events.head;
    assert_eq!(head.status, 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("connection", "keep-alive"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(head.header(name), Some(value), "{name}");
    }
}

/// Row: GET /stream/group → `connected`, then `new_message` for each message, one's own too
/// Row: edits, deletions and joins publish nothing
/// Row: the token of a stream may be in the query
/// Row: example “Stream messages for a specific group”
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_groups_stream_tells_every_message_and_nothing_else() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = ana.group(&server).await;
    let path = format!("/stream/group?group_uuid={group}");
    let mut by_header = Events::open(&server, stream(&path, &ana)).await;
    let in_query = Request::new("GET", &format!("{path}&token={}", ana.token));
    let mut by_query = Events::open(&server, in_query).await;
    let prefixed = stream(&format!("/compat/groups{path}"), &ana);
    let mut by_prefix = Events::open(&server, prefixed).await;
    let connected = Some(json!({"type": "connected", "group_uuid": group}));
    let streams = [&mut by_header, &mut by_query, &mut by_prefix];
    for events in streams {
        assert_head(events);
        assert_eq!(events.next().await, connected);
    }
    bo.join(&server, &group).await;
    let one = ana.say(&server, &group, "one\ndata: two").await;
    ana.put(&server, &format!("/messages/{one}"), &json!({"content": "won"})).await;
    ana.delete(&server, &format!("/messages/{one}")).await;
    let two = bo.say(&server, &group, "two").await;
    for events in [&mut by_header, &mut by_query, &mut by_prefix] {
        let first = ana.message(one, &group, "one\ndata: two");
        assert_eq!(events.next().await, new_message(first));
        assert_eq!(events.next().await, new_message(bo.message(two, &group, "two")));
    }
    server.stop().await;
}

/// Row: GET /stream/all → `connected` with the groups, then `new_message` of all of them
/// Row: the groups of /stream/all are those that one is in when it begins
/// Row: example “Stream messages from all groups”
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_of_all_groups_tells_of_those_that_one_is_in() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let (one, two, other) =
        (ana.group(&server).await, ana.group(&server).await, bo.group(&server).await);
    let mut events = Events::open(&server, stream("/stream/all", &ana)).await;
    assert_head(&events);
    let connected = json!({"type": "connected", "groups": [one, two]});
    assert_eq!(events.next().await, Some(connected));
    let later = ana.group(&server).await;
    bo.say(&server, &other, "not for ana").await;
    ana.say(&server, &later, "made too late").await;
    for group in [&one, &two] {
        let id = ana.say(&server, group, "hi").await;
        assert_eq!(events.next().await, new_message(ana.message(id, group, "hi")));
    }
    server.stop().await;
}

/// Row: GET /stream/…: a refusal is one event, and the status is 200
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_refused_says_why_and_ends() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = ana.group(&server).await;
    let named = |group: &str| format!("/stream/group?group_uuid={group}");
    let refused = async |request: Request| {
        let answer = send(&server, request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let text = answer.text();
        let said = text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
        serde_json::from_str::<Value>(said).unwrap()
    };
    let nobody = error("Not authenticated");
    for path in [&*named(&group), "/stream/group", "/stream/all"] {
        assert_eq!(refused(Request::new("GET", path)).await, nobody, "{path}");
    }
    for path in ["/stream/group", "/stream/group?group_uuid="] {
        let said = refused(stream(path, &ana)).await;
        assert_eq!(said, error("group_uuid parameter required"));
    }
    for path in [named(&group), named(NOWHERE)] {
        let said = refused(stream(&path, &bo)).await;
        assert_eq!(said, error("Not a member of this group"));
    }
    let said = refused(stream("/stream/all", &bo)).await;
    assert_eq!(said, error("User is not a member of any groups"));
    let said = refused(stream(&named("x"), &ana)).await;
    assert!(fails(&said, "Failed to establish stream: "), "{said}");
    let bad = Request::new("GET", "/stream/all?token=x");
    assert_eq!(told(&send(&server, bad).await), (400, json!("Invalid token")));
    server.stop().await;
}

/// Row: GET /stream/health → 200, for everybody
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_streams_are_healthy() {
    let server = TestServer::start().await;
    let healthy = (200, json!({"status": "healthy", "redis": "connected"}));
    assert_eq!(told(&send(&server, Request::new("GET", "/stream/health")).await), healthy);
    server.stop().await;
}

/// Row: leaving, kick, ban and deletion end a group's stream; /stream/all goes on without it
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_out_of_a_group_hears_no_more_of_it() {
    let server = TestServer::start().await;
    let ana = Caller::with_password(&server, "ana").await;
    let owner = server.device("ana").await;
    for how in ["leave", "kick", "ban", "room"] {
        let bo = Caller::guest(&server, &format!("bo-{how}")).await;
        let (first, second) = (ana.group(&server).await, ana.group(&server).await);
        for group in [&first, &second] {
            bo.join(&server, group).await;
        }
        let path = format!("/stream/group?group_uuid={first}");
        let mut one = Events::open(&server, stream(&path, &bo)).await;
        let mut all = Events::open(&server, stream("/stream/all", &bo)).await;
        let mut kept = Events::open(&server, stream(&path, &ana)).await;
        for events in [&mut one, &mut all, &mut kept] {
            assert_eq!(events.next().await.unwrap()["type"], "connected");
        }
        let done = match how {
            "leave" => bo.go(&server, &format!("/groups/{first}/leave")).await.0,
            "kick" => {
                let path = format!("/rooms/{first}/members/{}", bo.uuid);
                owner.send(owner.request("DELETE", &path)).await.status
            }
            "ban" => {
                let path = format!("/rooms/{first}/bans/{}", bo.uuid);
                owner.send(owner.request("PUT", &path).json("{}")).await.status
            }
            _ => ana.delete(&server, &format!("/groups/{first}")).await.0,
        };
        assert!(done < 300, "{how}: {done}");
        assert_eq!(one.next().await, None, "{how}");
        if how == "room" {
            assert_eq!(kept.next().await, None);
        } else {
            let id = ana.say(&server, &first, "without bo").await;
            assert_eq!(kept.next().await, new_message(ana.message(id, &first, "without bo")));
        }
        let id = ana.say(&server, &second, "still here").await;
        let heard = new_message(ana.message(id, &second, "still here"));
        assert_eq!(all.next().await, heard, "{how}");
    }
    server.stop().await;
}

/// Row: /stream/all goes on when the last group is gone, and ends with the account
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_of_all_groups_ends_with_the_account_not_with_the_groups() {
    let server = TestServer::start().await;
    let bo = Caller::guest(&server, "bo").await;
    let group = bo.group(&server).await;
    let mut all = Events::open(&server, stream("/stream/all", &bo)).await;
    assert_eq!(all.next().await.unwrap()["groups"], json!([group]));
    let path = format!("/stream/group?group_uuid={group}");
    let mut one = Events::open(&server, stream(&path, &bo)).await;
    assert_eq!(one.next().await.unwrap()["group_uuid"], json!(group));
    assert_eq!(bo.delete(&server, &format!("/groups/{group}")).await.0, 200);
    // The same event reaches both, the one that ends with it after the other.
    assert_eq!(one.next().await, None);
    let said = send(&server, stream("/stream/all", &bo)).await;
    assert!(said.text().contains("not a member of any groups"), "{}", said.text());
    assert!(futures_util::poll!(std::pin::pin!(all.next())).is_pending());
    assert_eq!(bo.delete(&server, "/users/me").await.0, 200);
    assert_eq!(all.next().await, None);
    server.stop().await;
}

/// Row: GET /stream/…: `Stream error occurred`, when the stream has missed something
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_was_not_read_says_that_it_has_missed_something() {
    let server = TestServer::builder().limit("backlog_bytes_max", 64 * 1024).start().await;
    let ana = Caller::guest(&server, "ana").await;
    let group = ana.group(&server).await;
    let path = format!("/stream/group?group_uuid={group}");
    let mut events = Events::open(&server, stream(&path, &ana)).await;
    let text = "x".repeat(16 * 1024);
    for _ in 0..600 {
        ana.say(&server, &group, &text).await;
    }
    let (mut told, mut last) = (0, None);
    while let Some(event) = events.next().await {
        (told, last) = (told + 1, Some(event));
    }
    assert_eq!(last, Some(error("Stream error occurred")));
    assert!(told < 600, "everything was kept for it");
    server.stop().await;
}
