//! Who there is.

use parlor_testkit::TestServer;
use serde_json::json;

use super::{Caller, error, less};

const NOBODY: &str = "0190f5c2-7a1e-7000-8000-000000000001";

/// Row: GET /users → 200 all users, in both forms of the path
/// Row: GET /users/{uuid} → 200 U
/// Row: GET /users/{uuid} → 404 for an unknown one, plain 404 for what is no UUID
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_listed_and_found() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let cleo = Caller::with_password(&server, "cleo").await;
    let all = json!({"users": [ana.user(), bo.user(), cleo.user()]});
    for path in ["/users", "/users/", "/compat/groups/users"] {
        assert_eq!(ana.get(&server, path).await, (200, all.clone()), "{path}");
    }
    for who in [&ana, &bo, &cleo] {
        let found = ana.get(&server, &format!("/users/{}", who.uuid)).await;
        assert_eq!(found, (200, who.user()));
    }
    let unknown = ana.get(&server, &format!("/users/{NOBODY}")).await;
    assert_eq!(unknown, (404, error("User not found")));
    for path in ["/users/x", "/users/1", "/users/x/messages", "/users/x/groups"] {
        assert_eq!(ana.get(&server, path).await, (404, json!("Not Found")), "{path}");
    }
    server.stop().await;
}

/// Row: GET /users/{uuid}/messages → 200 newest first, without deleted ones
/// Row: GET /users/{uuid}/messages → an empty list for an unknown user
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_messages_are_those_of_groups_that_one_is_in() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let (ours, mine) = (ana.group(&server).await, ana.group(&server).await);
    bo.join(&server, &ours).await;
    let one = ana.say(&server, &ours, "one").await;
    let two = ana.say(&server, &mine, "two").await;
    let three = ana.say(&server, &ours, "three").await;
    ana.delete(&server, &format!("/messages/{three}")).await;
    let path = format!("/users/{}/messages", ana.uuid);
    let brief = |message| less(message, &["sender_uuid", "sender_name"]);
    let (one, two) = (ana.message(one, &ours, "one"), ana.message(two, &mine, "two"));
    let own = json!({"messages": [brief(two), brief(one.clone())]});
    assert_eq!(ana.get(&server, &path).await, (200, own));
    assert_eq!(bo.get(&server, &path).await, (200, json!({"messages": [brief(one)]})));
    let unknown = ana.get(&server, &format!("/users/{NOBODY}/messages")).await;
    assert_eq!(unknown, (200, json!({"messages": []})));
    server.stop().await;
}

/// Row: GET /users/{uuid}/groups → 200
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_groups_are_those_that_one_is_in_too() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let (ours, mine) = (ana.group(&server).await, ana.group(&server).await);
    bo.join(&server, &ours).await;
    let entry = |group: &str| json!({"group_uuid": group, "joined_at": "TIME"});
    let path = format!("/users/{}/groups", ana.uuid);
    let own = json!({"groups": [entry(&ours), entry(&mine)]});
    assert_eq!(ana.get(&server, &path).await, (200, own));
    assert_eq!(bo.get(&server, &path).await, (200, json!({"groups": [entry(&ours)]})));
    let unknown = ana.get(&server, &format!("/users/{NOBODY}/groups")).await;
    assert_eq!(unknown, (200, json!({"groups": []})));
    server.stop().await;
}
