//! What happens: the entries of a session's log and of a user's own log.

use crate::{
    Device, DeviceId, Ending, Message, MessageId, Preview, Profile, Role, Room, RoomId, RoomKind,
    Rules, Session, SessionId, Time, Ttl, UserId,
};

/// Something that changed a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The session.
    pub session: SessionId,
    /// Counts the session's events without holes.
    pub seq: i64,
    /// When it was stored.
    pub at: Time,
    /// What.
    pub kind: EventKind,
}

impl Event {
    /// Whom this takes out of the session: they receive nothing with a greater `seq`.
    pub fn takes_out(&self) -> Option<UserId> {
        match &self.kind {
            EventKind::Left { user, .. } => Some(*user),
            _ => None,
        }
    }
}

/// What happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A message was said.
    Posted(Message),
    /// A message was reworded; this is how it reads now.
    Edited(Message),
    /// A message was deleted; its number stays.
    Deleted {
        /// Which.
        message: MessageId,
        /// Its number.
        number: i64,
        /// By whom.
        by: UserId,
    },
    /// The time of messages was over: nothing is left of any with these numbers, which stay.
    Decayed {
        /// The first number.
        from: i64,
        /// The last number.
        to: i64,
    },
    /// Somebody reacted to a message, or does so no more.
    Reacted {
        /// The message.
        message: MessageId,
        /// Its number.
        number: i64,
        /// Who.
        user: UserId,
        /// By which emoji; empty when the message was deleted since.
        emoji: String,
        /// Whether they do.
        on: bool,
        /// How many do so now by this emoji.
        count: i64,
    },
    /// A message was pinned, or its pin taken off.
    Pinned {
        /// The message.
        message: MessageId,
        /// Its number.
        number: i64,
        /// By whom.
        by: UserId,
        /// Whether it is pinned now.
        on: bool,
    },
    /// What is behind a message's links became known, or is not shown any more.
    Previewed {
        /// The message.
        message: MessageId,
        /// Its number.
        number: i64,
        /// All that it has now.
        previews: Vec<Preview>,
    },
    /// Somebody came in.
    Joined {
        /// Who.
        user: UserId,
        /// Their handle.
        username: String,
        /// Their display name.
        name: String,
        /// Who added them; `None`: they came by themselves.
        by: Option<UserId>,
    },
    /// Somebody is gone.
    Left {
        /// Who.
        user: UserId,
        /// Who sent them away; `None`: they went by themselves.
        by: Option<UserId>,
        /// Why.
        reason: Gone,
    },
    /// Somebody's role in the room changed.
    RoleChanged {
        /// Whose.
        user: UserId,
        /// What it is now.
        role: Role,
        /// By whom.
        by: UserId,
    },
    /// The session's settings, as they are now.
    SessionSettings {
        /// Its name.
        name: String,
        /// How long messages live that are sent from now on; `None`: for ever.
        message_ttl: Option<Ttl>,
        /// When it ends by itself; `None`: it does not.
        ending: Option<Ending>,
        /// By whom.
        by: UserId,
    },
    /// The room's settings, as they are now; in the main session's log.
    RoomSettings {
        /// The room.
        room: RoomId,
        /// Its name.
        name: String,
        /// Its description.
        description: String,
        /// Its kind.
        kind: RoomKind,
        /// Whether it asks for a password.
        has_password: bool,
        /// When it was archived, if it is.
        archived_at: Option<Time>,
        /// What it lays down for its sessions.
        rules: Rules,
        /// By whom.
        by: UserId,
    },
    /// The session is over.
    Ended {
        /// By whom.
        by: Option<UserId>,
    },
}

impl EventKind {
    /// Takes out what it tells of a message in a session that has ended: what somebody reacted by,
    /// and what is behind its links. ([`crate::Message::veiled`] is for the message itself.)
    pub fn veil(&mut self) {
        match self {
            Self::Reacted { emoji, .. } => emoji.clear(),
            Self::Previewed { previews, .. } => previews.clear(),
            _ => {}
        }
    }
}

/// Why somebody is not in a session or room any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// They went by themselves.
    Left,
    /// They were taken out of the session.
    Removed,
    /// They were sent out of the room.
    Kicked,
    /// They were sent out and may not come back.
    Banned,
    /// The session ended.
    Ended,
    /// The room was deleted.
    Deleted,
}

impl Gone {
    /// The name on the wire and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Removed => "removed",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Ended => "ended",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Left, Self::Removed, Self::Kicked, Self::Banned, Self::Ended, Self::Deleted]
            .into_iter()
            .find(|g| g.as_str() == text)
    }
}

/// Something that concerns one user, in their own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEvent {
    /// Whose log.
    pub user: UserId,
    /// Counts the log's entries without holes.
    pub seq: i64,
    /// When it was stored.
    pub at: Time,
    /// What.
    pub kind: UserEventKind,
}

/// What happened to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserEventKind {
    /// They are in this session now. The room and session are `None` when read later by somebody
    /// who is out again.
    Added {
        /// The room, as they see it.
        room: Option<Box<Room>>,
        /// The session, as they see it.
        session: Option<Box<Session>>,
        /// Who added them.
        by: Option<UserId>,
    },
    /// They are not in this session any more.
    Removed {
        /// The room.
        room: RoomId,
        /// The session.
        session: SessionId,
        /// Whether they are out of the whole room.
        whole_room: bool,
        /// Why.
        reason: Gone,
    },
    /// They made a room; `None` when it is gone.
    RoomCreated(Option<Box<Room>>),
    /// They signed in from a new device; `None` when it is signed out again.
    DeviceAdded(Option<Device>),
    /// A device was signed out.
    DeviceRemoved(DeviceId),
    /// Their profile or settings changed; this is how they are now.
    Settings(Box<Profile>),
}
