//! Writing: a new message, an answer, a quotation, a new wording; and drafts.

use super::{App, Go, Mode, Panel, Row};
use crate::effect::Effect;
use crate::input::Input;
use crate::keys::Key;

/// After so many signs the others are told again that one is writing.
const TOLD_EVERY: usize = 16;

impl App {
    pub(super) fn insert(&mut self, key: Key) -> Vec<Effect> {
        self.mode = Mode::Insert;
        match key {
            Key::Enter => return self.send(),
            Key::Up if self.composer.is_empty() => self.begin_edit(),
            Key::Esc => {
                if self.rewords.take().is_some() {
                    self.composer.take();
                }
                self.reply_to = None;
                let thread = self.thread.clone();
                self.escape();
                self.thread = thread;
                return self.put_draft_away();
            }
            Key::Tab => self.mode = Mode::Places(self.shown),
            Key::BackTab => self.mode = Mode::Normal,
            other => {
                if !self.composer.press(other) {
                    return self.anywhere(other);
                }
                if matches!(other, Key::Char(_)) && self.composer.len() % TOLD_EVERY == 1 {
                    return self.session_id().map(Effect::Typing).into_iter().collect();
                }
            }
        }
        Vec::new()
    }

    fn send(&mut self) -> Vec<Effect> {
        let Some(session_id) = self.session_id().filter(|_| !self.composer.is_blank()) else {
            return Vec::new();
        };
        let body = self.composer.take();
        let mut effects = self.put_draft_away();
        if let Some(message_id) = self.rewords.take() {
            effects.push(Effect::Edit { session_id, message_id, body });
            return effects;
        }
        effects.push(Effect::Send(self.saying(session_id, body)));
        self.reply_to = None;
        self.chosen = None;
        effects
    }

    pub(super) fn begin_reply(&mut self) {
        self.reply_to = self.chosen_message().map(|message| message.id.clone());
        self.mode = Mode::Insert;
    }

    pub(super) fn quote(&mut self) {
        let Some(message) = self.chosen_message() else { return };
        let said = crate::clean::clean(&message.body);
        let quoted: String = said.lines().map(|line| format!("> {line}\n")).collect();
        self.composer.put(&quoted);
        self.mode = Mode::Insert;
    }

    pub(super) fn begin_edit(&mut self) {
        let own = self.visible().into_iter().rev().find(|message| {
            message.sender_id == self.me && message.deleted_at.is_none() && !message.is_locked()
        });
        if let Some((id, body)) = own.map(|own| (own.id.clone(), own.body.clone())) {
            self.rewords = Some(id);
            self.composer = Input::with(&body);
            self.mode = Mode::Insert;
        }
    }

    /// Keeps what is being written here, or forgets what was sent. A new wording is no draft.
    pub(crate) fn put_draft_away(&mut self) -> Vec<Effect> {
        let Some(session_id) = self.session_id().filter(|_| self.rewords.is_none()) else {
            return Vec::new();
        };
        let changed = if self.composer.is_blank() {
            self.drafts.remove(&session_id).is_some()
        } else {
            let text = self.composer.text();
            self.drafts.insert(session_id, text.clone()) != Some(text)
        };
        if changed { vec![Effect::Drafts(self.drafts.clone())] } else { Vec::new() }
    }

    pub(super) fn list_drafts(&mut self) -> Vec<Effect> {
        let row = |(session_id, text): (&String, &String)| {
            let place = self.places.iter().find(|place| place.session_id == *session_id)?;
            let text = format!("{}: {}", place.name(), text.replace('\n', " "));
            Some(Row::new(text, Go::Session(session_id.clone())))
        };
        let rows: Vec<Row> = self.drafts.iter().filter_map(row).collect();
        self.mode = Mode::Panel(Panel::new("drafts", rows, "nothing is half written"));
        Vec::new()
    }
}
