//! What happens elsewhere, taken in: messages, news of what was asked, a verification.

use parlor_sdk::{Message, Stage};

use super::{App, HELD_MAX, Link, Mode, Place, Verifying};
use crate::effect::{Answer, Effect, News};
use crate::input::Input;
use crate::keys::Key;

impl App {
    /// Takes in a message that came or changed.
    pub fn take(&mut self, message: Message) {
        if self.session_id().as_deref() != Some(&message.session_id) {
            return;
        }
        match self.messages.iter().position(|known| known.id == message.id) {
            Some(index) => self.messages[index] = message,
            None if self.behind => {}
            None => self.put(message),
        }
    }

    fn put(&mut self, message: Message) {
        let after = self.messages.partition_point(|known| known.number < message.number);
        self.messages.insert(after, message);
    }

    /// A new message came: it is counted as unread, unless it is seen.
    pub fn posted(&mut self, message: Message) -> Vec<Effect> {
        let shown = self.session_id().as_deref() == Some(&message.session_id);
        let at_end = shown && self.chosen.is_none() && !self.behind && self.thread.is_none();
        let found = self.places.iter().position(|place| place.session_id == message.session_id);
        let mut effects = Vec::new();
        if let Some(index) = found
            && message.number > self.places[index].head
        {
            let place = &mut self.places[index];
            // Up to here nothing was unread, so what comes now is read when it is seen.
            let read_so_far = place.unread == 0;
            place.head = message.number;
            if message.sender_id == self.me {
                self.mark_read(index);
            } else if at_end && self.looked_at && read_so_far {
                effects.extend(self.mark_read(index));
            } else if message.thread_id.is_none() {
                place.unread += 1;
            }
        }
        self.take(message);
        effects
    }

    /// A message is gone.
    pub fn decayed(&mut self, message_id: &str) {
        self.messages.retain(|known| known.id != message_id);
        if self.chosen.as_deref() == Some(message_id) {
            self.chosen = None;
        }
    }

    /// One has read a session up to there, on another device.
    pub fn read_elsewhere(&mut self, session_id: &str, number: i64) {
        let found = self.places.iter_mut().find(|place| place.session_id == session_id);
        if let Some(place) = found.filter(|place| number > place.read) {
            place.read = number;
            place.unread = place.unread.min((place.head - number).max(0));
            if place.unread == 0 {
                place.mentions = 0;
            }
        }
    }

    /// The server is reached, or is not.
    pub fn linked(&mut self, link: Link) {
        // A first attempt that fails is no reconnecting: nothing was connected.
        if !(link == Link::Reconnecting && self.link == Link::Connecting) {
            self.link = link;
        }
        self.typing.clear();
    }

    /// Takes in what came of something that was asked.
    pub fn learn(&mut self, news: News) -> Vec<Effect> {
        match news {
            News::Places(places) => return self.list(places),
            News::Shown { session_id, messages, behind } => {
                if self.session_id() == Some(session_id) {
                    (self.messages, self.behind) = (messages, behind);
                }
            }
            News::More { session_id, messages, behind } => {
                if self.session_id() == Some(session_id) {
                    self.more(messages, behind);
                }
            }
            News::Names(members) => {
                let names = members.into_iter().map(|member| (member.user_id, member.name));
                self.names.extend(names);
            }
            News::Shield(session_id, shield) => drop(self.shields.insert(session_id, shield)),
            News::Standing(standing) => self.standing = Some(standing),
            News::Verifying { user_id, stage } => self.verification(user_id, stage),
            News::Waiting(count) => self.waiting = count,
            News::Panel(panel) => match self.mode {
                Mode::Normal | Mode::Panel(_) => self.mode = Mode::Panel(panel),
                _ => self.later = Some(panel),
            },
            News::GoTo(session_id) => return self.go_to(&session_id),
            News::Notice(text) => self.notice = Some(text),
        }
        Vec::new()
    }

    /// There are these sessions now; the one that was shown stays shown, if it is there still.
    fn list(&mut self, places: Vec<Place>) -> Vec<Effect> {
        let shown = self.session_id();
        let known = self.places.iter().filter(|place| place.read > 0);
        let marks: Vec<(String, i64)> =
            known.map(|place| (place.session_id.clone(), place.read)).collect();
        self.places = places;
        for (session_id, read) in marks {
            self.read_elsewhere(&session_id, read);
        }
        for place in &mut self.places {
            if let Some(read) = self.unread_again.get(&place.session_id) {
                (place.read, place.unread) = (*read, place.unread.max(place.head - read));
            }
        }
        match self.places.iter().position(|place| Some(&place.session_id) == shown.as_ref()) {
            Some(index) => {
                self.shown = index;
                Vec::new()
            }
            None => self.open(0),
        }
    }

    fn more(&mut self, messages: Vec<Message>, behind: bool) {
        let (first, last) = (self.messages.first().map(|m| m.number), messages.last());
        let earlier = last.map(|last| last.number) < first;
        for message in messages {
            match self.messages.iter().position(|known| known.id == message.id) {
                Some(index) => self.messages[index] = message,
                None => self.put(message),
            }
        }
        if !earlier {
            self.behind = behind;
        }
        let over = self.messages.len().saturating_sub(HELD_MAX);
        if over > 0 && earlier {
            self.messages.truncate(HELD_MAX);
            self.behind = true;
        } else {
            self.messages.drain(..over);
        }
    }

    fn verification(&mut self, user_id: String, stage: Stage) {
        let open = self.verifying.as_ref().is_some_and(|verifying| verifying.open);
        if stage == Stage::Asked && !open {
            let text = format!("{} asks to verify: :accept", self.name(&user_id));
            self.notice = Some(text);
        }
        // One that oneself has asked for is looked at from the beginning.
        let open = open || matches!(stage, Stage::Waiting | Stage::Ready);
        self.verifying = Some(Verifying { user_id, stage, open });
    }

    pub(super) fn look_at_verification(&mut self) -> Vec<Effect> {
        match &mut self.verifying {
            Some(verifying) => verifying.open = true,
            None => self.notice = Some("nobody asks to verify".to_owned()),
        }
        Vec::new()
    }

    /// Keys while a verification is looked at.
    pub(super) fn compare(&mut self, key: Key) -> Vec<Effect> {
        let Some(verifying) = &self.verifying else { return Vec::new() };
        let over = matches!(verifying.stage, Stage::Done | Stage::Cancelled { .. });
        let answer = match (&verifying.stage, key) {
            _ if over => None,
            (Stage::Asked, Key::Char('y')) => Some(Answer::Accept),
            (Stage::Ready | Stage::Showing(_), Key::Char('e')) => Some(Answer::Compare),
            (Stage::Ready, Key::Char('c')) => Some(Answer::Show),
            (Stage::Compare(_), Key::Char('c')) => return vec![Effect::VerifyByCode],
            (Stage::Ready | Stage::Showing(_), Key::Char(':')) => return self.type_code(""),
            (Stage::Compare(_) | Stage::Taken, Key::Char('y')) => Some(Answer::Same),
            (Stage::Compare(_) | Stage::Taken, Key::Char('n')) => Some(Answer::Differ),
            (Stage::Asked, Key::Char('n')) | (_, Key::Esc) => Some(Answer::Cancel),
            _ => return Vec::new(),
        };
        if over || answer == Some(Answer::Cancel) {
            self.verifying = None;
        }
        answer.map(Effect::Answer).into_iter().collect()
    }

    /// Whether keys are for a verification.
    pub(super) fn is_verifying(&self) -> bool {
        let open = self.verifying.as_ref().is_some_and(|verifying| verifying.open);
        open && !matches!(self.mode, Mode::Command(_))
    }

    /// Begins typing the code of the other device, which is a command.
    pub(super) fn type_code(&mut self, code: &str) -> Vec<Effect> {
        self.mode = Mode::Command(Input::with(&format!("code {code}")));
        Vec::new()
    }

    /// A text was pasted while a verification is looked at: it can only be a code, and is seen
    /// before it is taken.
    pub(super) fn paste_code(&mut self, text: &str) {
        let stage = self.verifying.as_ref().map(|verifying| &verifying.stage);
        if matches!(stage, Some(Stage::Ready | Stage::Showing(_))) {
            self.type_code(text.trim());
        }
    }

    pub(super) fn take_code(&mut self, code: &str) -> Vec<Effect> {
        let Some(verifying) = &mut self.verifying else {
            self.notice = Some("first :verify PERSON, or :accept".to_owned());
            return Vec::new();
        };
        verifying.open = true;
        let code = Some(code.to_owned()).filter(|code| !code.is_empty());
        code.map(|code| Effect::Answer(Answer::Take(code))).into_iter().collect()
    }
}
