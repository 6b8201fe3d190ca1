//! Whether everything works: somebody who says something on every node and hears it on all
//! others, and how long it takes until they do.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use parlor_testkit::clock::Stopwatch;
use parlor_testkit::person::fresh_id;
use parlor_testkit::{Cluster, Person};
use parlor_wire::command::Codec;
use parlor_wire::frame::Frame;
use parlor_wire::v1::{self, event::Kind};
use tokio::time::{interval, timeout};

use super::RECOVERY;
use crate::disconnects::line::{Line, ask};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Between two attempts.
const BREATH: Duration = Duration::from_millis(20);

/// Somebody who looks whether everything works.
pub(super) struct Probe {
    person: Person,
    session: String,
    door: SocketAddr,
    nodes: Vec<SocketAddr>,
    worst: Duration,
}

impl Probe {
    pub(super) async fn begin(cluster: &Cluster) -> Self {
        let person = Person::new(cluster.address(), "probe", None).await;
        let session = person.room("private", "Probe", &[]).await.main_session_id;
        let nodes = cluster.nodes.iter().map(|node| node.address()).collect();
        Self { person, session, door: cluster.address(), nodes, worst: Duration::ZERO }
    }

    /// The longest that anything took to work again.
    pub(super) fn worst(&self) -> Duration {
        self.worst
    }

    /// Waits until somebody who comes in by the front door is served, whatever is broken behind.
    pub(super) async fn is_served(&mut self, after: &str) {
        let began = Stopwatch::start();
        let mut breath = interval(BREATH);
        while self.say(self.door).await.is_none() {
            breath.tick().await;
            let so_far = began.elapsed();
            assert!(so_far <= RECOVERY, "nobody is served {so_far:?} after {after}");
        }
        self.worst = self.worst.max(began.elapsed());
    }

    /// Waits until what is said on each node is heard on all of them.
    pub(super) async fn all_works(&mut self, after: &str) {
        let began = Stopwatch::start();
        let mut breath = interval(BREATH);
        while !matches!(timeout(ATTEMPT, self.round()).await, Ok(Some(()))) {
            breath.tick().await;
            let so_far = began.elapsed();
            assert!(so_far <= RECOVERY, "not everything works {so_far:?} after {after}");
        }
        let took = began.elapsed();
        assert!(took <= RECOVERY, "everything works again only {took:?} after {after}");
        self.worst = self.worst.max(took);
    }

    async fn round(&self) -> Option<()> {
        let mut lines = Vec::new();
        for node in &self.nodes {
            lines.push(self.listen(*node).await?);
        }
        let mut said = HashSet::new();
        for node in &self.nodes {
            said.insert(self.say(*node).await?);
        }
        for line in &mut lines {
            let mut unheard = said.clone();
            while !unheard.is_empty() {
                if let Frame::Event(event) = line.next().await?
                    && let Some(Kind::Posted(message)) = event.kind
                {
                    unheard.remove(&message.client_id);
                }
            }
        }
        Some(())
    }

    async fn listen(&self, node: SocketAddr) -> Option<Line> {
        let mut line = Line::open(node, &self.person.token, Codec::Json).await?;
        let asked = line.subscribe(&self.session, None).await?;
        loop {
            match line.next().await? {
                Frame::Ok(ok) if ok.r#ref == asked => return Some(line),
                Frame::Error(_) => return None,
                _ => {}
            }
        }
    }

    /// Says something there; its id, when it is acknowledged.
    async fn say(&self, to: SocketAddr) -> Option<String> {
        let client_id = fresh_id();
        let said = v1::SendRequest {
            client_id: client_id.clone(),
            content: "does it work?".to_owned(),
            ..v1::SendRequest::default()
        };
        let body = serde_json::to_string(&said).unwrap();
        let path = format!("/sessions/{}/messages", self.session);
        let request = self.person.request("POST", &path).json(&body);
        let answer = timeout(ATTEMPT, ask(to, &request)).await.ok()??;
        (answer.status == 201).then_some(client_id)
    }
}
