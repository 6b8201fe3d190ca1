//! The opening handshake, request by request.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Version};
use parlor_ws::{Accepted, Offer, Refused, accept};

const OFFER: Offer<'_> =
    Offer { protocols: &["parlor.v1.json", "parlor.v1.proto"], deflate: false };

/// The request of RFC 6455, 1.3.
const SAMPLE: [(&str, &str); 4] = [
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let line = |&(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_str(value).expect("a value");
        (HeaderName::from_static(name), value)
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        headers.append(name, value);
    }
    headers
}

fn ask(lines: &[(&'static str, &str)], offer: &Offer<'_>) -> Result<Accepted, Refused> {
    accept(&Method::GET, Version::HTTP_11, &headers(lines), offer)
}

/// The sample with one header left out and others put in.
fn sample(without: &str, with: &[(&'static str, &'static str)]) -> Result<Accepted, Refused> {
    let kept = SAMPLE.into_iter().filter(|(name, _)| *name != without);
    ask(&kept.chain(with.iter().copied()).collect::<Vec<_>>(), &OFFER)
}

fn refusal(without: &str, with: &[(&'static str, &'static str)]) -> Option<(Refused, u16)> {
    let refused = sample(without, with).err()?;
    Some((refused, refused.status().as_u16()))
}

#[test]
fn the_sample_of_the_rfc_is_accepted() {
    let response: Response<String> = sample("", &[]).expect("accepted").response();
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["connection"], "Upgrade");
    assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(response.headers().len(), 3);
}

#[test]
fn lists_and_letter_case_of_other_clients_are_understood() {
    for (name, value) in [
        ("upgrade", "WebSocket"),
        ("upgrade", "h2c, websocket"),
        ("connection", "keep-alive, Upgrade"),
        ("connection", "UPGRADE"),
        ("sec-websocket-version", " 13 "),
    ] {
        assert!(sample(name, &[(name, value)]).is_ok(), "{name}: {value}");
    }
    let lines = [("connection", "keep-alive"), ("connection", "upgrade")];
    assert!(sample("connection", &lines).is_ok());
}

#[test]
fn a_request_that_asks_for_no_upgrade_is_told_to_upgrade() {
    for without in ["upgrade", "connection"] {
        assert_eq!(refusal(without, &[]), Some((Refused::NotAnUpgrade, 426)));
    }
    let wrong = [("upgrade", "websocket2")];
    assert_eq!(refusal("upgrade", &wrong), Some((Refused::NotAnUpgrade, 426)));
}

#[test]
fn another_version_is_told_which_one_is_spoken() {
    for version in ["8", "0", "14", "013", "13, 8", "", "thirteen"] {
        let with = [("sec-websocket-version", version)];
        assert_eq!(refusal("sec-websocket-version", &with), Some((Refused::Version, 426)));
    }
    let twice = [("sec-websocket-version", "13")];
    assert_eq!(refusal("", &twice), Some((Refused::Version, 426)));
    assert_eq!(refusal("sec-websocket-version", &[]), Some((Refused::Version, 426)));
    let response: Response<()> = Refused::Version.response();
    assert_eq!(response.headers()["sec-websocket-version"], "13");
    assert_eq!(response.headers()["upgrade"], "websocket");
}

#[test]
fn a_key_that_is_not_sixteen_bytes_is_refused() {
    for key in [
        "",
        "short",
        "SGVsbG8sIHdvcmxkIQ==",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=!",
        "dGhlIHNhbXBsZSBub25jZTE3",
    ] {
        let with = [("sec-websocket-key", key)];
        assert_eq!(refusal("sec-websocket-key", &with), Some((Refused::Key, 400)), "{key}");
    }
    let twice = [("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];
    assert_eq!(refusal("", &twice), Some((Refused::Key, 400)));
    assert_eq!(refusal("sec-websocket-key", &[]), Some((Refused::Key, 400)));
}

#[test]
fn only_a_get_over_http_1_1_can_be_upgraded() {
    let headers = headers(&SAMPLE);
    for version in [Version::HTTP_09, Version::HTTP_10, Version::HTTP_2] {
        let refused = accept(&Method::GET, version, &headers, &OFFER).err();
        assert_eq!(refused, Some(Refused::HttpVersion));
    }
    assert_eq!(Refused::HttpVersion.status(), 400);
    let refused = accept(&Method::POST, Version::HTTP_11, &headers, &OFFER).err();
    assert_eq!(refused, Some(Refused::Method));
    let response: Response<()> = Refused::Method.response();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (405, &"GET".parse().expect("a value"))
    );
}

#[test]
fn the_subprotocol_is_the_first_that_the_server_prefers_and_the_client_knows() {
    for (lines, chosen) in [
        (vec![], None),
        (vec!["parlor.v1.proto"], Some("parlor.v1.proto")),
        (vec!["parlor.v1.proto, parlor.v1.json"], Some("parlor.v1.json")),
        (vec!["graphql-ws", "chat , parlor.v1.proto"], Some("parlor.v1.proto")),
        (vec!["graphql-ws"], None),
        (vec!["PARLOR.V1.JSON"], None),
    ] {
        let named = lines.iter().map(|line| ("sec-websocket-protocol", *line));
        let with: Vec<_> = named.collect();
        let accepted = sample("", &with).expect("accepted");
        assert_eq!(accepted.protocol, chosen, "{lines:?}");
        let response: Response<()> = accepted.response();
        let answered = response.headers().get("sec-websocket-protocol");
        assert_eq!(answered.map(HeaderValue::as_bytes), chosen.map(str::as_bytes));
    }
}

#[test]
fn compression_is_negotiated_only_where_it_is_offered_and_can_be_honoured() {
    let offering = Offer { deflate: true, ..OFFER };
    let ask = |extensions: &str, offer: &Offer<'_>| {
        let mut lines = SAMPLE.to_vec();
        lines.push(("sec-websocket-extensions", extensions));
        ask(&lines, offer).expect("accepted")
    };
    let asked = "permessage-deflate; client_max_window_bits";
    assert!(!ask(asked, &OFFER).deflate);
    let accepted = ask(asked, &offering);
    assert!(accepted.deflate);
    let response: Response<()> = accepted.response();
    assert_eq!(
        response.headers()["sec-websocket-extensions"],
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    );
    let declined = ask("permessage-deflate; server_max_window_bits=8", &offering);
    assert!(!declined.deflate);
    let response: Response<()> = declined.response();
    assert!(!response.headers().contains_key("sec-websocket-extensions"));
}
