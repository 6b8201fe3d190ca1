//! Lists that stand over the rest, and the palette.

use super::{App, Mode};
use crate::effect::{Effect, Making};
use crate::input::Input;
use crate::keys::Key;

/// Rows of the palette that are shown.
pub(crate) const PALETTE_ROWS: usize = 12;

/// A list to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panel {
    /// What it is a list of.
    pub title: String,
    /// The rows.
    pub rows: Vec<Row>,
    /// Which is chosen.
    pub at: usize,
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it says.
    pub text: String,
    /// Where it leads.
    pub go: Go,
}

/// Where a row leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Go {
    /// Nowhere: it is there to be read.
    Nowhere,
    /// To a session.
    Session(String),
    /// To a message.
    Message {
        /// Where it stands.
        session_id: String,
        /// Its number.
        number: i64,
        /// Which.
        message_id: String,
    },
    /// To a direct room with somebody.
    Person(String),
    /// To a command, which is then typed on.
    Command(&'static str),
    /// To verifying somebody.
    Verify(Option<String>),
    /// To taking somebody's new identity.
    Trust(String),
    /// To letting somebody into a session, by their handle.
    LetIn {
        /// Which session.
        session_id: String,
        /// Their handle.
        whom: String,
    },
    /// To what is not sent yet: again on Enter, not at all on `x`.
    Unsent(String),
}

impl Row {
    /// A row that leads somewhere.
    pub fn new(text: impl Into<String>, go: Go) -> Self {
        Self { text: text.into(), go }
    }

    /// A row to be read.
    pub fn told(text: impl Into<String>) -> Self {
        Self::new(text, Go::Nowhere)
    }
}

impl Panel {
    /// A list; with nothing in it, it says this instead.
    pub fn new(title: impl Into<String>, mut rows: Vec<Row>, nothing: &str) -> Self {
        if rows.is_empty() {
            rows.push(Row::told(nothing));
        }
        Self { title: title.into(), rows, at: 0 }
    }
}

/// The commands that the palette knows, and what they do.
const COMMANDS: [(&str, &str); 22] = [
    ("accept", "go on with a verification that somebody asks for"),
    ("code ", "take the code that another device shows"),
    ("decay ", "let everybody's messages here decay"),
    ("devices", "your own devices"),
    ("direct ", "talk to one person"),
    ("end ", "have this session end by itself"),
    ("invite ", "bring people into this room or session"),
    ("leave", "leave this room"),
    ("let-in ", "give keys to somebody whom nobody has let in"),
    ("members", "who is here"),
    ("quit", "leave Parlor"),
    ("recover", "use your recovery key on this device"),
    ("recovery", "make a recovery key"),
    ("room ", "make a room"),
    ("search ", "search everywhere"),
    ("session ", "make a session in this room"),
    ("settings", "about this device and account"),
    ("sign-out", "sign out and forget everything here"),
    ("timer ", "let what you write here decay"),
    ("unreads clear", "mark everything read"),
    ("upload ", "send a file"),
    ("verify ", "compare emoji with somebody, or pass a code"),
];

impl App {
    pub(super) fn in_panel(&mut self, key: Key, mut panel: Panel) -> Vec<Effect> {
        let last = panel.rows.len().saturating_sub(1);
        match key {
            Key::Down | Key::Char('j') | Key::Ctrl('n') => panel.at = (panel.at + 1).min(last),
            Key::Up | Key::Char('k') => panel.at = panel.at.saturating_sub(1),
            Key::End | Key::Char('G') => panel.at = last,
            Key::Home => panel.at = 0,
            Key::Enter => {
                let go = panel.rows.get(panel.at).map(|row| row.go.clone());
                return self.follow(go.unwrap_or(Go::Nowhere));
            }
            Key::Char('x') => {
                if let Some(Row { go: Go::Unsent(id), .. }) = panel.rows.get(panel.at) {
                    return vec![Effect::Withdraw(id.clone()), Effect::Outbox];
                }
            }
            Key::Esc | Key::Char('q') => return Vec::new(),
            _ => {}
        }
        self.mode = Mode::Panel(panel);
        Vec::new()
    }

    /// Goes where a row leads.
    fn follow(&mut self, go: Go) -> Vec<Effect> {
        match go {
            Go::Nowhere => Vec::new(),
            Go::Session(id) => self.go_to(&id),
            Go::Message { session_id, number, message_id } => {
                let mut effects = self.go_to(&session_id);
                self.chosen = Some(message_id);
                if self.messages.iter().all(|known| Some(&known.id) != self.chosen.as_ref()) {
                    effects.push(Effect::Around { session_id, number });
                }
                effects
            }
            Go::Person(id) => vec![Effect::Make(Making::Direct(id))],
            Go::Command(text) => {
                if !text.ends_with(' ') {
                    return self.command(text);
                }
                self.mode = Mode::Command(Input::with(text));
                Vec::new()
            }
            Go::Verify(whom) => vec![Effect::Verify(whom)],
            Go::Trust(whom) => {
                let name = self.name(&whom).to_owned();
                let text = format!("take the new identity of {name} without comparing?");
                self.ask(text, vec![Effect::Trust(whom)]);
                Vec::new()
            }
            Go::LetIn { session_id, whom } => {
                let text = format!("let @{whom} in, to read what is said from now on?");
                self.ask(text, vec![Effect::LetIn { session_id, whom }]);
                Vec::new()
            }
            Go::Unsent(id) => vec![Effect::Retry(id), Effect::Outbox],
        }
    }

    /// Shows the session with this id, if it is not shown.
    pub(super) fn go_to(&mut self, session_id: &str) -> Vec<Effect> {
        match self.places.iter().position(|place| place.session_id == session_id) {
            Some(index) if index == self.shown => Vec::new(),
            Some(index) => self.show(index),
            None => Vec::new(),
        }
    }

    pub(super) fn palette(&mut self, key: Key, mut text: Input, mut at: usize) -> Vec<Effect> {
        match key {
            Key::Esc | Key::Ctrl('p') => return Vec::new(),
            Key::Enter => {
                let rows = self.choices(&text.text());
                return rows.into_iter().nth(at).map(|row| self.follow(row.go)).unwrap_or_default();
            }
            Key::Down | Key::Ctrl('n') | Key::Tab => at += 1,
            Key::Up | Key::BackTab => at = at.saturating_sub(1),
            other => {
                if text.press(other) {
                    at = 0;
                }
            }
        }
        at = at.min(self.choices(&text.text()).len().saturating_sub(1));
        self.mode = Mode::Palette(text, at);
        Vec::new()
    }

    /// What the palette offers for these letters: sessions, unread ones first; then people; then
    /// commands.
    pub fn choices(&self, letters: &str) -> Vec<Row> {
        let mut places = self.matching(letters);
        places.sort_by_key(|index| {
            let place = &self.places[*index];
            (place.mentions == 0, place.unread == 0)
        });
        let sessions = places.into_iter().map(|index| {
            let place = &self.places[index];
            let unread =
                if place.unread > 0 { format!(" ({})", place.unread) } else { String::new() };
            Row::new(format!("{}{unread}", place.name()), Go::Session(place.session_id.clone()))
        });
        let mut people: Vec<(&String, &String)> = self.names.iter().collect();
        people.sort_by_key(|(id, name)| (*name, *id));
        let people = people.into_iter().filter(|(id, name)| **id != self.me && fits(name, letters));
        let people = people.map(|(id, name)| Row::new(format!("@{name}"), Go::Person(id.clone())));
        let fitting = COMMANDS.iter().filter(|(name, _)| fits(name, letters));
        let commands =
            fitting.map(|(name, what)| Row::new(format!(":{name:<14} {what}"), Go::Command(name)));
        sessions.chain(people).chain(commands).take(PALETTE_ROWS).collect()
    }

    /// The sessions whose names have these letters in this order.
    pub fn matching(&self, letters: &str) -> Vec<usize> {
        let places = self.places.iter().enumerate();
        let found = places.filter(|(_, place)| fits(&place.name(), letters));
        found.map(|(index, _)| index).collect()
    }

    pub(super) fn inbox(&mut self) -> Vec<Effect> {
        let mut places: Vec<_> = self.places.iter().filter(|place| place.unread > 0).collect();
        places.sort_by_key(|place| (place.mentions == 0, -place.unread));
        let row = |place: &&super::Place| {
            let named = match place.mentions {
                0 => String::new(),
                count => format!(", you are named {count} times"),
            };
            let text = format!("{}: {} unread{named}", place.name(), place.unread);
            Row::new(text, Go::Session(place.session_id.clone()))
        };
        let rows = places.iter().map(row).collect();
        self.mode = Mode::Panel(Panel::new("inbox", rows, "nothing is unread"));
        Vec::new()
    }
}

/// Whether a name has these letters in this order.
fn fits(name: &str, letters: &str) -> bool {
    let mut wanted = letters.chars().flat_map(char::to_lowercase).peekable();
    for letter in name.chars().flat_map(char::to_lowercase) {
        wanted.next_if_eq(&letter);
    }
    wanted.peek().is_none()
}
