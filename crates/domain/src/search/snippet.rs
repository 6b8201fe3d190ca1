//! The part of a text that shows why it was found.

use std::ops::Range;

use super::{Phrase, Word, words};

/// Characters of a snippet, about.
const CHARS_MAX: usize = 240;

/// Characters before the first match, about.
const LEAD_CHARS: usize = 60;

/// A part of a text, and what in it matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The part.
    pub text: String,
    /// What matches, in bytes of `text`: ascending, apart from each other.
    pub matches: Vec<Range<usize>>,
    /// Whether the text has more before it.
    pub more_before: bool,
    /// Whether the text has more after it.
    pub more_after: bool,
}

/// Cuts out the part of a text around the first match.
pub fn snippet(text: &str, wanted: &[Phrase]) -> Snippet {
    let matches = matches(&words(text), wanted);
    let cut = cut(text, matches.first().map_or(0, |first| first.start));
    let inside = |found: Range<usize>| {
        let (start, end) = (found.start.max(cut.start), found.end.min(cut.end));
        (start < end).then(|| start - cut.start..end - cut.start)
    };
    Snippet {
        text: text[cut.clone()].to_owned(),
        matches: matches.into_iter().filter_map(inside).collect(),
        more_before: cut.start > 0,
        more_after: cut.end < text.len(),
    }
}

/// Everything in a text that matches a phrase, ascending; what overlaps is one.
fn matches(words: &[Word], wanted: &[Phrase]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for phrase in wanted {
        let windows = words.windows(phrase.words.len()).filter(|window| phrase.is_here(window));
        found.extend(
            windows.map(|window| window[0].range.start..window[window.len() - 1].range.end),
        );
    }
    found.sort_unstable_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in found {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// The part of a text around `at`, beginning and ending between words where it can.
fn cut(text: &str, at: usize) -> Range<usize> {
    let lead = text[..at].char_indices().rev().nth(LEAD_CHARS - 1).map_or(0, |(start, _)| start);
    let blank = |part: &str| part.find(char::is_whitespace);
    let start = match blank(&text[lead..at]) {
        Some(gap) if lead > 0 => at.min(lead + gap + 1),
        _ => lead,
    };
    let start = (start..=at).find(|&start| text.is_char_boundary(start)).unwrap_or(at);
    let rest = &text[start..];
    let Some((length, _)) = rest.char_indices().nth(CHARS_MAX) else {
        return start..text.len();
    };
    let kept = &rest[..length];
    let floor = at - start + (length - (at - start)) / 2;
    let end = kept.rfind(char::is_whitespace).filter(|&end| end > floor).unwrap_or(length);
    start..start + end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Limits;
    use crate::search::parse;

    fn of(text: &str, query: &str) -> Snippet {
        snippet(text, &parse(query, &Limits::default()).unwrap().wanted)
    }

    fn matched(snippet: &Snippet) -> Vec<&str> {
        snippet.matches.iter().map(|range| &snippet.text[range.clone()]).collect()
    }

    #[test]
    fn a_short_text_is_shown_whole() {
        let found = of("Käse und Brot", "kase brot");
        assert_eq!(found.text, "Käse und Brot");
        assert_eq!(matched(&found), ["Käse", "Brot"]);
        assert!(!found.more_before && !found.more_after);
    }

    #[test]
    fn a_phrase_is_one_match_and_overlaps_are_joined() {
        assert_eq!(
            matched(&of("good old times", "\"good old\" \"old times\"")),
            ["good old times"]
        );
        assert_eq!(matched(&of("日本語の本", "本")), ["本", "本"]);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_match() {
        let text = format!("{}needle {}", "früh ".repeat(500), "spät ".repeat(500));
        let found = of(&text, "needle");
        assert_eq!(matched(&found), ["needle"]);
        assert!(found.more_before && found.more_after);
        assert!(found.text.starts_with("früh ") && found.text.ends_with("spät"), "{}", found.text);
        assert!(found.text.chars().count() <= 240);
    }

    proptest! {
        #[test]
        fn any_text_has_a_snippet(text in ".{0,900}", query in "[a-z日 ]{1,6}") {
            let limits = Limits::default();
            let wanted = parse(&query, &limits).map(|query| query.wanted).unwrap_or_default();
            let found = snippet(&text, &wanted);
            prop_assert!(text.contains(&found.text));
            for range in &found.matches {
                prop_assert!(found.text.get(range.clone()).is_some_and(|part| !part.is_empty()));
            }
        }
    }
}
