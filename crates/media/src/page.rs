//! What a page on the web says of itself: its title, in a few words what it is about, whose it is,
//! and a picture of it.
//!
//! Reads what Open Graph and Twitter cards say in `<meta>`, and what HTML always had. Everything
//! that comes out is plain text of bounded length, also where a page has tags in it: whoever shows
//! it shows text. Nothing is built of the page, so its depth and the number of its tags are free.

mod charset;
mod tags;
mod text;

use url::Url;

use tags::Found;

/// How long what comes out may be.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Characters of a title.
    pub title: usize,
    /// Characters of a description.
    pub description: usize,
    /// Characters of a site's name.
    pub site: usize,
    /// Bytes of the URL of a picture.
    pub url: usize,
}

/// What a page says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its title, never empty.
    pub title: String,
    /// What it is about; empty when it does not say.
    pub description: String,
    /// Whose it is: the name that it gives its site, or else the host's.
    pub site: String,
    /// The URL of a picture of it, by `http:` or `https:`.
    pub image: Option<String>,
}

/// Reads a page that was at `url` and came with this `Content-Type`. None when it has no title.
pub fn page(bytes: &[u8], content_type: &str, url: &str, lengths: &Lengths) -> Option<Page> {
    let text = charset::decode(bytes, content_type);
    let found = tags::find(text.as_bytes(), lengths);
    let url = Url::parse(url).ok()?;
    let title = [&found.og_title, &found.twitter_title, &found.title];
    let title = first(title, lengths.title)?;
    let about = [&found.og_description, &found.twitter_description, &found.description];
    let description = first(about, lengths.description).unwrap_or_default();
    let site = first([&found.og_site], lengths.site);
    let site = site.unwrap_or_else(|| host(&url, lengths.site));
    Some(Page { title, description, site, image: image(&found, &url, lengths) })
}

/// The first that says anything, as it may be shown.
fn first<const N: usize>(said: [&String; N], chars: usize) -> Option<String> {
    said.into_iter().map(|said| text::clean(said, chars)).find(|text| !text.is_empty())
}

fn host(url: &Url, chars: usize) -> String {
    let host = url.host_str().unwrap_or_default();
    text::clean(host.strip_prefix("www.").unwrap_or(host), chars)
}

fn image(found: &Found, url: &Url, lengths: &Lengths) -> Option<String> {
    let said = [&found.og_image, &found.twitter_image];
    let said = said.into_iter().map(|said| said.trim()).find(|said| !said.is_empty())?;
    let image = url.join(said).ok()?;
    let fits = image.as_str().len() <= lengths.url;
    (fits && matches!(image.scheme(), "http" | "https")).then(|| image.into())
}
