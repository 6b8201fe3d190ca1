//! A store as anybody would write it down in an hour: vectors, no transactions, no storage. It is
//! the oracle for random operations. People, rooms, sessions and messages are indices here.

use parlor_domain::Role;

/// A room: whether anybody may join, its sessions, and its members in the order of joining.
pub(crate) struct Room {
    pub(crate) open: bool,
    pub(crate) main: usize,
    pub(crate) roles: Vec<(usize, Role)>,
}

/// A session: its members, and how many messages and events it has.
pub(crate) struct Session {
    pub(crate) room: usize,
    pub(crate) creator: usize,
    pub(crate) main: bool,
    pub(crate) members: Vec<usize>,
    pub(crate) numbers: i64,
    pub(crate) seqs: i64,
}

/// A message; without text when it is deleted.
pub(crate) struct Message {
    pub(crate) session: usize,
    pub(crate) number: i64,
    pub(crate) sender: usize,
    pub(crate) text: Option<String>,
}

/// Everything. Each change says whether it is allowed, and is carried out if so.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) rooms: Vec<Room>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) messages: Vec<Message>,
}

impl Model {
    pub(crate) fn create(&mut self, by: usize, open: bool) {
        let room = self.rooms.len();
        let main = self.push_session(room, by, true, vec![by]);
        self.rooms.push(Room { open, main, roles: vec![(by, Role::Owner)] });
    }

    pub(crate) fn join(&mut self, who: usize, room: usize) -> bool {
        if self.role(who, room).is_some() {
            return true;
        }
        if !self.rooms[room].open {
            return false;
        }
        let owned = self.rooms[room].roles.iter().any(|(_, role)| *role == Role::Owner);
        let role = if owned { Role::Member } else { Role::Owner };
        self.rooms[room].roles.push((who, role));
        self.enter(who, self.rooms[room].main);
        true
    }

    pub(crate) fn leave(&mut self, who: usize, room: usize) -> bool {
        let Some(role) = self.role(who, room) else {
            return false;
        };
        self.remove(who, room);
        let place = &mut self.rooms[room];
        let owned = place.roles.iter().any(|(_, role)| *role == Role::Owner);
        if role == Role::Owner
            && !owned
            && let Some(heir) = place.roles.first_mut()
        {
            heir.1 = Role::Owner;
            self.sessions[place.main].seqs += 1;
        }
        true
    }

    pub(crate) fn kick(&mut self, by: usize, whom: usize, room: usize) -> bool {
        if by == whom {
            return self.leave(by, room);
        }
        let allowed = match (self.role(by, room), self.role(whom, room)) {
            (Some(mine), Some(theirs)) => mine > theirs,
            _ => false,
        };
        if allowed {
            self.remove(whom, room);
        }
        allowed
    }

    pub(crate) fn open(&mut self, by: usize, room: usize, with: &[usize]) -> bool {
        let mut members = vec![by];
        members.extend(with.iter().copied().filter(|&who| who != by));
        if members.iter().any(|&who| self.role(who, room).is_none()) {
            return false;
        }
        members.dedup();
        self.push_session(room, by, false, members);
        true
    }

    pub(crate) fn add(&mut self, by: usize, whom: usize, session: usize) -> bool {
        let place = &self.sessions[session];
        let keeps_order = self.role(by, place.room) >= Some(Role::Moderator);
        let allowed = place.members.contains(&by)
            && !place.main
            && (place.creator == by || keeps_order)
            && self.role(whom, place.room).is_some();
        if allowed && !place.members.contains(&whom) {
            self.enter(whom, session);
        }
        allowed
    }

    pub(crate) fn post(&mut self, by: usize, session: usize, text: &str) -> bool {
        let place = &mut self.sessions[session];
        if !place.members.contains(&by) {
            return false;
        }
        place.numbers += 1;
        place.seqs += 1;
        let (number, text) = (place.numbers, Some(text.to_owned()));
        self.messages.push(Message { session, number, sender: by, text });
        true
    }

    pub(crate) fn edit(&mut self, by: usize, message: usize, text: &str) -> bool {
        let said = &mut self.messages[message];
        let place = &mut self.sessions[said.session];
        let allowed = place.members.contains(&by) && said.sender == by && said.text.is_some();
        if allowed {
            said.text = Some(text.to_owned());
            place.seqs += 1;
        }
        allowed
    }

    pub(crate) fn delete(&mut self, by: usize, message: usize) -> bool {
        let said = &self.messages[message];
        let place = &self.sessions[said.session];
        let keeps_order = self.role(by, place.room) >= Some(Role::Moderator);
        let allowed = place.members.contains(&by)
            && (said.sender == by || keeps_order)
            && said.text.is_some();
        if allowed {
            let session = said.session;
            self.messages[message].text = None;
            self.sessions[session].seqs += 1;
        }
        allowed
    }

    pub(crate) fn raze(&mut self, by: usize, room: usize) -> bool {
        let allowed = self.role(by, room) == Some(Role::Owner);
        if !allowed {
            return false;
        }
        self.rooms[room].open = false;
        self.rooms[room].roles.clear();
        for (index, session) in self.sessions.iter_mut().enumerate() {
            if session.room == room {
                session.members.clear();
                let said = self.messages.iter_mut().filter(|said| said.session == index);
                said.for_each(|said| said.text = None);
            }
        }
        true
    }

    /// The texts that somebody can see and that match, newest first.
    pub(crate) fn found(&self, who: usize, matches: impl Fn(&str) -> bool) -> Vec<String> {
        let seen = |said: &&Message| self.sessions[said.session].members.contains(&who);
        let seen = self.messages.iter().rev().filter(seen);
        seen.filter_map(|said| said.text.clone()).filter(|text| matches(text)).collect()
    }

    /// The texts of a session by number; a deleted message's is empty.
    pub(crate) fn texts(&self, session: usize) -> Vec<(i64, String)> {
        let of = self.messages.iter().filter(|message| message.session == session);
        of.map(|message| (message.number, message.text.clone().unwrap_or_default())).collect()
    }

    pub(crate) fn role(&self, who: usize, room: usize) -> Option<Role> {
        let mut roles = self.rooms[room].roles.iter();
        roles.find(|(user, _)| *user == who).map(|(_, role)| *role)
    }

    fn push_session(
        &mut self,
        room: usize,
        creator: usize,
        main: bool,
        members: Vec<usize>,
    ) -> usize {
        let seqs = members.len() as i64;
        self.sessions.push(Session { room, creator, main, members, numbers: 0, seqs });
        self.sessions.len() - 1
    }

    fn enter(&mut self, who: usize, session: usize) {
        self.sessions[session].members.push(who);
        self.sessions[session].seqs += 1;
    }

    fn remove(&mut self, who: usize, room: usize) {
        self.rooms[room].roles.retain(|(user, _)| *user != who);
        for session in self.sessions.iter_mut().filter(|session| session.room == room) {
            let before = session.members.len();
            session.members.retain(|user| *user != who);
            session.seqs += i64::from(session.members.len() < before);
        }
    }
}
