//! Files: how they come, in one request and in several, how they are given out, and how they go.

mod bucket;
mod carried;
mod cut;
mod damaged;
mod given;
mod hostile;
mod killed;
mod looks;
mod sealed;
mod sent;
mod small;
mod tus;

use std::io::Cursor;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parlor_blobs::{Blobs as _, Disk, Inventory};
use parlor_testkit::Person;
use parlor_testkit::http::{Answer, Request};
use parlor_wire::v1;

/// Bytes that are alike nowhere.
fn noise(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

/// A picture of which no two columns are alike; another one for each seed.
fn picture(width: u32, height: u32, seed: u8) -> image::DynamicImage {
    let share = |n, of| u8::try_from(n * 255 / of).unwrap();
    image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([share(x, width), share(y, height), seed])
    })
    .into()
}

/// A file of it.
fn drawn(picture: &image::DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A request in tus.
fn tus(person: &Person, method: &str, path: &str) -> Request {
    person.request(method, path).header("Tus-Resumable", "1.0.0")
}

/// Begins an upload, and returns its path.
async fn begin(person: &Person, length: u64, name: &str) -> String {
    let answer = person.send(beginning(person, length, name)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let place = answer.header("location").expect("it is somewhere").to_owned();
    place.strip_prefix("/api/v1").expect("it is ours").to_owned()
}

fn beginning(person: &Person, length: u64, name: &str) -> Request {
    tus(person, "POST", "/uploads")
        .header("Upload-Length", &length.to_string())
        .header("Upload-Metadata", &format!("filename {}", BASE64.encode(name)))
}

/// Goes on with one.
fn piece(person: &Person, path: &str, at: u64, bytes: &[u8]) -> Request {
    tus(person, "PATCH", path)
        .header("Upload-Offset", &at.to_string())
        .body("application/offset+octet-stream", bytes)
}

/// How much of an upload has come.
async fn offset(person: &Person, path: &str) -> u64 {
    let answer = person.send(tus(person, "HEAD", path)).await;
    assert_eq!(answer.status, 200);
    number(&answer, "upload-offset")
}

fn number(answer: &Answer, header: &str) -> u64 {
    answer.header(header).and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("no {header}"))
}

/// Sends a file in one request.
async fn send(person: &Person, name: &str, bytes: &[u8]) -> v1::File {
    let answer = person.send(sending(person, name, bytes)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("the answer is a file")
}

fn sending(person: &Person, name: &str, bytes: &[u8]) -> Request {
    person.request("POST", &format!("/files?name={name}")).body("application/octet-stream", bytes)
}

/// A ticket to fetch files with.
async fn ticket(person: &Person) -> String {
    let ticket = person.call("POST", "/media-ticket", None::<&v1::Ping>).await;
    let ticket: v1::MediaTicket = ticket.expect("who is signed in gets one");
    ticket.ticket
}

/// Asks for the bytes of a file, by a ticket alone.
async fn fetch(person: &Person, file: &str, ticket: &str, more: &[(&str, &str)]) -> Answer {
    let path = format!("/media/{file}/name?ticket={ticket}");
    let request = more.iter().fold(Request::new("GET", &path), |r, (n, v)| r.header(n, v));
    person.send(request).await
}

/// Asks for the small picture of a file, by a ticket alone.
async fn small(person: &Person, file: &str, ticket: &str) -> Answer {
    person.send(Request::new("GET", &format!("/media/{file}/thumbnail?ticket={ticket}"))).await
}

/// What lies in a data folder.
async fn inventory(data_dir: &Path) -> Inventory {
    Disk::open(&data_dir.join("blobs")).unwrap().inventory().await.unwrap()
}
