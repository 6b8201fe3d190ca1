//! What carries packets to a client: the answers to its polls, or a WebSocket. Neither is given
//! more than it takes: what is not taken stays in the hub and in the store.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use parlor_wire::packet::SEPARATOR;
use parlor_ws::Shared;
use tokio::sync::{mpsc, oneshot};

use crate::manner::part;

use super::Ask;
use super::web::Web;

/// How long a client that is told why may take to come for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Packets in one HTTP body: more than a client that says something puts into one.
const PACKETS_MAX: usize = 1_024;

const CLOSE: &[u8] = b"1";
const NOTHING: &[u8] = b"6";

/// Why a connection ends.
pub(super) enum End {
    /// The client is gone.
    Gone,
    /// A WebSocket's goodbye; a poll is told that it is over.
    Goodbye(Bytes),
    /// These packets are the last; then as above.
    Told(Vec<String>, Bytes),
}

impl End {
    /// Says goodbye with a close code and a reason.
    pub(super) fn with(code: u16, reason: &str) -> Self {
        Self::Goodbye(parlor_ws::close(code, reason))
    }

    /// What came is none of the protocol.
    pub(super) fn wrong(why: &dyn fmt::Display) -> Self {
        Self::with(1008, &why.to_string())
    }
}

/// What carries packets.
pub(super) enum Line {
    Polls(Box<Polls>),
    Web(Box<Web>),
}

/// A connection that is polled.
#[derive(Default)]
pub(super) struct Polls {
    /// The poll that waits.
    waiting: Option<oneshot::Sender<Bytes>>,
    /// Packets for the next one.
    queue: VecDeque<Bytes>,
    /// What was posted and is not looked at yet, and who waits for that.
    posted: VecDeque<Bytes>,
    taken: Option<oneshot::Sender<()>>,
}

impl Line {
    pub(super) fn polled() -> Self {
        Self::Polls(Box::default())
    }

    /// Puts a packet on its way.
    pub(super) fn push(&mut self, packet: &Shared) {
        match self {
            Self::Polls(polls) => polls.queue.push_back(packet.payload()),
            Self::Web(web) => web.out.push(packet.bytes().clone()),
        }
    }

    /// Puts a packet for this client alone on its way.
    pub(super) fn say(&mut self, packet: &str) {
        self.push(&Shared::text(packet.as_bytes()));
    }

    /// How many packets the client has not taken yet.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Polls(polls) => polls.queue.len(),
            Self::Web(web) => web.out.len(),
        }
    }

    /// Whether the client takes more: it has everything, and waits.
    pub(super) fn wants(&self) -> bool {
        match self {
            Self::Polls(polls) => polls.queue.is_empty() && polls.waiting.is_some(),
            Self::Web(web) => web.is_empty(),
        }
    }

    /// Gives the client what it takes without waiting; whether it took anything.
    pub(super) fn write(&mut self) -> Result<bool, End> {
        match self {
            Self::Polls(polls) => polls.answer(),
            Self::Web(web) => web.out.write(&mut web.stream).map_err(|_| End::Gone),
        }
    }

    /// Ends the connection.
    pub(super) async fn end(self, end: End, asks: Option<mpsc::Receiver<Ask>>) {
        let (told, goodbye) = match end {
            End::Gone => (Vec::new(), None),
            End::Goodbye(goodbye) => (Vec::new(), Some(goodbye)),
            End::Told(told, goodbye) => (told, Some(goodbye)),
        };
        match self {
            Self::Polls(mut polls) => {
                polls.queue.extend(told.into_iter().map(Bytes::from));
                polls.end(goodbye.is_some(), asks).await;
            }
            Self::Web(mut web) => {
                told.iter().for_each(|packet| web.say(packet));
                if let Some(goodbye) = goodbye {
                    web.out.push(goodbye);
                    part(&mut web.stream, &mut web.out).await;
                }
            }
        }
    }
}

impl Polls {
    /// Keeps a poll until there is something; two at a time are one too many.
    pub(super) fn wait(&mut self, poll: oneshot::Sender<Bytes>) -> Result<(), End> {
        if self.waiting.as_ref().is_some_and(|waiting| !waiting.is_closed()) {
            return Err(End::with(1008, "two polls at a time"));
        }
        self.waiting = Some(poll);
        Ok(())
    }

    /// Keeps what was posted until it is looked at.
    pub(super) fn take(&mut self, body: &Bytes, taken: oneshot::Sender<()>) -> Result<(), End> {
        if self.taken.is_some() {
            return Err(End::with(1008, "two posts at a time"));
        }
        let packets = body.split(|byte| *byte == SEPARATOR);
        self.posted = packets.map(|packet| body.slice_ref(packet)).take(PACKETS_MAX + 1).collect();
        if self.posted.len() > PACKETS_MAX {
            return Err(End::with(1008, "too many packets at once"));
        }
        self.taken = Some(taken);
        Ok(())
    }

    /// Whether something was posted that is not looked at yet.
    pub(super) fn has_posted(&self) -> bool {
        self.taken.is_some()
    }

    /// The next packet that was posted; after the last, whoever waits is told so.
    pub(super) fn next_posted(&mut self) -> Option<Bytes> {
        let next = self.posted.pop_front();
        if next.is_none()
            && let Some(taken) = self.taken.take()
        {
            // Who went away without waiting needs no answer.
            let _ = taken.send(());
        }
        next
    }

    /// Gives the poll that waits nothing, so that it ends.
    pub(super) fn release(&mut self) {
        if self.waiting.is_some() && self.queue.is_empty() {
            self.queue.push_back(Bytes::from_static(NOTHING));
        }
    }

    /// The packets that nobody came for, as frames of a WebSocket.
    pub(super) fn frames(&mut self) -> impl Iterator<Item = Bytes> {
        self.queue.drain(..).map(|packet| Shared::text(&packet).bytes().clone())
    }

    fn answer(&mut self) -> Result<bool, End> {
        if self.queue.is_empty() {
            return Ok(false);
        }
        let Some(waiting) = self.waiting.take() else {
            return Ok(false);
        };
        let packets: Vec<Bytes> = self.queue.drain(..).collect();
        let body = match &packets[..] {
            [one] => one.clone(),
            several => several.join(&SEPARATOR).into(),
        };
        // What a poll that was given up should have carried is lost: the client resumes.
        waiting.send(body).map(|()| true).map_err(|_| End::Gone)
    }

    /// Ends it. A client that is to know is told at its polls, which it has a while for: what is
    /// left, and with the next one that it is over, since a stock client drops what comes at once
    /// with the end.
    async fn end(&mut self, knows_not: bool, asks: Option<mpsc::Receiver<Ask>>) {
        if !knows_not {
            self.release();
            // Nobody may be there any more.
            let _ = self.answer();
            return;
        }
        let Some(mut asks) = asks else { return };
        let told = async {
            while !self.queue.is_empty() && self.tell(&mut asks).await {}
            self.queue.push_back(Bytes::from_static(CLOSE));
            self.tell(&mut asks).await;
        };
        let _ = tokio::time::timeout(PATIENCE, told).await;
    }

    /// Answers a poll with what there is, as soon as one comes; false when none does any more.
    async fn tell(&mut self, asks: &mut mpsc::Receiver<Ask>) -> bool {
        while !matches!(self.answer(), Ok(true)) {
            match asks.recv().await {
                Some(Ask::Poll(poll)) => self.waiting = Some(poll),
                Some(_) => {}
                None => return false,
            }
        }
        true
    }
}
