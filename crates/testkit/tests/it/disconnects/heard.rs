//! What one client has heard, line after line: where each log stands, and the record that the
//! checker reads.

use std::collections::{BTreeMap, HashMap};

use parlor_wire::v1::Event;

use super::Heads;
use crate::checker::{End, Entry, Hearing, Told};

/// What a listener has heard.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) cursors: BTreeMap<String, i64>,
    pub(crate) last_id: Option<String>,
    pub(crate) hearings: Vec<Hearing>,
    /// Where each log's hearing on this line stands.
    pub(crate) open: HashMap<String, usize>,
}

impl Heard {
    /// A hearing of a log begins on this line, after this place.
    pub(crate) fn begin(&mut self, listener: &str, log: &str, after: i64) {
        self.open.insert(log.to_owned(), self.hearings.len());
        self.cursors.insert(log.to_owned(), after);
        let (listener, log) = (listener.to_owned(), log.to_owned());
        self.hearings.push(Hearing { listener, log, after, told: Vec::new(), end: End::Open });
    }

    /// Takes an event down.
    pub(crate) fn hear(&mut self, listener: &str, event: &Event) {
        let entry = Entry::of(event).expect("an event has its place");
        let log = event.session_id.as_deref().unwrap_or(listener);
        // One's own log is heard from the greeting on; what was asked for begins with its answer.
        let Some(&hearing) = self.open.get(log) else { return };
        self.cursors.insert(log.to_owned(), entry.seq);
        self.hearings[hearing].told.push(Told { entry, head: None });
    }

    /// The line broke.
    pub(crate) fn cut(&mut self) {
        for (_, hearing) in self.open.drain() {
            self.hearings[hearing].end = End::Cut;
        }
    }

    /// Whether all of these logs were heard to their ends on this line.
    pub(crate) fn is_at<'a>(
        &self,
        heads: &Heads,
        logs: impl IntoIterator<Item = &'a String>,
    ) -> bool {
        let there = |log: &String| self.cursors.get(log) >= heads.get(log);
        logs.into_iter().all(|log| self.open.contains_key(log) && there(log))
    }
}
