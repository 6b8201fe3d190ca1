//! What others send, made fit for a terminal: no control characters, which could move the cursor,
//! change the title or answer questions in the user's name; no signs that turn the writing around.

/// The text without anything that is an order to the terminal. Line breaks stay, tabs become
/// blanks.
pub fn clean(text: &str) -> String {
    text.chars()
        .filter_map(|sign| match sign {
            '\n' => Some('\n'),
            '\t' => Some(' '),
            sign if sign.is_control() || is_turning(sign) => None,
            sign => Some(sign),
        })
        .collect()
}

/// The same on one line, as names are.
pub fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Whether a sign changes the direction of what follows, or is invisible.
fn is_turning(sign: char) -> bool {
    matches!(sign,
        '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_to_the_terminal_do_not_come_through() {
        assert_eq!(clean("a\u{1b}[2Jb\u{1b}]0;title\u{7}c\rd\u{8}"), "a[2Jb]0;titlecd");
        assert_eq!(clean("\u{9b}31mred\u{90}q\u{9c}"), "31mredq");
        assert_eq!(clean("a\u{202e}b\u{2066}c\u{200b}"), "abc");
    }

    #[test]
    fn what_is_writing_stays() {
        let text = "na\u{ef}ve \u{1f600}\u{fe0f} \u{5e9}\u{5dc}\u{5d5}\u{5dd}\nsecond line";
        assert_eq!(clean(text), text);
        assert_eq!(clean("a\tb"), "a b");
        assert_eq!(clean_line("a\nb"), "a b");
    }
}
