//! What wakes a connection: one bell for all that it listens to.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use parlor_domain::UserId;

use crate::ear::Token;
use crate::registry::Cut;

/// Rung by lanes that have something new, heard by one connection.
#[derive(Default)]
pub(crate) struct Bell {
    state: Mutex<State>,
    cut: AtomicU8,
}

#[derive(Default)]
struct State {
    /// What was rung for and is not taken yet, in that order.
    rung: Vec<Token>,
    /// Who waits for it: the one task of the connection.
    waiting: Option<Waker>,
}

impl Bell {
    /// Wakes the connection.
    fn ring(&self, token: Token) {
        let mut state = self.state.lock();
        state.rung.push(token);
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Tells the connection to end.
    pub(crate) fn cut(&self, cut: Cut) {
        // A revocation is stronger than a drain, and the first of each stands.
        self.cut.fetch_max(cut as u8, Ordering::Release);
        let waiting = self.state.lock().waiting.take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// How the connection is to end, if it is.
    pub(crate) fn verdict(&self) -> Option<Cut> {
        Cut::from_u8(self.cut.load(Ordering::Acquire))
    }

    /// Whether something was rung that nobody has taken, or the connection is to end; if not, who
    /// asks is woken when it is so. Whoever asked last is.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_either(cx, true)
    }

    /// The same for those who take nothing now: whether the connection is to end.
    pub(crate) fn poll_cut(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_either(cx, false)
    }

    fn poll_either(&self, cx: &Context<'_>, takes: bool) -> Poll<()> {
        let mut state = self.state.lock();
        if takes && !state.rung.is_empty() || self.verdict().is_some() {
            return Poll::Ready(());
        }
        if !state.waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waiting = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Takes the tokens that were rung, in that order.
    pub(crate) fn take(&self, to: &mut Vec<Token>) {
        to.append(&mut self.state.lock().rung);
    }
}

/// The rope between a lane and a bell: many pulls before it is heard ring once.
pub(crate) struct Rope {
    bell: std::sync::Arc<Bell>,
    token: Token,
    user: UserId,
    pulled: AtomicBool,
}

impl Rope {
    pub(crate) fn new(bell: std::sync::Arc<Bell>, token: Token, user: UserId) -> Self {
        Self { bell, token, user, pulled: AtomicBool::new(false) }
    }

    /// Whose connection is at its end.
    pub(crate) fn user(&self) -> UserId {
        self.user
    }

    /// Rings the bell, unless it was rung for this lane and not heard yet. Whether it did.
    pub(crate) fn pull(&self) -> bool {
        fail::fail_point!("hub::bell::mute", |_| false);
        let rings = !self.pulled.swap(true, Ordering::AcqRel);
        if rings {
            self.bell.ring(self.token);
        }
        rings
    }

    /// Notes that the lane is being read from now on. Called before the reading, so that what is
    /// appended meanwhile rings again.
    pub(crate) fn heard(&self) {
        self.pulled.store(false, Ordering::Release);
    }
}
