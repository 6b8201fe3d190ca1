//! What is behind links, from a site of our own on loopback, which these servers are allowed
//! to fetch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use parlor_testkit::http::Request;
use parlor_testkit::{Person, TestServer, soon};
use parlor_wire::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A picture of one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg\
    GAWjR9awAAAABJRU\
    5ErkJggg==";

/// A site with pages, for as long as it is kept.
struct Site {
    address: &'static str,
    port: u16,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Site {
    async fn open() -> Self {
        Self::open_at("127.0.0.1").await
    }

    async fn open_at(address: &'static str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, mut tasks) = (Arc::clone(&asked), JoinSet::new());
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => request.push(byte),
                        Err(_) => break,
                    }
                }
                count.fetch_add(1, Ordering::Relaxed);
                let text = String::from_utf8_lossy(&request).into_owned();
                let _ = stream.write_all(&answer(text.split(' ').nth(1).unwrap_or_default())).await;
            }
        });
        Self { address, port, asked, _tasks: tasks }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}:{}{path}", self.address, self.port)
    }

    async fn server(&self) -> TestServer {
        TestServer::builder()
            .alone()
            .set("egress_networks", "127.0.0.0/8")
            .set("egress_ports", &self.port.to_string())
            .start()
            .await
    }
}

fn answer(path: &str) -> Vec<u8> {
    let (content_type, body) = match path {
        "/pixel.png" => ("image/png", BASE64.decode(PIXEL).unwrap()),
        "/bare" => ("text/html", b"nothing here".to_vec()),
        path => {
            let name = path.trim_start_matches('/');
            let page = format!(
                "<title>Page {name}</title><meta name=description content='About &amp; more'>\
                 <meta property=og:image content=/pixel.png>"
            );
            ("text/html", page.into_bytes())
        }
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

async fn previews(person: &Person, message: &str) -> Vec<v1::Preview> {
    let message: v1::Message = person.get(&format!("/messages/{message}")).await.unwrap();
    message.previews
}

/// Waits until the previews of a message are as they are meant to be.
async fn once(
    person: &Person,
    message: &str,
    wanted: impl Fn(&[v1::Preview]) -> bool,
) -> Vec<v1::Preview> {
    let looking = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        loop {
            looks.tick().await;
            let found = previews(person, message).await;
            if wanted(&found) {
                return found;
            }
        }
    };
    soon("the previews", looking).await
}

/// Waits until a message has so many previews.
async fn shown(person: &Person, message: &str, count: usize) -> Vec<v1::Preview> {
    once(person, message, |found| found.len() == count).await
}

#[tokio::test]
async fn what_is_behind_a_link_comes_with_its_message_and_goes_with_it() {
    let site = Site::open().await;
    let server = site.server().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let text = format!("{} `{}` {}", site.url("/one"), site.url("/code"), site.url("/bare"));
    let said = ana.say(&room.main_session_id, &text).await.unwrap();
    let found = shown(&bo, &said.id, 1).await.remove(0);
    assert_eq!((&*found.url, &*found.title), (&*site.url("/one"), "Page one"));
    assert_eq!((&*found.description, &*found.site), ("About & more", "127.0.0.1"));
    assert_eq!(
        site.asked.load(Ordering::Relaxed),
        3,
        "a page, its picture, and one without a title"
    );
    let image = found.image_id.unwrap();
    let fetch = async |person: &Person| {
        let ticket = person.call("POST", "/media-ticket", None::<&v1::Ping>).await;
        let ticket: v1::MediaTicket = ticket.unwrap();
        let path = format!("/media/{image}/preview?ticket={}", ticket.ticket);
        person.send(Request::new("GET", &path)).await
    };
    let picture = fetch(&bo).await;
    assert_eq!(picture.status, 200);
    assert!(picture.header("content-type").is_some_and(|said| said.starts_with("image/")));
    let cyn = server.person("cyn").await;
    assert_eq!(fetch(&cyn).await.status, 404);
    ana.done("DELETE", &format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(fetch(&bo).await.status, 404);
    assert!(previews(&bo, &said.id).await.is_empty());
    let blobs = parlor_blobs::Disk::open(&server.data_dir().join("blobs")).unwrap();
    assert_eq!(parlor_blobs::Blobs::inventory(&blobs).await.unwrap().blobs.len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn who_rewords_a_link_sees_what_is_behind_the_new_one() {
    let site = Site::open().await;
    let server = site.server().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let said = ana.say(&room.main_session_id, &site.url("/one")).await.unwrap();
    shown(&ana, &said.id, 1).await;
    let path = format!("/messages/{}", said.id);
    let reword = async |content: String| {
        let asked = v1::EditRequest { content, ..v1::EditRequest::default() };
        let reworded: v1::Message = ana.call("PATCH", &path, Some(&asked)).await.unwrap();
        assert!(reworded.edited_at.is_some());
    };
    reword(site.url("/two")).await;
    once(&ana, &said.id, |found| found.first().is_some_and(|page| page.title == "Page two")).await;
    reword("no link".to_owned()).await;
    shown(&ana, &said.id, 0).await;
    server.stop().await;
}

#[tokio::test]
async fn previews_are_taken_off_for_good() {
    let site = Site::open().await;
    let server = site.server().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let said = ana.say(&room.main_session_id, &site.url("/one")).await.unwrap();
    shown(&ana, &said.id, 1).await;
    ana.done("DELETE", &format!("/messages/{}/previews", said.id)).await.unwrap();
    assert!(previews(&ana, &said.id).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn of_this_machine_nothing_is_fetched_but_what_the_operator_names() {
    let (named, other) = (Site::open_at("127.0.0.2").await, Site::open().await);
    let server = TestServer::builder()
        .alone()
        .set("egress_networks", "127.0.0.2")
        .set("egress_ports", &format!("{},{}", named.port, other.port))
        .start()
        .await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let text = format!("{} {}", other.url("/one"), named.url("/two"));
    let said = ana.say(&room.main_session_id, &text).await.unwrap();
    let found = shown(&ana, &said.id, 1).await.remove(0);
    assert_eq!(found.title, "Page two");
    assert_eq!(other.asked.load(Ordering::Relaxed), 0);
    server.stop().await;
}
