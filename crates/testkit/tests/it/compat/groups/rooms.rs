//! Groups.

use parlor_testkit::TestServer;
use parlor_testkit::http::Request;
use serde_json::json;

use super::super::chat::send;
use super::{Caller, error, fails, group_object, less, told};

const NOWHERE: &str = "0190f5c2-7a1e-7000-8000-000000000001";
const OUTSIDE: &str = "Not a member of this group";

/// Row: POST /groups → 201 G, and the creator is in it
/// Row: POST /groups → 400 `Failed to create group: …` without a JSON object
/// Row: GET /groups → 200 all groups, in both forms of the path
/// Row: GET /groups/{uuid} → 200 G
/// Row: GET /groups/{uuid} → 404
/// Row: example “Create a Group”
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_made_listed_and_found() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let (status, said) = ana.post(&server, "/groups", &json!({"name": "ignored"})).await;
    let one = said["group"]["uuid"].as_str().unwrap().to_owned();
    let made = json!({"message": "Group created successfully", "group": group_object(&one)});
    assert_eq!((status, said), (201, made));
    let (status, said) = ana.post(&server, "/groups/", &json!({})).await;
    let two = said["group"]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(status, 201);
    for bad in ["", "{", "[]", "5"] {
        let (status, said) =
            told(&ana.send(&server, Request::new("POST", "/groups").json(bad)).await);
        assert!(status == 400 && fails(&said, "Failed to create group: "), "{bad}: {said}");
    }
    // A JSON body counts, whatever it is said to be.
    let form = Request::new("POST", "/groups").body("text/plain", "{}");
    assert_eq!(ana.send(&server, form).await.status, 201);
    for (caller, path) in [(&ana, "/groups"), (&ana, "/groups/"), (&bo, "/groups")] {
        let (status, said) = caller.get(&server, path).await;
        let groups = said["groups"].as_array().unwrap();
        // The lobby is a group like any other, which guests see and are not in.
        assert_eq!((status, groups.len()), (200, 4), "{said}");
        assert!(groups.contains(&group_object(&one)) && groups.contains(&group_object(&two)));
    }
    for caller in [&ana, &bo] {
        let found = caller.get(&server, &format!("/groups/{one}")).await;
        assert_eq!(found, (200, group_object(&one)));
    }
    let unknown = ana.get(&server, &format!("/groups/{NOWHERE}")).await;
    assert_eq!(unknown, (404, error("Group not found")));
    for path in ["/groups/x", "/groups/x/participants", "/groups/x/messages"] {
        assert_eq!(ana.get(&server, path).await, (404, json!("Not Found")), "{path}");
    }
    server.stop().await;
}

/// Row: POST /groups/{uuid}/join → 200
/// Row: POST /groups/{uuid}/join → 404, 400 `Already a member of this group`
/// Row: POST /groups/{uuid}/leave → 200
/// Row: POST /groups/{uuid}/leave → 400 `Not a member of this group`
/// Row: GET /groups/{uuid}/participants → 200 in the order in which they came
/// Row: GET /groups/{uuid}/participants → an empty list for an unknown group
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_into_a_group_and_go() {
    let server = TestServer::start().await;
    let (zoe, ana) = (Caller::guest(&server, "zoe").await, Caller::guest(&server, "ana").await);
    let group = zoe.group(&server).await;
    let path = |verb: &str| format!("/groups/{group}/{verb}");
    let joined = (200, json!({"message": "Successfully joined group"}));
    assert_eq!(ana.go(&server, &path("join")).await, joined);
    let already = (400, error("Already a member of this group"));
    assert_eq!(ana.go(&server, &path("join")).await, already);
    let unknown = ana.go(&server, &format!("/groups/{NOWHERE}/join")).await;
    assert_eq!(unknown, (404, error("Group not found")));
    let entry =
        |who: &Caller| json!({"user_uuid": who.uuid, "user_name": who.name, "joined_at": "TIME"});
    let both = json!({"participants": [entry(&zoe), entry(&ana)]});
    assert_eq!(ana.get(&server, &path("participants")).await, (200, both));
    let left = (200, json!({"message": "Successfully left group"}));
    assert_eq!(ana.go(&server, &path("leave")).await, left);
    for group in [&group, NOWHERE] {
        let outside = ana.go(&server, &format!("/groups/{group}/leave")).await;
        assert_eq!(outside, (400, error(OUTSIDE)));
    }
    let nobody = ana.get(&server, &format!("/groups/{NOWHERE}/participants")).await;
    assert_eq!(nobody, (200, json!({"participants": []})));
    server.stop().await;
}

/// Row: DELETE /groups/{uuid} → 200, for its owner
/// Row: DELETE /groups/{uuid} → 403 `Not a member of this group`, also when there is none
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_its_owner_deletes_a_group() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = ana.group(&server).await;
    let path = format!("/groups/{group}");
    let outside = (403, error(OUTSIDE));
    assert_eq!(bo.delete(&server, &path).await, outside);
    assert_eq!(ana.delete(&server, &format!("/groups/{NOWHERE}")).await, outside);
    bo.join(&server, &group).await;
    let (status, said) = bo.delete(&server, &path).await;
    assert!(status == 403 && fails(&said, "Failed to delete group: "), "{status} {said}");
    let deleted = (200, json!({"message": "Group deleted successfully"}));
    assert_eq!(ana.delete(&server, &path).await, deleted);
    assert_eq!(ana.delete(&server, &path).await, outside);
    assert_eq!(ana.get(&server, &path).await, (404, error("Group not found")));
    server.stop().await;
}

/// Row: GET /groups/{uuid}/messages → 200 newest first
/// Row: GET /groups/{uuid}/messages → an empty list for an unknown group
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_groups_messages_are_read_newest_first() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = ana.group(&server).await;
    bo.join(&server, &group).await;
    let one = ana.say(&server, &group, "one").await;
    let two = bo.say(&server, &group, "two").await;
    let brief = |message| less(message, &["group_uuid"]);
    let (one, two) = (ana.message(one, &group, "one"), bo.message(two, &group, "two"));
    let both = json!({"messages": [brief(two), brief(one)]});
    let read = ana.get(&server, &format!("/groups/{group}/messages")).await;
    assert_eq!(read, (200, both));
    let nowhere = ana.get(&server, &format!("/groups/{NOWHERE}/messages")).await;
    assert_eq!(nowhere, (200, json!({"messages": []})));
    server.stop().await;
}

/// Row: an item path with a slash too many → 307 without it
/// Row: an unknown path → plain 404, a wrong method → plain 405
/// Row: CORS: pages of every origin may come
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_path_here_is_said_in_plain_text() {
    let server = TestServer::start().await;
    let ana = Caller::guest(&server, "ana").await;
    let item = format!("/users/{}", ana.uuid);
    for (method, path) in
        [("GET", &*item), ("POST", "/auth/login"), ("GET", "/messages/search?q=x")]
    {
        for prefix in ["", "/compat/groups"] {
            let (bare, query) = path.split_once('?').unwrap_or((path, ""));
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            let slashed = Request::new(method, &format!("{prefix}{bare}/{query}"));
            let answer = ana.send(&server, slashed.header("Host", "chat.test:81")).await;
            let there = format!("http://chat.test:81{prefix}{path}");
            assert_eq!(answer.status, 307, "{prefix}{path}");
            assert_eq!(answer.header("location"), Some(&*there));
            assert!(answer.body.is_empty());
        }
    }
    let nothing = ana.get(&server, "/compat/groups/nothing").await;
    assert_eq!(nothing, (404, json!("Not Found")));
    for (method, path) in [("PATCH", "/users/me"), ("GET", "/users/me"), ("PUT", "/groups")] {
        let answer = ana.send(&server, Request::new(method, path)).await;
        assert_eq!(told(&answer), (405, json!("Method Not Allowed")), "{method} {path}");
        assert!(answer.header("allow").is_some(), "{method} {path}");
    }
    for path in ["/messages", "/groups/", "/auth/login", "/compat/groups/auth/me", &*item] {
        let asks = Request::new("OPTIONS", path)
            .header("Origin", "https://elsewhere.example")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization");
        let answer = send(&server, asks).await;
        assert_eq!(answer.status, 204, "{path}");
        let headers = answer.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("authorization"), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");
    }
    server.stop().await;
}
