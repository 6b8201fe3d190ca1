//! Opening a session.

use parlor_domain::permission::{Action, may};
use parlor_domain::{
    ClientId, Denied, RoomFacts, RoomId, Session, SessionId, UserId, name, session,
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
        let mut people = asked.members;
        people.sort_unstable();
        people.dedup();
        people.retain(|user| *user != actor.user);
        if people.len() as u64 > self.limits.members_added_max {
            return Err(Denied::invalid("members", "too many people").into());
        }
        let key = asked.key.map(|key| {
            let ids = digest::ids(people.iter().map(|user| user.0));
            let parts: [&[u8]; 3] = [asked.room.0.as_bytes(), name.as_bytes(), &ids];
            (key, self.digests.of("create session", &parts))
        });
        let (asked_for, open_max) = (people.len(), self.limits.sessions_per_room_max);
        let new = NewSession {
            id: SessionId(new_id(now)),
            room: asked.room,
            name,
            creator: actor.user,
            people,
            key,
        };
        let decide = Box::new(move |facts: &_, open| admit_open(facts, open, asked_for, open_max));
        Ok(self.store.create_session(new, now, decide).await?)
    }
}

fn admit_open(
    facts: &RoomFacts,
    open: u64,
    asked_for: usize,
    open_max: u64,
) -> Result<Vec<UserId>, Denied> {
    let outside = if facts.room.kind.is_open() && !facts.actor.banned {
        Denied::Forbidden("join the room first")
    } else {
        Denied::NotFound
    };
    may(facts.actor.role.ok_or(outside)?, Action::Talk)?;
    if facts.people.len() != asked_for {
        return Err(Denied::NotFound);
    }
    if open >= open_max {
        return Err(Denied::Conflict("the room has too many sessions"));
    }
    let archived = facts.room.archived_at.is_some();
    session::open(archived, facts.actor.user, &facts.people)
}
