//! A source file, prepared once for all checks: its lines as written, its lines as code only,
//! and which of them are tests.

use super::mask::{is_word, mask};

/// A Rust file.
pub(crate) struct Source {
    /// From the root of the repository.
    pub(crate) path: String,
    /// As written.
    pub(crate) lines: Vec<String>,
    /// With comments and literals blanked out, in one piece.
    pub(crate) code: String,
    /// First and last line (counted from 1) of each `#[cfg(test)]` module.
    tests: Vec<(usize, usize)>,
    whole_file_is_test: bool,
}

/// A function: where it begins and ends, counted from 1.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = mask(text);
        let tests = test_modules(&code);
        let whole_file_is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
        let lines = text.lines().map(str::to_owned).collect();
        Self { path: path.to_owned(), lines, code, tests, whole_file_is_test }
    }

    /// Whether `line` is test code.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.whole_file_is_test || self.tests.iter().any(|(a, b)| (*a..=*b).contains(&line))
    }

    /// Lines that are not in a test module.
    pub(crate) fn lines_without_tests(&self) -> usize {
        let tests: usize = self.tests.iter().map(|(first, last)| last - first + 1).sum();
        self.lines.len() - tests
    }

    /// The first crate folder in the path: `domain` of `crates/domain/src/room.rs`.
    pub(crate) fn crate_name(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates" | "clients") => parts.next().unwrap_or_default(),
            Some(first) => first,
            None => "",
        }
    }

    /// Every function that has a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = find_word(&self.code, "fn", from) {
            from = at + 2;
            let name: String =
                self.code[from..].trim_start().chars().take_while(|c| is_word(*c)).collect();
            if name.is_empty() {
                continue; // The type `fn(…)`.
            }
            if let Some(open) = body(&self.code, from) {
                let last = line_of(&self.code, closing(&self.code, open));
                found.push(Function { name, first: line_of(&self.code, at), last });
            }
        }
        found
    }
}

/// The place of `word`, standing alone, at or after `from`.
pub(crate) fn find_word(code: &str, word: &str, from: usize) -> Option<usize> {
    code[from..].match_indices(word).map(|(at, _)| from + at).find(|at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The line of a place, counted from 1.
pub(crate) fn line_of(code: &str, at: usize) -> usize {
    code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The brace that opens the body; none where a `;` comes first.
fn body(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    code.len() - 1
}

fn test_modules(code: &str) -> Vec<(usize, usize)> {
    let mark = "#[cfg(test)]";
    let mut found = Vec::new();
    for (at, _) in code.match_indices(mark) {
        let item = code[at + mark.len()..].trim_start();
        let module = item.strip_prefix("pub(crate) ").unwrap_or(item).starts_with("mod ");
        if let Some(open) = body(code, at + mark.len()).filter(|_| module) {
            found.push((line_of(code, at), line_of(code, closing(code, open))));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
fn one(f: fn(u8) -> [u8; 2]) -> u8 {
    if true { 1 } else { '}' as u8 }
}
trait T { fn none(&self); fn two(&self) {} }
#[cfg(test)]
mod tests {
    fn three() {
    }
}
";

    #[test]
    fn functions_have_a_beginning_and_an_end() {
        let source = Source::new("crates/domain/src/a.rs", TEXT);
        let found: Vec<_> =
            source.functions().into_iter().map(|f| (f.name, f.first, f.last)).collect();
        let expected = [("one", 1, 3), ("two", 4, 4), ("three", 7, 8)];
        assert_eq!(found, expected.map(|(name, a, b)| (name.to_owned(), a, b)));
    }

    #[test]
    fn test_modules_are_known() {
        let source = Source::new("crates/domain/src/a.rs", TEXT);
        assert_eq!(source.lines_without_tests(), 4);
        assert!(!source.is_test(4));
        assert!(source.is_test(7));
        assert!(Source::new("crates/domain/tests/it/a.rs", "").is_test(1));
        assert_eq!(source.crate_name(), "domain");
    }
}
