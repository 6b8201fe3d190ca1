//! Threads: read, followed, and marked as read.

use parlor_bus::Word;
use parlor_domain::{Denied, DeviceId, MessageId, UserId};
use parlor_store::messages::{MessagePage, Page};
use parlor_store::threads::Followed;
use parlor_wire::frame::Frame;
use parlor_wire::v1;

use crate::{Actor, App, Error};

impl App {
    /// A page of what was said in the thread of a message.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn thread(
        &self,
        actor: &Actor,
        root: MessageId,
        page: Page,
        limit: u64,
    ) -> Result<MessagePage, Error> {
        let found = self.store.thread(actor.user, root, page, limit).await?;
        Ok(found.ok_or(Denied::NotFound)?)
    }

    /// Moves the actor's marker in a thread forward, and tells their other devices.
    ///
    /// # Errors
    /// [`Denied`]: not found, or a negative number.
    pub async fn read_thread(
        &self,
        actor: &Actor,
        root: MessageId,
        number: i64,
    ) -> Result<(), Error> {
        if number < 0 {
            return Err(Denied::invalid("number", "must not be negative").into());
        }
        self.admit(actor)?;
        let marker = self.store.mark_thread(actor.user, root, number).await?;
        self.tell_thread_read(actor.user, actor.device, root, marker);
        self.bus.say(Word::ThreadRead(actor.user, actor.device, root, marker));
        Ok(())
    }

    /// Tells the devices of a user that are connected here of a marker in a thread.
    pub(crate) fn tell_thread_read(
        &self,
        user: UserId,
        device: DeviceId,
        root: MessageId,
        number: i64,
    ) {
        let read = v1::ThreadRead { message_id: root.to_string(), number };
        self.hub.murmur_to(user, device, Frame::ThreadRead(read));
    }

    /// Follows the thread of a message, or no more.
    ///
    /// # Errors
    /// [`Denied`]: not found, or a message that begins none.
    pub async fn follow(&self, actor: &Actor, root: MessageId, on: bool) -> Result<(), Error> {
        self.admit(actor)?;
        Ok(self.store.follow(actor.user, root, on).await?)
    }

    /// The threads that the actor follows, where something was said last first.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn threads(
        &self,
        actor: &Actor,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Followed>, Error> {
        Ok(self.store.followed(actor.user, before, limit).await?)
    }
}
