//! What keys ask for and what comes of it, as values: the app asks by an [`Effect`], and hears of
//! what came by [`News`].

use parlor_sdk::{Ending, Member, Message, Settings, Stage, Standing};

use crate::app::{Panel, Place};

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Show this session: what is kept of it, who is in it, who of them is verified.
    Open(String),
    /// Say something.
    Send(Saying),
    /// Reword a message.
    Edit {
        /// Where.
        session_id: String,
        /// Which.
        message_id: String,
        /// To what.
        body: String,
    },
    /// Delete a message.
    Delete {
        /// Where.
        session_id: String,
        /// Which.
        message_id: String,
    },
    /// React to a message, or do so no more.
    React {
        /// Where.
        session_id: String,
        /// Which.
        message_id: String,
        /// By what.
        emoji: String,
        /// Whether to.
        on: bool,
    },
    /// Everything up to this number was read.
    Read {
        /// Where.
        session_id: String,
        /// How far.
        number: i64,
    },
    /// Everything everywhere was read.
    ReadAll,
    /// Messages before this number are wanted.
    Earlier {
        /// Where.
        session_id: String,
        /// The first that is there.
        before: Option<i64>,
    },
    /// Messages after this number are wanted, of those that are kept.
    Later {
        /// Where.
        session_id: String,
        /// The last that is there.
        after: i64,
    },
    /// Messages around this number are wanted.
    Around {
        /// Where.
        session_id: String,
        /// The number.
        number: i64,
    },
    /// What the server has of a thread is wanted.
    Thread {
        /// Where.
        session_id: String,
        /// The message that began it.
        message_id: String,
    },
    /// Somebody is writing here: oneself.
    Typing(String),
    /// Find these words, in a session or everywhere.
    Find {
        /// The words.
        words: String,
        /// Where; none: everywhere.
        session_id: Option<String>,
    },
    /// Send a file.
    Upload {
        /// Where.
        session_id: String,
        /// The file.
        path: String,
    },
    /// Who is in a session?
    Members(String),
    /// Let somebody in who is in a session and whom nobody has let in.
    LetIn {
        /// Which session.
        session_id: String,
        /// Their handle, or what they are called if only one of them is.
        whom: String,
    },
    /// Which devices are one's own?
    Devices,
    /// What is not sent yet?
    Outbox,
    /// Try again to send something.
    Retry(String),
    /// Do not send it after all.
    Withdraw(String),
    /// Keep what is being written.
    Drafts(std::collections::BTreeMap<String, String>),
    /// Make something.
    Make(Making),
    /// Have everybody's messages in a session live for so many seconds; 0: for ever.
    SetDecay {
        /// Where.
        session_id: String,
        /// For how long.
        seconds: i64,
    },
    /// Have a session end by itself, or not.
    SetEnd {
        /// Which.
        session_id: String,
        /// When.
        end: Option<Ending>,
    },
    /// Leave a room.
    Leave(String),
    /// Who is verified in this session?
    Look(String),
    /// Ask somebody, or one's own other devices, to verify.
    Verify(Option<String>),
    /// Ask the device whose emoji are compared anew, for a code.
    VerifyByCode,
    /// Go on with the verification.
    Answer(Answer),
    /// Take somebody's new identity, having looked at it.
    Trust(String),
    /// Make a recovery key.
    MakeRecovery,
    /// Use a recovery key. (It is a secret; nothing prints an effect.)
    Recover(String),
    /// What is there to say about this device?
    Settings,
    /// Sign out, and forget everything here.
    SignOut,
    /// The program ends.
    Quit,
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saying {
    /// Where.
    pub session_id: String,
    /// What.
    pub body: String,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// The message whose thread it is said in.
    pub thread_id: Option<String>,
    /// How long it lives.
    pub life_ms: Option<u64>,
}

/// Something to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Making {
    /// A room with these people, who are named by their handles.
    Room {
        /// Its name.
        name: String,
        /// Handles.
        people: Vec<String>,
        /// How it is encrypted, so that only its members can read it.
        encryption: Option<Settings>,
    },
    /// A session.
    Session {
        /// The session that is shown, whose room it is to be in.
        beside: String,
        /// Its name.
        name: String,
        /// Handles.
        people: Vec<String>,
        /// How it is encrypted, so that only its members can read it.
        encryption: Option<Settings>,
    },
    /// More people for the room or session that is shown.
    Invite {
        /// The session.
        beside: String,
        /// Handles.
        people: Vec<String>,
    },
    /// A direct room, encrypted where that can be, with somebody who is known by their id.
    Direct(String),
    /// The same with somebody who is named by their handle.
    DirectTo(String),
}

/// What somebody says to a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// They are willing.
    Accept,
    /// They want to compare emoji.
    Compare,
    /// They want to show a code.
    Show,
    /// They have the code of the other device. (It is a secret; nothing prints an answer.)
    Take(String),
    /// The emoji are the same, or the code worked at the other device.
    Same,
    /// They differ, or it did not.
    Differ,
    /// They call it off.
    Cancel,
}

/// What came of something.
#[derive(Debug, Clone)]
pub enum News {
    /// What there is to go to.
    Places(Vec<Place>),
    /// Messages of a session, in place of what is shown.
    Shown {
        /// Which session.
        session_id: String,
        /// The messages.
        messages: Vec<Message>,
        /// Whether there are later ones.
        behind: bool,
    },
    /// More messages of a session.
    More {
        /// Which session.
        session_id: String,
        /// The messages.
        messages: Vec<Message>,
        /// Whether there are later ones.
        behind: bool,
    },
    /// What people are called.
    Names(Vec<Member>),
    /// How a session is protected.
    Shield(String, crate::shield::Shield),
    /// How far this device has come.
    Standing(Standing),
    /// Somebody asks to verify, or it goes on.
    Verifying {
        /// The other side's id.
        user_id: String,
        /// How far it is.
        stage: Stage,
    },
    /// How many messages wait to be sent.
    Waiting(usize),
    /// A list, to be shown over the rest.
    Panel(Panel),
    /// A session that was made: go there.
    GoTo(String),
    /// Something to tell.
    Notice(String),
}
