//! What people have begun to write: kept, and told to their other devices.

use parlor_bus::Word;
use parlor_domain::{DeviceId, MessageId, SessionId, Unsent, UserId, View};
use parlor_wire::frame::Frame;

use crate::{Actor, App, Error};

/// What is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepDraft {
    /// Where it is to be said.
    pub session: SessionId,
    /// In which thread of it.
    pub thread: Option<MessageId>,
    /// The text so far; empty: none any more.
    pub content: String,
    /// The message that it is to answer.
    pub reply_to: Option<MessageId>,
}

impl App {
    /// Keeps what the actor has begun to write, in the place of what was there, and tells their
    /// other devices.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`]: not found, too long, a thread that is none, or too many.
    pub async fn keep_draft(&self, actor: &Actor, asked: KeepDraft) -> Result<(), Error> {
        let KeepDraft { session, thread, content, reply_to } = asked;
        let updated_at = self.admit(actor)?;
        let unsent = Unsent { session, thread, content, reply_to, updated_at };
        let limits = self.limits;
        let decide = Box::new(move |view: &View, unsent: &_| view.admit_unsent(unsent, &limits));
        let most = self.limits.drafts_max;
        self.store.keep_draft(actor.user, unsent.clone(), most, decide).await?;
        self.tell_draft(actor.user, actor.device, &unsent);
        self.bus.say(Word::Draft(actor.user, actor.device, unsent));
        Ok(())
    }

    /// Tells the devices of a user that are connected here what was begun on another one.
    pub(crate) fn tell_draft(&self, user: UserId, device: DeviceId, unsent: &Unsent) {
        self.hub.murmur_to(user, device, Frame::Draft(unsent.into()));
    }

    /// All that the actor has begun to write, the last one first.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn drafts(&self, actor: &Actor) -> Result<Vec<Unsent>, Error> {
        Ok(self.store.drafts(actor.user).await?)
    }
}
