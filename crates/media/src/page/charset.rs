//! Bytes of a page to text, as browsers do: by a mark at their beginning, by what the header says,
//! by what the page says near its beginning, and else by what they look like.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::tags;

/// How much of a page is looked at for what it says of its charset.
const HEAD: usize = 4 * 1024;

/// The text of a page. Bytes that are none become replacement characters.
pub(super) fn decode<'a>(bytes: &'a [u8], content_type: &str) -> Cow<'a, str> {
    let encoding = parameter(content_type)
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .or_else(|| declared(&bytes[..bytes.len().min(HEAD)]))
        .unwrap_or_else(|| guessed(bytes));
    // A byte order mark is stronger than all of it.
    encoding.decode(bytes).0
}

/// What a page says of itself.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let said = tags::charset(head)?;
    let label = parameter(&said).unwrap_or(&said);
    let encoding = Encoding::for_label(label.trim().as_bytes())?;
    // Whoever could read this much of it as ASCII is not reading UTF-16.
    let wide = encoding == UTF_16LE || encoding == UTF_16BE;
    Some(if wide { UTF_8 } else { encoding })
}

fn guessed(bytes: &[u8]) -> &'static Encoding {
    // The last character may be cut.
    match std::str::from_utf8(bytes) {
        Ok(_) => UTF_8,
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

/// The `charset` of a content type.
fn parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn bytes_become_text_by_what_is_said_of_them() {
        let koi8 = [0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4];
        assert_eq!(decode(&koi8, "text/html; Charset=\"koi8-r\""), "Привет");
        let meta = [&b"<meta charset='KOI8-R'>"[..], &koi8].concat();
        assert!(decode(&meta, "text/html").ends_with("Привет"));
        let old = b"<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>";
        assert!(decode(&[old, &koi8[..]].concat(), "text/html").ends_with("Привет"));
        let header = [&b"<meta charset=latin1>"[..], "é".as_bytes()].concat();
        assert!(decode(&header, "text/html;charset=utf-8").ends_with('é'));
    }

    #[test]
    fn a_mark_at_the_beginning_is_stronger() {
        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa9", "text/html; charset=latin1"), "é");
        assert_eq!(decode(b"\xff\xfea\0b\0", "text/html; charset=utf-8"), "ab");
    }

    #[test]
    fn without_a_word_it_is_what_it_looks_like() {
        assert_eq!(decode("é".as_bytes(), ""), "é");
        assert_eq!(decode(b"caf\xe9!", "text/html; charset=no-such-thing"), "café!");
        assert_eq!(decode(b"cut\xc3", "text/html"), "cut\u{fffd}");
        let wide = b"<meta charset=utf-16>\xc3\xa9";
        assert!(decode(wide, "text/html").ends_with('é'));
    }
}
