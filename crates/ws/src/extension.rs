//! Which offer of permessage-deflate is accepted (RFC 7692, 7.1). Owns reading the offers; refuses
//! any that would need state between messages or a smaller window on our side, since compressed
//! frames are made once and shared by all receivers.

use http::HeaderMap;
use http::header::SEC_WEBSOCKET_EXTENSIONS;

use crate::handshake::listed;

/// Neither side keeps its window from one message to the next.
const ACCEPTED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The same to a client that asked for a window of 32 KiB, which must be confirmed.
const ACCEPTED_WINDOW: &str = "permessage-deflate; server_no_context_takeover; \
                               client_no_context_takeover; server_max_window_bits=15";

/// The answer to the first offer that can be honoured, in the client's order of preference.
pub(crate) fn negotiate(headers: &HeaderMap) -> Option<&'static str> {
    listed(headers, &SEC_WEBSOCKET_EXTENSIONS).find_map(answer)
}

/// The answer to one offer. Anything unknown, repeated or malformed declines it.
fn answer(offer: &str) -> Option<&'static str> {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let mut seen = Vec::new();
    for part in parts {
        let (name, value) = parameter(part);
        if seen.contains(&name) || !can_honour(name, value) {
            return None;
        }
        seen.push(name);
    }
    let confirm = seen.contains(&"server_max_window_bits");
    Some(if confirm { ACCEPTED_WINDOW } else { ACCEPTED })
}

fn can_honour(name: &str, value: Option<&str>) -> bool {
    match (name, value) {
        ("server_no_context_takeover" | "client_no_context_takeover", None) => true,
        // A hint at what the client could do if asked. We inflate any window, so do not ask.
        ("client_max_window_bits", None) => true,
        ("client_max_window_bits", Some(bits)) => {
            matches!(bits, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15")
        }
        ("server_max_window_bits", Some(bits)) => bits == "15",
        _ => false,
    }
}

/// `name` or `name=value`, where the value may stand in quotes.
fn parameter(part: &str) -> (&str, Option<&str>) {
    let Some((name, value)) = part.split_once('=') else {
        return (part, None);
    };
    let value = value.trim();
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    (name.trim(), Some(bare.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(offers: &[&'static str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for offer in offers {
            headers.append(SEC_WEBSOCKET_EXTENSIONS, http::HeaderValue::from_static(offer));
        }
        negotiate(&headers)
    }

    #[test]
    fn an_offer_that_can_be_honoured_is_answered_without_context_takeover() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate;client_max_window_bits=8",
            "permessage-deflate ; client_max_window_bits = \"12\" ; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "x-webkit-deflate-frame, permessage-deflate",
        ] {
            assert_eq!(offered(&[offer]), Some(ACCEPTED), "{offer}");
        }
    }

    #[test]
    fn a_full_server_window_is_confirmed() {
        for offer in ["server_max_window_bits=15", "server_max_window_bits=\"15\""] {
            let offer: &'static str = format!("permessage-deflate; {offer}").leak();
            assert_eq!(offered(&[offer]), Some(ACCEPTED_WINDOW), "{offer}");
        }
    }

    #[test]
    fn an_offer_that_cannot_be_honoured_is_declined() {
        for offer in [
            "",
            "permessage-bzip2",
            "Permessage-Deflate",
            "permessage-deflate;",
            "permessage-deflate; surprise",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=015",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=+9",
            "permessage-deflate; client_max_window_bits=",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
        ] {
            assert_eq!(offered(&[offer]), None, "{offer}");
        }
    }

    #[test]
    fn a_fallback_is_taken_from_the_same_or_another_line() {
        let small = "permessage-deflate; server_max_window_bits=9";
        assert_eq!(offered(&[small, "permessage-deflate"]), Some(ACCEPTED));
        let both = "permessage-deflate; server_max_window_bits=9, permessage-deflate";
        assert_eq!(offered(&[both]), Some(ACCEPTED));
    }
}
