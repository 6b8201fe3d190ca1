//! What a file is, by its first bytes.

/// Bytes that are looked at.
pub const HEAD: usize = 8 * 1024;

/// A kind of picture that is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JPEG.
    Jpeg,
    /// PNG, animated or not.
    Png,
    /// GIF, animated or not.
    Gif,
    /// WebP, animated or not.
    Webp,
}

/// What a browser may show in place, given only this type and no chance to guess another: pictures,
/// films and sounds, none of which can hold a script.
const SHOWN: [&str; 14] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mpeg",
    "audio/ogg",
    "audio/x-wav",
    "audio/x-flac",
    "audio/m4a",
    "audio/aac",
    "audio/opus",
];

/// Whether a type is one that may be shown in place. Everything else is only kept.
pub fn is_shown(media_type: &str) -> bool {
    SHOWN.contains(&media_type)
}

/// The type of a file that begins with `head`, and the kind of picture, if it is one that is looked
/// into. What nobody knows is plain text where it reads as such, and otherwise just bytes.
pub fn kind(head: &[u8]) -> (&'static str, Option<Kind>) {
    let head = &head[..head.len().min(HEAD)];
    let Some(found) = infer::get(head) else {
        return (if is_text(head) { "text/plain" } else { "application/octet-stream" }, None);
    };
    let kind = match found.mime_type() {
        "image/jpeg" => Some(Kind::Jpeg),
        "image/png" => Some(Kind::Png),
        "image/gif" => Some(Kind::Gif),
        "image/webp" => Some(Kind::Webp),
        _ => None,
    };
    (found.mime_type(), kind)
}

/// Whether bytes read as text. The last character may be cut off.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !"\n\r\t\u{c}".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_what_the_bytes_say() {
        assert_eq!(kind(b"\xff\xd8\xff\xe0\0\x10JFIF"), ("image/jpeg", Some(Kind::Jpeg)));
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ("image/png", Some(Kind::Png)));
        assert_eq!(kind(b"GIF89a\x01\0\x01\0"), ("image/gif", Some(Kind::Gif)));
        assert_eq!(kind(b"RIFF\x24\0\0\0WEBPVP8 "), ("image/webp", Some(Kind::Webp)));
        assert_eq!(kind(b"%PDF-1.7").0, "application/pdf");
        assert_eq!(kind("just words, also für alle".as_bytes()).0, "text/plain");
        assert_eq!(kind(&"日本語".as_bytes()[..8]).0, "text/plain");
        assert_eq!(kind(b"\0\x01\x02\x03nothing").0, "application/octet-stream");
        assert_eq!(kind(b"").0, "application/octet-stream");
    }

    #[test]
    fn nothing_that_can_hold_a_script_is_shown() {
        for bytes in [
            &b"<!DOCTYPE html><script>alert(1)</script>"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
            b"<?xml version='1.0'?><svg/>",
            b"%PDF-1.4 /JS",
            b"words",
        ] {
            let (media_type, picture) = kind(bytes);
            assert!(!is_shown(media_type) && picture.is_none(), "{media_type}");
        }
        assert!(is_shown("image/png"));
    }
}
