//! An event stream: opened with sessions and cursors, read event by event, resumed by its last
//! `id`.

use std::collections::VecDeque;
use std::time::Duration;

use parlor_wire::frame::Frame;
use parlor_wire::v1::ServerFrame;

use crate::http::{Answer, Wire};
use crate::{Person, soon};

/// What a stream is to follow: the session, and the last `seq` seen.
pub type Following = (String, Option<i64>);

/// Something that came on a stream.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
pub enum Told {
    /// A frame.
    Frame(Frame),
    /// An event of the stream's own: its name and its data.
    Named(String, String),
    /// The stream ended.
    Over,
}

/// An open stream.
pub struct EventStream {
    wire: Wire,
    text: String,
    ready: VecDeque<Told>,
    /// The last `id:` seen.
    pub last_id: Option<String>,
}

impl EventStream {
    /// Opens a stream.
    ///
    /// # Errors
    /// The answer, when it is a refusal.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn open(
        person: &Person,
        following: &[Following],
        user_after: Option<i64>,
        last_id: Option<&str>,
    ) -> Result<Self, Answer> {
        let mut query: Vec<_> = following
            .iter()
            .map(|(session, after)| match after {
                Some(after) => format!("session={session}:{after}"),
                None => format!("session={session}"),
            })
            .collect();
        query.extend(user_after.map(|after| format!("user_after={after}")));
        Self::open_by(person, &query.join("&"), last_id).await
    }

    /// Opens the stream of this query.
    ///
    /// # Errors
    /// The answer, when it is a refusal.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn open_by(
        person: &Person,
        query: &str,
        last_id: Option<&str>,
    ) -> Result<Self, Answer> {
        let path = format!("/events?{query}");
        let mut request = person.request("GET", &path).header("Accept", "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let mut wire = Wire::open(person.server()).await;
        let asked = wire.write(&request.bytes()).await;
        asked.expect("the server takes a request");
        let head = wire.head().await.expect("the server answers");
        if head.status != 200 {
            let rest = wire.closed().await;
            // Its length is known, so the body comes as it is.
            return Err(Answer { body: rest, ..head });
        }
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        Ok(Self { wire, text: String::new(), ready: VecDeque::new(), last_id: None })
    }

    /// What has come and was not asked for yet.
    pub fn take_ready(&mut self) -> Vec<Told> {
        self.ready.drain(..).collect()
    }

    /// The next thing that comes.
    pub async fn next(&mut self) -> Told {
        soon("an event", self.read()).await
    }

    /// The next thing that comes within this time.
    pub async fn next_within(&mut self, time: Duration) -> Option<Told> {
        tokio::time::timeout(time, self.read()).await.ok()
    }

    async fn read(&mut self) -> Told {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return told;
            }
            match self.wire.chunk().await {
                Ok(Some(chunk)) => self.text.push_str(&String::from_utf8_lossy(&chunk)),
                Ok(None) | Err(_) => return Told::Over,
            }
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                self.take_block(&block);
            }
        }
    }

    /// One event, as the standard has browsers read it.
    fn take_block(&mut self, block: &str) {
        let (mut name, mut data) = (String::new(), Vec::new());
        for line in block.split(['\n', '\r']) {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => data.push(value),
                "id" => self.last_id = Some(value.to_owned()),
                _ => {}
            }
        }
        let data = data.join("\n");
        if !name.is_empty() {
            self.ready.push_back(Told::Named(name, data));
        } else if !data.is_empty() {
            let frame: ServerFrame = serde_json::from_str(&data).expect("a frame of the schema");
            self.ready.push_back(Told::Frame(frame.frame.expect("a frame says something")));
        }
    }
}
