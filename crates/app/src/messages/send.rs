//! Path 3/8: the use case of saying something. It asks the domain, `domain/src/message.rs`
//! (4/8), and hands the draft to the store, `store/src/sqlite/messages.rs` (5/8).

use std::sync::Arc;

use parlor_domain::saying::SendMessage;
use parlor_domain::{Denied, Draft, MessageId};
use parlor_store::messages::Appending;
use parlor_store::{Posted, StoreError};

use crate::clock::new_id;
use crate::digest::ids;
use crate::{Actor, App, Error};

/// How often a send is decided anew because the access list changed under it.
const DECISIONS_MAX: usize = 8;

/// A message that waits for its commit.
pub struct Pending {
    app: Arc<App>,
    state: State,
}

enum State {
    Appending(Appending),
    /// An earlier send with this id had done it.
    Done(Posted),
}

impl App {
    /// Says something. Returns when the message has its place in the queue, so that messages sent
    /// one after the other are stored in that order; [`Pending::done`] answers when it is durable.
    ///
    /// # Errors
    /// What the domain says, except that a repeated send is answered with the first result,
    /// whatever has happened since; [`Error::IdempotencyConflict`] when its id was used for
    /// something else.
    pub async fn send(self: &Arc<Self>, actor: &Actor, cmd: SendMessage) -> Result<Pending, Error> {
        let (client_id, digest) = (cmd.client_id, self.send_digest(&cmd));
        let state = match self.admit_send(actor, cmd, digest).await {
            Ok(draft) => State::Appending(self.store.append(draft).await?),
            Err(denied) => match self.store.receipt(actor.user, client_id).await? {
                Some(first) if first.digest == digest => State::Done(first.posted),
                Some(_) => return Err(Error::IdempotencyConflict),
                None => return Err(denied),
            },
        };
        Ok(Pending { app: Arc::clone(self), state })
    }

    async fn admit_send(
        &self,
        actor: &Actor,
        cmd: SendMessage,
        digest: [u8; 16],
    ) -> Result<Draft, Error> {
        let mut view = self.view(actor, cmd.session).await?;
        if cmd.encrypted_for.is_some_and(|version| version != view.membership_version) {
            // The sender may know more than we remember.
            view = self.fresh_view(actor.user, cmd.session).await?;
        }
        let cmd = self.with_files(actor, cmd).await?;
        let cmd = self.looked_up(actor, cmd).await?;
        let now = self.clock.now();
        let id = MessageId(new_id(now));
        let draft = view.admit_post(cmd, id, digest, now, &self.limits)?;
        self.rates.messages.take(actor.user, now)?;
        self.rates.room_messages.take(view.room, now)?;
        Ok(draft)
    }

    fn send_digest(&self, cmd: &SendMessage) -> [u8; 16] {
        let reply_to = cmd.reply_to.map(|id| id.0.into_bytes());
        let reply_to = reply_to.as_ref().map_or(&[][..], |id| &id[..]);
        let session = cmd.session.0.as_bytes();
        let file = cmd.file.as_deref().unwrap_or_default().as_bytes();
        let files = ids(cmd.files.iter().map(|id| id.0));
        let [thread, forward] = [cmd.thread, cmd.forward].map(|id| ids(id.map(|id| id.0)));
        let encrypted = if cmd.encrypted_for.is_some() { &b"encrypted"[..] } else { &[] };
        // What is encrypted is another text each time that it is: the id alone says that it is one.
        let content = if encrypted.is_empty() { cmd.content.as_bytes() } else { &[] };
        let ttl = cmd.ttl_s.map_or_else(Vec::new, |seconds| seconds.to_be_bytes().to_vec());
        let parts = [session, reply_to, content, file, &files, &thread, &forward, encrypted, &ttl];
        // What has less has the digest that it had before there was more: an older send is known.
        let there = |part: &&[u8]| !part.is_empty();
        let count = match parts[4..].iter().rposition(there) {
            None => 4,
            Some(..=3) => 8,
            Some(_) => parts.len(),
        };
        self.digests.of("message", &parts[..count])
    }
}

impl Pending {
    /// Waits until the message is durable.
    ///
    /// # Errors
    /// As [`App::send`]: somebody who was sent away meanwhile is refused here.
    pub async fn done(self) -> Result<Posted, Error> {
        let mut appending = match self.state {
            State::Done(posted) => return Ok(posted),
            State::Appending(appending) => appending,
        };
        for _ in 0..DECISIONS_MAX {
            let draft = match appending.await.map_err(|_| StoreError::Closed)? {
                Err(StoreError::Stale(draft)) => *draft,
                other => return Ok(other?),
            };
            let view = self.app.fresh_view(draft.sender, draft.session).await?;
            let draft = view.admit_again(draft, &self.app.limits)?;
            appending = self.app.store.append(draft).await?;
        }
        Err(Denied::Conflict("the session changes too fast").into())
    }
}
