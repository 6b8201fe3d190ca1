//! What is one emoji, by the grammar of Unicode's technical standard 51, and the one way in which
//! it is written. Refuses to know which sequences have a picture: every year brings new ones.

use unicode_properties::UnicodeEmoji as _;
use unicode_properties::emoji::EmojiStatus;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{Denied, Limits};

/// Has a picture what may be a letter, too.
const PICTURE: char = '\u{fe0f}';

/// Joins pictures to one.
const JOINER: char = '\u{200d}';

/// The frame of a key.
const KEY: char = '\u{20e3}';

/// A flag that tags follow, and the last of these.
const BLACK_FLAG: char = '\u{1f3f4}';
const LAST_TAG: char = '\u{e007f}';

/// Reads one emoji. Those that can be written with and without a sign that says that they are one
/// come out in one way.
///
/// # Errors
/// [`Denied::Invalid`] when it is none, or several, or longer than the limit.
pub fn read(text: &str, limits: &Limits) -> Result<String, Denied> {
    let long = text.len() as u64 > limits.reaction_bytes_max;
    if long || text.graphemes(true).count() != 1 {
        return Err(Denied::invalid("emoji", "not one emoji"));
    }
    written(text).ok_or(Denied::invalid("emoji", "not one emoji"))
}

fn written(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    match chars[..] {
        [first, second] if is_region(first) && is_region(second) => Some(text.to_owned()),
        [key, KEY] | [key, PICTURE, KEY] if is_key(key) => {
            Some(String::from_iter([key, PICTURE, KEY]))
        }
        [BLACK_FLAG, ref tags @ .., LAST_TAG] if !tags.is_empty() => {
            let tags = tags.iter().all(|tag| ('\u{e0020}'..='\u{e007e}').contains(tag));
            tags.then(|| text.to_owned())
        }
        [only] if is_picture(only) => Some(text.to_owned()),
        [only, PICTURE] if is_picture(only) => Some(only.to_string()),
        [only] if is_symbol(only) => Some(String::from_iter([only, PICTURE])),
        _ => chars.split(|&c| c == JOINER).all(is_element).then(|| text.to_owned()),
    }
}

/// A part of a sequence: a picture, perhaps with a colour of skin.
fn is_element(chars: &[char]) -> bool {
    match *chars {
        [only] | [only, PICTURE] => is_symbol(only),
        [base, colour] => is_base(base) && is_colour(colour),
        _ => false,
    }
}

/// Whether it is an emoji that can stand alone.
fn is_symbol(c: char) -> bool {
    c.is_emoji_char() && !is_key(c) && !is_region(c)
}

/// Whether it is shown as a picture by itself.
fn is_picture(c: char) -> bool {
    use EmojiStatus as Is;
    let status = c.emoji_status();
    let pictures = [
        Is::EmojiPresentation,
        Is::EmojiPresentationAndModifierBase,
        Is::EmojiPresentationAndEmojiComponent,
        Is::EmojiPresentationAndModifierAndEmojiComponent,
    ];
    is_symbol(c) && pictures.contains(&status)
}

fn is_base(c: char) -> bool {
    use EmojiStatus as Is;
    matches!(c.emoji_status(), Is::EmojiModifierBase | Is::EmojiPresentationAndModifierBase)
}

fn is_colour(c: char) -> bool {
    ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}

fn is_region(c: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&c)
}

fn is_key(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '#' | '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<String> {
        read(text, &Limits::default()).ok()
    }

    #[test]
    fn an_emoji_is_one_picture_however_it_is_made() {
        let thumb = "\u{1f44d}";
        let family = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        let dark = "\u{1f44d}\u{1f3ff}";
        let heart_on_fire = "\u{2764}\u{fe0f}\u{200d}\u{1f525}";
        let flag = "\u{1f1f5}\u{1f1f9}";
        for text in [thumb, family, scotland, dark, heart_on_fire, flag, "3\u{fe0f}\u{20e3}"] {
            assert_eq!(one(text).as_deref(), Some(text), "{text}");
        }
    }

    #[test]
    fn one_emoji_has_one_spelling() {
        assert_eq!(one("\u{2764}"), one("\u{2764}\u{fe0f}"));
        assert_eq!(one("\u{2764}").as_deref(), Some("\u{2764}\u{fe0f}"));
        assert_eq!(one("\u{1f44d}\u{fe0f}").as_deref(), Some("\u{1f44d}"));
        assert_eq!(one("#\u{20e3}"), one("#\u{fe0f}\u{20e3}"));
    }

    #[test]
    fn what_is_no_emoji_or_more_than_one_is_refused() {
        let many = "\u{1f469}\u{200d}".repeat(20) + "\u{1f466}";
        let two = "\u{1f44d}\u{1f44d}";
        let (letter, zalgo) = ("x", "x\u{301}\u{302}");
        let bad = [
            "",
            letter,
            "7",
            "#",
            "*",
            " ",
            zalgo,
            two,
            "\u{1f1f5}",
            "\u{200d}",
            "\u{fe0f}",
            "\u{200b}",
            "<b>",
            "ok",
            "\u{1f44d}!",
            "\u{1f44d}\u{200d}",
            &many,
        ];
        for text in bad {
            assert_eq!(one(text), None, "{text:?}");
        }
    }
}
