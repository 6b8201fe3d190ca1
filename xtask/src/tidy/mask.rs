//! Blanks out what is not code: comments become spaces, the insides of literals underscores.
//! Lines and columns stay where they are, so that a search finds code only, in its place.
//! A tokeniser good enough for `rustfmt`ed sources; it does not try to be a compiler.

/// `text` with comments and the insides of string and character literals blanked out.
pub(crate) fn mask(text: &str) -> String {
    let mut masker = Masker { rest: text, out: String::with_capacity(text.len()) };
    while masker.step() {}
    masker.out
}

struct Masker<'a> {
    rest: &'a str,
    out: String,
}

impl Masker<'_> {
    /// Takes one comment, literal or character; false at the end.
    fn step(&mut self) -> bool {
        let after_word = self.out.chars().next_back().is_some_and(is_word);
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.blank(end, ' ');
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment(self.rest), ' ');
        } else if let Some((open, close)) = raw_string(self.rest).filter(|_| !after_word) {
            let end = self.rest[open..].find(&close).map_or(self.rest.len(), |at| open + at);
            self.keep(open);
            self.blank(end - open, '_');
            self.keep(close.len().min(self.rest.len()));
        } else if self.rest.starts_with('"') {
            self.keep(1);
            self.blank(quoted(self.rest, '"'), '_');
            self.keep(self.rest.len().min(1));
        } else if let Some(length) = char_literal(self.rest) {
            self.keep(1);
            self.blank(length - 2, '_');
            self.keep(1);
        } else if let Some(next) = self.rest.chars().next() {
            self.keep(next.len_utf8());
        } else {
            return false;
        }
        true
    }

    fn keep(&mut self, bytes: usize) {
        let (kept, rest) = self.rest.split_at(bytes);
        self.out.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, bytes: usize, with: char) {
        let (blanked, rest) = self.rest.split_at(bytes);
        self.out.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { with }));
        self.rest = rest;
    }
}

/// Whether `c` can stand in a name.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Bytes of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of the opening and the closing of a raw string that starts here.
fn raw_string(text: &str) -> Option<(usize, String)> {
    let letters = ["br", "cr", "r"].into_iter().find(|letters| text.starts_with(letters))?;
    let hashes = text[letters.len()..].bytes().take_while(|byte| *byte == b'#').count();
    let open = letters.len() + hashes + 1;
    let quote = text.as_bytes().get(open - 1) == Some(&b'"');
    quote.then(|| (open, format!("\"{}", "#".repeat(hashes))))
}

/// Bytes up to the closing `quote`.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal with its quotes; none for a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        return Some((quoted(inside, '\'') + 2).min(text.len()));
    }
    inside[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn comments_vanish_and_lines_stay() {
        assert_eq!(mask("a // b {\nc /* d /* e */\nf */ g"), "a       \nc             \n     g");
    }

    #[test]
    fn strings_keep_their_quotes_only() {
        assert_eq!(mask(r#"f("a\"{", x)"#), r#"f("____", x)"#);
        assert_eq!(mask("r#\"a\"b\"# + \"c\""), "r#\"___\"# + \"_\"");
        assert_eq!(mask("bar\"x\""), "bar\"_\"");
        assert_eq!(mask("\"never closed"), "\"____________");
    }

    #[test]
    fn characters_are_told_from_lifetimes() {
        assert_eq!(mask(r"'{' '\'' '\\' 'a"), "'_' '__' '__' 'a");
        assert_eq!(mask("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(mask("b'\"' \"x\""), "b'_' \"_\"");
    }
}
