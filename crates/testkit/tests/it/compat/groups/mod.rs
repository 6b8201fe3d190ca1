//! Chat Room API, as its clients see it.

mod accounts;
mod curl;
mod messages;
mod people;
mod rooms;
mod safety;
mod stream;

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request, Wire};
use parlor_testkit::soon;
use serde_json::{Value, json};

use super::chat::send;

/// Somebody with a token.
#[derive(Clone)]
struct Caller {
    uuid: String,
    name: String,
    token: String,
}

impl Caller {
    /// A new guest.
    async fn guest(server: &TestServer, name: &str) -> Self {
        let body = json!({"name": name}).to_string();
        let answer = send(server, Request::new("POST", "/auth/register").json(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let said = answer.json();
        Self {
            uuid: said["user"]["uuid"].as_str().unwrap().to_owned(),
            name: name.to_owned(),
            token: said["access_token"].as_str().unwrap().to_owned(),
        }
    }

    /// Somebody with a password and the token that signing in gave.
    async fn with_password(server: &TestServer, name: &str) -> Self {
        let person = server.person(name).await;
        Self { uuid: person.id, name: name.to_owned(), token: person.token }
    }

    /// Sends a request and returns the whole answer.
    async fn send(&self, server: &TestServer, request: Request) -> Answer {
        send(server, request.bearer(&self.token)).await
    }

    async fn get(&self, server: &TestServer, path: &str) -> (u16, Value) {
        told(&self.send(server, Request::new("GET", path)).await)
    }

    async fn delete(&self, server: &TestServer, path: &str) -> (u16, Value) {
        told(&self.send(server, Request::new("DELETE", path)).await)
    }

    async fn post(&self, server: &TestServer, path: &str, body: &Value) -> (u16, Value) {
        told(&self.send(server, Request::new("POST", path).json(&body.to_string())).await)
    }

    async fn put(&self, server: &TestServer, path: &str, body: &Value) -> (u16, Value) {
        told(&self.send(server, Request::new("PUT", path).json(&body.to_string())).await)
    }

    /// Joins or leaves, which takes no body.
    async fn go(&self, server: &TestServer, path: &str) -> (u16, Value) {
        told(&self.send(server, Request::new("POST", path)).await)
    }

    /// Makes a group; its uuid.
    async fn group(&self, server: &TestServer) -> String {
        let (status, said) = self.post(server, "/groups", &json!({})).await;
        assert_eq!(status, 201, "{said}");
        said["group"]["uuid"].as_str().unwrap().to_owned()
    }

    async fn join(&self, server: &TestServer, group: &str) {
        let (status, said) = self.go(server, &format!("/groups/{group}/join")).await;
        assert_eq!(status, 200, "{said}");
    }

    /// Says something; the message's number.
    async fn say(&self, server: &TestServer, group: &str, content: &str) -> i64 {
        let body = json!({"content": content, "group_uuid": group});
        let (status, said) = self.post(server, "/messages", &body).await;
        assert_eq!(status, 201, "{said}");
        said["data"]["id"].as_i64().unwrap()
    }

    /// U, as [`plain`] has it.
    fn user(&self) -> Value {
        json!({"uuid": self.uuid, "name": self.name, "created_date": "TIME", "updated_at": "TIME"})
    }

    /// M, as [`plain`] has it.
    fn message(&self, id: i64, group: &str, content: &str) -> Value {
        json!({
            "id": id, "content": content, "file": null, "group_uuid": group,
            "sender_uuid": self.uuid, "sender_name": self.name, "created_date": "TIME",
            "updated_at": "TIME", "is_deleted": false,
        })
    }
}

/// G, as [`plain`] has it.
fn group_object(group: &str) -> Value {
    json!({"uuid": group, "created_date": "TIME", "updated_at": "TIME", "session_id": "NUMBER"})
}

/// An object without these keys.
fn less(mut object: Value, without: &[&str]) -> Value {
    let fields = object.as_object_mut().unwrap();
    fields.retain(|name, _| !without.contains(&&**name));
    object
}

/// The status and the body, as [`plain`] has it.
fn told(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{}", answer.text());
    let kind = answer.header("content-type").unwrap_or_default();
    if kind == "application/json" {
        return (answer.status, plain(answer.json()));
    }
    assert!(kind.starts_with("text/plain") || answer.body.is_empty(), "{kind}");
    (answer.status, Value::String(answer.text()))
}

/// The body without what is new each time, where it has the form that it should.
fn plain(mut said: Value) -> Value {
    match &mut said {
        Value::Object(fields) => {
            for (name, value) in fields {
                *value = match (&**name, &*value) {
                    ("created_date" | "updated_at" | "joined_at", Value::String(t)) => {
                        assert!(is_moment(t), "{t}");
                        "TIME".into()
                    }
                    ("access_token", Value::String(token)) => {
                        assert_eq!(token.split('.').count(), 3, "{token}");
                        "TOKEN".into()
                    }
                    ("session_id", Value::Number(_)) => "NUMBER".into(),
                    _ => plain(value.take()),
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = plain(item.take())),
        _ => {}
    }
    said
}

/// ISO 8601 with microseconds and `+00:00`.
fn is_moment(text: &str) -> bool {
    let form = "0000-00-00T00:00:00.000000+00:00";
    let same = |(given, form): (char, char)| match form {
        '0' => given.is_ascii_digit(),
        form => given == form,
    };
    text.len() == form.len() && text.ends_with("+00:00") && text.chars().zip(form.chars()).all(same)
}

fn error(text: &str) -> Value {
    json!({"error": text})
}

/// Whether this is an error that begins so; how it goes on is ours.
fn fails(said: &Value, beginning: &str) -> bool {
    let fields = said.as_object().unwrap();
    fields.len() == 1 && fields["error"].as_str().unwrap().starts_with(beginning)
}

/// A stream that is read event by event.
struct Events {
    wire: Wire,
    text: String,
    head: Answer,
}

impl Events {
    async fn open(server: &TestServer, request: Request) -> Self {
        let mut wire = Wire::open(server.address()).await;
        let request =
            request.header("Accept", "text/event-stream").header("Connection", "keep-alive");
        wire.write(&request.bytes()).await.unwrap();
        let head = wire.head().await.unwrap();
        Self { wire, text: String::new(), head }
    }

    /// The next event, which is nothing but `data:`; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let said = event.strip_prefix("data: ").expect("an event is nothing but data");
                let said = plain(serde_json::from_str(said).unwrap());
                self.text = rest.to_owned();
                return Some(said);
            }
            let chunk = soon("an event", self.wire.chunk()).await.unwrap_or_default()?;
            self.text.push_str(&String::from_utf8(chunk).unwrap());
        }
    }
}

fn stream(path: &str, caller: &Caller) -> Request {
    Request::new("GET", path).bearer(&caller.token)
}
