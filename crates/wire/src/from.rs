//! The domain's things in the wire's words.

use parlor_domain as domain;
use parlor_domain::{EventKind, UserEventKind};

use crate::v1::{self, event::Kind};

impl From<&domain::User> for v1::User {
    /// `online` is false: only who counts connections can say more.
    fn from(user: &domain::User) -> Self {
        Self {
            id: user.id.to_string(),
            no: user.no,
            username: user.username.clone(),
            name: user.name.clone(),
            status: user.status.clone(),
            created_at: user.created_at.0,
            last_seen_at: user.last_seen_at.filter(|_| user.show_last_seen).map(|t| t.0),
            online: false,
            picture_id: user.picture.map(|id| id.to_string()),
        }
    }
}

impl From<&domain::Profile> for v1::Me {
    fn from(me: &domain::Profile) -> Self {
        Self {
            user: Some((&me.user).into()),
            email: me.email.clone(),
            email_verified: me.email_verified,
            show_last_seen: me.user.show_last_seen,
            show_email: me.show_email,
        }
    }
}

impl From<&domain::Limits> for v1::Limits {
    fn from(limits: &domain::Limits) -> Self {
        let most = |limit: u64| i64::try_from(limit).unwrap_or(i64::MAX);
        Self {
            message_bytes_max: most(limits.message_bytes_max),
            mentions_max: most(limits.mentions_max),
            messages_per_s: most(limits.messages_per_s),
            messages_burst: most(limits.messages_burst),
            page_max: most(limits.page_max),
            username_chars_max: most(limits.username_chars_max),
            name_chars_max: most(limits.name_chars_max),
            status_chars_max: most(limits.status_chars_max),
            description_chars_max: most(limits.description_chars_max),
            password_chars_min: most(limits.password_chars_min),
            direct_people_max: most(limits.direct_people_max),
            members_added_max: most(limits.members_added_max),
            subscriptions_max: most(limits.subscriptions_max),
            stream_sessions_max: most(limits.stream_sessions_max),
            typing_ms: most(limits.typing_ms),
        }
    }
}

impl From<&domain::Device> for v1::Device {
    /// `current` is false: only who knows the asking login can say more.
    fn from(device: &domain::Device) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name.clone(),
            created_at: device.created_at.0,
            last_used_at: device.last_used_at.0,
            current: false,
        }
    }
}

impl From<&domain::Room> for v1::Room {
    fn from(room: &domain::Room) -> Self {
        Self {
            id: room.id.to_string(),
            no: room.no,
            name: room.name.clone(),
            kind: room.kind.as_str().to_owned(),
            description: room.description.clone(),
            has_password: room.has_password,
            main_session_id: room.main_session.to_string(),
            member_count: room.member_count,
            my_role: room.my_role.map(|role| role.as_str().to_owned()),
            created_at: room.created_at.0,
            archived_at: room.archived_at.map(|t| t.0),
            people: room.people.iter().map(Into::into).collect(),
            lobby: room.lobby,
            message_ttl_s: room.rules.message_ttl.map(domain::Ttl::seconds),
            retention_s: room.rules.retention.map(domain::Ttl::seconds),
            sessions_max: room.rules.sessions_max.map(u64::cast_signed),
        }
    }
}

impl From<&domain::Session> for v1::Session {
    fn from(session: &domain::Session) -> Self {
        Self {
            id: session.id.to_string(),
            no: session.no,
            room_id: session.room.to_string(),
            name: session.name.clone(),
            main: session.main,
            created_by: session.created_by.map(|id| id.to_string()),
            created_at: session.created_at.0,
            ended_at: session.ended_at.map(|t| t.0),
            member_count: session.member_count,
            head_seq: session.head_seq,
            head_number: session.head_number,
            read_number: session.read_number,
            unread: session.unread(),
            mentions: session.mentions,
            thread_unread: session.thread_unread,
            encryption: session.encryption.map(Into::into),
            membership_version: session.membership_version,
            message_ttl_s: session.message_ttl.map(domain::Ttl::seconds),
            end: session.ending.map(Into::into),
        }
    }
}

impl From<domain::Ending> for v1::SessionEnd {
    fn from(ending: domain::Ending) -> Self {
        Self {
            at: ending.at.0,
            silence_s: ending.silence.map(domain::Ttl::seconds),
            read_only_s: ending.read_only.map(domain::Ttl::seconds),
        }
    }
}

impl From<&v1::SessionEndRequest> for domain::ending::AskedEnding {
    fn from(asked: &v1::SessionEndRequest) -> Self {
        let v1::SessionEndRequest { at, silence_s, read_only_s } = *asked;
        Self { at: at.map(domain::Time), silence_s, read_only_s }
    }
}

impl From<domain::Encryption> for v1::Encryption {
    fn from(encryption: domain::Encryption) -> Self {
        Self {
            algorithm: encryption.algorithm.as_str().to_owned(),
            rotation_period_ms: Some(encryption.rotation_period_ms),
            rotation_period_msgs: Some(encryption.rotation_period_msgs),
            verified_only: Some(encryption.verified_only),
        }
    }
}

impl v1::Encryption {
    /// What somebody who makes a session asks for.
    ///
    /// # Errors
    /// [`domain::Denied::Invalid`] as [`domain::Encryption::read`].
    pub fn asked(asked: Option<&Self>) -> Result<Option<domain::Encryption>, domain::Denied> {
        let read = |asked: &Self| {
            let (ms, msgs) = (asked.rotation_period_ms, asked.rotation_period_msgs);
            let verified_only = asked.verified_only.unwrap_or_default();
            domain::Encryption::read(&asked.algorithm, ms, msgs, verified_only)
        };
        asked.map(read).transpose()
    }
}

impl v1::Encrypted {
    /// The text that is stored, whose meaning only devices know.
    pub fn to_stored(&self) -> String {
        // Five texts always print.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text that was stored.
    pub fn of_stored(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl From<&domain::Member> for v1::Member {
    fn from(member: &domain::Member) -> Self {
        Self {
            user: Some((&member.user).into()),
            role: member.role.as_str().to_owned(),
            joined_at: member.joined_at.0,
            read_number: member.read_number,
        }
    }
}

impl From<&domain::Ban> for v1::Ban {
    fn from(ban: &domain::Ban) -> Self {
        Self {
            user: Some((&ban.user).into()),
            banned_by: ban.by.map(|id| id.to_string()),
            banned_at: ban.at.0,
            reason: ban.reason.clone(),
        }
    }
}

impl From<&domain::Message> for v1::Message {
    fn from(message: &domain::Message) -> Self {
        let extras = message.extras.as_deref();
        let (content, encrypted) = match message.is_encrypted() {
            true => (String::new(), Some(Box::new(v1::Encrypted::of_stored(&message.content)))),
            false => (message.content.clone(), None),
        };
        Self {
            encrypted,
            id: message.id.to_string(),
            no: message.no,
            number: message.number,
            seq: message.seq,
            session_id: message.session.to_string(),
            sender_id: message.sender.to_string(),
            client_id: message.client_id.to_string(),
            content,
            reply_to: message.reply_to.map(|id| id.to_string()),
            sent_at: message.sent_at.0,
            edited_at: message.edited_at.map(|t| t.0),
            deleted_at: message.deleted_at.map(|t| t.0),
            expires_at: message.expires_at.map(|t| t.0),
            file: message.file.clone(),
            reactions: extras
                .map_or_else(Vec::new, |e| e.reactions.iter().map(Into::into).collect()),
            files: extras.map_or_else(Vec::new, |e| e.files.iter().map(Into::into).collect()),
            previews: extras.map_or_else(Vec::new, |e| e.previews.iter().map(Into::into).collect()),
            thread_id: message.thread.map(|id| id.to_string()),
            thread: extras.and_then(|e| e.thread.as_ref()).map(Into::into),
            pinned_at: extras.and_then(|e| e.pinned_at).map(|t| t.0),
            forwarded: extras.and_then(|e| e.forwarded.as_ref()).map(Into::into),
        }
    }
}

impl From<&domain::Thread> for v1::Thread {
    fn from(thread: &domain::Thread) -> Self {
        Self {
            replies: thread.replies,
            last_reply_at: thread.last_reply_at.map(|t| t.0),
            user_ids: thread.users.iter().map(ToString::to_string).collect(),
            following: thread.following,
            unread: thread.unread,
            read_number: thread.read_number,
        }
    }
}

impl From<&domain::Forwarded> for v1::Forwarded {
    fn from(forwarded: &domain::Forwarded) -> Self {
        Self { sender_id: forwarded.sender.to_string(), sent_at: forwarded.sent_at.0 }
    }
}

impl From<&domain::Unsent> for v1::Draft {
    fn from(unsent: &domain::Unsent) -> Self {
        Self {
            session_id: unsent.session.to_string(),
            thread_id: unsent.thread.map(|id| id.to_string()),
            content: unsent.content.clone(),
            reply_to: unsent.reply_to.map(|id| id.to_string()),
            updated_at: unsent.updated_at.0,
        }
    }
}

impl From<&domain::Reaction> for v1::Reaction {
    fn from(reaction: &domain::Reaction) -> Self {
        Self {
            emoji: reaction.emoji.clone(),
            count: reaction.count,
            user_ids: reaction.users.iter().map(ToString::to_string).collect(),
            mine: reaction.mine,
        }
    }
}

impl From<&domain::File> for v1::File {
    fn from(file: &domain::File) -> Self {
        Self {
            id: file.id.to_string(),
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            width: file.width,
            height: file.height,
            thumbnail: file.thumbnail,
            created_at: file.created_at.0,
            encrypted: file.encrypted,
        }
    }
}

impl From<&domain::Preview> for v1::Preview {
    fn from(preview: &domain::Preview) -> Self {
        Self {
            url: preview.url.clone(),
            title: preview.title.clone(),
            description: preview.description.clone(),
            site: preview.site.clone(),
            image_id: preview.image.map(|id| id.to_string()),
        }
    }
}

impl From<&domain::Revision> for v1::Revision {
    fn from(revision: &domain::Revision) -> Self {
        let (content, encrypted) = match revision.encrypted {
            true => (String::new(), Some(Box::new(v1::Encrypted::of_stored(&revision.content)))),
            false => (revision.content.clone(), None),
        };
        Self { content, written_at: revision.written_at.0, encrypted }
    }
}

impl From<&domain::Event> for v1::Event {
    fn from(event: &domain::Event) -> Self {
        Self {
            session_id: Some(event.session.to_string()),
            seq: Some(event.seq),
            user_seq: None,
            at: event.at.0,
            kind: Some((&event.kind).into()),
        }
    }
}

impl From<&EventKind> for Kind {
    fn from(kind: &EventKind) -> Self {
        let text = |id: &domain::UserId| id.to_string();
        match kind {
            EventKind::Posted(message) => Self::Posted(message.into()),
            EventKind::Edited(message) => Self::Edited(message.into()),
            EventKind::Deleted { message, number, by } => Self::Deleted(v1::Deleted {
                message_id: message.to_string(),
                number: *number,
                by: text(by),
            }),
            EventKind::Decayed { from, to } => Self::Decayed(v1::Decayed { from: *from, to: *to }),
            EventKind::Reacted { message, number, user, emoji, on, count } => {
                let (message_id, user_id) = (message.to_string(), text(user));
                let (number, emoji, on, count) = (*number, emoji.clone(), *on, *count);
                Self::Reacted(v1::Reacted { message_id, number, user_id, emoji, on, count })
            }
            EventKind::Pinned { message, number, by, on } => Self::Pinned(v1::Pinned {
                message_id: message.to_string(),
                number: *number,
                by: text(by),
                on: *on,
            }),
            EventKind::Previewed { message, number, previews } => Self::Previewed(v1::Previewed {
                message_id: message.to_string(),
                number: *number,
                previews: previews.iter().map(Into::into).collect(),
            }),
            EventKind::Joined { user, username, name, by } => Self::Joined(v1::Joined {
                user_id: text(user),
                by: by.as_ref().map(text),
                username: username.clone(),
                name: name.clone(),
            }),
            EventKind::Left { user, by, reason } => {
                let (user_id, by) = (text(user), by.as_ref().map(text));
                Self::Left(v1::Left { user_id, by, reason: reason.as_str().to_owned() })
            }
            EventKind::RoleChanged { user, role, by } => {
                let (user_id, role) = (text(user), role.as_str().to_owned());
                Self::RoleChanged(v1::RoleChanged { user_id, role, by: text(by) })
            }
            EventKind::SessionSettings { name, message_ttl, ending, by } => {
                let (name, message_ttl_s) = (name.clone(), message_ttl.map(domain::Ttl::seconds));
                let (end, by) = (ending.map(Into::into), text(by));
                Self::SessionSettings(v1::SessionSettings { name, by, message_ttl_s, end })
            }
            EventKind::RoomSettings {
                room,
                name,
                description,
                kind,
                has_password,
                archived_at,
                rules,
                by,
            } => Self::RoomSettings(v1::RoomSettings {
                room_id: room.to_string(),
                name: name.clone(),
                description: description.clone(),
                kind: kind.as_str().to_owned(),
                has_password: *has_password,
                archived_at: archived_at.map(|t| t.0),
                by: text(by),
                message_ttl_s: rules.message_ttl.map(domain::Ttl::seconds),
                retention_s: rules.retention.map(domain::Ttl::seconds),
                sessions_max: rules.sessions_max.map(u64::cast_signed),
            }),
            EventKind::Ended { by } => Self::Ended(v1::Ended { by: by.as_ref().map(text) }),
        }
    }
}

impl From<&domain::UserEvent> for v1::Event {
    fn from(event: &domain::UserEvent) -> Self {
        Self {
            session_id: None,
            seq: None,
            user_seq: Some(event.seq),
            at: event.at.0,
            kind: Some((&event.kind).into()),
        }
    }
}

impl From<&UserEventKind> for Kind {
    fn from(kind: &UserEventKind) -> Self {
        match kind {
            UserEventKind::Added { room, session, by } => Self::Added(v1::Added {
                room: room.as_deref().map(Into::into),
                session: session.as_deref().map(Into::into),
                by: by.map(|id| id.to_string()),
            }),
            UserEventKind::Removed { room, session, whole_room, reason } => {
                Self::Removed(v1::Removed {
                    room_id: room.to_string(),
                    session_id: session.to_string(),
                    room: *whole_room,
                    reason: reason.as_str().to_owned(),
                })
            }
            UserEventKind::RoomCreated(Some(room)) => Self::RoomCreated((&**room).into()),
            UserEventKind::DeviceAdded(Some(device)) => Self::DeviceAdded(device.into()),
            // A room or device without an id would be none that anybody could read.
            UserEventKind::RoomCreated(None) | UserEventKind::DeviceAdded(None) => {
                Self::Added(v1::Added::default())
            }
            UserEventKind::DeviceRemoved(device) => {
                Self::DeviceRemoved(v1::DeviceRemoved { device_id: device.to_string() })
            }
            UserEventKind::Settings(me) => Self::Settings((&**me).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_since_is_nothing_and_not_a_thing_without_an_id() {
        let nothing = Kind::Added(v1::Added::default());
        assert_eq!(Kind::from(&UserEventKind::RoomCreated(None)), nothing);
        assert_eq!(Kind::from(&UserEventKind::DeviceAdded(None)), nothing);
    }
}
