//! What pages say of themselves, and what becomes of it when they mean ill.

use parlor_media::{Lengths, Page, page};
use proptest::prelude::*;

const LENGTHS: Lengths = Lengths { title: 40, description: 80, site: 20, url: 200 };

const URL: &str = "https://www.example.org/a/b";

fn read(html: &str) -> Option<Page> {
    page(html.as_bytes(), "text/html; charset=utf-8", URL, &LENGTHS)
}

/// A page that says only this.
fn said(title: &str, description: &str, site: &str, image: Option<&str>) -> Option<Page> {
    let (title, description) = (title.to_owned(), description.to_owned());
    Some(Page { title, description, site: site.to_owned(), image: image.map(str::to_owned) })
}

#[test]
fn pages_say_it_in_many_ways() {
    let all = r#"<!doctype html><html><head><title>Old</title>
        <meta name="description" content="Old words">
        <meta name="twitter:title" content="Bird"><meta name="twitter:description" content="Tweet">
        <meta name="twitter:image" content="/bird.png">
        <meta property="og:title" content="Graph"><meta property="og:description" content="Words">
        <meta property="og:site_name" content="Example"><meta property="og:image" content="/g.png">
        </head><body>…</body></html>"#;
    assert_eq!(read(all), said("Graph", "Words", "Example", Some("https://www.example.org/g.png")));
    for (html, expected) in [
        ("<title>Only</title>", said("Only", "", "example.org", None)),
        ("<TITLE\n>Case</TITLE>", said("Case", "", "example.org", None)),
        ("<meta name=twitter:title content=Bird>", said("Bird", "", "example.org", None)),
        ("<meta content='Swapped' property='OG:Title'>", said("Swapped", "", "example.org", None)),
        (
            "<meta name=og:title content=a><meta property=og:title content=b>",
            said("a", "", "example.org", None),
        ),
        (
            "<meta property=og:title content=''><title>Then</title>",
            said("Then", "", "example.org", None),
        ),
        (
            "<title>T</title><meta property=og:image content='//cdn.example.net/i.jpg'>",
            said("T", "", "example.org", Some("https://cdn.example.net/i.jpg")),
        ),
        (
            "<title>T</title><meta property='og:image:url' content='i.jpg'>",
            said("T", "", "example.org", Some("https://www.example.org/a/i.jpg")),
        ),
        (
            "<title>T</title><body><meta property=og:description content=Late>",
            said("T", "Late", "example.org", None),
        ),
        ("<title>Never closed", said("Never closed", "", "example.org", None)),
    ] {
        assert_eq!(read(html), expected, "{html}");
    }
}

#[test]
fn a_page_that_says_nothing_is_none() {
    for html in [
        "",
        "hello",
        "<title> \u{200b}\n</title>",
        "<meta property=og:description content=x>",
        "<body><svg><title>A drawing</title></svg>",
        "<!-- <title>Commented</title> -->",
        "<script>'<title>Program</title>'</script>",
        "<style><title>Style</title></style>",
        "<textarea><meta property=og:title content=x></textarea>",
        "<meta><meta property><meta property=og:title><meta content=x>",
    ] {
        assert_eq!(read(html), None, "{html}");
    }
}

#[test]
fn entities_are_characters_and_tags_are_text() {
    let html = "<title>Tom &amp; J&eacute;r&#xF4;me &lt;b&gt; </b> &xyz; &#0;</title>
        <meta name=description content='&quot;a&quot; &#x3C;script&#x3E;alert(1)&lt;/script&gt;'>";
    let page = read(html).unwrap();
    assert_eq!(page.title, "Tom & Jérôme <b> </b> &xyz; \u{fffd}");
    assert_eq!(page.description, "\"a\" <script>alert(1)</script>");
}

#[test]
fn a_picture_is_on_the_web_or_nowhere() {
    let image = |content: &str| {
        read(&format!("<title>T</title><meta property=og:image content=\"{content}\">"))?.image
    };
    assert_eq!(image("javascript:alert(1)"), None);
    assert_eq!(image("data:image/png;base64,AAAA"), None);
    assert_eq!(image("file:///etc/passwd"), None);
    assert_eq!(image("http://[:::1]/"), None);
    assert_eq!(image(&format!("/{}", "a".repeat(200))), None);
    assert_eq!(image(" /a b.png "), Some("https://www.example.org/a%20b.png".to_owned()));
}

#[test]
fn what_is_long_is_cut() {
    let long = "word ".repeat(1_000_000);
    let html = format!(
        "<title>{long}</title><meta name=description content='{long}'>\
         <meta property=og:site_name content='{long}'>"
    );
    let page = read(&html).unwrap();
    assert_eq!(page.title, format!("{}word…", "word ".repeat(7)));
    assert_eq!(page.title.chars().count(), 40);
    assert!(page.description.chars().count() <= 80 && page.site.chars().count() <= 20);
}

#[test]
fn depth_and_number_cost_nothing_that_stays() {
    let deep = format!("{}<title>Deep</title>", "<div>".repeat(200_000));
    assert_eq!(read(&deep).unwrap().title, "Deep");
    let many = "<meta property=og:title content=One>".repeat(10_000);
    assert_eq!(read(&many).unwrap().title, "One");
    let attributes: String = (0..100_000).map(|n| format!("a{n} ")).collect();
    let wide = format!("<meta {attributes} property=og:title content=Wide>");
    assert_eq!(read(&wide).unwrap().title, "Wide");
    let open = format!("<title>First</title>{}", "<!--<![CDATA[<script><title>".repeat(30_000));
    assert_eq!(read(&open).unwrap().title, "First");
}

/// Pieces that pages are made of, and that break them.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<title>",
        "</title>",
        "<meta ",
        "property=",
        "og:title",
        "og:image",
        "'",
        "\"",
        ">",
        "<",
        "content=",
        "http-equiv=content-type ",
        "charset=",
        "utf-16",
        "koi8-r",
        "&amp",
        "&#x",
        ";",
        "<script>",
        "</script",
        "<!--",
        "-->",
        "<![CDATA[",
        "<body>",
        "http://",
        "//",
        "\0",
        "\u{202e}",
    ]);
    prop_oneof![known.prop_map(str::to_owned), ".{0,8}"]
}

fn in_bounds(page: &Page) -> bool {
    let shown = |text: &str, max: usize| {
        text.chars().count() <= max && !text.chars().any(char::is_control) && text.trim() == text
    };
    let image = page.image.as_deref().unwrap_or("http://");
    !page.title.is_empty()
        && shown(&page.title, LENGTHS.title)
        && shown(&page.description, LENGTHS.description)
        && shown(&page.site, LENGTHS.site)
        && image.starts_with("http")
        && image.len() <= LENGTHS.url
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_a_page_is_made_of_it_stays_in_bounds(
        pieces in prop::collection::vec(piece(), 0..60),
        content_type in "(text/html)?(; ?charset=[a-z0-9-]{0,12})?",
    ) {
        let html = pieces.concat();
        if let Some(page) = page(html.as_bytes(), &content_type, URL, &LENGTHS) {
            prop_assert!(in_bounds(&page), "{page:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_page_at_all_do_no_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        url in ".{0,40}",
    ) {
        if let Some(page) = page(&bytes, "text/html", &url, &LENGTHS) {
            prop_assert!(in_bounds(&page), "{page:?}");
        }
    }
}
