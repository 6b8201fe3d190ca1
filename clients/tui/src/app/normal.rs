//! Moving about: from message to message and from session to session.

use super::{App, Mode, Place};
use crate::effect::{Effect, Saying};
use crate::input::Input;
use crate::keys::Key;

/// The key that is remembered for the first of two escapes.
const ESC: char = '\u{1b}';

impl App {
    pub(super) fn normal(&mut self, key: Key) -> Vec<Effect> {
        match (self.pending.take(), key) {
            (Some(ESC), Key::Esc) => return self.go_to_the_end(),
            (Some(first), Key::Char(second)) if first != ESC => return self.two(first, second),
            _ => {}
        }
        match key {
            Key::Char('j') | Key::Down => return self.step(),
            Key::Char('k') | Key::Up => return self.step_back(),
            Key::Char('G') | Key::End => return self.newest(),
            Key::Home => return self.oldest(),
            Key::Char('i') => self.mode = Mode::Insert,
            Key::Char('r') => self.begin_reply(),
            Key::Char('>') => self.quote(),
            Key::Char('t') => return self.switch_thread(),
            Key::Char('e') => self.begin_edit(),
            Key::Char('+') => return self.react("\u{1f44d}"),
            Key::Char(first @ ('g' | 'd' | 'm')) => self.pending = Some(first),
            Key::Char('/') => self.mode = Mode::Search(Input::default()),
            Key::Char(':') => self.mode = Mode::Command(Input::default()),
            Key::Tab => self.mode = Mode::Insert,
            Key::BackTab => self.mode = Mode::Places(self.shown),
            Key::Esc => self.escape(),
            other => return self.anywhere(other),
        }
        Vec::new()
    }

    /// What keys with Ctrl and Alt do wherever one is.
    pub(super) fn anywhere(&mut self, key: Key) -> Vec<Effect> {
        match key {
            Key::Ctrl('p') => self.mode = Mode::Palette(Input::default(), 0),
            Key::Ctrl('n') => return self.go(1),
            Key::Ctrl('b') => return self.go(-1),
            Key::Alt('n') => return self.next_unread(1),
            Key::Alt('p') => return self.next_unread(-1),
            Key::F1 => self.mode = Mode::Help(0),
            _ => {}
        }
        Vec::new()
    }

    fn two(&mut self, first: char, second: char) -> Vec<Effect> {
        match (first, second) {
            ('g', 'g') => self.oldest(),
            ('g', 't') => self.tab(1),
            ('g', 'T') => self.tab(-1),
            ('g', 'u') => self.oldest_unread(),
            ('g', 'i') => self.inbox(),
            ('g', 'd') => self.list_drafts(),
            ('g', 'o') => vec![Effect::Outbox],
            ('d', 'd') => self.delete(),
            ('m', 'u') => self.mark_unread(),
            _ => Vec::new(),
        }
    }

    /// A first escape closes what is open; the second one goes to the end.
    pub(super) fn escape(&mut self) {
        self.pending = Some(ESC);
        self.thread = None;
        self.mode = Mode::Normal;
    }

    fn chosen_index(&self) -> Option<usize> {
        let chosen = self.chosen.as_ref()?;
        self.visible().iter().position(|message| message.id == *chosen)
    }

    fn step(&mut self) -> Vec<Effect> {
        let visible = self.visible();
        let next = self.chosen_index().map(|index| index + 1);
        let at_end = next.is_none_or(|index| index + 1 >= visible.len());
        if at_end && self.behind {
            let after = self.messages.last().map(|message| message.number);
            return match (self.session_id(), after) {
                (Some(session_id), Some(after)) => vec![Effect::Later { session_id, after }],
                _ => Vec::new(),
            };
        }
        let next = next.filter(|_| !at_end).map(|index| visible[index].id.clone());
        self.chosen = next;
        Vec::new()
    }

    fn step_back(&mut self) -> Vec<Effect> {
        let visible = self.visible();
        let at = self.chosen_index().unwrap_or_else(|| visible.len().saturating_sub(1));
        if at == 0 {
            return self.earlier();
        }
        self.chosen = Some(visible[at - 1].id.clone());
        Vec::new()
    }

    fn earlier(&self) -> Vec<Effect> {
        // What is said in threads may be kept from further back than the timeline is.
        let first = self.messages.iter().find(|message| message.thread_id.is_none());
        let before = first.map(|message| message.number);
        if self.thread.is_some() || before == Some(1) {
            return Vec::new();
        }
        self.session_id()
            .map(|session_id| Effect::Earlier { session_id, before })
            .into_iter()
            .collect()
    }

    fn oldest(&mut self) -> Vec<Effect> {
        self.chosen = self.visible().first().map(|message| message.id.clone());
        self.earlier()
    }

    fn newest(&mut self) -> Vec<Effect> {
        self.chosen = None;
        if !self.behind {
            return Vec::new();
        }
        self.session_id().map(Effect::Open).into_iter().collect()
    }

    fn oldest_unread(&mut self) -> Vec<Effect> {
        let Some(place) = self.place().filter(|place| place.unread > 0) else {
            self.notice = Some("nothing is unread here".to_owned());
            return Vec::new();
        };
        let (session_id, read) = (place.session_id.clone(), place.read);
        self.thread = None;
        let first = self.messages.first().map(|message| message.number);
        if first.is_some_and(|first| first <= read + 1) {
            let unread = self.visible().into_iter().find(|message| message.number > read);
            self.chosen = unread.map(|message| message.id.clone());
            return Vec::new();
        }
        vec![Effect::Around { session_id, number: read + 1 }]
    }

    fn go_to_the_end(&mut self) -> Vec<Effect> {
        let mut effects = self.newest();
        effects.extend(self.mark_read(self.shown));
        effects
    }

    /// Marks a session read to its end.
    pub(crate) fn mark_read(&mut self, index: usize) -> Option<Effect> {
        let place = self.places.get_mut(index)?;
        self.unread_again.remove(&place.session_id);
        let moved = place.read < place.head;
        (place.unread, place.mentions, place.read) = (0, 0, place.head);
        if index == self.shown {
            self.unread_after = None;
        }
        let place = &self.places[index];
        moved.then(|| Effect::Read { session_id: place.session_id.clone(), number: place.head })
    }

    /// What was confirmed; what concerns the screen happens here.
    pub(super) fn confirmed(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        if effects == [Effect::ReadAll] {
            return (0..self.places.len()).filter_map(|index| self.mark_read(index)).collect();
        }
        effects
    }

    /// On this device only: a server's marker goes forward and never back.
    fn mark_unread(&mut self) -> Vec<Effect> {
        let Some(number) = self.chosen_message().map(|message| message.number) else {
            return Vec::new();
        };
        let later = self.messages.iter().filter(|message| message.number >= number);
        let unread = later.filter(|message| message.sender_id != self.me).count();
        if let Some(place) = self.places.get_mut(self.shown) {
            (place.read, place.unread) = (number - 1, i64::try_from(unread).unwrap_or(i64::MAX));
            self.unread_again.insert(place.session_id.clone(), place.read);
        }
        self.unread_after = Some(number - 1);
        self.notice = Some("unread from here, on this device".to_owned());
        Vec::new()
    }

    fn go(&mut self, by: isize) -> Vec<Effect> {
        let all: Vec<usize> = (0..self.places.len()).collect();
        self.go_among(&all, by)
    }

    /// The next session of the same room.
    fn tab(&mut self, by: isize) -> Vec<Effect> {
        let Some(room) = self.place().map(|place| place.room_id.clone()) else {
            return Vec::new();
        };
        let same = self.places.iter().enumerate().filter(|(_, place)| place.room_id == room);
        let tabs: Vec<usize> = same.map(|(index, _)| index).collect();
        self.go_among(&tabs, by)
    }

    fn go_among(&mut self, places: &[usize], by: isize) -> Vec<Effect> {
        let Some(at) = places.iter().position(|index| *index == self.shown) else {
            return Vec::new();
        };
        let step = if by < 0 { places.len() - 1 } else { 1 };
        let next = places[(at + step) % places.len()];
        if next == self.shown { Vec::new() } else { self.show(next) }
    }

    fn next_unread(&mut self, by: isize) -> Vec<Effect> {
        let count = self.places.len();
        let next = (1..=count)
            .map(|step| if by < 0 { count - step } else { step })
            .map(|step| (self.shown + step) % count)
            .find(|index| self.places[*index].unread > 0);
        next.map(|index| self.show(index)).unwrap_or_default()
    }

    /// Shows a session; what is being written stays with the one before.
    pub fn show(&mut self, index: usize) -> Vec<Effect> {
        let mut effects = self.put_draft_away();
        effects.extend(self.open(index));
        effects
    }

    /// Shows a session, whatever was there before.
    pub(super) fn open(&mut self, index: usize) -> Vec<Effect> {
        self.shown = index;
        self.messages.clear();
        self.behind = false;
        self.leave_what_was_there();
        let read = |place: &Place| (place.unread > 0).then_some(place.read);
        self.unread_after = self.place().and_then(read);
        let session_id = self.session_id();
        let draft = session_id.as_ref().and_then(|session_id| self.drafts.get(session_id));
        self.composer = draft.map(|draft| Input::with(draft)).unwrap_or_default();
        session_id.map(Effect::Open).into_iter().collect()
    }

    fn leave_what_was_there(&mut self) {
        (self.chosen, self.thread, self.reply_to, self.rewords) = (None, None, None, None);
        self.typing.clear();
        self.mode = Mode::Normal;
    }

    pub(super) fn in_places(&mut self, key: Key, at: usize) -> Vec<Effect> {
        let last = self.places.len().saturating_sub(1);
        match key {
            Key::Char('j') | Key::Down => self.mode = Mode::Places((at + 1).min(last)),
            Key::Char('k') | Key::Up => self.mode = Mode::Places(at.saturating_sub(1)),
            Key::Char('G') | Key::End => self.mode = Mode::Places(last),
            Key::Home => self.mode = Mode::Places(0),
            Key::Enter if at <= last && !self.places.is_empty() => return self.show(at),
            Key::BackTab => self.mode = Mode::Insert,
            Key::Char(':') => self.mode = Mode::Command(Input::default()),
            Key::Esc | Key::Tab | Key::Enter => {}
            other => {
                self.mode = Mode::Places(at);
                return self.anywhere(other);
            }
        }
        Vec::new()
    }

    fn switch_thread(&mut self) -> Vec<Effect> {
        if self.thread.take().is_some() {
            return Vec::new();
        }
        let Some(message) = self.chosen_message() else { return Vec::new() };
        let message_id = message.id.clone();
        (self.chosen, self.thread) = (None, Some(message_id.clone()));
        let session_id = self.session_id();
        session_id.map(|session_id| Effect::Thread { session_id, message_id }).into_iter().collect()
    }

    pub(super) fn react(&mut self, emoji: &str) -> Vec<Effect> {
        let Some(message) = self.chosen_message() else { return Vec::new() };
        let mut same = message.reactions.iter().filter(|reaction| reaction.emoji == emoji);
        let on = !same.any(|reaction| reaction.user_ids.contains(&self.me));
        let (session_id, message_id) = (message.session_id.clone(), message.id.clone());
        vec![Effect::React { session_id, message_id, emoji: emoji.to_owned(), on }]
    }

    fn delete(&mut self) -> Vec<Effect> {
        let own = self.chosen_message();
        let own = own.filter(|own| own.sender_id == self.me && own.deleted_at.is_none());
        let Some(message) = own else {
            self.notice = Some("only what you said yourself".to_owned());
            return Vec::new();
        };
        let (session_id, message_id) = (message.session_id.clone(), message.id.clone());
        self.ask("delete this message?", vec![Effect::Delete { session_id, message_id }]);
        Vec::new()
    }

    /// Something to say here, in the thread that is shown and with the session's timer.
    pub(super) fn saying(&self, session_id: String, body: String) -> Saying {
        Saying {
            body,
            reply_to: self.reply_to.clone(),
            thread_id: self.thread.clone(),
            life_ms: self.timers.get(&session_id).copied(),
            session_id,
        }
    }
}
