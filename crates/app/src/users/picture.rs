//! What people look like: a small square, drawn of the picture that they send.

use std::io::Cursor;

use bytes::Bytes;
use parlor_domain::{Denied, FileId, Profile};
use parlor_store::files::NewPicture;

use crate::clock::new_id;
use crate::{Actor, App, Error};

impl App {
    /// Gives the actor a picture: the middle of the one that is sent. What else was in that is not
    /// kept.
    ///
    /// # Errors
    /// [`Denied::Empty`], [`Denied::TooLong`]; [`Denied::Invalid`] when it is no picture, or cannot
    /// be drawn; [`Denied::NoRoom`].
    pub async fn set_picture(&self, actor: &Actor, bytes: Bytes) -> Result<Profile, Error> {
        let now = self.admit(actor)?;
        let limit = self.limits.picture_bytes_max;
        if bytes.is_empty() {
            return Err(Denied::Empty("the picture").into());
        }
        if bytes.len() as u64 > limit {
            return Err(Denied::TooLong { field: "picture", limit }.into());
        }
        let kind = parlor_media::kind(&bytes).1;
        let kind = kind.ok_or(Denied::invalid("picture", "it is no JPEG, PNG, GIF or WebP"))?;
        let side = u32::try_from(self.limits.picture_pixels).unwrap_or(u32::MAX).max(1);
        let square = self
            .draw(move |limits| parlor_media::squared(kind, Cursor::new(bytes), side, limits))
            .await?;
        let set = |blob| {
            let new = NewPicture {
                id: FileId(new_id(now)),
                blob,
                media_type: square.media_type.to_owned(),
                side: i64::from(side),
            };
            self.store.set_picture(actor.user, Some(new), self.room_for_files(), now)
        };
        let profile = self.keep_made(&square.bytes, set).await?;
        self.changed_looks(actor).await;
        Ok(profile)
    }

    /// Takes the actor's picture away.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn remove_picture(&self, actor: &Actor) -> Result<(), Error> {
        let now = self.admit(actor)?;
        if self.profile(actor).await?.user.picture.is_some() {
            self.store.set_picture(actor.user, None, self.room_for_files(), now).await?;
            self.changed_looks(actor).await;
        }
        Ok(())
    }

    /// The one before is gone from the disk, and nobody here remembers it.
    async fn changed_looks(&self, actor: &Actor) {
        self.people.forget(actor.user);
        self.sweep_now().await;
    }
}
