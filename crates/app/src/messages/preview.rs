//! What is behind the links of messages. When one is stored here that has any, a job is asked for;
//! whichever node does it fetches each page, and a picture of it, and puts them with the message.
//! A page that cannot be had has no preview, and is not asked for again.

use std::future::ready;
use std::io::Cursor;
use std::sync::Arc;

use parlor_domain::link::{authority, has_link, links};
use parlor_domain::{Event, EventKind, Extras, FileId, Message, MessageId, Preview, View};
use parlor_egress::{Egress, Want};
use parlor_media::{Lengths, Page, Refused};
use parlor_store::StoreError;
use parlor_store::files::Blob;
use parlor_store::jobs::Kind;
use parlor_store::previews::{Brought, NewPreview};
use uuid::Uuid;

use crate::{Actor, App, Error};

/// Types of pages.
const PAGES: &[&str] = &["text/html", "application/xhtml+xml"];

/// Types of pictures; what it is, its content says.
const PICTURES: &[&str] = &["image/jpeg", "image/png", "image/webp", "image/gif"];

impl App {
    /// Asks for what is behind the links of messages that were just stored. Of others nothing is
    /// done.
    pub(crate) fn see_links(self: &Arc<Self>, events: &[Event]) {
        if self.egress.is_none() {
            return;
        }
        for event in events {
            let (EventKind::Posted(message) | EventKind::Edited(message)) = &event.kind else {
                continue;
            };
            let shown = message.extras.as_ref().is_some_and(|e| e.has(Extras::PREVIEWS));
            if !shown && (message.is_encrypted() || !has_link(&message.content)) {
                continue;
            }
            let (app, id) = (Arc::clone(self), message.id);
            self.tasks.spawn(async move {
                if let Err(error) = app.ask_job(Kind::Preview, id.0).await {
                    tracing::warn!(%error, "failed to ask for previews of a message");
                }
            });
        }
    }

    /// Takes the previews off a message for good.
    ///
    /// # Errors
    /// [`Denied`](parlor_domain::Denied): not found, or not theirs to change.
    pub async fn drop_previews(&self, actor: &Actor, message: MessageId) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(|view: &View, message: &Message| view.admit_bare(message));
        self.store.drop_previews(actor.user, message, now, decide).await?;
        self.sweep_now().await;
        Ok(())
    }

    /// Puts what is behind a message's links with it. Done twice it is the same as done once.
    pub(crate) async fn preview(&self, message: Uuid) -> Result<(), Error> {
        let (Some(egress), id) = (&self.egress, MessageId(message)) else { return Ok(()) };
        let Some(linked) = self.store.linked(id).await? else { return Ok(()) };
        let max = usize::try_from(self.limits.preview_links_max).unwrap_or(usize::MAX);
        let mut previews = Vec::new();
        for link in links(&linked.content, max) {
            // What is here, one may see or not: the server sees all of it.
            if !self.is_ours(link)
                && let Some(preview) = self.look_behind(egress, id, link).await?
            {
                previews.push(preview);
            }
        }
        let brought = self.store.bring_previews(id, linked.content, previews, self.clock.now());
        match brought.await {
            Ok(Brought::Told | Brought::Unwanted) => {
                self.sweep_now().await;
                Ok(())
            }
            // It is tried again a moment later.
            Ok(Brought::Reworded) | Err(StoreError::Denied(_)) => Err(Error::Busy),
            Err(error) => Err(error.into()),
        }
    }

    fn is_ours(&self, link: &str) -> bool {
        authority(link).eq_ignore_ascii_case(authority(&self.settings.public_url))
    }

    /// What is behind a link; nothing when it cannot be had, or does not say what it is.
    async fn look_behind(
        &self,
        egress: &Egress,
        message: MessageId,
        link: &str,
    ) -> Result<Option<NewPreview>, Error> {
        let want = Want { types: PAGES, bytes_max: self.limits.preview_bytes_max, beginning: true };
        let fetched = match egress.get(link, &want).await {
            Ok(fetched) => fetched,
            Err(error) => {
                tracing::debug!(%error, "a link has no preview");
                return Ok(None);
            }
        };
        let lengths = self.preview_lengths();
        let read = move || {
            parlor_media::page(&fetched.bytes, &fetched.content_type, &fetched.url, &lengths)
        };
        let Some(page) = blocking(read).await? else { return Ok(None) };
        let Page { title, description, site, image } = page;
        let image = match image {
            Some(url) => self.picture_of(egress, &url).await?,
            None => None,
        };
        let id = image.map(|image| image_id(message, link, image));
        let preview = Preview { url: link.to_owned(), title, description, site, image: id };
        Ok(Some(NewPreview { preview, image }))
    }

    /// A small copy of a picture that is elsewhere, so that no reader asks there for it.
    async fn picture_of(&self, egress: &Egress, url: &str) -> Result<Option<Blob>, Error> {
        let bytes_max = self.limits.preview_image_bytes_max;
        let want = Want { types: PICTURES, bytes_max, beginning: false };
        let fetched = match egress.get(url, &want).await {
            Ok(fetched) => fetched,
            Err(error) => {
                tracing::debug!(%error, "a preview has no picture");
                return Ok(None);
            }
        };
        let side = u32::try_from(self.limits.thumbnail_pixels_max).unwrap_or(u32::MAX);
        let drawn = self.draw(move |limits| {
            let kind = parlor_media::kind(&fetched.bytes).1.ok_or(Refused::Damaged)?;
            parlor_media::fitted(kind, Cursor::new(fetched.bytes), side, limits)
        });
        match drawn.await {
            // Each preview that is told of it refers to it; until then it is nobody's.
            Ok(small) => self.keep_made(&small.bytes, |blob| ready(Ok(blob))).await.map(Some),
            Err(Error::Denied(denied)) => {
                tracing::debug!(%denied, "a picture of a preview cannot be drawn");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn preview_lengths(&self) -> Lengths {
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Lengths {
            title: size(self.limits.preview_title_chars_max),
            description: size(self.limits.preview_description_chars_max),
            site: size(self.limits.preview_site_chars_max),
            url: size(self.limits.egress_url_bytes_max),
        }
    }
}

/// Names the picture of a preview, always in the same way, so that the same preview is the same.
fn image_id(message: MessageId, link: &str, image: Blob) -> FileId {
    let mut hasher = blake3::Hasher::new_derive_key("parlor the picture of a preview");
    hasher.update(message.0.as_bytes()).update(&image.hash).update(link.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    FileId(uuid::Builder::from_custom_bytes(id).into_uuid())
}

/// Does what takes a while where nobody waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|panic| Error::Internal(panic.to_string()))
}
