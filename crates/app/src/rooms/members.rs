//! Who is in a room.

use parlor_domain::{Denied, Member, Room, RoomId, UserId, encryption, room};
use parlor_store::e2ee::Crowd;

use crate::{Actor, App, Error};

impl App {
    /// The members of a room that the actor is in, by username after `after`.
    ///
    /// # Errors
    /// [`Denied`] when they cannot see the room or are not in it.
    pub async fn room_members(
        &self,
        actor: &Actor,
        room: RoomId,
        after: Option<String>,
        limit: u64,
    ) -> Result<Vec<Member>, Error> {
        self.joined(actor, room).await?;
        let members = self.store.room_members(actor.user, room, after, limit);
        Ok(members.await?.ok_or(Denied::NotFound)?)
    }

    /// Puts people into a room; those who are in it already stay.
    ///
    /// # Errors
    /// [`Denied`] when the actor may not, or somebody is unknown or banned.
    pub async fn add_to_room(
        &self,
        actor: &Actor,
        room: RoomId,
        people: Vec<UserId>,
    ) -> Result<Room, Error> {
        let now = self.admit(actor)?;
        let people = self.several(people)?;
        let (asked, limits) = (people.len(), self.limits);
        let devices = self.store.count_devices(Crowd::Room(room), people.clone()).await?;
        let decide = Box::new(move |facts: &_| {
            let changes = room::add(facts, asked)?;
            // Who is in it already needs no room.
            if !changes.is_empty() {
                encryption::admit_devices(devices, &limits)?;
            }
            Ok(changes)
        });
        let changed = self.store.change_room(actor.user, room, people, now, decide).await?;
        Ok(changed.ok_or(Denied::NotFound)?)
    }

    /// The people named in a request: each once, and not too many.
    pub(crate) fn several(&self, mut people: Vec<UserId>) -> Result<Vec<UserId>, Denied> {
        people.sort_unstable();
        people.dedup();
        if people.is_empty() {
            return Err(Denied::invalid("users", "names nobody"));
        }
        if people.len() as u64 > self.limits.members_added_max {
            return Err(Denied::invalid("users", "too many people"));
        }
        Ok(people)
    }
}
