//! The product's things in the wire's words, with what only a door knows: who is here now.

use parlor_domain as domain;
use parlor_wire::v1;

use crate::Doors;

impl Doors {
    fn is_online(&self, user: &domain::User) -> bool {
        user.show_last_seen && self.app.hub().is_online(user.id)
    }

    pub(crate) fn user(&self, user: &domain::User) -> v1::User {
        v1::User { online: self.is_online(user), ..user.into() }
    }

    pub(crate) fn users(&self, users: &[domain::User]) -> Vec<v1::User> {
        users.iter().map(|user| self.user(user)).collect()
    }

    pub(crate) fn me(&self, me: &domain::Profile) -> v1::Me {
        v1::Me { user: Some(self.user(&me.user)), ..me.into() }
    }

    pub(crate) fn room(&self, room: &domain::Room) -> v1::Room {
        v1::Room { people: self.users(&room.people), ..room.into() }
    }

    pub(crate) fn rooms(&self, rooms: &[domain::Room]) -> Vec<v1::Room> {
        rooms.iter().map(|room| self.room(room)).collect()
    }

    pub(crate) fn members(&self, members: &[domain::Member]) -> Vec<v1::Member> {
        let wire = |member: &domain::Member| v1::Member {
            user: Some(self.user(&member.user)),
            ..member.into()
        };
        members.iter().map(wire).collect()
    }

    pub(crate) fn bans(&self, bans: &[domain::Ban]) -> Vec<v1::Ban> {
        let wire = |ban: &domain::Ban| v1::Ban { user: Some(self.user(&ban.user)), ..ban.into() };
        bans.iter().map(wire).collect()
    }
}
