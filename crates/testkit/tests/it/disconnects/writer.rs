//! Somebody who keeps writing: says, rewords, deletes, comes and goes, changes how others are.

use std::net::SocketAddr;
use std::time::Duration;

use parlor_testkit::Person;
use parlor_testkit::http::Request;
use parlor_testkit::person::fresh_id;
use parlor_wire::v1;
use tokio::sync::watch;
use tokio::time::interval;

use super::line::ask;
use crate::simulation::dice::Dice;

/// Between two things that one writer does: a load that leaves the listeners time to break.
const PACE: Duration = Duration::from_millis(15);

pub(super) struct Writer {
    pub(super) person: Person,
    pub(super) door: SocketAddr,
    pub(super) sessions: Vec<String>,
    pub(super) rooms: Vec<String>,
    /// Changes the listeners' own logs.
    pub(super) readers: Vec<Request>,
    pub(super) dice: Dice,
    pub(super) said: Vec<String>,
}

impl Writer {
    pub(super) async fn run(mut self, stop: watch::Receiver<bool>) {
        let mut pace = interval(PACE);
        while !*stop.borrow() {
            pace.tick().await;
            let request = self.request();
            // What is not answered is not repeated here: `kills` is about that.
            let Some(answer) = ask(self.door, &request).await else { continue };
            if answer.status == 201
                && let Ok(message) = serde_json::from_slice::<v1::Message>(&answer.body)
            {
                self.said.push(message.id);
            }
        }
    }

    fn request(&mut self) -> Request {
        let pick = self.dice.index(self.said.len());
        match (self.dice.below(20), self.said.get(pick)) {
            (0, Some(id)) => {
                let words = r#"{"content":"other words"}"#;
                self.person.request("PATCH", &format!("/messages/{id}")).json(words)
            }
            (1, Some(id)) => self.person.request("DELETE", &format!("/messages/{id}")),
            (2, _) => {
                let reader = self.dice.index(self.readers.len());
                let status = format!("{{\"status\":\"{}\"}}", self.dice.below(1_000));
                self.readers[reader].clone().json(&status)
            }
            (3, _) => {
                let room = &self.rooms[self.dice.index(self.rooms.len())];
                let what = if self.dice.one_in(2) { "join" } else { "leave" };
                // The owner stays: somebody must be able to come back.
                let path = format!("/rooms/{room}/{what}");
                self.person.request("POST", &path).json("{}")
            }
            _ => self.message(),
        }
    }

    fn message(&mut self) -> Request {
        let session = &self.sessions[self.dice.index(self.sessions.len())];
        let said = v1::SendRequest {
            client_id: fresh_id(),
            content: "x".repeat(1 + self.dice.index(400)),
            ..v1::SendRequest::default()
        };
        let body = serde_json::to_string(&said).unwrap();
        self.person.request("POST", &format!("/sessions/{session}/messages")).json(&body)
    }
}
