//! A conversation inside a room: who is in it and who may change it.

use crate::permission::{Action, may};
use crate::{
    Denied, Encryption, Ending, Gone, Limits, Role, RoomFacts, RoomId, RoomKind, SessionId,
    Standing, Time, Ttl, UserId, name, room,
};

/// A conversation inside a room, as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The small integer id: a handle, never an order or an authority.
    pub no: i64,
    /// The room.
    pub room: RoomId,
    /// What it is called.
    pub name: String,
    /// Whether it is the room's main session.
    pub main: bool,
    /// Who opened it; `None` for the lobby's, or when the account is gone.
    pub created_by: Option<UserId>,
    /// When it was opened.
    pub created_at: Time,
    /// When it ended, if it has.
    pub ended_at: Option<Time>,
    /// How many are in it.
    pub member_count: i64,
    /// The `seq` of its newest event.
    pub head_seq: i64,
    /// The number of its newest message.
    pub head_number: i64,
    /// How many of its messages are in threads.
    pub head_threaded: i64,
    /// The reader's marker.
    pub read_number: i64,
    /// How many of the messages up to the marker are in threads.
    pub read_threaded: i64,
    /// Unread messages in threads that the reader follows.
    pub thread_unread: i64,
    /// Unread messages that name the reader.
    pub mentions: i64,
    /// How it is encrypted; `None`: not.
    pub encryption: Option<Encryption>,
    /// The `seq` of the last event by which somebody came or went.
    pub membership_version: i64,
    /// How long messages live here; `None`: for ever.
    pub message_ttl: Option<Ttl>,
    /// When it ends by itself; `None`: it does not.
    pub ending: Option<Ending>,
}

impl Session {
    /// How many messages of the timeline, which leaves out what is in threads, the reader has not
    /// read.
    pub fn unread(&self) -> i64 {
        let head = self.head_number - self.head_threaded;
        (head - (self.read_number - self.read_threaded)).max(0)
    }
}

/// A session as a member sees it: all that is needed to decide about a message. It is as fresh as
/// `acl_version`, which the commit compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The session.
    pub session: SessionId,
    /// Its small id.
    pub session_no: i64,
    /// Whether it is its room's main session.
    pub main: bool,
    /// Whether it has ended.
    pub ended: bool,
    /// Who opened it.
    pub created_by: Option<UserId>,
    /// The room.
    pub room: RoomId,
    /// The room's kind.
    pub kind: RoomKind,
    /// Whether the room is archived.
    pub archived: bool,
    /// The member who looks.
    pub user: UserId,
    /// Their small id.
    pub user_no: i64,
    /// Their role in the room.
    pub role: Role,
    /// How many are in the session.
    pub people: i64,
    /// Grows with every change of who may do what in the session.
    pub acl_version: i64,
    /// How it is encrypted; `None`: not.
    pub encryption: Option<Encryption>,
    /// The `seq` of the last event by which somebody came or went.
    pub membership_version: i64,
    /// How long messages live here; `None`: for ever.
    pub message_ttl: Option<Ttl>,
    /// How long anything is kept in the room; `None`: for ever.
    pub retention: Option<Ttl>,
    /// When it ends by itself; `None`: it does not. Of an end by silence not all that was said
    /// meanwhile need be in it.
    pub ending: Option<Ending>,
}

impl View {
    /// Whether anything may change here at all.
    ///
    /// # Errors
    /// [`Denied::Conflict`] when the session has ended or the room is archived.
    pub fn open(&self) -> Result<(), Denied> {
        if self.ended {
            return Err(Denied::Conflict("the session has ended"));
        }
        if self.archived {
            return Err(Denied::Conflict("the room is archived"));
        }
        Ok(())
    }
}

/// What is known of a session and of the people concerned when a change is decided.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    /// The session as the actor sees it.
    pub view: View,
    /// The people named, as they stand in the room and in this session.
    pub people: Vec<Standing>,
    /// How many are in the session.
    pub member_count: i64,
}

/// One thing that changes about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// A room member comes in.
    Add(UserId),
    /// A member goes.
    Remove(UserId, Gone),
    /// The settings become these.
    Settings(Settings),
    /// It ends.
    End,
}

/// New settings; `None` leaves one as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The name.
    pub name: Option<String>,
    /// How long messages live that are sent from now on; `Some(None)`: for ever.
    pub message_ttl: Option<Option<Ttl>>,
    /// When the session ends by itself; `Some(None)`: it does not.
    pub ending: Option<Option<Ending>>,
}

/// Decides who will be in a new session: the creator and the `asked` people who are named, all
/// members of the room, in which `open` sessions are open.
///
/// # Errors
/// [`Denied::Conflict`] when the room is archived or full of sessions, [`Denied::NotFound`] when
/// somebody named is not in the room, [`Denied`] when the creator is not.
pub fn open(
    facts: &RoomFacts,
    open: u64,
    asked: usize,
    limits: &Limits,
) -> Result<Vec<UserId>, Denied> {
    may(room::member(facts)?, Action::Talk)?;
    if facts.people.len() != asked || facts.people.iter().any(|person| person.role.is_none()) {
        return Err(Denied::NotFound);
    }
    if open >= facts.room.rules.open_max(limits) {
        return Err(Denied::Conflict("the room has too many sessions"));
    }
    if facts.room.archived_at.is_some() {
        return Err(Denied::Conflict("the room is archived"));
    }
    let mut members = vec![facts.actor.user];
    for person in &facts.people {
        if !members.contains(&person.user) {
            members.push(person.user);
        }
    }
    Ok(members)
}

/// Decides about adding people.
///
/// # Errors
/// [`Denied`] when the actor may not, the session is the main one, or somebody is not in the room.
pub fn add(facts: &SessionFacts) -> Result<Vec<SessionChange>, Denied> {
    let view = &facts.view;
    view.open()?;
    if view.main {
        return Err(Denied::Conflict("the main session has all the room's members"));
    }
    manage(view)?;
    if facts.people.iter().any(|p| p.role.is_none()) {
        return Err(Denied::NotFound);
    }
    let news = facts.people.iter().filter(|p| !p.present);
    Ok(news.map(|p| SessionChange::Add(p.user)).collect())
}

/// Decides about one person's leaving, by themselves or by others.
///
/// # Errors
/// [`Denied`] when the actor may not, the session is the main one, or the person is not in it.
pub fn remove(facts: &SessionFacts) -> Result<Vec<SessionChange>, Denied> {
    let view = &facts.view;
    let person = facts.people.first().ok_or(Denied::NotFound)?;
    if view.main {
        return Err(Denied::Conflict("leave the room to leave its main session"));
    }
    if !person.present {
        return Err(Denied::NotFound);
    }
    if person.user == view.user {
        return Ok(vec![SessionChange::Remove(person.user, Gone::Left)]);
    }
    manage(view)?;
    if view.created_by != Some(view.user) {
        may(view.role, Action::Remove(person.role.unwrap_or(Role::Member)))?;
    }
    Ok(vec![SessionChange::Remove(person.user, Gone::Removed)])
}

/// Decides about new settings, which are read and normalised here.
///
/// # Errors
/// [`Denied`] when the actor may not or a value is not acceptable.
pub fn settings(
    facts: &SessionFacts,
    mut asked: Settings,
    limits: &Limits,
) -> Result<SessionChange, Denied> {
    facts.view.open()?;
    if facts.view.main && asked.ending.is_some() {
        return Err(Denied::Conflict("the main session lives as long as its room"));
    }
    // Two people who write to each other alone have nobody who keeps order.
    if facts.view.kind != RoomKind::Direct || asked.name.is_some() {
        manage(&facts.view)?;
    }
    if let Some(text) = &asked.name {
        asked.name = Some(name::line("name", text, limits)?);
    }
    Ok(SessionChange::Settings(asked))
}

/// Decides about ending it.
///
/// # Errors
/// [`Denied`] when the actor may not, it is the main session, or it has ended.
pub fn end(facts: &SessionFacts) -> Result<SessionChange, Denied> {
    if facts.view.main {
        return Err(Denied::Conflict("the main session lives as long as its room"));
    }
    facts.view.open()?;
    manage(&facts.view)?;
    Ok(SessionChange::End)
}

/// A session is managed by who opened it and by the room's moderators in it.
fn manage(view: &View) -> Result<(), Denied> {
    if view.created_by == Some(view.user) && !view.main {
        return Ok(());
    }
    may(view.role, Action::ManageSession)
}
