//! What wakes a connection: one bell for all that it listens to.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::ear::Token;
use crate::registry::Cut;

/// Rung by lanes that have something new, heard by one connection.
#[derive(Default)]
pub(crate) struct Bell {
    notify: Notify,
    ready: Mutex<Vec<Token>>,
    cut: AtomicU8,
}

impl Bell {
    /// Wakes the connection.
    fn ring(&self, token: Token) {
        self.ready.lock().push(token);
        self.notify.notify_one();
    }

    /// Tells the connection to end.
    pub(crate) fn cut(&self, cut: Cut) {
        // A revocation is stronger than a drain, and the first of each stands.
        self.cut.fetch_max(cut as u8, Ordering::Release);
        self.notify.notify_one();
    }

    /// How the connection is to end, if it is.
    pub(crate) fn verdict(&self) -> Option<Cut> {
        Cut::from_u8(self.cut.load(Ordering::Acquire))
    }

    /// Waits until it rings; a ring while nobody waits is not lost.
    pub(crate) async fn heard(&self) {
        self.notify.notified().await;
    }

    /// Takes the tokens that were rung, in that order.
    pub(crate) fn take(&self, to: &mut Vec<Token>) {
        to.append(&mut self.ready.lock());
    }

    /// Whether something was rung that nobody has taken.
    pub(crate) fn is_rung(&self) -> bool {
        !self.ready.lock().is_empty()
    }
}

/// The rope between a lane and a bell: many pulls before it is heard ring once.
pub(crate) struct Rope {
    bell: std::sync::Arc<Bell>,
    token: Token,
    pulled: AtomicBool,
}

impl Rope {
    pub(crate) fn new(bell: std::sync::Arc<Bell>, token: Token) -> Self {
        Self { bell, token, pulled: AtomicBool::new(false) }
    }

    /// Rings the bell, unless it was rung for this lane and not heard yet.
    pub(crate) fn pull(&self) {
        fail::fail_point!("hub::bell::mute", |_| ());
        if !self.pulled.swap(true, Ordering::AcqRel) {
            self.bell.ring(self.token);
        }
    }

    /// Notes that the lane is being read from now on. Called before the reading, so that what is
    /// appended meanwhile rings again.
    pub(crate) fn heard(&self) {
        self.pulled.store(false, Ordering::Release);
    }
}
