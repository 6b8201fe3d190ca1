//! The description of the REST API, against the server: what it bounds is bounded there, and what
//! is answered is in it. `cargo xtask schemathesis` asks far more, but not at these places.

use parlor_testkit::contract::Contract;
use parlor_testkit::{Person, TestServer};
use serde_json::{Value, json};

/// Every operation, with its method and path.
fn operations(contract: &Contract) -> Vec<(String, String, Value)> {
    let found = contract.routes().into_iter().map(|(method, path)| {
        let operation = contract.json()["paths"][&path][method.to_lowercase()].clone();
        (method, path, operation)
    });
    found.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_of_an_operation_is_described_by_its_status() {
    let server = TestServer::start().await;
    let contract = server.contract().await;
    for (method, path, operation) in operations(&contract) {
        let at = format!("{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.contains_key("default"), "{at}: anything may be answered");
        let open = operation["security"].as_array().is_some_and(|ways| ways.contains(&json!({})));
        let signs_in = path.ends_with("/login") || path.ends_with("/refresh");
        assert_eq!(responses.contains_key("401"), !open || signs_in, "{at}: 401");
        for (status, response) in responses {
            let id = &response["headers"]["X-Request-Id"];
            assert_eq!(id["required"], true, "{at}: {status}");
            let body = &response["content"]["application/json"]["schema"]["$ref"];
            let refused = status.starts_with(['4', '5']);
            assert_eq!(body == "#/components/schemas/ErrorBody", refused, "{at}: {status}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_keyword_of_the_description_is_null() {
    let server = TestServer::start().await;
    let contract = server.contract().await;
    let mut open = vec![("#".to_owned(), contract.json())];
    while let Some((at, value)) = open.pop() {
        assert!(!value.is_null(), "{at} is null");
        for (key, value) in value.as_object().into_iter().flatten() {
            // A word may be null.
            if key != "enum" {
                open.push((format!("{at}/{key}"), value));
            }
        }
        open.extend(value.as_array().into_iter().flatten().map(|value| (at.clone(), value)));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_in_a_query_is_taken_up_to_its_edges_and_no_further() {
    let server = TestServer::start().await;
    let contract = server.contract().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let said = ana.say(&room.main_session_id, "hello").await.unwrap();
    let mut tried = 0;
    for (method, path, operation) in operations(&contract) {
        let id = if path.contains("/rooms/{id}") { &room.id } else { &room.main_session_id };
        let id = if path.contains("/users/") { &ana.id } else { id };
        let id = if path.contains("/messages/{id}") { &said.id } else { id };
        let path = path.replace("{id}", id).replace("{session}", &room.main_session_id);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let (Some(least), Some(most)) =
                (schema["minimum"].as_i64(), schema["maximum"].as_i64())
            else {
                continue;
            };
            if path == "/api/v1/events" {
                continue; // A stream has no end.
            }
            let (least, most) = (i128::from(least), i128::from(most));
            for (number, taken) in
                [(least, true), (most, true), (least - 1, false), (most + 1, false)]
            {
                let path = path.trim_start_matches("/api/v1");
                // A search is for something, and people react by something.
                let query = match path {
                    "/search" => "q=x&",
                    _ if path.ends_with("/reactions") => "emoji=%F0%9F%91%8D&",
                    _ => "",
                };
                let path = format!("{path}?{query}{name}={number}");
                let status = ana.send(ana.request(&method, &path)).await.status;
                // A place after the end of a log is of another history.
                let right = if taken { matches!(status, 200 | 410) } else { status == 422 };
                assert!(right, "{method} {path}: {status}");
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "only {tried} were tried");
    server.stop().await;
}

/// The longest text that a field of a request takes, as it is described.
fn longest(contract: &Contract, schema: &str) -> usize {
    let path = format!("/components/schemas/{schema}/maxLength");
    let length = contract.json().pointer(&path).and_then(Value::as_u64);
    usize::try_from(length.unwrap_or_else(|| panic!("{path} is not described"))).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_taken_up_to_its_described_length_and_no_further() {
    let server = TestServer::start().await;
    let contract = server.contract().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let (rooms, session) = (format!("/rooms/{}", room.id), room.main_session_id.clone());
    let rows = [
        ("PATCH", rooms.clone(), "PatchRoomRequest/properties/name", "name", json!({})),
        (
            "PATCH",
            rooms.clone(),
            "PatchRoomRequest/properties/description",
            "description",
            json!({}),
        ),
        ("PATCH", rooms.clone(), "PatchRoomRequest/properties/password", "password", json!({})),
        (
            "POST",
            "/rooms".to_owned(),
            "CreateRoomRequest/oneOf/0/properties/name",
            "name",
            json!({}),
        ),
        (
            "POST",
            format!("{rooms}/sessions"),
            "CreateSessionRequest/properties/name",
            "name",
            json!({}),
        ),
        ("PATCH", "/me".to_owned(), "PatchMeRequest/properties/name", "name", json!({})),
        ("PATCH", "/me".to_owned(), "PatchMeRequest/properties/status", "status", json!({})),
        (
            "POST",
            format!("/sessions/{session}/messages"),
            "SendRequest/oneOf/0/properties/content",
            "content",
            json!({"client_id": parlor_testkit::person::fresh_id()}),
        ),
    ];
    for (method, path, schema, field, mut body) in rows {
        let longest = longest(&contract, schema);
        for (length, statuses) in [(longest + 1, [413, 422]), (longest, [200, 201])] {
            body[field] = "x".repeat(length).into();
            let request = ana.request(method, &path).json(&body.to_string());
            let answer = ana.send(request).await;
            let right = statuses.contains(&answer.status);
            assert!(right, "{method} {path} {field} of {length}: {}", answer.text());
        }
    }
    server.stop().await;
}

async fn status(ana: &Person, method: &str, path: &str, body: &str) -> u16 {
    ana.send(ana.request(method, path).json(body)).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_left_out_is_left_out_and_not_null() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("public", "Garden", &[]).await;
    let (join, read) =
        (format!("/rooms/{}/join", room.id), format!("/sessions/{}/read", room.main_session_id));
    assert_eq!(ana.send(ana.request("POST", &join)).await.status, 200);
    assert_eq!(status(&ana, "POST", &join, "{}").await, 200);
    assert_eq!(status(&ana, "POST", &join, "null").await, 422);
    assert_eq!(status(&ana, "PUT", &read, "{}").await, 204);
    assert_eq!(status(&ana, "PUT", &read, "{\"number\":null}").await, 422);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_about_a_room_that_is_gone_names_no_room() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let delete = ana.request("DELETE", &format!("/rooms/{}", room.id));
    assert_eq!(ana.send(delete).await.status, 204);
    let log = ana.send(ana.request("GET", "/me/events")).await.json();
    let events = log["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event.get("room_created").is_none()), "{log}");
    let nothing = json!({"room": null, "session": null, "by": null});
    assert!(events.iter().any(|event| event["added"] == nothing), "{log}");
    server.stop().await;
}
