//! Tags of a page that say what it is. A tokenizer of HTML (html5gum) tells them apart and decodes
//! their entities; only what is looked for is kept, of each the first, and not more of it than is
//! shown.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::Lengths;

/// Bytes that are kept for each character that is shown: what is not shown takes some, too.
const BYTES_PER_CHAR: usize = 8;

/// Bytes of the name of a charset, or of the type that it stands in.
const CHARSET: usize = 128;

/// What was found, as it stands there.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) title: String,
    pub(super) og_title: String,
    pub(super) twitter_title: String,
    pub(super) description: String,
    pub(super) og_description: String,
    pub(super) twitter_description: String,
    pub(super) og_site: String,
    pub(super) og_image: String,
    pub(super) twitter_image: String,
    charset: String,
}

/// Looks through a page.
pub(super) fn find(html: &[u8], lengths: &Lengths) -> Found {
    let mut reader = Reader { lengths: *lengths, ..Reader::default() };
    read(html, &mut reader);
    reader.found
}

/// What the beginning of a page says of its charset.
pub(super) fn charset(head: &[u8]) -> Option<String> {
    let mut reader = Reader::default();
    read(head, &mut reader);
    Some(reader.found.charset).filter(|said| !said.is_empty())
}

fn read(html: &[u8], reader: &mut Reader) {
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
        reader.hear(&event);
        None::<Infallible>
    });
    // So that what stands in scripts and titles is no tags.
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).for_each(drop);
}

/// Where in a page one is.
#[derive(Default)]
struct Reader {
    lengths: Lengths,
    found: Found,
    place: Place,
    attribute: Attribute,
    meta: Meta,
    /// Whether what is shown of the page has begun: a title in it is a picture's.
    in_body: bool,
}

#[derive(Default, PartialEq)]
enum Place {
    #[default]
    Elsewhere,
    InMeta,
    InTitle,
}

#[derive(Default, Clone, Copy)]
enum Attribute {
    #[default]
    Other,
    Name,
    Content,
    Charset,
}

/// The attributes of a `<meta>`.
#[derive(Default)]
struct Meta {
    name: String,
    content: String,
    charset: String,
}

impl Reader {
    fn hear(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => self.open(name),
            CallbackEvent::AttributeName { name } if self.place == Place::InMeta => {
                self.attribute = Attribute::read(name);
            }
            CallbackEvent::AttributeValue { value } if self.place == Place::InMeta => {
                self.value(value);
            }
            CallbackEvent::CloseStartTag { .. } if self.place == Place::InMeta => self.close(),
            CallbackEvent::String { value } if self.place == Place::InTitle => {
                let max = self.lengths.title.saturating_mul(BYTES_PER_CHAR);
                fill(&mut self.found.title, value, max);
            }
            CallbackEvent::EndTag { .. } => self.place = Place::Elsewhere,
            _ => {}
        }
    }

    fn open(&mut self, name: &[u8]) {
        self.attribute = Attribute::Other;
        self.place = match name {
            b"meta" => Place::InMeta,
            b"title" if !self.in_body => Place::InTitle,
            _ => Place::Elsewhere,
        };
        self.in_body |= name == b"body";
    }

    fn value(&mut self, value: &[u8]) {
        let lengths = &self.lengths;
        let longest = lengths.description.max(lengths.title).saturating_mul(BYTES_PER_CHAR);
        match self.attribute {
            // `name` and `property` mean the same to the sites that mix them up.
            Attribute::Name => fill(&mut self.meta.name, value, CHARSET),
            Attribute::Content => {
                fill(&mut self.meta.content, value, longest.max(lengths.url).max(CHARSET));
            }
            Attribute::Charset => fill(&mut self.meta.charset, value, CHARSET),
            Attribute::Other => {}
        }
    }

    fn close(&mut self) {
        self.place = Place::Elsewhere;
        let Meta { name, content, charset } = std::mem::take(&mut self.meta);
        keep(&mut self.found.charset, charset);
        let found = &mut self.found;
        let kept = match name.trim().to_ascii_lowercase().as_str() {
            "og:title" => &mut found.og_title,
            "og:description" => &mut found.og_description,
            "og:site_name" => &mut found.og_site,
            "og:image" | "og:image:url" | "og:image:secure_url" => &mut found.og_image,
            "twitter:title" => &mut found.twitter_title,
            "twitter:description" => &mut found.twitter_description,
            "twitter:image" | "twitter:image:src" => &mut found.twitter_image,
            "description" => &mut found.description,
            "content-type" => &mut found.charset,
            _ => return,
        };
        keep(kept, content);
    }
}

impl Attribute {
    fn read(name: &[u8]) -> Self {
        match name {
            b"name" | b"property" | b"http-equiv" => Self::Name,
            b"content" => Self::Content,
            b"charset" => Self::Charset,
            _ => Self::Other,
        }
    }
}

/// What is said first counts.
fn keep(kept: &mut String, said: String) {
    if kept.trim().is_empty() {
        *kept = said;
    }
}

/// Takes what is said, and not more than so many bytes of it; of two that are said, the first.
fn fill(text: &mut String, said: &[u8], max: usize) {
    if text.is_empty() {
        *text = String::from_utf8_lossy(&said[..said.len().min(max)]).into_owned();
    }
}
