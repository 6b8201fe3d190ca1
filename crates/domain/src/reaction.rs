//! Reacting to a message by an emoji: what is told of it, and who may.

use crate::permission::{Action, may};
use crate::{Denied, Limits, Message, Time, UserId, View};

/// How people react to a message by one emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// How many do.
    pub count: i64,
    /// Those who did first, up to [`Reaction::SHOWN`] of them, in order.
    pub users: Vec<UserId>,
    /// Whether the reader does; false where nobody in particular reads.
    pub mine: bool,
}

impl Reaction {
    /// People who are named with a reaction, at most.
    pub const SHOWN: usize = 20;
}

/// What is known when a reaction is decided about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReactionFacts {
    /// Whether the actor reacts by this emoji already.
    pub mine: bool,
    /// Whether anybody does.
    pub there: bool,
    /// By how many different emoji people react to the message.
    pub different: u64,
    /// By how many of them the actor does.
    pub own: u64,
}

impl View {
    /// Decides about reacting to a message by an emoji, or no more (`on` is false).
    ///
    /// # Errors
    /// [`Denied`] when it is deleted, the session is closed or encrypted, or there are too many
    /// already.
    pub fn admit_reaction(
        &self,
        message: &Message,
        on: bool,
        facts: &ReactionFacts,
        now: Time,
        limits: &Limits,
    ) -> Result<(), Denied> {
        if message.deleted_at.is_some() {
            return Err(Denied::NotFound);
        }
        self.writable(now)?;
        self.admit_plain()?;
        may(self.role, Action::Talk)?;
        if !on || facts.mine {
            return Ok(());
        }
        if facts.own >= limits.reactions_own_max {
            return Err(Denied::invalid("emoji", "you react to this by too many already"));
        }
        if !facts.there && facts.different >= limits.reactions_max {
            return Err(Denied::invalid("emoji", "there are too many different ones already"));
        }
        Ok(())
    }
}
