//! A message, as a program sees it, whether it came plain or sealed.
//!
//! Owns the one shape of both. Refuses to hide which it was.

use parlor_e2ee::{OpenError, Opened, Sealed, Verdict};
use parlor_wire::time::rfc3339;
use parlor_wire::v1;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The session that it stands in.
    pub session_id: String,
    /// Counts the messages of its session: 1, 2, 3 … without holes.
    pub number: i64,
    /// The event that posted it.
    pub seq: i64,
    /// Who said it.
    pub sender_id: String,
    /// The sender's own id for it.
    pub client_id: String,
    /// Markdown. Empty once deleted, and while it is locked.
    pub body: String,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// The message that began the thread that it is in.
    pub thread_id: Option<String>,
    /// When it was sent, RFC 3339; of a sealed one, by its sender's clock.
    pub sent_at: String,
    /// When it was reworded last.
    pub edited_at: Option<String>,
    /// When it was deleted.
    pub deleted_at: Option<String>,
    /// When it decays.
    pub expires_at: Option<String>,
    /// How people react to it.
    pub reactions: Vec<Reaction>,
    /// The files that it carries.
    pub files: Vec<FileInfo>,
    /// How it came.
    pub secrecy: Secrecy,
}

/// How people react to a message by one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// How many people do.
    pub count: i64,
    /// Who, as far as it is told.
    pub user_ids: Vec<String>,
}

/// A file of a message. One that came sealed has its key in it: keep it as secret as the message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its id.
    pub id: String,
    /// What it is called: for people, never a path.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// How it is opened, if it came sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<parlor_e2ee::attachment::FileKey>,
}

/// How a message came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Secrecy {
    /// The server can read it.
    Plain,
    /// It was sealed, and was opened.
    Opened {
        /// What may be believed of it.
        verdict: Verdict,
    },
    /// It is sealed.
    Locked {
        /// Why it was not opened.
        reason: String,
        /// Whether it may open later.
        later: bool,
    },
}

/// Why what was said before oneself came stays locked.
pub(crate) const SAID_BEFORE: &str = "it was said before you came";

/// What a sealed message turned out to be.
pub(crate) enum Turned {
    /// Something to read.
    Message,
    /// Something about another message.
    Relation(Relation),
}

/// Something that is said about a message, sealed like one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Relation {
    pub(crate) target: String,
    pub(crate) sender_id: String,
    pub(crate) number: i64,
    pub(crate) verdict: Verdict,
    pub(crate) says: Says,
}

/// What a relation says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Says {
    React { emoji: String, on: bool },
    Reword { body: String },
}

impl Message {
    /// Reads a message object of the server, and the ciphertext that it carries.
    pub(crate) fn read(value: &Value) -> Result<(Self, Option<Sealed>), Error> {
        let said: v1::Message = serde_json::from_value(value.clone())?;
        let sealed = match &value["encrypted"] {
            Value::Null => None,
            sealed => Some(serde_json::from_value(sealed.clone())?),
        };
        let mut message = Self {
            secrecy: match (&sealed, said.deleted_at) {
                (Some(_), None) => Secrecy::Locked { reason: String::new(), later: true },
                _ => Secrecy::Plain,
            },
            reactions: said.reactions.iter().map(Reaction::of).collect(),
            files: said.files.iter().map(FileInfo::of).collect(),
            sent_at: rfc3339(said.sent_at),
            edited_at: said.edited_at.map(rfc3339),
            deleted_at: said.deleted_at.map(rfc3339),
            expires_at: said.expires_at.map(rfc3339),
            id: said.id,
            session_id: said.session_id,
            number: said.number,
            seq: said.seq,
            sender_id: said.sender_id,
            client_id: said.client_id,
            body: said.content,
            reply_to: said.reply_to,
            thread_id: said.thread_id,
        };
        if sealed.is_some() {
            message.empty();
        }
        let sealed = sealed.filter(|_| message.deleted_at.is_none());
        Ok((message, sealed))
    }

    /// Takes out whatever somebody could read.
    fn empty(&mut self) {
        self.body.clear();
        self.files.clear();
        self.reactions.clear();
    }

    /// It stands where everything is sealed, and is not: its sender did not write it.
    pub(crate) fn refuse_the_clear(&mut self) {
        self.empty();
        if self.deleted_at.is_none() {
            let reason = "it came in the clear, where everything is encrypted".to_owned();
            self.secrecy = Secrecy::Locked { reason, later: false };
        }
    }

    /// Whether it is sealed still.
    pub fn is_locked(&self) -> bool {
        matches!(self.secrecy, Secrecy::Locked { .. })
    }

    /// Whether it is sealed still, and may open later.
    pub(crate) fn may_open_later(&self) -> bool {
        matches!(self.secrecy, Secrecy::Locked { later: true, .. })
    }

    /// Takes in what was inside.
    pub(crate) fn unlock(&mut self, opened: Opened) -> Turned {
        let (payload, verdict) = (opened.payload, opened.verdict);
        let expires_at = payload.expires_at().map(|at| rfc3339(at.as_microsecond()));
        if let Some(react) = payload.react {
            let says = Says::React { emoji: react.emoji, on: react.on };
            return Turned::Relation(self.relation(react.message_id, verdict, says));
        }
        // The new wording of this very message is what the message says now.
        if let Some(target) = payload.edits.filter(|target| *target != self.id) {
            let says = Says::Reword { body: payload.body };
            return Turned::Relation(self.relation(target, verdict, says));
        }
        // The sender's word and the server's: the earlier one holds.
        self.expires_at = [self.expires_at.take(), expires_at].into_iter().flatten().min();
        self.sent_at = rfc3339(payload.sent_at.as_microsecond());
        self.body = payload.body;
        self.reply_to = payload.reply_to;
        self.thread_id = payload.thread_id;
        self.files = payload.files.into_iter().map(FileInfo::sealed).collect();
        self.secrecy = Secrecy::Opened { verdict };
        Turned::Message
    }

    /// Notes why it stays locked: who came after it was said is given no key of it.
    pub(crate) fn keep_locked(&mut self, error: &OpenError, before: bool) {
        let reason = match error {
            OpenError::MissingKey if before => SAID_BEFORE.to_owned(),
            other => other.to_string(),
        };
        self.secrecy = Secrecy::Locked { reason, later: error.may_open_later() };
    }

    fn relation(&self, target: String, verdict: Verdict, says: Says) -> Relation {
        Relation { target, sender_id: self.sender_id.clone(), number: self.number, verdict, says }
    }

    /// Takes in what others said about it, in the order in which they did. What is believed less
    /// than the message itself would make the server's word look like somebody's own.
    pub(crate) fn relate(&mut self, relations: &[Relation]) {
        if self.deleted_at.is_some() {
            return;
        }
        for relation in relations {
            let weaker = match self.secrecy {
                Secrecy::Plain => false,
                Secrecy::Opened { verdict } => relation.verdict > verdict,
                Secrecy::Locked { .. } => true,
            };
            match &relation.says {
                Says::React { emoji, on } if !(weaker && relation.verdict.warns()) => {
                    self.react(emoji, &relation.sender_id, *on);
                }
                Says::Reword { body } if self.may_be_reworded_by(relation) => {
                    self.body.clone_from(body);
                    if weaker {
                        self.secrecy = Secrecy::Opened { verdict: relation.verdict };
                    }
                }
                Says::React { .. } | Says::Reword { .. } => {}
            }
        }
    }

    /// Nobody rewords what somebody else said, or what was not read.
    fn may_be_reworded_by(&self, relation: &Relation) -> bool {
        relation.sender_id == self.sender_id && !self.is_locked()
    }

    /// Somebody reacts to it, or does so no more.
    pub(crate) fn react(&mut self, emoji: &str, user: &str, on: bool) {
        let place = self.reactions.iter().position(|reaction| reaction.emoji == emoji);
        let place = place.unwrap_or_else(|| {
            self.reactions.push(Reaction::none(emoji));
            self.reactions.len() - 1
        });
        let reaction = &mut self.reactions[place];
        reaction.user_ids.retain(|id| id != user);
        if on {
            reaction.user_ids.push(user.to_owned());
        }
        reaction.count = i64::try_from(reaction.user_ids.len()).unwrap_or(i64::MAX);
        self.reactions.retain(|reaction| reaction.count > 0);
    }

    /// It was deleted.
    pub(crate) fn erase(&mut self, at: String) {
        self.body.clear();
        self.files.clear();
        self.reactions.clear();
        self.secrecy = Secrecy::Plain;
        self.deleted_at = Some(at);
    }
}

impl Reaction {
    fn none(emoji: &str) -> Self {
        Self { emoji: emoji.to_owned(), count: 0, user_ids: Vec::new() }
    }

    fn of(said: &v1::Reaction) -> Self {
        Self { emoji: said.emoji.clone(), count: said.count, user_ids: said.user_ids.clone() }
    }
}

impl FileInfo {
    pub(crate) fn of(said: &v1::File) -> Self {
        Self {
            id: said.id.clone(),
            name: said.name.clone(),
            media_type: said.media_type.clone(),
            size: u64::try_from(said.size).unwrap_or_default(),
            key: None,
        }
    }

    fn sealed(said: parlor_e2ee::payload::SealedFile) -> Self {
        Self {
            id: said.id,
            name: said.name,
            media_type: said.media_type,
            size: said.size,
            key: Some(said.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let value = serde_json::json!({"id": "m", "sender_id": "ana", "content": "hi",
            "sent_at": "2026-05-01T10:00:00Z"});
        Message::read(&value).unwrap().0
    }

    fn by(sender: &str, number: i64, says: Says) -> Relation {
        let verdict = Verdict::FirstSeen;
        Relation { target: "m".into(), sender_id: sender.into(), number, verdict, says }
    }

    #[test]
    fn somebody_elses_new_wording_changes_nothing() {
        let mut said = message();
        said.relate(&[by("bo", 2, Says::Reword { body: "ha".into() })]);
        assert_eq!(said.body, "hi");
        said.relate(&[by("ana", 3, Says::Reword { body: "hello".into() })]);
        assert_eq!(said.body, "hello");
    }

    #[test]
    fn what_is_proven_less_than_a_message_takes_its_proof_away_and_does_not_count() {
        let mut said = message();
        said.secrecy = Secrecy::Opened { verdict: Verdict::Verified };
        said.relate(&[by("bo", 1, Says::React { emoji: "-".into(), on: true })]);
        assert_eq!(said.reactions.len(), 1, "a person who is not verified may react");
        let from_backup = |number, says| {
            let relation = by("ana", number, says);
            Relation { verdict: Verdict::FromBackup, ..relation }
        };
        said.relate(&[from_backup(2, Says::React { emoji: "+".into(), on: true })]);
        assert_eq!(said.reactions.len(), 1);
        said.relate(&[from_backup(3, Says::Reword { body: "ha".into() })]);
        assert_eq!(said.secrecy, Secrecy::Opened { verdict: Verdict::FromBackup });
        said.relate(&[from_backup(4, Says::React { emoji: "+".into(), on: true })]);
        assert_eq!(said.reactions.len(), 2);
    }

    #[test]
    fn what_was_deleted_stays_so_whatever_comes_after() {
        let mut said = message();
        said.erase("2026-05-01T11:00:00Z".into());
        said.relate(&[by("ana", 2, Says::Reword { body: "ha".into() })]);
        assert!(said.body.is_empty());
    }

    #[test]
    fn what_stays_locked_has_nothing_to_read_in_it() {
        let value = serde_json::json!({"id": "m", "sender_id": "ana", "content": "hi",
            "reactions": [{"emoji": "+", "count": 1, "user_ids": ["bo"]}],
            "sent_at": "2026-05-01T10:00:00Z",
            "encrypted": {"algorithm": "a", "ciphertext": "c", "session_id": "s"}});
        let (mut said, _) = Message::read(&value).unwrap();
        assert!(said.body.is_empty() && said.reactions.is_empty());
        said.relate(&[by("ana", 2, Says::Reword { body: "ha".into() })]);
        assert!(said.is_locked() && said.body.is_empty());
    }

    #[test]
    fn a_reaction_counts_once_for_each_person_and_can_be_taken_back() {
        let mut said = message();
        let react = |on| Says::React { emoji: "+".into(), on };
        said.relate(&[
            by("bo", 2, react(true)),
            by("bo", 3, react(true)),
            by("cy", 4, react(true)),
        ]);
        assert_eq!(said.reactions[0].count, 2);
        said.relate(&[by("bo", 5, react(false)), by("cy", 6, react(false))]);
        assert!(said.reactions.is_empty());
    }

    #[test]
    fn a_sealed_message_is_locked_until_it_is_opened_and_plain_once_deleted() {
        let sealed = serde_json::json!({"id": "m", "sent_at": "2026-05-01T10:00:00Z",
            "encrypted": {"algorithm": "a", "ciphertext": "c", "session_id": "s"}});
        let (said, inside) = Message::read(&sealed).unwrap();
        assert!(said.is_locked() && inside.is_some());
        let mut deleted = sealed;
        deleted["deleted_at"] = "2026-05-01T10:00:01Z".into();
        let (said, inside) = Message::read(&deleted).unwrap();
        assert!(!said.is_locked() && inside.is_none());
    }
}
