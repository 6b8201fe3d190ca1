//! Looking for what was said: the language of a query, and what a message must be to match it.
//!
//! Owns how a text is cut into words; the store's index and the scan of what is not indexed yet
//! both use [`words`], so that they agree by construction.

mod moment;
mod snippet;
mod words;

pub use snippet::{Snippet, snippet};
pub use words::{Word, words};

use crate::{Denied, Extras, Limits, Message, Time, name};

/// The field that a refused query names.
const FIELD: &str = "q";

/// What somebody looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// All of these must be in the text.
    pub wanted: Vec<Phrase>,
    /// None of these may be.
    pub unwanted: Vec<Phrase>,
    /// One of these said it; anybody when there are none.
    pub from: Vec<Author>,
    /// One of these rooms; any when there are none.
    pub rooms: Vec<Place>,
    /// One of these sessions; any when there are none.
    pub sessions: Vec<Place>,
    /// Said before this moment.
    pub before: Option<Time>,
    /// Said at this moment or later.
    pub after: Option<Time>,
    /// What it must have besides words.
    pub has: Vec<Has>,
}

/// Words that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The words, folded; never none.
    pub words: Vec<String>,
    /// Whether the last one may go on.
    pub prefix: bool,
}

/// Who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// Whoever looks.
    Me,
    /// The person with this username key.
    Key(String),
}

/// A room or a session, by its id or its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

/// What a message may have besides words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Has {
    /// The address of a page.
    Link,
    /// A message that it answers.
    Reply,
    /// Somebody whom it names.
    Mention,
    /// A file.
    File,
}

impl Query {
    /// Whether the text of a message and what stands beside it match. Who said it, where and
    /// whether a name in it is somebody's is for the store to say.
    pub fn fits(&self, message: &Message) -> bool {
        let late = self.before.is_some_and(|before| message.sent_at >= before);
        let early = self.after.is_some_and(|after| message.sent_at < after);
        if message.deleted_at.is_some() || late || early {
            return false;
        }
        let has = |has: &Has| match has {
            Has::Link | Has::Mention if message.is_encrypted() => false,
            Has::Link => has_link(&message.content),
            Has::Reply => message.reply_to.is_some(),
            Has::Mention => message.content.contains('@'),
            Has::File => {
                let extras = message.extras.as_ref();
                message.file.is_some() || extras.is_some_and(|e| e.has(Extras::FILES))
            }
        };
        if !self.has.iter().all(has) {
            return false;
        }
        if self.wanted.is_empty() && self.unwanted.is_empty() {
            return true;
        }
        // What is encrypted has no words that anybody here could know.
        if message.is_encrypted() {
            return false;
        }
        self.fits_text(&message.content)
    }

    /// Whether a text has all that is wanted and nothing that is not.
    pub fn fits_text(&self, text: &str) -> bool {
        let words = words(text);
        self.wanted.iter().all(|phrase| phrase.is_in(&words))
            && !self.unwanted.iter().any(|phrase| phrase.is_in(&words))
    }

    /// Whether it asks for anything at all.
    fn is_blank(&self) -> bool {
        *self == Self::default()
    }
}

impl Phrase {
    /// The words of a text as one phrase; `None` when it has none. One letter is too little to be
    /// the beginning of a word: it would be that of half of all words.
    fn of(text: &str, prefix: bool) -> Option<Self> {
        let words: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
        let last = words.last()?;
        let prefix = prefix && last.chars().nth(1).is_some();
        Some(Self { words, prefix })
    }

    fn is_in(&self, words: &[Word]) -> bool {
        words.windows(self.words.len()).any(|window| self.is_here(window))
    }

    /// Whether these words, as many as the phrase has, are the phrase.
    fn is_here(&self, window: &[Word]) -> bool {
        let last = self.words.len() - 1;
        let mut pairs = self.words.iter().zip(window).enumerate();
        pairs.all(|(n, (wanted, word))| {
            let goes_on = n == last && self.prefix;
            if goes_on { word.text.starts_with(wanted.as_str()) } else { *wanted == word.text }
        })
    }
}

impl Place {
    /// Whether the place with this id and name is meant. Names are compared without regard to case
    /// and accents.
    pub fn is(&self, id: impl std::fmt::Display, name: &str) -> bool {
        let folded = |text| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        let same = || {
            let (mine, theirs) = (folded(&self.0), folded(name));
            !mine.is_empty() && mine == theirs
        };
        id.to_string().eq_ignore_ascii_case(&self.0) || name == self.0 || same()
    }
}

/// Reads a query: words and `"phrases"` that must all match, `word*`, `-word`, and the operators
/// `from: in: session: before: after: has:`. A last word with no blank after it may go on.
///
/// # Errors
/// [`Denied`] with field `q` when it asks for nothing, too much, or an operator's value is none.
pub fn parse(text: &str, limits: &Limits) -> Result<Query, Denied> {
    if text.len() as u64 > limits.search_bytes_max {
        return Err(Denied::TooLong { field: FIELD, limit: limits.search_bytes_max });
    }
    let (mut query, mut rest, mut parts) = (Query::default(), text, 0);
    while let Some(item) = Item::take(&mut rest) {
        parts += query.add(&item)?;
        if parts > limits.search_words_max {
            return Err(Denied::invalid(FIELD, "has too many words"));
        }
    }
    match query.is_blank() {
        true if text.trim().is_empty() => Err(Denied::Empty(FIELD)),
        true => Err(Denied::invalid(FIELD, "has no word to look for")),
        false => Ok(query),
    }
}

/// One part of a query as it is written.
struct Item<'a> {
    unwanted: bool,
    /// One of [`OPERATORS`].
    operator: Option<&'static str>,
    value: &'a str,
    /// Whether its last word may go on.
    prefix: bool,
}

const OPERATORS: [&str; 6] = ["from", "in", "session", "before", "after", "has"];

impl<'a> Item<'a> {
    /// Takes the next part off a text.
    fn take(rest: &mut &'a str) -> Option<Self> {
        let mut text = rest.trim_start();
        if text.is_empty() {
            return None;
        }
        let mut unwanted = false;
        if let Some(word) = text.strip_prefix('-')
            && word.starts_with(|c: char| !c.is_whitespace())
        {
            (unwanted, text) = (true, word);
        }
        let (operator, text) = if unwanted { (None, text) } else { operator(text) };
        let (value, closed, after) = value(text);
        *rest = after.trim_start_matches('*');
        let starred = rest.len() < after.len();
        let prefix = starred || (after.is_empty() && !closed && !unwanted);
        Some(Self { unwanted, operator, value, prefix })
    }
}

/// An operator that stands at the beginning of a text with something after it.
fn operator(text: &str) -> (Option<&'static str>, &str) {
    let Some((word, value)) = text.split_once(':') else {
        return (None, text);
    };
    let known = OPERATORS.iter().find(|name| name.eq_ignore_ascii_case(word));
    let given = value.starts_with(|c: char| !c.is_whitespace());
    known.filter(|_| given).map_or((None, text), |&name| (Some(name), value))
}

/// A word or a quoted phrase at the beginning of a text, whether it is closed by a quotation mark,
/// and the rest.
fn value(text: &str) -> (&str, bool, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let closed = quoted.split_once('"');
        return closed.map_or((quoted, false, ""), |(value, rest)| (value, true, rest));
    }
    let end = text.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(text.len());
    let word = text[..end].trim_end_matches('*');
    (word, false, &text[word.len()..])
}

impl Query {
    /// Adds a part, and says for how many words it counts.
    fn add(&mut self, item: &Item<'_>) -> Result<u64, Denied> {
        let value = item.value;
        let Some(operator) = item.operator else {
            let Some(phrase) = Phrase::of(value, item.prefix) else {
                return Ok(0);
            };
            let words = phrase.words.len() as u64;
            if item.unwanted { &mut self.unwanted } else { &mut self.wanted }.push(phrase);
            return Ok(words);
        };
        match operator {
            "from" if value.eq_ignore_ascii_case("me") => self.from.push(Author::Me),
            "from" => {
                let handle = value.strip_prefix('@').unwrap_or(value);
                self.from.push(Author::Key(name::username_key(handle)));
            }
            "in" => self.rooms.push(Place(value.to_owned())),
            "session" => self.sessions.push(Place(value.to_owned())),
            "before" => {
                let moment = moment(value)?;
                self.before = Some(self.before.map_or(moment, |other| other.min(moment)));
            }
            "after" => {
                let moment = moment(value)?;
                self.after = Some(self.after.map_or(moment, |other| other.max(moment)));
            }
            _ => self.has.push(has(value)?),
        }
        Ok(1)
    }
}

fn moment(text: &str) -> Result<Time, Denied> {
    let reason = "before: and after: take a date or time such as 2026-05-01 or 2026-05-01T18:30";
    moment::read(text).ok_or(Denied::invalid(FIELD, reason))
}

fn has(text: &str) -> Result<Has, Denied> {
    let named = [
        ("link", Has::Link),
        ("reply", Has::Reply),
        ("mention", Has::Mention),
        ("file", Has::File),
    ];
    let found = named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    let unknown = Denied::invalid(FIELD, "has: takes link, reply, mention or file");
    found.map(|(_, has)| has).ok_or(unknown)
}

/// Whether a text holds the address of a page.
fn has_link(text: &str) -> bool {
    text.match_indices("://").any(|(at, mark)| {
        let scheme = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
        let scheme = scheme.unwrap_or_default();
        let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        web && text[at + mark.len()..].starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests;
