//! Files that people send: what they may be called, how large they may be.

use crate::{Denied, FileId, Limits, Time, UserId};

/// A file, as those see it who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The id.
    pub id: FileId,
    /// Who sent it.
    pub owner: UserId,
    /// What it is called: for people, never a path.
    pub name: String,
    /// What it is, by its content.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Pixels, of a picture that was looked at.
    pub width: Option<i64>,
    /// Pixels, of a picture that was looked at.
    pub height: Option<i64>,
    /// Whether there is a small picture of it, or one is being drawn.
    pub thumbnail: bool,
    /// Since when it is here.
    pub created_at: Time,
    /// Whether only its readers can tell what it is.
    pub encrypted: bool,
}

/// The name of a file that has none.
const NAMELESS: &str = "file";

/// What a file is called, of what its sender calls it: no folders, nothing that cannot be seen,
/// nothing that turns the rest of the line around (`gpj.exe`).
pub fn name(text: &str, limits: &Limits) -> String {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).collect();
    let seen = seen.trim();
    if seen.chars().all(|c| c == '.') {
        return NAMELESS.to_owned();
    }
    let most = usize::try_from(limits.file_name_chars_max).unwrap_or(usize::MAX);
    let count = seen.chars().count();
    if count <= most {
        return seen.to_owned();
    }
    // The end of a name says what the file is.
    let tail = most / 2;
    let head = seen.chars().take(most - tail);
    head.chain(seen.chars().skip(count - tail)).collect()
}

/// Characters that change the direction of what follows, or separate lines.
fn turns(c: char) -> bool {
    matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Whether a file of this many bytes may be sent, in one request or in several.
///
/// # Errors
/// [`Denied::Empty`], [`Denied::TooLong`].
pub fn admit(bytes: u64, at_once: bool, limits: &Limits) -> Result<(), Denied> {
    let limit = if at_once { limits.upload_once_bytes_max } else { limits.upload_bytes_max };
    match bytes {
        0 => Err(Denied::Empty("the file")),
        bytes if bytes > limit => Err(Denied::TooLong { field: "upload", limit }),
        _ => Ok(()),
    }
}

/// Whether a message may carry these.
///
/// # Errors
/// [`Denied::Invalid`] when they are too many, or one comes twice.
pub fn check_carried(files: &[File], limits: &Limits) -> Result<(), Denied> {
    if files.len() as u64 > limits.files_per_message_max {
        return Err(Denied::invalid("files", "too many for one message"));
    }
    let twice = |(n, file): (usize, &File)| files[..n].iter().any(|other| other.id == file.id);
    match files.iter().enumerate().any(twice) {
        true => Err(Denied::invalid("files", "one comes twice")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path_and_reads_as_it_is() {
        let limits = Limits::default();
        for (given, called) in [
            ("cat.jpg", "cat.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ana\\cat.jpg", "cat.jpg"),
            ("/etc/passwd", "passwd"),
            ("cat\u{202e}gpj.exe", "catgpj.exe"),
            ("a\r\nSet-Cookie: x\0.txt", "aSet-Cookie: x.txt"),
            ("CON", "CON"),
            ("Übersicht 2026 日本.pdf", "Übersicht 2026 日本.pdf"),
            ("", "file"),
            ("..", "file"),
            ("a/", "file"),
            (" \u{2066} ", "file"),
        ] {
            assert_eq!(name(given, &limits), called, "{given:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        let long = format!("{}.jpeg", "x".repeat(300));
        let cut = name(&long, &Limits::default());
        assert_eq!(cut.chars().count(), 255);
        assert!(cut.ends_with("x.jpeg"));
    }

    #[test]
    fn a_file_is_something_and_not_too_much() {
        let limits = Limits::default();
        assert!(admit(1, true, &limits).is_ok());
        assert!(admit(50 * 1024 * 1024, true, &limits).is_ok());
        assert!(admit(50 * 1024 * 1024 + 1, true, &limits).is_err());
        assert!(admit(5 * 1024 * 1024 * 1024, false, &limits).is_ok());
        let more = admit(5 * 1024 * 1024 * 1024 + 1, false, &limits);
        assert!(matches!(more, Err(Denied::TooLong { field: "upload", .. })));
        assert_eq!(admit(0, false, &limits), Err(Denied::Empty("the file")));
    }
}
