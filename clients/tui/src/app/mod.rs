//! What is on the screen, and what becomes of it when a key is pressed or something happens.
//!
//! Owns all that is shown. Refuses to do anything itself: what is to be done is an [`Effect`].

mod command;
mod hear;
mod normal;
mod panel;
mod writing;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parlor_sdk::{Ending, Message, Stage, Standing};

use crate::effect::Effect;
use crate::input::Input;
use crate::keys::Key;
use crate::shield::Shield;

pub use panel::{Go, Panel, Row};

/// Messages that are held at most; further back one goes by letting the newest go.
pub(crate) const HELD_MAX: usize = 5_000;

/// A session in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub session_id: String,
    /// The room that it is in.
    pub room_id: String,
    /// The room's name.
    pub room: String,
    /// The session's name; none for the main session.
    pub session: Option<String>,
    /// How much is unread.
    pub unread: i64,
    /// How much of it names the reader.
    pub mentions: i64,
    /// The number of the newest message.
    pub head: i64,
    /// Up to where it is read.
    pub read: i64,
    /// Whether the server cannot read it.
    pub encrypted: bool,
    /// Whether it is over.
    pub ended: bool,
    /// How many seconds messages live in it; none: for ever.
    pub message_ttl_s: Option<i64>,
    /// When it ends by itself; none: it does not.
    pub end: Option<Ending>,
}

impl Place {
    /// Its name, with the room's.
    pub fn name(&self) -> String {
        match &self.session {
            Some(session) => format!("{} / {session}", self.room),
            None => self.room.clone(),
        }
    }
}

/// What keys are for at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Mode {
    /// Moving about in the messages.
    #[default]
    Normal,
    /// Writing.
    Insert,
    /// Moving about in the list of sessions.
    Places(usize),
    /// Writing a command, after `:`.
    Command(Input),
    /// Searching this session, after `/`.
    Search(Input),
    /// Typing a recovery key, which is not shown.
    Secret(Input),
    /// Choosing by some letters.
    Palette(Input, usize),
    /// Looking at a list.
    Panel(Panel),
    /// What keys there are, from this line on.
    Help(usize),
    /// Being asked.
    Confirm(Question),
}

/// Something that is done only when it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// What is done on yes.
    pub effects: Vec<Effect>,
}

/// Whether the server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    /// Not yet.
    #[default]
    Connecting,
    /// It is.
    Online,
    /// It was, and is tried again.
    Reconnecting,
}

/// A verification that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifying {
    /// The other side's id.
    pub user_id: String,
    /// How far it is.
    pub stage: Stage,
    /// Whether it is looked at: only then keys are for it.
    pub open: bool,
}

/// What is on the screen.
#[derive(Debug, Clone, Default)]
pub struct App {
    /// Oneself.
    pub me: String,
    /// The sessions.
    pub places: Vec<Place>,
    /// Which of them is shown.
    pub shown: usize,
    /// Its messages, ascending, those of threads among them.
    pub messages: Vec<Message>,
    /// Whether there are later ones than those.
    pub behind: bool,
    /// The message whose thread is shown.
    pub thread: Option<String>,
    /// Names of people by their ids.
    pub names: HashMap<String, String>,
    /// Which message is chosen; none: the newest.
    pub chosen: Option<String>,
    /// The number after which everything was unread when the session was opened.
    pub unread_after: Option<i64>,
    /// What keys are for.
    pub mode: Mode,
    /// What is being written.
    pub composer: Input,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// The message that it rewords.
    pub rewords: Option<String>,
    /// What is being written elsewhere, by session.
    pub drafts: BTreeMap<String, String>,
    /// From where on one wants a session unread, by session; the number before.
    pub unread_again: HashMap<String, i64>,
    /// How long what one says lives, by session.
    pub timers: HashMap<String, u64>,
    /// Who is writing.
    pub typing: Vec<String>,
    /// Whether the server is reached.
    pub link: Link,
    /// Messages that wait to be sent.
    pub waiting: usize,
    /// What to tell, once.
    pub notice: Option<String>,
    /// How sessions are protected, as far as it was looked at.
    pub shields: HashMap<String, Shield>,
    /// How far this device has come; none: not known, or no encryption.
    pub standing: Option<Standing>,
    /// A verification that goes on.
    pub verifying: Option<Verifying>,
    /// A list that came while something was being typed: it waits until that is done.
    pub later: Option<Panel>,
    /// The first key of two, such as `g` of `gg`.
    pub pending: Option<char>,
    /// Whether the terminal is looked at.
    pub looked_at: bool,
    /// What time it is.
    pub now: Timestamp,
    /// Where: how times are written.
    pub zone: Option<TimeZone>,
}

impl App {
    /// The session that is shown.
    pub fn place(&self) -> Option<&Place> {
        self.places.get(self.shown)
    }

    pub(crate) fn session_id(&self) -> Option<String> {
        self.place().map(|place| place.session_id.clone())
    }

    /// How the session that is shown is protected.
    pub fn shield(&self) -> Shield {
        let Some(place) = self.place() else { return Shield::Plain };
        let known = self.shields.get(&place.session_id).cloned();
        known.unwrap_or_else(|| Shield::at_first(place.encrypted))
    }

    /// The messages that are shown: those of the timeline, or those of a thread.
    pub fn visible(&self) -> Vec<&Message> {
        let shown = |message: &&Message| match &self.thread {
            Some(root) => message.id == *root || message.thread_id.as_ref() == Some(root),
            None => message.thread_id.is_none(),
        };
        self.messages.iter().filter(shown).collect()
    }

    /// The message that is chosen, or else the newest.
    pub fn chosen_message(&self) -> Option<&Message> {
        let chosen = self.chosen.as_deref();
        let found = chosen.and_then(|id| self.messages.iter().find(|message| message.id == id));
        found.or_else(|| self.visible().last().copied())
    }

    /// What somebody is called.
    pub fn name(&self, user_id: &str) -> &str {
        self.names.get(user_id).map_or("somebody", |name| name)
    }

    /// A key was pressed.
    pub fn press(&mut self, key: Key) -> Vec<Effect> {
        self.notice = None;
        if key == Key::Ctrl('c') {
            return vec![Effect::Quit];
        }
        if self.is_verifying() {
            return self.compare(key);
        }
        let effects = self.press_in_mode(key);
        if self.mode == Mode::Normal
            && let Some(panel) = self.later.take()
        {
            self.mode = Mode::Panel(panel);
        }
        effects
    }

    fn press_in_mode(&mut self, key: Key) -> Vec<Effect> {
        match std::mem::take(&mut self.mode) {
            Mode::Normal => self.normal(key),
            Mode::Insert => self.insert(key),
            Mode::Places(at) => self.in_places(key, at),
            Mode::Command(text) => self.line(key, text, Mode::Command, Self::command),
            Mode::Search(text) => self.line(key, text, Mode::Search, Self::search),
            Mode::Secret(text) => self.line(key, text, Mode::Secret, Self::recover),
            Mode::Palette(text, at) => self.palette(key, text, at),
            Mode::Panel(panel) => self.in_panel(key, panel),
            Mode::Help(at) => self.in_help(key, at),
            Mode::Confirm(question) if key == Key::Char('y') => self.confirmed(question.effects),
            Mode::Confirm(_) => Vec::new(),
        }
    }

    /// A text was pasted: it is written, and nothing in it is a key.
    pub fn paste(&mut self, text: &str) {
        let text = crate::clean::clean(&text.replace("\r\n", "\n").replace('\r', "\n"));
        let line = text.replace('\n', " ");
        if self.is_verifying() {
            return self.paste_code(&line);
        }
        match &mut self.mode {
            Mode::Command(input)
            | Mode::Search(input)
            | Mode::Secret(input)
            | Mode::Palette(input, _) => input.put(&line),
            Mode::Normal | Mode::Insert => {
                self.mode = Mode::Insert;
                self.composer.put(&text);
            }
            _ => {}
        }
    }

    /// A line that is being typed.
    fn line(
        &mut self,
        key: Key,
        mut text: Input,
        mode: fn(Input) -> Mode,
        done: fn(&mut Self, &str) -> Vec<Effect>,
    ) -> Vec<Effect> {
        match key {
            Key::Enter => return done(self, text.text().trim()),
            Key::Esc => return Vec::new(),
            Key::Backspace if text.is_empty() => return Vec::new(),
            other => drop(text.press(other)),
        }
        self.mode = mode(text);
        Vec::new()
    }

    fn search(&mut self, words: &str) -> Vec<Effect> {
        vec![Effect::Find { words: words.to_owned(), session_id: self.session_id() }]
    }

    fn recover(&mut self, key: &str) -> Vec<Effect> {
        if key.is_empty() { Vec::new() } else { vec![Effect::Recover(key.to_owned())] }
    }

    fn in_help(&mut self, key: Key, at: usize) -> Vec<Effect> {
        match key {
            Key::Down | Key::Char('j') => self.mode = Mode::Help(at + 1),
            Key::Up | Key::Char('k') => self.mode = Mode::Help(at.saturating_sub(1)),
            _ => {}
        }
        Vec::new()
    }

    /// Asks before something is done.
    pub(crate) fn ask(&mut self, text: impl Into<String>, effects: Vec<Effect>) {
        self.mode = Mode::Confirm(Question { text: text.into(), effects });
    }

    /// Whether anything on the screen counts down.
    pub fn counts_down(&self) -> bool {
        let ends = |place: &Place| !place.ended && matches!(place.end, Some(Ending::At { .. }));
        self.place().is_some_and(ends)
            || self.messages.iter().any(|message| message.expires_at.is_some())
    }
}
