//! Going on with a file, at its end.

use std::sync::Arc;

use parlor_blobs::Partial;
use parlor_domain::{Denied, File, FileId};
use parlor_store::files::Upload;
use tokio_util::sync::CancellationToken;

use super::turn::Turn;
use super::{signed, unsigned};
use crate::{Actor, App, Error};

/// An upload that somebody is writing. Dropped in the middle, what has come is put away all the
/// same, so that it can go on from there.
pub struct Writing {
    app: Arc<App>,
    actor: Actor,
    upload: Upload,
    rules: Rules,
    open: Option<Open>,
}

/// How a piece of a file is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Rules {
    /// Nothing counts before all of it is known to be right.
    checked: bool,
    /// The upload is given up when the piece is cut.
    at_once: bool,
}

/// The upload's end, open.
struct Open {
    partial: Box<dyn Partial>,
    turn: Turn,
    /// Bytes that are written in all.
    written: u64,
    /// Bytes that were durable when it was last asked.
    synced: u64,
}

/// What a piece of a file has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// There is more to come.
    Part(Upload),
    /// That was the end.
    Whole(File),
}

impl App {
    /// Where an upload is. Whoever is writing it has to end first.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn upload(&self, actor: &Actor, id: FileId) -> Result<Upload, Error> {
        if self.store.upload(actor.user, id).await?.is_none() {
            return Err(Denied::NotFound.into());
        }
        if !self.turns.settle(id).await {
            return Err(Error::Busy);
        }
        Ok(self.store.upload(actor.user, id).await?.ok_or(Denied::NotFound)?)
    }

    /// Goes on with an upload of which `at` bytes are here. When it is `checked`, nothing counts
    /// before [`Writing::end`].
    ///
    /// # Errors
    /// [`Denied::NotFound`]; [`Denied::Conflict`] when it is somewhere else.
    pub async fn write_upload(
        self: &Arc<Self>,
        actor: &Actor,
        id: FileId,
        at: u64,
        checked: bool,
    ) -> Result<Writing, Error> {
        self.admit(actor)?;
        let upload = self.upload(actor, id).await?;
        self.open_upload(actor, upload, at, Rules { checked, at_once: false }).await
    }

    /// Takes an upload that comes in one request from its beginning.
    ///
    /// # Errors
    /// [`Error`] when something fails.
    pub async fn write_at_once(
        self: &Arc<Self>,
        actor: &Actor,
        upload: Upload,
    ) -> Result<Writing, Error> {
        self.open_upload(actor, upload, 0, Rules { checked: false, at_once: true }).await
    }

    async fn open_upload(
        self: &Arc<Self>,
        actor: &Actor,
        upload: Upload,
        at: u64,
        rules: Rules,
    ) -> Result<Writing, Error> {
        const ELSEWHERE: Denied = Denied::Conflict("the file is at another place: ask where");
        if at != unsigned(upload.received) {
            return Err(ELSEWHERE.into());
        }
        let turn = self.turns.take(upload.id).ok_or(Error::Busy)?;
        let expires = self.upload_expires(self.clock.now());
        let taken = self.store.take_turn(actor.user, upload.id, expires).await?;
        let upload = taken.ok_or(Denied::NotFound)?;
        if at != unsigned(upload.received) {
            return Err(ELSEWHERE.into());
        }
        let count = unsigned(upload.turn);
        let partial = self.blobs.resume(upload.id.0, at, count).await?;
        let open = Some(Open { partial, turn, written: at, synced: at });
        Ok(Writing { app: Arc::clone(self), actor: *actor, upload, rules, open })
    }
}

impl Writing {
    /// Cancelled when the same file is gone on with elsewhere.
    pub fn over(&self) -> CancellationToken {
        self.open.as_ref().map(|open| open.turn.over()).unwrap_or_default()
    }

    /// Bytes that the file will have.
    pub fn length(&self) -> i64 {
        self.upload.length
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Denied::TooLong`] when they are more than there is to come.
    pub async fn take(&mut self, bytes: bytes::Bytes) -> Result<(), Error> {
        let (length, checked) = (unsigned(self.upload.length), self.rules.checked);
        let open = self.open.as_mut().ok_or(Error::Unavailable)?;
        if bytes.len() as u64 > length - open.written {
            return Err(Denied::TooLong { field: "upload", limit: length }.into());
        }
        open.written += bytes.len() as u64;
        if let Err(failed) = open.partial.write(bytes).await {
            // How much of it is there is not known: only what was synced before counts.
            self.open = None;
            return Err(failed.into());
        }
        if !checked && open.written - open.synced >= self.app.limits.upload_sync_bytes {
            self.save().await?;
        }
        Ok(())
    }

    /// Takes nothing back that counts, and nothing of what does not: what came was wrong.
    pub fn undo(mut self) {
        self.open = None;
    }

    /// That was all of the piece. What has come is durable when this returns, and a file when
    /// nothing is missing any more.
    ///
    /// # Errors
    /// What is wrong with the file; then it is given up.
    pub async fn end(mut self) -> Result<Written, Error> {
        self.save().await?;
        self.open = None;
        if self.upload.received < self.upload.length {
            if self.rules.at_once {
                self.app.give_up(&self.actor, self.upload.id).await?;
                return Err(Denied::invalid("upload", "it was announced to be longer").into());
            }
            return Ok(Written::Part(self.upload.clone()));
        }
        let finished = self.app.finish_upload(&self.actor, &self.upload).await;
        if let Err(Error::Denied(_)) = &finished {
            self.app.give_up(&self.actor, self.upload.id).await?;
        }
        finished.map(Written::Whole)
    }

    /// Makes durable what has come, and notes it.
    async fn save(&mut self) -> Result<(), Error> {
        let Some(open) = &mut self.open else { return Err(Error::Unavailable) };
        self.upload.received = save(&self.app, &self.upload, open).await?;
        Ok(())
    }
}

/// Makes durable what has come, and notes it.
async fn save(app: &App, upload: &Upload, open: &mut Open) -> Result<i64, Error> {
    open.synced = open.partial.sync().await?;
    let (received, expires) = (signed(open.synced), app.upload_expires(app.clock.now()));
    if app.store.advance(upload.id, upload.turn, received, expires).await? {
        return Ok(received);
    }
    Err(Denied::Conflict("the file is gone on with elsewhere").into())
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        let (app, upload, actor) = (Arc::clone(&self.app), self.upload.clone(), self.actor);
        let rules = self.rules;
        self.app.tasks.spawn(async move {
            let done = if rules.at_once {
                drop(open);
                app.give_up(&actor, upload.id).await
            } else if rules.checked {
                Ok(())
            } else {
                save(&app, &upload, &mut open).await.map(drop)
            };
            if let Err(error) = done {
                tracing::debug!(%error, "did not put away the rest of an upload");
            }
        });
    }
}
