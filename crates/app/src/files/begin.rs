//! Beginning to send a file.

use std::time::Duration;

use parlor_domain::{FileId, Time, file};
use parlor_store::files::{NewUpload, Room, Upload};

use super::signed;
use crate::clock::new_id;
use crate::{Actor, App, Error};

/// What is said of a file before it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewFile {
    /// Bytes that it will have.
    pub length: u64,
    /// What its sender calls it.
    pub name: String,
    /// Whether only its readers can tell what it is: then nobody looks into it here.
    pub encrypted: bool,
    /// SHA-256 of all of it, if its sender wants it to be checked.
    pub sha256: Option<[u8; 32]>,
    /// Whether it comes in one request, and is given up when that is cut.
    pub at_once: bool,
}

impl App {
    /// Begins to take a file. Its length counts as its owner's from now on.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Empty`] or [`parlor_domain::Denied::TooLong`] of its length,
    /// [`parlor_domain::Denied::NoRoom`] when there is no room for it.
    pub async fn begin_upload(&self, actor: &Actor, asked: NewFile) -> Result<Upload, Error> {
        let now = self.admit(actor)?;
        file::admit(asked.length, asked.at_once, &self.limits)?;
        let new = NewUpload {
            id: FileId(new_id(now)),
            user: actor.user,
            length: signed(asked.length),
            name: file::name(&asked.name, &self.limits),
            encrypted: asked.encrypted,
            sha256: asked.sha256,
            expires: self.upload_expires(now),
        };
        Ok(self.store.begin_upload(new, self.room_for_files(), now).await?)
    }

    /// How much there may be.
    pub(crate) fn room_for_files(&self) -> Room {
        Room {
            user_bytes_max: signed(self.limits.user_files_bytes_max),
            all_bytes_max: signed(self.limits.all_files_bytes_max),
            uploads_max: signed(self.limits.uploads_max),
        }
    }

    /// When an upload is given up that does not grow from now on.
    pub(super) fn upload_expires(&self, now: Time) -> Time {
        now + Duration::from_secs(self.limits.upload_kept_s)
    }
}
