//! Opening a session.

use parlor_domain::ending::AskedEnding;
use parlor_domain::{
    ClientId, Denied, Encryption, Ending, RoomFacts, RoomId, Session, SessionId, Ttl, UserId, name,
    session,
};
use parlor_store::sessions::NewSession;

use crate::clock::new_id;
use crate::{Actor, App, Changed, Error, digest};

/// What somebody who opens a session says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSession {
    /// The room.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Who is to be in it, beside the actor.
    pub members: Vec<UserId>,
    /// How it is encrypted, for good; `None`: not.
    pub encryption: Option<Encryption>,
    /// How many seconds messages live in it; 0: for ever; `None`: as the room lays down.
    pub message_ttl_s: Option<i64>,
    /// When it ends by itself; nothing in it: it does not.
    pub end: AskedEnding,
    /// The request's own id, by which repeating it opens nothing new.
    pub key: Option<ClientId>,
}

impl App {
    /// Opens a session in a room that the actor is in.
    ///
    /// # Errors
    /// [`Denied`] when the room cannot be seen or is archived, somebody named is not in it, or it
    /// has too many sessions; [`Error::IdempotencyConflict`].
    pub async fn create_session(
        &self,
        actor: &Actor,
        asked: CreateSession,
    ) -> Result<Changed<Session>, Error> {
        let now = self.admit(actor)?;
        let name = name::line("name", &asked.name, &self.limits)?;
        let (room, mut people) = (asked.room, asked.members);
        people.sort_unstable();
        people.dedup();
        people.retain(|user| *user != actor.user);
        if people.len() as u64 > self.limits.members_added_max {
            return Err(Denied::invalid("members", "too many people").into());
        }
        let encryption = asked.encryption;
        if encryption.is_some() {
            self.admit_crowd(actor, &people).await?;
        }
        let message_ttl = asked.message_ttl_s.map(|s| Ttl::setting(s, &self.limits)).transpose()?;
        let ending = Ending::read(asked.end, now, &self.limits)?;
        let key = asked.key.map(|key| {
            let ids = digest::ids(people.iter().map(|user| user.0));
            let how = digest::encryption(encryption);
            let lives =
                asked.message_ttl_s.map_or(0, |s| if s == 0 { -1 } else { s }).to_be_bytes();
            let ends = digest::ending(asked.end);
            let parts: [&[u8]; 6] = [room.0.as_bytes(), name.as_bytes(), &ids, &how, &lives, &ends];
            // What asks for no more than it could before has the digest that it had then.
            let parts = match (ending, message_ttl, encryption) {
                (None, None, None) => &parts[..3],
                (None, None, Some(_)) => &parts[..4],
                (None, Some(_), _) => &parts[..5],
                (Some(_), ..) => &parts[..],
            };
            (key, self.digests.of("create session", parts))
        });
        let (asked, limits) = (people.len(), self.limits);
        let id = SessionId(new_id(now));
        let creator = actor.user;
        let new =
            NewSession { id, room, name, creator, people, encryption, message_ttl, ending, key };
        let decide =
            Box::new(move |facts: &RoomFacts, open| session::open(facts, open, asked, &limits));
        Ok(self.store.create_session(new, now, decide).await?)
    }
}
