//! Whoever has changed something sees it at once, whichever node is asked next.

use std::net::SocketAddr;
use std::time::Duration;

use parlor_testkit::Person;
use parlor_testkit::http::{Answer, Wire};
use parlor_testkit::person::fresh_id;
use parlor_wire::v1;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::town::people;
use super::{NODES, cluster, count, seed};
use crate::simulation::dice::Dice;

/// People who write and read, each for themselves.
const PEOPLE: usize = 16;

/// How often somebody asks again whom the server asked to come later, and how soon.
const ATTEMPTS: usize = 50;
const BREATH: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_on_one_node_is_read_on_another() {
    let pairs = count("PARLOR_STORM_PAIRS", 20_000);
    let seed = seed();
    let cluster = cluster().await;
    let nodes: Vec<_> = cluster.nodes.iter().map(|node| node.address()).collect();
    let mut walkers = JoinSet::new();
    for (n, person) in people(&cluster, "walker", PEOPLE).await.into_iter().enumerate() {
        let session = person.room("private", "Own", &[]).await.main_session_id;
        let mut walker =
            Walker { person, session, nodes: Vec::new(), dice: Dice::new(seed ^ n as u64) };
        for node in &nodes {
            walker.nodes.push((*node, Wire::open(*node).await));
        }
        walkers.spawn(async move { walker.walk(pairs / PEOPLE as u64).await });
    }
    let stale: Vec<_> = walkers.join_all().await.concat();
    println!("{pairs} pairs, {} stale", stale.len());
    assert!(stale.is_empty(), "{stale:?}");
}

/// Somebody who is never twice at the same node.
struct Walker {
    person: Person,
    session: String,
    nodes: Vec<(SocketAddr, Wire)>,
    dice: Dice,
}

impl Walker {
    /// Writes and reads so often; what was not read as it was written.
    async fn walk(&mut self, pairs: u64) -> Vec<String> {
        let mut stale = Vec::new();
        for n in 0..pairs {
            let writes = self.dice.index(NODES);
            let reads = (writes + 1 + self.dice.index(NODES - 1)) % NODES;
            let (what, fresh) = match self.dice.below(8) {
                0 => ("a profile", self.profile(writes, reads, n).await),
                1 => ("a new room", self.room(writes, reads, n).await),
                2 => ("a session's settings", self.rename(writes, reads, n).await),
                3 => ("an edited message", self.edit(writes, reads).await),
                _ => ("a message", self.message(writes, reads).await),
            };
            if !fresh {
                stale.push(format!("{what}, {writes} to {reads}, pair {n}"));
            }
        }
        stale
    }

    /// Asks one of the nodes, on a connection that stays.
    async fn ask(&mut self, node: usize, method: &str, path: &str, body: Option<String>) -> Answer {
        let mut request = self.person.request(method, path).header("Connection", "keep-alive");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (at, wire) = &mut self.nodes[node];
        let mut breath = interval(BREATH);
        for _ in 0..ATTEMPTS {
            breath.tick().await;
            match wire.exchange(&request.bytes()).await {
                // A server that has too much to do says so, and has done nothing.
                Ok(answer) if answer.status == 503 => {}
                Ok(answer) => return answer,
                // A connection may have been idle for too long.
                Err(_) => *wire = Wire::open(*at).await,
            }
        }
        panic!("{method} {path} is not answered");
    }

    async fn say(&mut self, node: usize) -> v1::Message {
        let said = v1::SendRequest {
            client_id: fresh_id(),
            content: "here".to_owned(),
            ..v1::SendRequest::default()
        };
        let path = format!("/sessions/{}/messages", self.session);
        let body = serde_json::to_string(&said).unwrap();
        let answer = self.ask(node, "POST", &path, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    async fn message(&mut self, writes: usize, reads: usize) -> bool {
        let said = self.say(writes).await;
        let path = format!("/sessions/{}/messages?limit=1", self.session);
        let answer = self.ask(reads, "GET", &path, None).await;
        let page: v1::MessagePage = serde_json::from_slice(&answer.body).unwrap();
        page.messages.last().is_some_and(|last| last.id == said.id)
    }

    async fn edit(&mut self, writes: usize, reads: usize) -> bool {
        let said = self.say(reads).await;
        let path = format!("/messages/{}", said.id);
        let body = r#"{"content":"there"}"#.to_owned();
        let answer = self.ask(writes, "PATCH", &path, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = self.ask(reads, "GET", &path, None).await;
        answer.status == 200 && answer.json()["content"] == "there"
    }

    async fn profile(&mut self, writes: usize, reads: usize, n: u64) -> bool {
        let status = format!("busy {n}");
        let body = format!("{{\"status\":\"{status}\"}}");
        let answer = self.ask(writes, "PATCH", "/me", Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let path = format!("/users/{}", self.person.id);
        let answer = self.ask(reads, "GET", &path, None).await;
        answer.status == 200 && answer.json()["status"] == *status
    }

    /// Makes a room here and talks in it there.
    async fn room(&mut self, writes: usize, reads: usize, n: u64) -> bool {
        let asked = v1::CreateRoomRequest {
            name: format!("Room {n}"),
            kind: Some("private".to_owned()),
            ..v1::CreateRoomRequest::default()
        };
        let body = serde_json::to_string(&asked).unwrap();
        let answer = self.ask(writes, "POST", "/rooms", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let room: v1::Room = serde_json::from_slice(&answer.body).unwrap();
        let answer = self.ask(reads, "GET", &format!("/rooms/{}", room.id), None).await;
        let seen = answer.status == 200;
        let before = std::mem::replace(&mut self.session, room.main_session_id);
        let talked = self.message(reads, writes).await;
        self.session = before;
        seen && talked
    }

    async fn rename(&mut self, writes: usize, reads: usize, n: u64) -> bool {
        let path = format!("/sessions/{}", self.session);
        let body = format!("{{\"name\":\"Named {n}\"}}");
        let answer = self.ask(writes, "PATCH", &path, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = self.ask(reads, "GET", &path, None).await;
        answer.status == 200 && answer.json()["name"] == format!("Named {n}")
    }
}
