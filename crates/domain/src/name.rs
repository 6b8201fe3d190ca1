//! Texts that name things: usernames, display names, mail addresses, passwords.
//!
//! Parses rather than validates: what comes out is normalised and safe to store and show.

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;
use unicode_segmentation::UnicodeSegmentation;

use crate::{Denied, Limits};

/// A username and the key by which it is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username {
    /// As it is shown.
    pub shown: String,
    /// What no other account may share: case, width and look-alikes folded (Unicode TR 39).
    pub key: String,
}

/// Reads a username: letters, digits, `.`, `_` and `-`, beginning and ending with a letter or
/// digit.
///
/// # Errors
/// [`Denied::Invalid`] or [`Denied::TooLong`] with field `username`.
pub fn username(text: &str, limits: &Limits) -> Result<Username, Denied> {
    let shown: String = text.trim().nfkc().collect();
    bounded("username", &shown, limits.username_chars_max)?;
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !shown.chars().all(inner) {
        let reason = "only letters, digits, dots, hyphens and underscores";
        return Err(Denied::invalid("username", reason));
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !edge(shown.chars().next()) || !edge(shown.chars().next_back()) {
        return Err(Denied::invalid("username", "must begin and end with a letter or digit"));
    }
    let key = username_key(&shown);
    Ok(Username { shown, key })
}

/// The key by which usernames are looked up and kept apart.
pub fn username_key(text: &str) -> String {
    let folded: String = text.trim().nfkc().flat_map(char::to_lowercase).collect();
    skeleton(&folded).collect()
}

/// A handle made of a name that may be anything: what a handle may hold of it, and `n` behind it
/// when that is not 0.
pub fn handle_of(name: &str, n: u32, limits: &Limits) -> Username {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let folded = name.trim().nfkc().map(|c| if inner(c) { c } else { '-' });
    let suffix = if n == 0 { String::new() } else { n.to_string() };
    let room = usize::try_from(limits.username_chars_max).unwrap_or(usize::MAX);
    let mut base: String = folded.take(room.saturating_sub(suffix.len())).collect();
    let edge = |c: char| !c.is_alphanumeric() && c != '_';
    base = base.trim_matches(edge).to_owned();
    while base.contains("--") {
        base = base.replace("--", "-");
    }
    let shown = if base.is_empty() { format!("somebody{suffix}") } else { base + &suffix };
    let key = username_key(&shown);
    Username { shown, key }
}

/// Reads a one-line name for people to see.
///
/// # Errors
/// [`Denied::Invalid`] when it is blank or holds control characters, [`Denied::TooLong`].
pub fn line(field: &'static str, text: &str, limits: &Limits) -> Result<String, Denied> {
    line_within(field, text, limits.name_chars_max)
}

/// Reads a one-line name of up to `max` characters.
///
/// # Errors
/// As [`line()`].
pub fn line_within(field: &'static str, text: &str, max: u64) -> Result<String, Denied> {
    let line: String = text.trim().nfc().collect();
    bounded(field, &line, max)?;
    if !is_visible(&line) {
        return Err(Denied::invalid(field, "must not be blank"));
    }
    printable(field, &line, false)?;
    Ok(line)
}

/// Characters of a room's name in paths.
const SLUG: std::ops::RangeInclusive<usize> = 3..=32;

/// Names that mean something else in some paths, and would never be reached.
const RESERVED: [&str; 3] = ["join", "delete", "create"];

/// Checks a room's name in paths: letters and digits. What reads as an id is none: it names the
/// room of that id.
///
/// # Errors
/// [`Denied::Invalid`] with field `room_id`.
pub fn slug(text: &str) -> Result<(), Denied> {
    if !SLUG.contains(&text.chars().count()) {
        return Err(Denied::invalid("room_id", "must be 3 to 32 characters"));
    }
    if !text.chars().all(char::is_alphanumeric) {
        return Err(Denied::invalid("room_id", "must be letters and digits"));
    }
    if RESERVED.contains(&text) || uuid::Uuid::try_parse(text).is_ok() {
        return Err(Denied::Taken("room id"));
    }
    Ok(())
}

/// Reads a text that may be empty and may have several lines, up to `max` characters.
///
/// # Errors
/// [`Denied::Invalid`] for control characters, [`Denied::TooLong`].
pub fn text(field: &'static str, text: &str, max: u64) -> Result<String, Denied> {
    let text: String = text.trim().nfc().collect();
    bounded(field, &text, max)?;
    printable(field, &text, true)?;
    Ok(text)
}

/// Reads a mail address: one mailbox, no display name, no comment.
///
/// # Errors
/// [`Denied::Invalid`] or [`Denied::TooLong`] with field `email`.
pub fn email(text: &str, limits: &Limits) -> Result<String, Denied> {
    let invalid = || Denied::invalid("email", "not a mail address");
    let text = text.trim();
    if text.len() as u64 > limits.email_bytes_max {
        return Err(Denied::TooLong { field: "email", limit: limits.email_bytes_max });
    }
    let (local, host) = text.rsplit_once('@').ok_or_else(invalid)?;
    let local_ok = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let host_ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let dotted = |s: &str| s.split('.').all(|part| !part.is_empty());
    let good = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(local_ok)
        && dotted(local)
        && !host.is_empty()
        && host.chars().all(host_ok)
        && dotted(host)
        && host.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'));
    good.then(|| text.to_ascii_lowercase()).ok_or_else(invalid)
}

/// Checks a new password's length; any character may be in it, nothing is cut off.
///
/// # Errors
/// [`Denied::Invalid`] when too short, [`Denied::TooLong`].
pub fn password(field: &'static str, text: &str, limits: &Limits) -> Result<(), Denied> {
    if text.len() as u64 > limits.password_bytes_max {
        return Err(Denied::TooLong { field, limit: limits.password_bytes_max });
    }
    if (text.chars().count() as u64) < limits.password_chars_min {
        return Err(Denied::invalid(field, "too short"));
    }
    Ok(())
}

/// Whether anything of the text can be seen: not only blanks, zero-width marks and controls.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(c))
}

/// Refuses NUL and the other control characters; with `lines`, line breaks and tabs may stay.
pub(crate) fn printable(field: &'static str, text: &str, lines: bool) -> Result<(), Denied> {
    let bad = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().any(bad) {
        return Err(Denied::invalid(field, "must not hold control characters"));
    }
    Ok(())
}

/// Counts characters as people do (grapheme clusters), and caps the bytes behind them too, since
/// one cluster can be made of any number of marks.
fn bounded(field: &'static str, text: &str, max: u64) -> Result<(), Denied> {
    let bytes_max = max.saturating_mul(16);
    if text.len() as u64 > bytes_max || text.graphemes(true).count() as u64 > max {
        return Err(Denied::TooLong { field, limit: max });
    }
    Ok(())
}

/// Format characters that show nothing: zero-width marks, joiners, direction marks, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        username(text, &Limits::default()).map_or_else(|d| panic!("{text}: {d}"), |u| u.key)
    }

    #[test]
    fn names_that_look_alike_share_a_key() {
        for twin in ["Admin", "ADMIN", "аdmin", "ａｄｍｉｎ"] {
            assert_eq!(key(twin), key("admin"), "{twin}");
        }
        assert_eq!(key("a\u{301}nna"), key("ánna"));
        assert_ne!(key("anna"), key("hanna"));
    }

    #[test]
    fn a_username_is_letters_digits_and_inner_marks() {
        let limits = Limits::default();
        for bad in ["", " ", "a b", "admin\u{202e}", ".a", "a-", "a\0b", "a/b", "@a"] {
            assert!(username(bad, &limits).is_err(), "{bad:?}");
        }
        assert!(username(&"x".repeat(33), &limits).is_err());
        for good in ["a", "ana.b-c_d", "日本", "o_"] {
            assert!(username(good, &limits).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_handle_is_made_of_any_name() {
        let limits = Limits::default();
        for (name, n, handle) in [
            ("JohnDoe", 0, "JohnDoe"),
            ("John  Doe!", 0, "John-Doe"),
            ("John Doe", 7, "John-Doe7"),
            ("", 0, "somebody"),
            ("  ", 2, "somebody2"),
            ("日本 人", 0, "日本-人"),
        ] {
            assert_eq!(handle_of(name, n, &limits).shown, handle);
        }
        let long = handle_of(&"x y".repeat(100), 12, &limits);
        assert!(username(&long.shown, &limits).is_ok(), "{}", long.shown);
    }

    #[test]
    fn a_line_counts_what_people_see() {
        let limits = Limits::default();
        let family = "👨‍👩‍👧‍👦".repeat(25);
        assert!(line("name", &family, &limits).is_ok());
        assert!(line("name", &"x".repeat(81), &limits).is_err());
        for blank in ["", "  ", "\u{200b}\u{2060}", "a\nb", "a\0"] {
            assert!(line("name", blank, &limits).is_err(), "{blank:?}");
        }
        let zalgo = format!("a{}", "\u{301}".repeat(10_000));
        assert!(line("name", &zalgo, &limits).is_err());
    }

    #[test]
    fn a_mail_address_is_one_mailbox() {
        let limits = Limits::default();
        assert_eq!(email(" Ana@Example.org ", &limits).as_deref(), Ok("ana@example.org"));
        let long = format!("{}@example.org", "a".repeat(300));
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b,c@d",
            "a@b\r\nBcc: c@d",
            "a b@c",
            "a@exаmple.org",
            "a@-b.org",
            "a..b@c.org",
            long.as_str(),
        ] {
            assert!(email(bad, &limits).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_may_be_anything_long_enough() {
        let limits = Limits::default();
        assert!(password("password", "1234567", &limits).is_err());
        assert!(password("password", "пароль日本", &limits).is_ok());
        assert!(password("password", &"x".repeat(1025), &limits).is_err());
    }
}
