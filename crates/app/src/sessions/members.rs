//! Who is in a session.

use parlor_domain::{
    Denied, Member, Session, SessionFacts, SessionId, UserId, encryption, session,
};
use parlor_store::e2ee::Crowd;

use crate::{Actor, App, Error};

impl App {
    /// The version of a session's membership, as it is now.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in it.
    pub async fn membership_version(
        &self,
        actor: &Actor,
        session: SessionId,
    ) -> Result<i64, Error> {
        Ok(self.fresh_view(actor.user, session).await?.membership_version)
    }

    /// The members of a session that the actor is in, by username after `after`.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not in it.
    pub async fn session_members(
        &self,
        actor: &Actor,
        session: SessionId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<Member>, Error> {
        let members = self.store.session_members(actor.user, session, after, limit);
        Ok(members.await?.ok_or(Denied::NotFound)?)
    }

    /// Puts members of the room into a session.
    ///
    /// # Errors
    /// [`Denied`] when the actor may not, or somebody is not in the room.
    pub async fn add_to_session(
        &self,
        actor: &Actor,
        session: SessionId,
        people: Vec<UserId>,
    ) -> Result<Session, Error> {
        let now = self.admit(actor)?;
        let people = self.several(people)?;
        let (asked, limits) = (people.len(), self.limits);
        let devices = self.store.count_devices(Crowd::Session(session), people.clone()).await?;
        let decide = Box::new(move |facts: &SessionFacts| {
            if facts.people.len() != asked {
                return Err(Denied::NotFound);
            }
            let changes = session::add(facts)?;
            // Who is in it already needs no room.
            if !changes.is_empty() {
                encryption::admit_devices(devices, &limits)?;
            }
            Ok(changes)
        });
        let changed = self.store.change_session(actor.user, session, people, now, decide).await?;
        Ok(changed.ok_or(Denied::NotFound)?)
    }

    /// Takes somebody, or the actor, out of a session.
    ///
    /// # Errors
    /// [`Denied`] when the actor may not, or they are not in it.
    pub async fn remove_from_session(
        &self,
        actor: &Actor,
        session: SessionId,
        user: UserId,
    ) -> Result<(), Error> {
        let now = self.admit(actor)?;
        let decide = Box::new(session::remove);
        self.store.change_session(actor.user, session, vec![user], now, decide).await?;
        Ok(())
    }
}
