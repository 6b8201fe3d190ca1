//! Keys: what the terminal says, as this program names it, and the list that help shows.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A sign.
    Char(char),
    /// With Ctrl.
    Ctrl(char),
    /// With Alt.
    Alt(char),
    /// Enter.
    Enter,
    /// Enter with Alt: a new line.
    AltEnter,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Escape.
    Esc,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Tab.
    Tab,
    /// Tab with Shift.
    BackTab,
    /// Help.
    F1,
}

/// What keys there are, for help; the page about the terminal client has the same table.
pub const HELP: [(&str, &str); 34] = [
    ("Ctrl P", "choose a session, a person or a command"),
    ("Alt n / Alt p", "next and previous session with something unread"),
    ("Ctrl n / Ctrl b, :b NAME", "next and previous session, or one by its name"),
    ("Tab / Shift Tab", "from the messages to writing, to the list of sessions"),
    ("gt / gT", "next and previous session of the room"),
    ("j / k", "next and previous message"),
    ("gg / G", "first and last message"),
    ("gu", "oldest unread message"),
    ("Esc Esc", "mark read, go to the end"),
    (":unreads clear", "mark everything read"),
    ("mu", "mark unread from here, on this device"),
    ("i", "write"),
    ("Enter / Alt Enter", "send, new line"),
    ("r", "answer"),
    (">", "quote"),
    ("t", "open or close the thread"),
    ("e, Up", "reword your last message; Up while nothing is written"),
    ("+, :react EMOJI", "react, or take it back"),
    ("dd", "delete your message, after asking"),
    ("/ and :search WORDS", "search here, and everywhere"),
    ("gi / gd / go", "inbox, drafts, what is not sent yet"),
    (":upload PATH", "send a file"),
    (":timer 1h, :timer off", "let what you write decay"),
    (":decay 1d, :decay off", "let everybody's messages here decay"),
    (":end 1h, :end silence 1d", "end this session, or :end off"),
    (":members", "who is here, and whom you verified"),
    (":let-in PERSON", "give keys to somebody whom nobody has let in"),
    (":verify PERSON, :devices", "compare emoji with a person, or your own devices"),
    (":code TEXT", "verify by the code that the other device shows"),
    (":recovery, :recover", "make a recovery key, or use it"),
    (":room, :direct, :session", "make a room, a direct room, a session"),
    (":settings", "about this device and account"),
    (":sign-out", "sign out and forget everything here"),
    ("Ctrl C, :q", "leave"),
];

/// Reads what the terminal says; what means nothing here is none.
pub fn read(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char(sign) if ctrl => Key::Ctrl(sign.to_ascii_lowercase()),
        KeyCode::Char(sign) if alt => Key::Alt(sign),
        KeyCode::Char(sign) => Key::Char(sign),
        KeyCode::Enter if alt => Key::AltEnter,
        KeyCode::Enter => Key::Enter,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Esc => Key::Esc,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::F(1) => Key::F1,
        _ => return None,
    })
}
