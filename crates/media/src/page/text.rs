//! Text of a stranger, as it may be shown.

/// Put in place of what is cut off.
const CUT: char = '…';

/// One line of at most so many characters, without what is not seen but changes what is: controls,
/// marks that turn the direction of what follows, and tag characters.
pub(super) fn clean(said: &str, chars: usize) -> String {
    let mut text = String::new();
    let (mut count, mut gap) = (0, false);
    for c in said.chars().filter(|c| !is_hidden(*c)) {
        if c.is_whitespace() || c.is_control() {
            gap = !text.is_empty();
            continue;
        }
        let needed = 1 + usize::from(gap);
        if count + needed > chars {
            return cut(text, chars);
        }
        if std::mem::take(&mut gap) {
            text.push(' ');
        }
        text.push(c);
        count += needed;
    }
    text
}

/// The text with its last character, if need be, given up for the sign that something is missing.
fn cut(mut text: String, chars: usize) -> String {
    if text.chars().count() >= chars {
        text.pop();
    }
    text.truncate(text.trim_end().len());
    if chars > 0 {
        text.push(CUT);
    }
    text
}

/// Whether a character only changes how others are read.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn text_is_one_line_without_what_is_not_seen() {
        for (said, shown) in [
            ("  Hello \r\n\t world ", "Hello world"),
            ("a\u{0}b\u{1b}[31mc", "a b [31mc"),
            ("pay\u{202e}fdp.exe", "payfdp.exe"),
            ("a\u{2028}b\u{a0}c", "a b c"),
            ("\u{200b}\u{feff}", ""),
            ("<b>bold</b> & so on", "<b>bold</b> & so on"),
        ] {
            assert_eq!(clean(said, 100), shown);
        }
    }

    #[test]
    fn what_is_too_long_says_so() {
        assert_eq!(clean("abcde", 5), "abcde");
        assert_eq!(clean("abcdef", 5), "abcd…");
        assert_eq!(clean("abc  def", 5), "abc…");
        assert_eq!(clean("ab cdef", 4), "ab…");
        assert_eq!(clean("äöüßé", 3), "äö…");
        assert_eq!(clean("a", 0), "");
    }
}
