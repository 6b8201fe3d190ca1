//! Whom a text names: people by `@username`, and everybody in the session by `@room`.

use crate::permission::{Action, may};
use crate::saying::SendMessage;
use crate::{Denied, Limits, View, name};

/// What stands for everybody.
const ALL: [&str; 2] = ["room", "everyone"];

/// Whom a text names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Username keys of people, each once, in order.
    pub people: Vec<String>,
    /// Whether it names everybody.
    pub all: bool,
}

impl View {
    /// Decides about naming people. Words that are passed on name nobody, nor do those that only
    /// the members can read.
    pub(crate) fn admit_names(&self, cmd: &SendMessage, limits: &Limits) -> Result<Named, Denied> {
        if cmd.forwarded.is_some() || cmd.encrypted_for.is_some() {
            return Ok(Named::default());
        }
        let named = named(&cmd.content, limits)?;
        self.admit_all(named.all, limits)?;
        Ok(named)
    }

    /// Few people may be named all at once by anybody, many by those who keep order.
    pub(crate) fn admit_all(&self, all: bool, limits: &Limits) -> Result<(), Denied> {
        if all && self.people.unsigned_abs() > limits.room_mention_people_max {
            may(self.role, Action::NameAll)?;
        }
        Ok(())
    }
}

/// Whom a text names.
///
/// # Errors
/// [`Denied::Invalid`] when it names more people than the limit allows.
pub fn named(content: &str, limits: &Limits) -> Result<Named, Denied> {
    let mut people = mentioned(content, limits)?;
    let count = people.len();
    // Keys are what names look like, so that this one is compared as a key.
    people.retain(|key| ALL.iter().all(|all| name::username_key(all) != *key));
    Ok(Named { all: people.len() < count, people })
}

/// The username keys of the people that a text names by `@username`, each once, in order.
///
/// # Errors
/// [`Denied::Invalid`] when it names more people than the limit allows.
pub fn mentioned(content: &str, limits: &Limits) -> Result<Vec<String>, Denied> {
    let mut keys: Vec<String> = Vec::new();
    if !content.contains('@') {
        return Ok(keys);
    }
    for (at, _) in content.match_indices('@') {
        let before = content[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '@') {
            continue; // A mail address names nobody.
        }
        let rest = &content[at + 1..];
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
        let end = rest.find(|c| !inner(c)).unwrap_or(rest.len());
        let handle = rest[..end].trim_end_matches(['.', '-']);
        if handle.is_empty() || handle.chars().count() as u64 > limits.username_chars_max {
            continue;
        }
        let key = name::username_key(handle);
        if !keys.contains(&key) {
            keys.push(key);
        }
        if keys.len() as u64 > limits.mentions_max {
            return Err(Denied::invalid("content", "names too many people"));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_names_everybody() {
        let limits = Limits::default();
        let bo = || vec!["bo".to_owned()];
        assert_eq!(named("@bo hi", &limits), Ok(Named { people: bo(), all: false }));
        assert_eq!(named("@room: @bo!", &limits), Ok(Named { people: bo(), all: true }));
        let many = named(&"@everyone ".repeat(1_000), &limits);
        assert_eq!(many, Ok(Named { people: vec![], all: true }));
        assert_eq!(named("a@room @roomy", &limits).map(|named| named.all), Ok(false));
    }

    #[test]
    fn a_text_names_people_by_their_handles() {
        let limits = Limits::default();
        let of = |text| mentioned(text, &limits);
        assert_eq!(of("hi @ana, @Ana and @bo."), Ok(vec!["ana".to_owned(), "bo".to_owned()]));
        assert_eq!(of("mail ana@bo.org @ @@x"), Ok(vec![]));
        let crowd: String = (0..51).map(|i| format!("@u{i} ")).collect();
        assert!(of(&crowd).is_err());
    }
}
