//! A room: what it is and who may change it. Every decision is a pure function of the facts that
//! the store reads in the very transaction that carries the decision out.

use crate::permission::{Action, may};
use crate::rules::{AskedRules, NewRules};
use crate::{
    Denied, Encryption, Gone, Limits, Role, RoomId, Rules, SessionId, Time, User, UserId,
    encryption, name,
};

/// Who can find and enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// Listed; anybody may join.
    Public,
    /// Not listed; who knows its id may join.
    Unlisted,
    /// Who is added.
    Private,
    /// One exact set of people, for ever.
    Direct,
}

impl RoomKind {
    /// The name on the wire and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
            Self::Direct => "direct",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Public, Self::Unlisted, Self::Private, Self::Direct]
            .into_iter()
            .find(|k| k.as_str() == text)
    }

    /// Whether somebody who knows the id may look at it and join it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Public | Self::Unlisted)
    }
}

/// A room, as one user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The id.
    pub id: RoomId,
    /// The small integer id: a handle, never an order or an authority.
    pub no: i64,
    /// What it is called; empty for a direct room.
    pub name: String,
    /// Who can find and enter it.
    pub kind: RoomKind,
    /// What it is for.
    pub description: String,
    /// Whether joining takes a password.
    pub has_password: bool,
    /// Its main session.
    pub main_session: SessionId,
    /// How many are in it.
    pub member_count: i64,
    /// The reader's role; `None`: not a member.
    pub my_role: Option<Role>,
    /// When it was made.
    pub created_at: Time,
    /// When it was archived, if it is.
    pub archived_at: Option<Time>,
    /// The people of a direct room; empty otherwise.
    pub people: Vec<User>,
    /// Whether it is the lobby.
    pub lobby: bool,
    /// What it lays down for its sessions.
    pub rules: Rules,
}

/// A room by every name that another system has for it, with its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The room, as the reader sees it.
    pub room: Room,
    /// Its name in paths: letters and digits.
    pub slug: String,
    /// The small id of its main session.
    pub session_no: i64,
    /// Its longest-standing owner; when it has none, who made it, if anybody did.
    pub owner: Option<UserId>,
    /// Its members, in the order in which they came, where the reader may know them.
    pub people: Vec<UserId>,
    /// When its settings were last changed.
    pub changed_at: Time,
}

/// A room to be made, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// What it is called; empty for a direct room.
    pub name: String,
    /// Who can find and enter it.
    pub kind: RoomKind,
    /// What it is for.
    pub description: String,
    /// People to add at once, without the creator.
    pub members: Vec<UserId>,
    /// How its main session is encrypted; `None`: not.
    pub encryption: Option<Encryption>,
    /// What it lays down for its sessions; the main one begins with it, too.
    pub rules: Rules,
}

/// How somebody stands to a room, and to the session in question where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub user: UserId,
    /// Their role; `None`: not a member.
    pub role: Option<Role>,
    /// Whether they may not come back.
    pub banned: bool,
    /// Whether they are in the session in question.
    pub present: bool,
}

/// What is known of a room and the people concerned when a change is decided.
#[derive(Debug, Clone)]
pub struct RoomFacts {
    /// The room, as the actor sees it.
    pub room: Room,
    /// The hash of its password, if it has one.
    pub password_hash: Option<String>,
    /// The actor.
    pub actor: Standing,
    /// The people named in the request; those without an account are missing.
    pub people: Vec<Standing>,
    /// How many owners it has.
    pub owners: i64,
    /// Who would own it after its last owner: the longest-standing moderator, or else member.
    pub heir: Option<UserId>,
}

/// One thing that changes about a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomChange {
    /// Somebody comes in; `by` is who added them.
    Join {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
        /// Who added them; `None`: they came by themselves.
        by: Option<UserId>,
    },
    /// Somebody goes, from every session of the room.
    Remove {
        /// Who.
        user: UserId,
        /// Why.
        reason: Gone,
    },
    /// Somebody's role changes.
    SetRole {
        /// Whose.
        user: UserId,
        /// To what.
        role: Role,
    },
    /// Somebody may not come back.
    Ban {
        /// Who.
        user: UserId,
        /// Why.
        reason: String,
    },
    /// Somebody may come back.
    Unban(UserId),
    /// The settings become these.
    Settings(Settings),
    /// The room and all that is in it goes.
    Delete,
}

/// New settings; `None` leaves one as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The kind; never from or to direct.
    pub kind: Option<RoomKind>,
    /// The hash of the password; `Some(None)` takes it away.
    pub password_hash: Option<Option<String>>,
    /// Archived or not.
    pub archived: Option<bool>,
    /// What it lays down for its sessions.
    pub rules: NewRules,
}

impl NewRoom {
    /// The same, with its main session encrypted where that is asked for.
    ///
    /// # Errors
    /// [`Denied::Invalid`] for a room that anybody can enter.
    pub fn encrypted(self, encryption: Option<Encryption>) -> Result<Self, Denied> {
        encryption::of_room(self.kind, encryption)?;
        Ok(Self { encryption, ..self })
    }

    /// The same with what it is to lay down for its sessions.
    ///
    /// # Errors
    /// [`Denied::Invalid`] for what is beyond the limits, and in a direct room, where nobody could
    /// take it back, for all but how long messages live.
    pub fn ruled(self, asked: AskedRules, limits: &Limits) -> Result<Self, Denied> {
        let rules = Rules::default().with(asked.read(limits)?);
        if self.kind == RoomKind::Direct {
            let refused = [
                ("retention_s", rules.retention.is_some()),
                ("sessions_max", rules.sessions_max.is_some()),
            ];
            if let Some((field, _)) = refused.into_iter().find(|(_, asked)| *asked) {
                return Err(Denied::invalid(field, "a direct room has none"));
            }
        }
        Ok(Self { rules, ..self })
    }

    /// Reads what a creator asks for. `members` may name the creator and may repeat.
    ///
    /// # Errors
    /// [`Denied`] for a name that is not acceptable or too many people.
    pub fn new(
        creator: UserId,
        kind: RoomKind,
        name: &str,
        description: &str,
        members: &[UserId],
        limits: &Limits,
    ) -> Result<Self, Denied> {
        let mut others: Vec<UserId> = Vec::new();
        for &user in members {
            if user != creator && !others.contains(&user) {
                others.push(user);
            }
        }
        let direct = kind == RoomKind::Direct;
        let most = if direct { limits.direct_people_max - 1 } else { limits.members_added_max };
        if others.len() as u64 > most {
            return Err(Denied::invalid("members", "too many people"));
        }
        if direct && others.is_empty() {
            return Err(Denied::invalid("members", "a direct room is with somebody"));
        }
        let name = if direct { String::new() } else { name::line("name", name, limits)? };
        let description = name::text("description", description, limits.description_chars_max)?;
        Ok(Self {
            name,
            kind,
            description,
            members: others,
            encryption: None,
            rules: Rules::default(),
        })
    }
}

/// Decides about coming in by oneself. `password_hash` is what the given password was checked
/// against, so that a password changed meanwhile refuses.
///
/// # Errors
/// [`Denied::NotFound`] for rooms that one cannot see, [`Denied::Forbidden`] for a wrong password.
pub fn join(facts: &RoomFacts, password_hash: Option<&str>) -> Result<Vec<RoomChange>, Denied> {
    if facts.actor.role.is_some() {
        return Ok(vec![]);
    }
    if !facts.room.kind.is_open() || facts.actor.banned {
        return Err(Denied::NotFound);
    }
    if facts.room.archived_at.is_some() {
        return Err(Denied::Conflict("the room is archived"));
    }
    if facts.password_hash.is_some() && facts.password_hash.as_deref() != password_hash {
        return Err(Denied::Forbidden("the room's password is wrong"));
    }
    let role = if facts.owners == 0 { Role::Owner } else { Role::Member };
    Ok(vec![RoomChange::Join { user: facts.actor.user, role, by: None }])
}

/// Decides about leaving; a room's last owner hands it to its heir.
///
/// # Errors
/// [`Denied::NotFound`] when one is not in it.
pub fn leave(facts: &RoomFacts) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    let mut changes = vec![RoomChange::Remove { user: facts.actor.user, reason: Gone::Left }];
    let orphaned = role == Role::Owner && facts.owners == 1;
    if let Some(heir) = facts.heir.filter(|_| orphaned) {
        changes.push(RoomChange::SetRole { user: heir, role: Role::Owner });
    }
    Ok(changes)
}

/// Decides about adding people.
///
/// # Errors
/// [`Denied`] when the actor may not, the room is direct, or somebody is unknown or banned.
pub fn add(facts: &RoomFacts, asked: usize) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    if facts.room.kind == RoomKind::Direct {
        return Err(Denied::Forbidden("a direct room is never widened"));
    }
    if facts.room.archived_at.is_some() {
        return Err(Denied::Conflict("the room is archived"));
    }
    let closed = facts.room.kind == RoomKind::Private || facts.room.has_password;
    may(role, if closed { Action::InviteToClosed } else { Action::InviteToOpen })?;
    if facts.people.len() != asked {
        return Err(Denied::NotFound);
    }
    if facts.people.iter().any(|p| p.banned) {
        return Err(Denied::Conflict("somebody is banned from the room"));
    }
    let by = Some(facts.actor.user);
    let news = facts.people.iter().filter(|p| p.role.is_none());
    Ok(news.map(|p| RoomChange::Join { user: p.user, role: Role::Member, by }).collect())
}

/// Decides about sending somebody away.
///
/// # Errors
/// [`Denied`] when the actor may not or the person is not in the room.
pub fn kick(facts: &RoomFacts) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    let target = facts.people.first().ok_or(Denied::NotFound)?;
    let theirs = target.role.ok_or(Denied::NotFound)?;
    if target.user == facts.actor.user {
        return leave(facts);
    }
    if facts.room.kind == RoomKind::Direct {
        return Err(Denied::Forbidden("nobody is sent out of a direct room"));
    }
    may(role, Action::Remove(theirs))?;
    Ok(vec![RoomChange::Remove { user: target.user, reason: Gone::Kicked }])
}

/// Decides about keeping somebody out.
///
/// # Errors
/// [`Denied`] when the actor may not or there is no such account.
pub fn ban(facts: &RoomFacts, reason: &str, limits: &Limits) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    let target = facts.people.first().ok_or(Denied::NotFound)?;
    if facts.room.kind == RoomKind::Direct || target.user == facts.actor.user {
        return Err(Denied::Forbidden("they cannot be banned here"));
    }
    may(role, Action::Ban(target.role))?;
    let reason = name::text("reason", reason, limits.status_chars_max)?;
    let mut changes = Vec::new();
    if target.role.is_some() {
        changes.push(RoomChange::Remove { user: target.user, reason: Gone::Banned });
    }
    changes.push(RoomChange::Ban { user: target.user, reason });
    Ok(changes)
}

/// Decides about letting somebody back in.
///
/// # Errors
/// [`Denied`] when the actor may not or the person is not banned.
pub fn unban(facts: &RoomFacts) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    let target = facts.people.first().filter(|p| p.banned).ok_or(Denied::NotFound)?;
    may(role, Action::Ban(None))?;
    Ok(vec![RoomChange::Unban(target.user)])
}

/// Decides about somebody's role. A room always keeps an owner.
///
/// # Errors
/// [`Denied`] when the actor may not, or it would leave the room without an owner.
pub fn set_role(facts: &RoomFacts, to: Role) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    let target = facts.people.first().ok_or(Denied::NotFound)?;
    let from = target.role.ok_or(Denied::NotFound)?;
    if facts.room.kind == RoomKind::Direct {
        return Err(Denied::Forbidden("everybody is equal in a direct room"));
    }
    may(role, Action::SetRole { from, to })?;
    if from == Role::Owner && to != Role::Owner && facts.owners == 1 {
        return Err(Denied::Conflict("a room needs an owner"));
    }
    if from == to {
        return Ok(vec![]);
    }
    Ok(vec![RoomChange::SetRole { user: target.user, role: to }])
}

/// Decides about new settings, which are read and normalised here.
///
/// # Errors
/// [`Denied`] when the actor may not or a value is not acceptable.
pub fn settings(
    facts: &RoomFacts,
    mut asked: Settings,
    limits: &Limits,
) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    if facts.room.kind == RoomKind::Direct {
        return Err(Denied::Forbidden("a direct room has no settings"));
    }
    may(role, Action::Settings)?;
    if asked.kind == Some(RoomKind::Direct) {
        return Err(Denied::invalid("kind", "a room does not become direct"));
    }
    let closes = asked.archived == Some(true)
        || asked.password_hash.as_ref().is_some_and(Option::is_some)
        || asked.kind.is_some_and(|kind| kind != RoomKind::Public);
    if facts.room.lobby && closes {
        return Err(Denied::Forbidden("the lobby stays open"));
    }
    if let Some(text) = &asked.name {
        asked.name = Some(name::line("name", text, limits)?);
    }
    if let Some(text) = &asked.description {
        asked.description = Some(name::text("description", text, limits.description_chars_max)?);
    }
    Ok(vec![RoomChange::Settings(asked)])
}

/// Decides about deleting the room.
///
/// # Errors
/// [`Denied`] when the actor may not, or it is the lobby.
pub fn delete(facts: &RoomFacts) -> Result<Vec<RoomChange>, Denied> {
    let role = member(facts)?;
    if facts.room.lobby {
        return Err(Denied::Forbidden("the lobby stays"));
    }
    may(role, Action::Close)?;
    Ok(vec![RoomChange::Delete])
}

/// The actor's role. Somebody who is not in the room learns only whether it can be seen at all.
pub(crate) fn member(facts: &RoomFacts) -> Result<Role, Denied> {
    facts.actor.role.ok_or(if facts.room.kind.is_open() && !facts.actor.banned {
        Denied::Forbidden("join the room first")
    } else {
        Denied::NotFound
    })
}
