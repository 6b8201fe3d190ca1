//! A pause between two tellings of one session. The first thing that is said goes out at once; what
//! is said in the pause after it waits for its end, and goes out together: whoever listens is woken
//! once for all of it, and gets it with one write. Refuses to hold back anything but messages, and
//! more of them than a few.

use std::collections::HashMap;
use std::future::poll_fn;
use std::mem::take;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{Event, EventKind, Limits, SessionId};
use parlor_store::Batch;
use tokio_util::time::DelayQueue;

use crate::App;

/// When many were woken, the next are told after a pause for each of these, about as long as the
/// writing takes, up to so many: who is woken less often takes more with one call.
const WRITE: Duration = Duration::from_micros(10);
const MANY: usize = 200;
const MOST: usize = 2_500;

impl App {
    /// What of a batch is to be told now.
    pub(crate) fn pause(&self, mut batch: Batch) -> Batch {
        batch.events = self.pauses.pass(batch.events, |session| self.hub.is_heard(session));
        batch
    }

    /// Lets those who were woken write, when they are many.
    pub(crate) async fn let_write(&self) {
        let woken = self.hub.take_woken();
        if woken > MANY {
            tokio::time::sleep(WRITE * woken.min(MOST) as u32).await;
        }
    }
}

/// The sessions that were told something a moment ago.
pub(crate) struct Pauses {
    pause: Duration,
    held_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What has been said since, of each.
    held: HashMap<SessionId, Vec<Event>>,
    ends: DelayQueue<SessionId>,
}

impl Pauses {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            pause: Duration::from_millis(limits.telling_pause_ms),
            held_max: usize::try_from(limits.telling_held_max).unwrap_or(usize::MAX),
            state: Mutex::default(),
        }
    }

    /// Takes what was committed, in order, and returns what is to be told now, in order for each
    /// session. `heard` says whether anybody listens.
    pub(crate) fn pass(&self, events: Vec<Event>, heard: impl Fn(SessionId) -> bool) -> Vec<Event> {
        if self.pause.is_zero() {
            return events;
        }
        let mut state = self.state.lock();
        let mut now = Vec::with_capacity(events.len());
        for event in events {
            let (session, waits) = (event.session, matches!(event.kind, EventKind::Posted(_)));
            let Some(held) = state.held.get_mut(&session) else {
                if heard(session) {
                    state.begin(session, self.pause);
                }
                now.push(event);
                continue;
            };
            held.push(event);
            if !waits || held.len() > self.held_max {
                now.append(held);
            }
        }
        now
    }

    /// What was held back in pauses that have ended; never, when there is none.
    pub(crate) async fn ended(&self) -> Vec<Event> {
        poll_fn(|cx| self.poll_ended(cx)).await
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Vec<Event>> {
        let mut state = self.state.lock();
        let mut now = Vec::new();
        while let Poll::Ready(Some(end)) = state.ends.poll_expired(cx) {
            let session = end.into_inner();
            let mut held = state.held.remove(&session).unwrap_or_default();
            if !held.is_empty() {
                now.append(&mut held);
                state.begin(session, self.pause);
            }
        }
        if now.is_empty() { Poll::Pending } else { Poll::Ready(now) }
    }

    /// Everything that is held back.
    pub(crate) fn all(&self) -> Vec<Event> {
        let mut state = self.state.lock();
        state.ends.clear();
        take(&mut state.held).into_values().flatten().collect()
    }
}

impl State {
    fn begin(&mut self, session: SessionId, pause: Duration) {
        self.held.insert(session, Vec::new());
        self.ends.insert(session, pause);
    }
}

#[cfg(test)]
mod tests {
    use parlor_domain::{ClientId, Gone, Message, MessageId, Time, UserId};
    use uuid::Uuid;

    use super::*;

    fn pauses() -> Pauses {
        Pauses::new(&Limits { telling_pause_ms: 50, telling_held_max: 3, ..Limits::default() })
    }

    fn event(session: u128, seq: i64, kind: EventKind) -> Event {
        Event { session: SessionId(Uuid::from_u128(session)), seq, at: Time(seq), kind }
    }

    fn posted(session: u128, seq: i64) -> Event {
        let message = Message {
            id: MessageId(Uuid::from_u128(seq.unsigned_abs().into())),
            no: seq,
            session: SessionId(Uuid::from_u128(session)),
            number: seq,
            seq,
            sender: UserId(Uuid::nil()),
            client_id: ClientId(Uuid::nil()),
            content: "hello".to_owned(),
            file: None,
            reply_to: None,
            thread: None,
            sent_at: Time(seq),
            edited_at: None,
            deleted_at: None,
            expires_at: None,
            extras: None,
        };
        event(session, seq, EventKind::Posted(message))
    }

    #[track_caller]
    fn are(events: &[Event], seqs: &[i64]) {
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), seqs);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_out_at_once_and_the_others_at_the_end_of_the_pause() {
        let pauses = pauses();
        are(&pauses.pass(vec![posted(1, 1)], |_| true), &[1]);
        are(&pauses.pass(vec![posted(1, 2), posted(2, 9)], |_| true), &[9]);
        are(&pauses.pass(vec![posted(1, 3)], |_| true), &[]);
        are(&pauses.ended().await, &[2, 3]);
        // Telling them began another pause; after that there is none.
        are(&pauses.pass(vec![posted(1, 4)], |_| true), &[]);
        are(&pauses.ended().await, &[4]);
        tokio::time::advance(Duration::from_millis(51)).await;
        let none = nothing_ends(&pauses).await;
        assert!(none, "nothing is left that could end");
        are(&pauses.pass(vec![posted(1, 5)], |_| true), &[5]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_few_messages_wait_and_nothing_else_does() {
        let pauses = pauses();
        pauses.pass(vec![posted(1, 1)], |_| true);
        let some: Vec<_> = (2..=4).map(|seq| posted(1, seq)).collect();
        are(&pauses.pass(some, |_| true), &[]);
        are(&pauses.pass(vec![posted(1, 5)], |_| true), &[2, 3, 4, 5]);
        are(&pauses.pass(vec![posted(1, 6)], |_| true), &[]);
        let user = UserId(Uuid::nil());
        let gone = EventKind::Left { user, by: None, reason: Gone::Kicked };
        are(&pauses.pass(vec![event(1, 7, gone)], |_| true), &[6, 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_listens_nothing_is_held_back() {
        let pauses = pauses();
        for seq in 1..=3 {
            are(&pauses.pass(vec![posted(1, seq)], |_| false), &[seq]);
        }
        assert!(pauses.state.lock().held.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_back_is_not_lost_at_the_end() {
        let pauses = pauses();
        pauses.pass(vec![posted(1, 1), posted(1, 2), posted(1, 3)], |_| true);
        are(&pauses.all(), &[2, 3]);
    }

    /// Whether no pause ends now.
    async fn nothing_ends(pauses: &Pauses) -> bool {
        poll_fn(|cx| Poll::Ready(pauses.poll_ended(cx).is_pending())).await
    }
}
