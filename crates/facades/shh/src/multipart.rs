//! A form in parts (RFC 7578), of which only the texts are wanted. The whole body is at hand, and
//! no longer than any other.

use memchr::memmem;

/// The names and values of a form's parts; `None` when it is none. Files are passed over.
pub(crate) fn read(content_type: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
    let boundary = parameter(content_type, "boundary").filter(|b| (1..=70).contains(&b.len()))?;
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may stand at the very beginning, without a line before it.
    let body = [b"\r\n", body].concat();
    let mut at = memmem::find(&body, delimiter.as_bytes())? + delimiter.len();
    let mut pairs = Vec::new();
    loop {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return Some(pairs);
        }
        let end = memmem::find(rest, delimiter.as_bytes())?;
        pairs.extend(part(rest[..end].strip_prefix(b"\r\n")?)?);
        at += end + delimiter.len();
    }
}

/// The name and value of one part; `Some(None)` for a file.
#[expect(clippy::option_option, reason = "a broken part is not a part without a text")]
fn part(bytes: &[u8]) -> Option<Option<(String, String)>> {
    let end = memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    if parameter(disposition, "filename").is_some() {
        return Some(None);
    }
    let value = String::from_utf8(bytes[end + 4..].to_vec()).ok()?;
    Some(Some((parameter(disposition, "name")?, value)))
}

/// A parameter of a header's value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        key.trim().eq_ignore_ascii_case(name).then(|| bare.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=\"x-y\"";

    #[test]
    fn the_texts_of_a_form_are_read_and_files_are_passed_over() {
        let body = "preamble\r\n--x-y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\
            \r\n--x-y\r\ncontent-disposition: form-data; name=f; filename=\"f\"\r\n\r\nbytes\
            \r\n--x-y\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n--x-y--\r\n";
        let pairs = [("a".to_owned(), "1\r\n2".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(read(KIND, body.as_bytes()), Some(pairs.to_vec()));
        assert_eq!(read(KIND, b"--x-y--"), Some(vec![]));
    }

    #[test]
    fn what_is_cut_off_or_has_no_boundary_is_no_form() {
        let whole = "--x-y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x-y--";
        assert!(read(KIND, whole.as_bytes()).is_some());
        for length in 0..whole.len() - 2 {
            assert_eq!(read(KIND, &whole.as_bytes()[..length]), None, "{length}");
        }
        assert_eq!(read("multipart/form-data", whole.as_bytes()), None);
        assert_eq!(read("multipart/form-data; boundary=", whole.as_bytes()), None);
    }
}
