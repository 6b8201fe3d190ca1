//! Rooms and sessions, as the server describes them.

use std::collections::BTreeSet;
use std::sync::Arc;

use parlor_e2ee::{Members, Settings};
use parlor_wire::v1;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `public`, `unlisted`, `private` or `direct`.
    pub kind: String,
    /// The session with all of its members.
    pub main_session_id: String,
    /// How many are in it.
    pub member_count: i64,
    /// `owner`, `moderator` or `member`.
    pub my_role: Option<String>,
    /// The people of a direct room, which has no name; of any other kind none are told.
    #[serde(default)]
    pub people: Vec<Member>,
    /// How many seconds messages live in a session that is opened in it and says nothing of its
    /// own; none: for ever.
    #[serde(default)]
    pub message_ttl_s: Option<i64>,
    /// How many seconds anything that is said in it is kept; none: for ever.
    #[serde(default)]
    pub retention_s: Option<i64>,
    /// How many sessions may be open in it, the main one among them; none: as many as anywhere.
    #[serde(default)]
    pub sessions_max: Option<i64>,
}

/// A conversation in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The room that it is in.
    pub room_id: String,
    /// Its name.
    pub name: String,
    /// Whether it is the room's main session.
    pub main: bool,
    /// Whether it is over.
    pub ended: bool,
    /// The number of the newest event.
    pub head_seq: i64,
    /// The number of the newest message.
    pub head_number: i64,
    /// Up to where the reader has read.
    pub read_number: i64,
    /// How many messages are after that.
    pub unread: i64,
    /// How many of them name the reader.
    pub mentions: i64,
    /// How it is encrypted; none: the server reads what is said.
    pub encryption: Option<Settings>,
    /// Which state of its members the server has.
    pub membership_version: Option<i64>,
    /// How many seconds messages live in it, counted from sending; none: for ever.
    #[serde(default)]
    pub message_ttl_s: Option<i64>,
    /// When it ends by itself; none: it does not.
    #[serde(default)]
    pub end: Option<Ending>,
}

/// When a session ends by itself. Nothing that was said in it is left then, here either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// At a moment.
    At {
        /// Which, as RFC 3339 has it, in UTC.
        at: String,
        /// For how many seconds before it nothing may be said any more.
        read_only_s: Option<i64>,
    },
    /// After so many seconds in which nothing is said.
    Silence(i64),
}

impl Ending {
    fn read(value: &Value) -> Option<Self> {
        if let Some(seconds) = value["silence_s"].as_i64() {
            return Some(Self::Silence(seconds));
        }
        let at = value["at"].as_str()?.to_owned();
        Some(Self::At { at, read_only_s: value["read_only_s"].as_i64() })
    }

    /// How a request says it.
    pub(crate) fn asked(end: Option<&Self>) -> Value {
        match end {
            None => json!({}),
            Some(Self::Silence(seconds)) => json!({ "silence_s": seconds }),
            Some(Self::At { at, read_only_s }) => {
                json!({ "at": at, "read_only_s": read_only_s })
            }
        }
    }
}

/// Somebody in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub user_id: String,
    /// The handle.
    pub username: String,
    /// The display name.
    pub name: String,
    /// `owner`, `moderator` or `member`; empty where it is not told.
    pub role: String,
}

/// Who is in a session, and which state of it that is.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) members: Vec<Member>,
    pub(crate) version: i64,
    /// When oneself came, by the server's clock, as RFC 3339.
    pub(crate) joined_at: Option<String>,
}

/// What a client knows of who is in a session.
pub(crate) struct Known {
    pub(crate) membership: Arc<Membership>,
    /// Somebody came or went since.
    pub(crate) stale: bool,
    /// Whose coming and going an event told, and the list does not have yet.
    pub(crate) by_event: BTreeSet<String>,
    /// Whose coming and going the list told, and no event has yet.
    pub(crate) by_list: BTreeSet<String>,
}

impl Known {
    /// Who is there when nothing was known before.
    pub(crate) fn first(membership: Arc<Membership>) -> Self {
        Self { membership, stale: false, by_event: BTreeSet::new(), by_list: BTreeSet::new() }
    }

    /// An event says that somebody came or went; whether that is news.
    pub(crate) fn hear(&mut self, user_id: &str) -> bool {
        self.stale = true;
        let is_news = !self.by_list.remove(user_id);
        if is_news {
            self.by_event.insert(user_id.to_owned());
        }
        is_news
    }

    /// The list says who is there; gives who came and who went without an event.
    pub(crate) fn read(&mut self, now: Arc<Membership>) -> (Vec<String>, Vec<String>) {
        let (old, new) = (self.membership.user_ids(), now.user_ids());
        let unheard = |id: &&String| !self.by_event.contains(*id);
        let came: Vec<String> = new.difference(&old).filter(unheard).cloned().collect();
        let went: Vec<String> = old.difference(&new).filter(unheard).cloned().collect();
        self.by_list.extend(came.iter().chain(&went).cloned());
        self.by_event.clear();
        (self.membership, self.stale) = (now, false);
        (came, went)
    }
}

impl Membership {
    /// The same as encryption takes it.
    pub(crate) fn to_members(&self) -> Members {
        let user_ids = self.members.iter().map(|member| member.user_id.clone()).collect();
        Members { user_ids, version: self.version }
    }

    fn user_ids(&self) -> BTreeSet<String> {
        self.members.iter().map(|member| member.user_id.clone()).collect()
    }
}

impl Room {
    pub(crate) fn read(value: &Value) -> Result<Self, Error> {
        let said: v1::Room = serde_json::from_value(value.clone())?;
        Ok(Self {
            id: said.id,
            name: said.name,
            kind: said.kind,
            main_session_id: said.main_session_id,
            member_count: said.member_count,
            my_role: said.my_role,
            people: said
                .people
                .into_iter()
                .map(|user| Member::named(user, String::new()))
                .collect(),
            message_ttl_s: said.message_ttl_s,
            retention_s: said.retention_s,
            sessions_max: said.sessions_max,
        })
    }
}

impl Session {
    pub(crate) fn read(value: &Value) -> Result<Self, Error> {
        let said: v1::Session = serde_json::from_value(value.clone())?;
        let encryption = match &value["encryption"] {
            Value::Null => None,
            settings => Some(serde_json::from_value(settings.clone())?),
        };
        Ok(Self {
            id: said.id,
            room_id: said.room_id,
            name: said.name,
            main: said.main,
            ended: said.ended_at.is_some(),
            head_seq: said.head_seq,
            head_number: said.head_number,
            read_number: said.read_number,
            unread: said.unread,
            mentions: said.mentions,
            encryption,
            membership_version: value["membership_version"].as_i64(),
            message_ttl_s: said.message_ttl_s,
            end: Ending::read(&value["end"]),
        })
    }
}

impl Member {
    pub(crate) fn of(said: v1::Member) -> Self {
        Self::named(said.user.unwrap_or_default(), said.role)
    }

    fn named(user: v1::User, role: String) -> Self {
        Self { user_id: user.id, username: user.username, name: user.name, role }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> Arc<Membership> {
        let member = |id: &&str| Member {
            user_id: (*id).to_owned(),
            username: String::new(),
            name: String::new(),
            role: String::new(),
        };
        let members = ids.iter().map(member).collect();
        Arc::new(Membership { members, version: 0, joined_at: None })
    }

    #[test]
    fn whoever_comes_or_goes_is_news_once_by_the_event_or_by_the_list() {
        let mut known = Known::first(list(&["ana", "bo"]));
        assert!(known.hear("cy"));
        assert_eq!(known.read(list(&["ana", "bo", "cy"])), (vec![], vec![]));
        assert_eq!(
            known.read(list(&["ana", "cy", "eve"])),
            (vec!["eve".to_owned()], vec!["bo".to_owned()])
        );
        assert!(!known.hear("bo"), "the list has told it");
        assert!(known.stale);
    }
}
