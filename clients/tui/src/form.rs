//! The form that asks for what signing in needs.

use crate::input::Input;
use crate::keys::Key;

/// What a form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The server's address.
    Server,
    /// The handle, or mail address.
    Name,
    /// The password.
    Password,
    /// What closes that which is kept here.
    Passphrase,
    /// The same once more.
    Again,
}

impl Wanted {
    /// What is asked.
    pub fn label(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Name => "Name",
            Self::Password => "Password",
            Self::Passphrase => "Passphrase",
            Self::Again => "Once more",
        }
    }

    /// Whether it is not shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::Passphrase | Self::Again)
    }
}

/// The form.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// What it is for.
    pub title: String,
    /// What stands above the fields.
    pub about: Vec<String>,
    /// The fields.
    pub fields: Vec<(Wanted, Input)>,
    /// Which is written in.
    pub at: usize,
    /// What went wrong, or goes on.
    pub notice: String,
}

/// What comes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// Nothing.
    Nothing,
    /// The form is filled in.
    Done,
    /// The user leaves.
    Quit,
}

impl Form {
    /// A form that asks for this, with what is known already.
    pub fn new(title: &str, about: &[&str], fields: &[(Wanted, &str)]) -> Self {
        let fields: Vec<_> =
            fields.iter().map(|(wanted, known)| (*wanted, Input::with(known))).collect();
        let at = fields.iter().position(|(_, known)| known.is_empty()).unwrap_or(0);
        let about = about.iter().map(|&line| line.to_owned()).collect();
        Self { title: title.to_owned(), about, fields, at, notice: String::new() }
    }

    /// What was written in a field; nothing where it is not asked for.
    pub fn value(&self, wanted: Wanted) -> String {
        let field = self.fields.iter().find(|(field, _)| *field == wanted);
        field.map(|(_, input)| input.text()).unwrap_or_default()
    }

    /// Empties what is not shown, after it was wrong.
    pub fn refuse(&mut self, why: impl Into<String>) {
        self.notice = why.into();
        let secret = |(_, (wanted, _)): &(usize, &mut (Wanted, Input))| wanted.is_secret();
        let mut secrets: Vec<_> = self.fields.iter_mut().enumerate().filter(secret).collect();
        secrets.iter_mut().for_each(|(_, (_, input))| drop(input.take()));
        self.at = secrets.first().map_or(0, |(at, _)| *at);
    }

    /// A key was pressed.
    pub fn press(&mut self, key: Key) -> Pressed {
        let last = self.fields.len() - 1;
        match key {
            Key::Ctrl('c') | Key::Esc => return Pressed::Quit,
            Key::Enter if self.at == last => return self.done(),
            Key::Enter | Key::Tab | Key::Down => self.at = (self.at + 1).min(last),
            Key::BackTab | Key::Up => self.at = self.at.saturating_sub(1),
            Key::AltEnter => {}
            other => drop(self.fields[self.at].1.press(other)),
        }
        Pressed::Nothing
    }

    /// A text was pasted.
    pub fn paste(&mut self, text: &str) {
        let line = crate::clean::clean_line(text.trim_end_matches(['\r', '\n']));
        self.fields[self.at].1.put(&line);
    }

    fn done(&mut self) -> Pressed {
        let asked = |wanted| self.fields.iter().any(|(field, _)| *field == wanted);
        for wanted in [Wanted::Server, Wanted::Name, Wanted::Password] {
            if asked(wanted) && self.value(wanted).is_empty() {
                let at = self.fields.iter().position(|(field, _)| *field == wanted);
                self.at = at.unwrap_or(0);
                self.notice = format!("{} is missing", wanted.label());
                return Pressed::Nothing;
            }
        }
        if asked(Wanted::Again) && self.value(Wanted::Again) != self.value(Wanted::Passphrase) {
            self.refuse("the two passphrases differ");
            return Pressed::Nothing;
        }
        self.notice = "one moment".to_owned();
        Pressed::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let fields = [
            (Wanted::Server, "http://localhost"),
            (Wanted::Name, ""),
            (Wanted::Password, ""),
            (Wanted::Passphrase, ""),
            (Wanted::Again, ""),
        ];
        Form::new("sign in", &[], &fields)
    }

    fn fill(form: &mut Form, words: [&str; 4]) -> Pressed {
        let mut pressed = Pressed::Nothing;
        for word in words {
            word.chars().for_each(|sign| assert_eq!(form.press(Key::Char(sign)), Pressed::Nothing));
            pressed = form.press(Key::Enter);
        }
        pressed
    }

    #[test]
    fn enter_leads_through_the_empty_fields_and_ends_the_form_at_the_last() {
        let mut form = form();
        assert_eq!(fill(&mut form, ["ana", "secret", "closed", "closed"]), Pressed::Done);
        assert_eq!(form.value(Wanted::Name), "ana");
        assert_eq!(form.value(Wanted::Server), "http://localhost");
    }

    #[test]
    fn two_passphrases_that_differ_and_a_missing_name_are_said() {
        let mut form = form();
        assert_eq!(fill(&mut form, ["ana", "secret", "closed", "clsoed"]), Pressed::Nothing);
        assert_eq!(form.notice, "the two passphrases differ");
        assert_eq!(form.value(Wanted::Passphrase), "");
        let mut form = self::form();
        assert_eq!(fill(&mut form, ["", "secret", "", ""]), Pressed::Nothing);
        assert_eq!((&*form.notice, form.at), ("Name is missing", 1));
    }
}
