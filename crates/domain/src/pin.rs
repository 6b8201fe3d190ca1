//! Pinning: what a session keeps in sight.

use crate::permission::{Action, may};
use crate::{Denied, Limits, Message, Time, View};

/// What is known when a pin is decided about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PinFacts {
    /// Whether the message is pinned.
    pub pinned: bool,
    /// How many messages of the session are.
    pub count: u64,
}

impl View {
    /// Decides about pinning a message, or taking the pin off. In a room that is open to everybody
    /// the main session is in the care of those who keep order.
    ///
    /// # Errors
    /// [`Denied`] when the actor may not, it is deleted, the session is closed or has too many.
    pub fn admit_pin(
        &self,
        message: &Message,
        on: bool,
        facts: &PinFacts,
        now: Time,
        limits: &Limits,
    ) -> Result<(), Denied> {
        if message.deleted_at.is_some() {
            return Err(Denied::NotFound);
        }
        self.writable(now)?;
        let public = self.main && self.kind.is_open();
        may(self.role, if public { Action::PinInOpen } else { Action::Talk })?;
        if on && !facts.pinned && facts.count >= limits.pins_max {
            return Err(Denied::Conflict("the session has too many pins"));
        }
        Ok(())
    }
}
