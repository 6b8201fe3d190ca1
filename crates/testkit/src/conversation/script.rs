//! The text of a script: lines, and the words and quoted texts in them.

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) text: String,
}

/// A part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
}

/// The lines of a script; comments and blank ones are left out.
pub(super) fn read(text: &str) -> Vec<Line> {
    let lines = text.lines().enumerate().map(|(n, line)| Line {
        number: n + 1,
        text: line.trim().replace("\\n", "\n").replace("\\z", "\u{200b}"),
    });
    lines.filter(|line| !line.text.is_empty() && !line.text.starts_with('#')).collect()
}

impl Line {
    /// The parts of the line. Commas are for the reader only, a colon stands alone, and the verb
    /// is in its plain form.
    pub(super) fn tokens(&self) -> Vec<Token<'_>> {
        let mut tokens = Vec::new();
        for (n, part) in self.text.split('"').enumerate() {
            if n % 2 == 1 {
                tokens.push(Token::Text(part));
                continue;
            }
            for word in part.split([' ', ',']).filter(|word| !word.is_empty()) {
                match word.strip_suffix(':') {
                    Some("") => tokens.push(Token::Word(":")),
                    Some(word) => tokens.extend([Token::Word(word), Token::Word(":")]),
                    None => tokens.push(Token::Word(word)),
                }
            }
        }
        if let Some(Token::Word(verb)) = tokens.get_mut(1) {
            *verb = plain(verb);
        }
        tokens
    }
}

fn plain(verb: &str) -> &str {
    match verb {
        "has" | "does" | "is" => verb,
        "goes" => "go",
        "replies" => "reply",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_words_and_texts() {
        let lines =
            read("# not this\n\n ana says \"hi, bo: you\" in \"Garden\"\nbo cannot say: no");
        assert_eq!(lines.len(), 2);
        let (word, text) = (Token::Word, Token::Text);
        let said = [word("ana"), word("say"), text("hi, bo: you"), word("in"), text("Garden")];
        assert_eq!(lines[0].tokens(), said);
        let refused = [word("bo"), word("cannot"), word("say"), word(":"), word("no")];
        assert_eq!(lines[1].tokens(), refused);
    }
}
