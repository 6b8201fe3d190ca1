//! Which bytes of a file somebody asks for.

use std::ops::Range;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it: nothing else is said, or nothing that is understood, or several ranges, which
    /// could be as many as the header holds.
    All,
    /// These, of which there are some.
    Some(Range<u64>),
    /// Only what is not there.
    Nothing,
}

/// Reads a `Range` header, of a file of this many bytes.
pub(crate) fn read(header: Option<&str>, length: u64) -> Asked {
    let Some((first, last)) = header.and_then(one) else {
        return Asked::All;
    };
    let range = match (first, last) {
        (Some(first), last) => first..last.map_or(length, |last| last.saturating_add(1)),
        (None, Some(count)) => length.saturating_sub(count)..length,
        (None, None) => return Asked::All,
    };
    let range = range.start..range.end.min(length);
    if range.is_empty() { Asked::Nothing } else { Asked::Some(range) }
}

/// The one range of a header: its first and its last byte, or none and how many at the end.
fn one(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    };
    let (first, last) = (number(first)?, number(last)?);
    // A range that ends before it begins is none.
    let sound = first.zip(last).is_none_or(|(first, last)| first <= last);
    sound.then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_answered_and_several_are_not() {
        for (header, asked) in [
            (None, Asked::All),
            (Some("bytes=0-0"), Asked::Some(0..1)),
            (Some("bytes=0-"), Asked::Some(0..100)),
            (Some("bytes=90-200"), Asked::Some(90..100)),
            (Some("bytes=-10"), Asked::Some(90..100)),
            (Some("bytes=-1000"), Asked::Some(0..100)),
            (Some("bytes=100-"), Asked::Nothing),
            (Some("bytes=-0"), Asked::Nothing),
            (Some("bytes=5-4"), Asked::All),
            (Some("bytes=0-1,5-6"), Asked::All),
            (Some("bytes=-"), Asked::All),
            (Some("bytes=x-"), Asked::All),
            (Some("lines=0-1"), Asked::All),
            (Some("bytes=99999999999999999999-"), Asked::All),
        ] {
            assert_eq!(read(header, 100), asked, "{header:?}");
        }
    }
}
