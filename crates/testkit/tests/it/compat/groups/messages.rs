//! What is said.

use parlor_testkit::http::Request;
use parlor_testkit::{TestServer, soon};
use serde_json::{Value, json};

use super::super::chat::send;
use super::{Caller, error, fails, less, told};

const NOWHERE: &str = "0190f5c2-7a1e-7000-8000-000000000001";

/// Row: POST /messages → 201 M, in both forms of the path
/// Row: POST /messages → 403 `Not a member of this group`
/// Row: POST /messages → 400 `Failed to send message: …`
/// Row: example “Send a Message”
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_says_something_with_or_without_a_file() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = ana.group(&server).await;
    let sent = |id: &Value, content: &str, file: Value| {
        let mut data = ana.message(id.as_i64().unwrap(), &group, content);
        data["file"] = file;
        (201, json!({"message": "Message sent successfully", "data": data}))
    };
    let body = json!({"content": "Hello, world!", "group_uuid": group});
    let answer = ana.post(&server, "/messages", &body).await;
    assert_eq!(answer, sent(&answer.1["data"]["id"], "Hello, world!", Value::Null));
    // An empty text will do, and a file is named by where it is.
    let file = "f".repeat(500);
    let body = json!({"content": "", "group_uuid": group, "file": file, "ttl_s": null});
    let answer = ana.post(&server, "/messages/", &body).await;
    assert_eq!(answer, sent(&answer.1["data"]["id"], "", json!(file)));
    for group in [&*group, NOWHERE] {
        let body = json!({"content": "x", "group_uuid": group});
        let outside = bo.post(&server, "/messages", &body).await;
        assert_eq!(outside, (403, error("Not a member of this group")));
    }
    for bad in [
        json!({"group_uuid": group}),
        json!({"content": "x"}),
        json!({"content": "x", "group_uuid": "x"}),
        json!({"content": 5, "group_uuid": group}),
        json!({"content": "x", "group_uuid": group, "file": 5}),
        json!({"content": "x", "group_uuid": group, "file": "f".repeat(501)}),
        json!({"content": "x".repeat(16 * 1024 + 1), "group_uuid": group}),
        json!([]),
    ] {
        let (status, said) = ana.post(&server, "/messages", &bad).await;
        assert!(status == 400 && fails(&said, "Failed to send message: "), "{bad}: {said}");
    }
    server.stop().await;
}

/// Row: POST /messages with `ttl_s` → 201, and after so many seconds it is gone
/// Row: POST /messages with a `ttl_s` outside of a second to a year → 400 `Failed to send …`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_goes_again_when_it_is_to() {
    let server = TestServer::start().await;
    let ana = Caller::guest(&server, "ana").await;
    let group = ana.group(&server).await;
    for ttl in [json!(0), json!("60"), json!(-1), json!(1.5), json!(31_536_001)] {
        let body = json!({"content": "secret", "group_uuid": group, "ttl_s": ttl});
        let (status, said) = ana.post(&server, "/messages", &body).await;
        assert!(status == 400 && fails(&said, "Failed to send message: "), "{said}");
    }
    let path = format!("/groups/{group}/messages");
    assert_eq!(ana.get(&server, &path).await, (200, json!({"messages": []})));
    let body = json!({"content": "for a second", "group_uuid": group, "ttl_s": 1});
    assert_eq!(ana.post(&server, "/messages", &body).await.0, 201);
    ana.say(&server, &group, "for ever").await;
    let left = async || {
        let (_, found) = ana.get(&server, &path).await;
        let texts = found["messages"].as_array().expect("a list").iter();
        texts.map(|message| message["content"].clone()).collect::<Vec<_>>()
    };
    soon("it is gone", async { while left().await.contains(&json!("for a second")) {} }).await;
    assert_eq!(left().await, ["for ever"]);
    server.stop().await;
}

/// Row: GET /messages → 200 M… and `pagination`, newest first
/// Row: GET /messages → a page below 1 is 1, and `per_page` outside 1 to 100 is 20
/// Row: GET /messages → 400 `Failed to get messages: …`
/// Row: example “Get Messages with Pagination”
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_come_page_by_page() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let (group, other) = (ana.group(&server).await, bo.group(&server).await);
    bo.join(&server, &group).await;
    let one = ana.say(&server, &group, "one").await;
    let two = bo.say(&server, &group, "two").await;
    let three = ana.say(&server, &group, "three").await;
    let four = bo.say(&server, &other, "four").await;
    let gone = ana.say(&server, &group, "gone").await;
    ana.delete(&server, &format!("/messages/{gone}")).await;
    let (one, two) = (ana.message(one, &group, "one"), bo.message(two, &group, "two"));
    let (three, four) = (ana.message(three, &group, "three"), bo.message(four, &other, "four"));
    let whole = |of: u64, per_page: u64| {
        json!({
            "page": 1, "per_page": per_page, "total": of, "total_pages": of.div_ceil(per_page),
            "has_next": false, "has_prev": false, "next_page": null, "prev_page": null,
        })
    };
    let page = |messages: Value, pagination: Value| {
        (200, json!({"messages": messages, "pagination": pagination}))
    };
    let asked = format!("/messages?page=1&per_page=20&group_uuid={group}");
    let all = json!([three, two, one]);
    assert_eq!(ana.get(&server, &asked).await, page(all.clone(), whole(3, 20)));
    assert_eq!(ana.get(&server, "/messages").await, page(all.clone(), whole(3, 20)));
    let everything = page(json!([four, three, two, one]), whole(4, 20));
    assert_eq!(bo.get(&server, "/messages/").await, everything);
    let hers = format!("/messages?sender_uuid={}&group_uuid=", ana.uuid);
    assert_eq!(bo.get(&server, &hers).await, page(json!([three, one]), whole(2, 20)));
    let middle = json!({
        "page": 2, "per_page": 1, "total": 3, "total_pages": 3, "has_next": true,
        "has_prev": true, "next_page": 3, "prev_page": 1,
    });
    let second = ana.get(&server, "/messages?page=2&per_page=1").await;
    assert_eq!(second, page(json!([two]), middle));
    for (asked, per_page) in
        [("page=0&per_page=100", 100), ("page=-3&per_page=101", 20), ("per_page=0", 20)]
    {
        let answer = ana.get(&server, &format!("/messages?{asked}")).await;
        assert_eq!(answer, page(all.clone(), whole(3, per_page)), "{asked}");
    }
    for bad in ["page=x", "per_page=1.5", "group_uuid=x", "sender_uuid=1", "page=9e9"] {
        let (status, said) = ana.get(&server, &format!("/messages?{bad}")).await;
        assert!(status == 400 && fails(&said, "Failed to get messages: "), "{bad}: {said}");
    }
    server.stop().await;
}

/// Row: GET /messages without a token, in the shared form → Mrsambosk's; with one → this system's
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_messages_are_meant_is_told_by_token_query_slash_or_name() {
    let server = TestServer::start().await;
    let ana = Caller::guest(&server, "ana").await;
    let (status, said) = ana.get(&server, "/messages").await;
    assert!(status == 200 && said["pagination"].is_object(), "{said}");
    let named = Request::new("GET", "/messages").header("X-Chat-Dialect", "groups");
    for request in [
        named,
        Request::new("GET", "/messages?page=1"),
        Request::new("GET", "/messages/"),
        Request::new("GET", "/compat/groups/messages"),
    ] {
        let answer = send(&server, request).await;
        assert_eq!(told(&answer), (401, error("Not authenticated")));
    }
    server.stop().await;
}

/// Row: GET /messages/search → 200, newest first, in any case
/// Row: GET /messages/search → 400 without a query, 400 `Search failed: …`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_texts_in_groups_that_one_is_in() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let (group, other) = (ana.group(&server).await, bo.group(&server).await);
    let one = ana.say(&server, &group, "A Zebra crosses").await;
    let two = ana.say(&server, &group, "zebras: 100%").await;
    bo.say(&server, &other, "my zebra").await;
    ana.say(&server, &group, "a horse").await;
    let (one, two) =
        (ana.message(one, &group, "A Zebra crosses"), ana.message(two, &group, "zebras: 100%"));
    let found = |query: &str, results: Value| {
        let total = results.as_array().unwrap().len();
        (200, json!({"query": query, "results": results, "total": total}))
    };
    let search = async |asked: &str| ana.get(&server, &format!("/messages/search?{asked}")).await;
    assert_eq!(search("q=ZEBRA").await, found("ZEBRA", json!([two, one])));
    assert_eq!(search("q=zebra&limit=1").await, found("zebra", json!([two])));
    assert_eq!(search("q=zebra&limit=5&offset=1").await, found("zebra", json!([one])));
    assert_eq!(search("q=zebra&limit=100000").await, found("zebra", json!([two, one])));
    assert_eq!(search("q=%25").await, found("%", json!([two])));
    assert_eq!(search("q=unicorn").await, found("unicorn", json!([])));
    for none in ["", "q=", "limit=5"] {
        assert_eq!(search(none).await, (400, error("Search query is required")), "{none}");
    }
    for bad in ["q=x&limit=x", "q=x&offset=-1"] {
        let (status, said) = search(bad).await;
        assert!(status == 400 && fails(&said, "Search failed: "), "{bad}: {said}");
    }
    server.stop().await;
}

/// Row: GET /messages/{int} → 200 M
/// Row: GET /messages/{int} → 404 `Message not found`, `Message has been deleted`
/// Row: PUT /messages/{int} → 200 M without sender_name; null leaves what is there
/// Row: PUT /messages/{int} → 404, 403, 400 `Cannot update deleted message`
/// Row: DELETE /messages/{int} → 200
/// Row: DELETE /messages/{int} → 404, 403, 400 `Message already deleted`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_read_reworded_and_deleted_by_its_author() {
    let server = TestServer::start().await;
    let (ana, bo) = (Caller::guest(&server, "ana").await, Caller::guest(&server, "bo").await);
    let group = bo.group(&server).await;
    ana.join(&server, &group).await;
    let id = ana.say(&server, &group, "frist").await;
    let path = format!("/messages/{id}");
    let mut message = ana.message(id, &group, "frist");
    assert_eq!(bo.get(&server, &path).await, (200, message.clone()));
    for (change, content, file) in [
        (json!({"content": "first"}), "first", Value::Null),
        (json!({"content": null, "file": "/a.png"}), "first", json!("/a.png")),
        (json!({}), "first", json!("/a.png")),
    ] {
        (message["content"], message["file"]) = (content.into(), file);
        let data = less(message.clone(), &["sender_name"]);
        let updated = json!({"message": "Message updated successfully", "data": data});
        assert_eq!(ana.put(&server, &path, &change).await, (200, updated));
        assert_eq!(ana.get(&server, &path).await, (200, message.clone()));
    }
    let change = json!({"content": "x"});
    // Also for the group's owner, who keeps order in the other interfaces.
    let others = (403, error("Can only edit your own messages"));
    assert_eq!(bo.put(&server, &path, &change).await, others);
    let others = (403, error("Can only delete your own messages"));
    assert_eq!(bo.delete(&server, &path).await, others);
    for bad in [json!({"content": 5}), json!([])] {
        let (status, said) = ana.put(&server, &path, &bad).await;
        assert!(status == 400 && fails(&said, "Failed to update message: "), "{bad}: {said}");
    }
    let deleted = (200, json!({"message": "Message deleted successfully"}));
    assert_eq!(ana.delete(&server, &path).await, deleted);
    assert_eq!(ana.get(&server, &path).await, (404, error("Message has been deleted")));
    for caller in [&ana, &bo] {
        let cannot = (400, error("Cannot update deleted message"));
        assert_eq!(caller.put(&server, &path, &change).await, cannot);
        let already = (400, error("Message already deleted"));
        assert_eq!(caller.delete(&server, &path).await, already);
    }
    let unknown = (404, error("Message not found"));
    for id in ["9999", "99999999999999999999"] {
        let path = format!("/messages/{id}");
        assert_eq!(ana.get(&server, &path).await, unknown);
        assert_eq!(ana.put(&server, &path, &change).await, unknown);
        assert_eq!(ana.delete(&server, &path).await, unknown);
    }
    for path in ["/messages/x", "/messages/-1", "/messages/1x"] {
        assert_eq!(ana.get(&server, path).await, (404, json!("Not Found")), "{path}");
    }
    server.stop().await;
}
