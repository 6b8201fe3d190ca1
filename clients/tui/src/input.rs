//! A text that is being written, and where in it the next sign goes.

use crate::keys::Key;

/// Signs that a text may have: more than any message.
const SIGNS_MAX: usize = 32 * 1024;

/// A text with a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    signs: Vec<char>,
    at: usize,
}

impl Input {
    /// This text, with the cursor at its end.
    pub fn with(text: &str) -> Self {
        let signs: Vec<char> = text.chars().take(SIGNS_MAX).collect();
        Self { at: signs.len(), signs }
    }

    /// The text.
    pub fn text(&self) -> String {
        self.signs.iter().collect()
    }

    /// The text before the cursor.
    pub fn before(&self) -> String {
        self.signs[..self.at].iter().collect()
    }

    /// Whether nothing but blanks is written.
    pub fn is_blank(&self) -> bool {
        self.signs.iter().all(|sign| sign.is_whitespace())
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.signs.is_empty()
    }

    /// How many signs there are.
    pub fn len(&self) -> usize {
        self.signs.len()
    }

    /// Takes the text out.
    pub fn take(&mut self) -> String {
        std::mem::take(self).text()
    }

    /// Puts a text in at the cursor.
    pub fn put(&mut self, text: &str) {
        let room = SIGNS_MAX - self.signs.len();
        let new: Vec<char> = text.chars().take(room).collect();
        let count = new.len();
        self.signs.splice(self.at..self.at, new);
        self.at += count;
    }

    /// Does what a key that edits does; false when it is none.
    pub fn press(&mut self, key: Key) -> bool {
        match key {
            Key::Char(sign) => self.put(sign.encode_utf8(&mut [0; 4])),
            Key::AltEnter => self.put("\n"),
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.signs.remove(self.at);
            }
            Key::Delete if self.at < self.signs.len() => drop(self.signs.remove(self.at)),
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = (self.at + 1).min(self.signs.len()),
            Key::Home | Key::Ctrl('a') => self.at = 0,
            Key::End | Key::Ctrl('e') => self.at = self.signs.len(),
            Key::Ctrl('u') => {
                self.signs.drain(..self.at);
                self.at = 0;
            }
            Key::Ctrl('w') => self.erase_word(),
            Key::Backspace | Key::Delete => {}
            _ => return false,
        }
        true
    }

    fn erase_word(&mut self) {
        let end = self.at;
        let blank = |at: usize| self.signs[at - 1].is_whitespace();
        let mut begin = end;
        while begin > 0 && blank(begin) {
            begin -= 1;
        }
        while begin > 0 && !blank(begin) {
            begin -= 1;
        }
        self.signs.drain(begin..end);
        self.at = begin;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[Key]) -> Input {
        let mut input = Input::with("red bus");
        for key in keys {
            input.press(*key);
        }
        input
    }

    #[test]
    fn signs_go_where_the_cursor_is() {
        assert_eq!(typed(&[Key::Left, Key::Char('x')]).text(), "red buxs");
        assert_eq!(
            typed(&[Key::Home, Key::Char('x'), Key::End, Key::Char('y')]).text(),
            "xred busy"
        );
        assert_eq!(typed(&[Key::Home, Key::Left, Key::Backspace]).text(), "red bus");
        assert_eq!(typed(&[Key::Home, Key::Delete]).text(), "ed bus");
        assert_eq!(typed(&[Key::Left, Key::Backspace]).before(), "red b");
    }

    #[test]
    fn words_and_lines_are_erased_before_the_cursor() {
        assert_eq!(typed(&[Key::Ctrl('w')]).text(), "red ");
        assert_eq!(typed(&[Key::Ctrl('w'), Key::Ctrl('w'), Key::Ctrl('w')]).text(), "");
        assert_eq!(typed(&[Key::Left, Key::Ctrl('u')]).text(), "s");
    }
}
