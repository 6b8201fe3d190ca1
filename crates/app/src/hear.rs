//! What other nodes tell: of their commits, which are told here as our own are, and of what is not
//! kept. Nothing of it is believed where it matters: a hole is read from the store, and who may
//! listen is decided there.

use std::sync::Arc;
use std::time::Duration;

use parlor_bus::{Heard, Node, State, Topic, Word};
use parlor_domain::{Event, EventKind, Gone, SessionId, UserId};
use parlor_hub::Key;
use parlor_store::{Batch, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::App;

/// Things that are heard at once at most.
const AT_ONCE: usize = 512;

/// Events that are read at once at most.
const PAGE: i64 = 500;

/// How long what came early waits for what it follows, at least; at most twice as long.
const EARLY: Duration = Duration::from_millis(30);

/// Hears other nodes until stopped.
pub async fn hear(app: Arc<App>, mut heard: mpsc::Receiver<Heard>, stop: CancellationToken) {
    while let Some(Some(first)) = stop.run_until_cancelled(heard.recv()).await {
        let mut all = vec![first];
        while all.len() < AT_ONCE
            && let Ok(more) = heard.try_recv()
        {
            all.push(more);
        }
        app.hear(all).await;
    }
}

/// Reads from the store what others wait for too long, until stopped.
pub async fn wait_for_early(app: Arc<App>, stop: CancellationToken) {
    let waiting = async {
        loop {
            app.early.some().await;
            loop {
                tokio::time::sleep(EARLY).await;
                let (overdue, more) = app.early.overdue();
                for (session, events) in overdue {
                    if let Err(hole) = app.hub.publish(session, events.clone()) {
                        app.fill(session, hole, &events).await;
                    }
                }
                if !more {
                    break;
                }
            }
        }
    };
    stop.run_until_cancelled(waiting).await;
}

impl App {
    /// Whether what is missing may be on its way.
    pub(crate) fn may_wait(&self) -> bool {
        self.bus.state() == State::Up
    }

    /// Takes in what other nodes told.
    pub async fn hear(&self, all: Vec<Heard>) {
        let (mut batch, mut heads) = (Batch::default(), Vec::new());
        for heard in all {
            match heard {
                Heard::Event(event) => batch.events.push(event),
                Heard::Head(topic, seq) => heads.push((topic, seq)),
                Heard::Word(node, word) => self.hear_word(node, word),
                Heard::Doubt => self.health.doubt(),
            }
        }
        self.tell(self.pause(batch)).await;
        for (topic, seq) in heads {
            if let Topic::Session(session) = topic {
                // It says that something rare has happened: who may do what, for example.
                self.views.forget(session);
            }
            if let Err(error) = self.catch_up(topic, seq).await {
                tracing::warn!(?topic, %error, "failed to read what another node has committed");
            }
        }
    }

    fn hear_word(&self, node: Node, word: Word) {
        let now = self.clock.now();
        if let Some(Topic::Session(session)) = word.topic()
            && !self.hub.is_heard(session)
        {
            return;
        }
        match word {
            Word::Typing(session, user) => self.hub.typing(session, user, now),
            Word::Read(session, user, number) => self.hub.read_mark(session, user, number),
            Word::Draft(user, device, unsent) => self.tell_draft(user, device, &unsent),
            Word::ThreadRead(user, device, root, number) => {
                self.tell_thread_read(user, device, root, number);
            }
            Word::Queue(user) => self.hub.ring_queue(user),
            Word::Presence(session, user, online) => {
                self.hub.presence(session, parlor_hub::Change { user, online });
            }
            Word::Revoked(logins) => {
                self.live.forget(&logins);
                self.hub.cut(&logins);
            }
            Word::Murmur(dialect, text) => self.hub.murmur_text(dialect, &text),
            Word::Spent(spent) => self.rates.charge(&spent, now),
            Word::Here { .. } | Word::Ask(_) | Word::People { .. } | Word::Moved { .. } => {
                self.hear_neighbour(node, word, now);
            }
        }
    }

    /// Reads and tells what a log has up to `seq`, from where it was told here.
    pub(crate) async fn catch_up(&self, topic: Topic, seq: i64) -> Result<(), StoreError> {
        match topic {
            Topic::Session(session) => {
                let tail = || self.hub.tail(Key::Session(session)).filter(|tail| *tail < seq);
                while let Some(after) = tail() {
                    let before = seq.min(after + PAGE) + 1;
                    let events = self.store.events_between(session, after, before).await?;
                    events.iter().for_each(|event| self.views.hear(event));
                    self.tell_session(&events).await;
                    if tail() == Some(after) {
                        return self.end_if_gone(session).await;
                    }
                }
            }
            Topic::User(user) => {
                let tail = || self.hub.tail(Key::User(user)).filter(|tail| *tail < seq);
                while let Some(after) = tail() {
                    let page = self.store.user_events_after(user, after, PAGE as u64).await?;
                    self.tell_user(&page.events).await;
                    if tail() == Some(after) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks whether the session is there at all, and tells its end if not.
    async fn end_if_gone(&self, session: SessionId) -> Result<(), StoreError> {
        if self.store.heads(vec![session]).await?.is_empty() {
            self.end_here(session).await;
        }
        Ok(())
    }

    /// Tells who listens here that they are out of a session whose room another node has deleted,
    /// and with it the log that would say so.
    pub(crate) async fn end_here(&self, session: SessionId) {
        self.views.forget(session);
        let (key, at) = (Key::Session(session), self.clock.now());
        let Some(tail) = self.hub.tail(key) else { return };
        let out = |(seq, user): (i64, UserId)| {
            let kind = EventKind::Left { user, by: None, reason: Gone::Deleted };
            Event { session, seq, at, kind }
        };
        let events: Vec<_> = (tail + 1..).zip(self.hub.listeners(key)).map(out).collect();
        self.tell_session(&events).await;
    }
}
