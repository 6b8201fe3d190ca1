//! Cutting a text into words that are the same for everything that people would call the same.
//!
//! Case, width and accents are folded. What is written without blanks between words (Chinese,
//! Japanese, Thai) and symbols such as emoji are cut into single characters, each a word: a longer
//! expression is found as a phrase of them.
//!
//! The index holds these words. Whoever changes how a text is cut empties the index in a migration,
//! so that it is filled anew.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of one word; what is longer is cut into several.
const WORD_CHARS_MAX: usize = 64;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Folded: lower-case letters, digits and what is beyond ASCII. Never a blank, never
    /// punctuation of ASCII, never empty.
    pub text: String,
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
}

/// The words of a text, in order.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::with_capacity(text.len() / 6 + 1);
    let mut rest = 0;
    while let Some(run) = next_run(text, rest) {
        rest = run.end;
        push(&mut words, &text[run.clone()], &run);
    }
    words
}

/// The next characters from `from` on that are one word.
fn next_run(text: &str, from: usize) -> Option<Range<usize>> {
    let mut chars = text[from..].char_indices();
    let (start, first) = chars.find(|(_, c)| is_inner(*c) || is_alone(*c))?;
    let goes_on = |c: char| match is_alone(first) {
        true => is_combining_mark(c),
        false => is_inner(c) && !is_alone(c),
    };
    let end = chars.find(|(_, c)| !goes_on(*c)).map_or(text.len() - from, |(at, _)| at);
    Some(from + start..from + end)
}

fn push(words: &mut Vec<Word>, run: &str, range: &Range<usize>) {
    let text = fold(run);
    if text.is_empty() {
        return;
    }
    if text.len() <= WORD_CHARS_MAX {
        return words.push(Word { text, range: range.clone() });
    }
    let chars: Vec<char> = text.chars().collect();
    for part in chars.chunks(WORD_CHARS_MAX) {
        words.push(Word { text: part.iter().collect(), range: range.clone() });
    }
}

fn fold(run: &str) -> String {
    if run.is_ascii() {
        return run.to_ascii_lowercase();
    }
    let folded = run.nfkd().flat_map(char::to_lowercase).filter(|c| !is_accent(*c));
    let folded = folded.map(|c| if c == 'ς' { 'σ' } else { c });
    folded.nfc().filter(|c| is_inner(*c) || is_alone(*c)).collect()
}

/// Whether a character is part of a word.
fn is_inner(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

/// Marks that are written on a letter or left out, and marks that only choose how it looks.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a character is a word by itself.
fn is_alone(c: char) -> bool {
    matches!(c,
        // Thai, Lao, Myanmar, Khmer; kana, bopomofo and ideographs; symbols and emoji.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2600}'..='\u{27bf}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3ffff}')
        && !is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn case_width_and_accents_do_not_matter() {
        let same = ["CAFÉ", "cafe\u{301}", "Ｃａｆé", "cafe"];
        for text in same {
            assert_eq!(texts(text), ["cafe"], "{text}");
        }
        assert_eq!(texts("Ёлка ΛΌΓΟΣ λόγος İstanbul"), ["елка", "λογοσ", "λογοσ", "istanbul"]);
        assert_eq!(texts("ﬁne ½ ①"), ["fine", "12", "1"]);
        assert_eq!(texts("한국어"), texts("한국어".nfd().collect::<String>().as_str()));
        assert_eq!(texts("हिन्दी"), ["हिन्दी"]);
    }

    #[test]
    fn what_has_no_blanks_is_cut_into_characters() {
        assert_eq!(texts("日本語abcテスト"), ["日", "本", "語", "abc", "テ", "ス", "ト"]);
        assert_eq!(texts("が"), texts("か\u{3099}"));
        assert_eq!(texts("ok 🎉❤️"), ["ok", "🎉", "❤"]);
    }

    #[test]
    fn punctuation_parts_words() {
        assert_eq!(
            texts("don't snake_case, a.b:c \0 «d»"),
            "don t snake case a b c d".split(' ').collect::<Vec<_>>()
        );
        assert_eq!(texts("*** -- \"\""), Vec::<String>::new());
        assert_eq!(words("hi, Bo")[1], Word { text: "bo".to_owned(), range: 4..6 });
    }

    #[test]
    fn a_very_long_word_is_several() {
        let parts = words(&"x".repeat(150));
        assert_eq!(parts.iter().map(|word| word.text.len()).collect::<Vec<_>>(), [64, 64, 22]);
        assert!(parts.iter().all(|word| word.range == (0..150)));
    }

    proptest! {
        #[test]
        fn words_are_fit_for_the_index(text in any::<String>()) {
            let found = words(&text);
            for word in &found {
                prop_assert!(text.get(word.range.clone()).is_some_and(|part| !part.is_empty()));
                prop_assert!(!word.text.is_empty());
                let fit = |c: char| {
                    !c.is_ascii() || c.is_ascii_digit() || c.is_ascii_lowercase()
                };
                prop_assert!(word.text.chars().all(fit), "{:?}", word.text);
            }
            let starts = found.windows(2).all(|two| two[0].range.start <= two[1].range.start);
            prop_assert!(starts);
        }
    }
}
