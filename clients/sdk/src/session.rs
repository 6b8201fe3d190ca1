//! One session: reading it, and saying something in it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cache::Thing;
use crate::outbox::{self, Draft, Sending};
use crate::room::{Ending, Member};
use crate::{Client, Error, FileInfo, Message, Session, load};

/// A page of messages.
#[derive(Debug, Clone)]
pub struct Page {
    /// Ascending by number.
    pub messages: Vec<Message>,
    /// Whether there are earlier ones.
    pub more_before: bool,
    /// Whether there are later ones.
    pub more_after: bool,
}

/// A session, to talk in.
#[derive(Clone)]
pub struct SessionHandle {
    client: Client,
    id: String,
}

impl SessionHandle {
    pub(crate) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] when one is not in it.
    pub fn info(&self) -> Result<Session, Error> {
        self.client.0.cache.thing(Thing::Session, &self.id)?.ok_or(Error::NotFound)
    }

    /// What is kept of it: the newest messages before a number, ascending. The server is not asked.
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn timeline(&self, before: Option<i64>, limit: usize) -> Result<Vec<Message>, Error> {
        self.client.0.cache.timeline(&self.id, before, limit)
    }

    /// A page from the server, before a number or the newest one.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn page_before(&self, before: Option<i64>, limit: usize) -> Result<Page, Error> {
        let before = before.map(|number| format!("before={number}&")).unwrap_or_default();
        self.page(&format!("{before}limit={limit}")).await
    }

    /// A page from the server, after a number.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn page_after(&self, after: i64, limit: usize) -> Result<Page, Error> {
        self.page(&format!("after={after}&limit={limit}")).await
    }

    /// A page from the server, around a number.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn page_around(&self, number: i64, limit: usize) -> Result<Page, Error> {
        self.page(&format!("around={number}&limit={limit}")).await
    }

    async fn page(&self, query: &str) -> Result<Page, Error> {
        let path = format!("/sessions/{}/messages?{query}", self.id);
        let (messages, more_before, more_after) = load::page(&self.client, &path).await?;
        Ok(Page { messages, more_before, more_after })
    }

    /// What the server has of the thread that a message began: the newest page of it. In an
    /// encrypted session the server does not know of threads; they are in [`Self::timeline`].
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn thread(&self, message_id: &str, limit: usize) -> Result<Page, Error> {
        let path = format!("/messages/{message_id}/thread?limit={limit}");
        let (messages, more_before, more_after) = load::page(&self.client, &path).await?;
        Ok(Page { messages, more_before, more_after })
    }

    /// Who is in it.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        let membership = load::members(&self.client, &self.id, true).await?;
        Ok(Arc::unwrap_or_clone(membership).members)
    }

    /// Who is in it, as far as it is known: the server is asked once, and again after somebody came
    /// or went.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn members_as_known(&self) -> Result<Vec<Member>, Error> {
        Ok(load::members(&self.client, &self.id, false).await?.members.clone())
    }

    /// Adds people: to the session, or to its room if it is the main one. Where it is encrypted,
    /// one signs first that they are let in, without which nobody would give them keys.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`] when one is not in it oneself,
    /// [`Error::NoEncryption`], [`Error::Encryption`] when this device is not signed.
    pub async fn add_members(&self, user_ids: &[String]) -> Result<(), Error> {
        let session = self.info()?;
        if self.client.settings_of(&session).await?.is_some() {
            self.client.encryption()?.let_in_before(&self.id, user_ids).await?;
        }
        let path = match session.main {
            true => format!("/rooms/{}/members", session.room_id),
            false => format!("/sessions/{}/members", self.id),
        };
        let body = json!({ "users": user_ids });
        self.client.done("POST", &path, Some(&body)).await?;
        load::members(&self.client, &self.id, true).await.map(drop)
    }

    /// Takes somebody out. What is said from now on in an encrypted session, they cannot open.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn remove_member(&self, user_id: &str) -> Result<(), Error> {
        let path = format!("/sessions/{}/members/{user_id}", self.id);
        self.client.done("DELETE", &path, None).await?;
        load::members(&self.client, &self.id, true).await.map(drop)
    }

    /// Says something: it is written down when this returns, and is sent once, also when the
    /// program is killed and started again.
    ///
    /// # Errors
    /// [`Error::Cache`] when it could not be written down.
    pub fn send(&self, draft: Draft) -> Result<Sending, Error> {
        outbox::hand_over(&self.client, draft.in_session(&self.id))
    }

    /// Says a text; see [`Self::send`].
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn say(&self, body: impl Into<String>) -> Result<Sending, Error> {
        self.send(Draft::text(body))
    }

    /// Answers a message; see [`Self::send`].
    ///
    /// # Errors
    /// [`Error::Cache`].
    pub fn reply(
        &self,
        message_id: impl Into<String>,
        body: impl Into<String>,
    ) -> Result<Sending, Error> {
        self.send(Draft::text(body).answering(message_id))
    }

    /// Rewords a message of one's own.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Encryption`].
    pub async fn edit(&self, message_id: &str, body: &str) -> Result<(), Error> {
        let settings = self.client.settings_of(&self.info()?).await?;
        let said: Value = match settings {
            Some(settings) => {
                outbox::reword_sealed(&self.client, &self.id, &settings, message_id, body).await?
            }
            None => {
                let path = format!("/messages/{message_id}");
                self.client.call("PATCH", &path, Some(&json!({ "content": body }))).await?
            }
        };
        drop(said);
        Ok(())
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn delete(&self, message_id: &str) -> Result<(), Error> {
        self.client.done("DELETE", &format!("/messages/{message_id}"), None).await
    }

    /// Says how many seconds messages live that are sent from now on, up to a year; 0: for ever.
    ///
    /// # Errors
    /// [`Error::Refused`] when one may not, or it is no such time.
    pub async fn set_message_ttl_s(&self, seconds: i64) -> Result<(), Error> {
        let body = json!({ "message_ttl_s": seconds });
        self.client.done("PATCH", &format!("/sessions/{}", self.id), Some(&body)).await
    }

    /// Says when the session ends by itself; none: it does not.
    ///
    /// # Errors
    /// [`Error::Refused`] when one may not, it is a room's main session, or it is no such time.
    pub async fn set_end(&self, end: Option<&Ending>) -> Result<(), Error> {
        let body = json!({ "end": Ending::asked(end) });
        self.client.done("PATCH", &format!("/sessions/{}", self.id), Some(&body)).await
    }

    /// Reacts to a message, or does so no more. In an encrypted session the server does not learn
    /// by what.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Encryption`].
    pub async fn react(&self, message_id: &str, emoji: &str, on: bool) -> Result<(), Error> {
        if self.client.settings_of(&self.info()?).await?.is_some() {
            let draft = Draft::reaction(message_id, emoji, on);
            return self.send(draft)?.delivered().await.map(drop);
        }
        let method = if on { "PUT" } else { "DELETE" };
        let path = format!("/messages/{message_id}/reactions/{}", percent(emoji));
        self.client.done(method, &path, None).await
    }

    /// Has read everything up to a number.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn read(&self, number: i64) -> Result<(), Error> {
        let path = format!("/sessions/{}/read", self.id);
        self.client.done("PUT", &path, Some(&json!({ "number": number }))).await
    }

    /// How much is unread, by the server's count.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn unread(&self) -> Result<i64, Error> {
        let said: Value = self.client.call("GET", &format!("/sessions/{}", self.id), None).await?;
        let session = Session::read(&said)?;
        self.client.0.cache.keep_thing(Thing::Session, &session.id, &session)?;
        Ok(session.unread)
    }

    /// Is writing. To be repeated every few seconds; lost when there is no connection.
    pub fn typing(&self) {
        let command = json!({"type": "typing", "session_id": self.id});
        let _ = self.client.0.commands.try_send(command);
    }

    /// Uploads a file, sealed if the session is encrypted, to go with a [`Draft`].
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unreachable`].
    pub async fn upload(
        &self,
        name: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<FileInfo, Error> {
        let sealed = self.client.settings_of(&self.info()?).await?.is_some();
        crate::files::upload(&self.client, name, media_type, bytes, sealed).await
    }

    /// Fetches a file of a message, and opens it if it is sealed.
    ///
    /// # Errors
    /// [`Error::Refused`], and [`Error::Malformed`] when it is not the file that was sent.
    pub async fn download(&self, file: &FileInfo) -> Result<Vec<u8>, Error> {
        crate::files::download(&self.client, file).await
    }
}

/// A text as a part of a path.
pub(crate) fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut path, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte));
            }
            // Writing to a string does not fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn what_is_no_letter_of_a_path_is_escaped() {
        assert_eq!(percent("a/b ?\u{1f44d}"), "a%2Fb%20%3F%F0%9F%91%8D");
    }
}
