//! Files that are to disappear soon are kept sealed: they are given out as they were, and nothing
//! that lies anywhere shows them.

use std::path::Path;

use image::ImageFormat;
use parlor_testkit::person::fresh_id;
use parlor_testkit::{Person, TestServer, soon};
use parlor_wire::v1;

use super::{drawn, fetch, noise, picture, send, small, ticket};

/// Whether any file below a folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().map(Result::unwrap).any(|entry| match entry.path() {
        path if path.is_dir() => holds(&path, bytes),
        // One that is gone by now holds nothing.
        path => memchr::memmem::find(&std::fs::read(path).unwrap_or_default(), bytes).is_some(),
    })
}

/// Says something for an hour, with files.
async fn say_for_an_hour(person: &Person, session: &str, files: &[&str]) -> v1::Message {
    let asked = v1::SendRequest {
        client_id: fresh_id(),
        content: "look".to_owned(),
        files: files.iter().map(|id| (*id).to_owned()).collect(),
        ttl_s: Some(3_600),
        ..v1::SendRequest::default()
    };
    let path = format!("/sessions/{session}/messages");
    person.call("POST", &path, Some(&asked)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_disappear_lies_nowhere_as_it_is_and_is_given_out_as_it_was() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let (bytes, name) = (noise(200_000, 1), "marker-of-a-file.bin");
    let cat = drawn(&picture(900, 300, 1), ImageFormat::Png);
    let (file, cat_file) = (send(&ana, name, &bytes).await, send(&ana, "cat.png", &cat).await);
    let (his, marks) = (ticket(&bo).await, [&bytes[100_000..100_064], &cat[cat.len() / 2..][..64]]);
    for mark in marks {
        assert!(holds(server.data_dir(), mark), "the search finds what is plain");
    }
    let said = say_for_an_hour(&ana, &room.main_session_id, &[&file.id, &cat_file.id]).await;
    assert_eq!(said.files[0].name, name);
    let sealed = async {
        let folder = server.data_dir();
        while marks.iter().any(|mark| holds(folder, mark)) || holds(folder, name.as_bytes()) {
            tokio::task::yield_now().await;
        }
    };
    soon("the files to be sealed", sealed).await;
    let got = fetch(&bo, &file.id, &his, &[]).await;
    assert_eq!((got.status, got.body.len()), (200, bytes.len()));
    assert!(got.body == bytes);
    let part = fetch(&bo, &file.id, &his, &[("Range", "bytes=99999-100006")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &bytes[99_999..100_007]));
    let got = small(&bo, &cat_file.id, &his).await;
    assert_eq!((got.status, got.header("content-type")), (200, Some("image/jpeg")));
    let read = image::load_from_memory(&got.body).expect("it is a picture");
    assert_eq!((read.width(), read.height()), (480, 160));
    assert!(!holds(server.data_dir(), &got.body[got.body.len() / 2..][..64]));
    let message: v1::Message = bo.get(&format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(message.files[0].name, name);
    let described: v1::File = bo.get(&format!("/files/{}", file.id)).await.unwrap();
    assert_eq!((&*described.name, described.size), (name, bytes.len() as i64));
    ana.done("DELETE", &format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(fetch(&bo, &file.id, &his, &[]).await.status, 404);
    server.stop().await;
}
