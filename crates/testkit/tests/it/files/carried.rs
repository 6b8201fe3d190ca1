//! Files that messages carry: who may have them, and for how long.

use std::sync::Arc;
use std::time::Duration;

use parlor_testkit::{Person, TestServer, VirtualClock, soon};
use parlor_wire::v1;

use super::{fetch, inventory, noise, send, ticket};

pub(super) async fn say(
    person: &Person,
    session: &str,
    content: &str,
    files: &[&str],
) -> v1::Message {
    let answer = try_say(person, session, content, files).await;
    answer.unwrap_or_else(|refused| panic!("{refused:?}"))
}

async fn try_say(
    person: &Person,
    session: &str,
    content: &str,
    files: &[&str],
) -> Result<v1::Message, parlor_testkit::Refused> {
    let asked = v1::SendRequest {
        client_id: parlor_testkit::person::fresh_id(),
        content: content.to_owned(),
        files: files.iter().map(|id| (*id).to_owned()).collect(),
        ..v1::SendRequest::default()
    };
    person.call("POST", &format!("/sessions/{session}/messages"), Some(&asked)).await
}

#[tokio::test]
async fn a_file_is_for_whoever_may_read_a_message_with_it_and_for_no_longer() {
    let server = TestServer::start().await;
    let (ana, bo, cyn) =
        (server.person("ana").await, server.person("bo").await, server.person("cyn").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let bytes = noise(5_000, 1);
    let file = send(&ana, "cat.bin", &bytes).await;
    let (his, theirs) = (ticket(&bo).await, ticket(&cyn).await);
    let got = async |ticket: &str| fetch(&bo, &file.id, ticket, &[]).await.status;
    assert_eq!(got(&his).await, 404, "nobody was shown it");
    let said = say(&ana, &room.main_session_id, "", &[&file.id]).await;
    assert_eq!((said.files.len(), &*said.files[0].id), (1, &*file.id));
    assert_eq!((got(&his).await, got(&theirs).await), (200, 404));
    let path = format!("/files/{}", file.id);
    assert_eq!(cyn.get::<v1::File>(&path).await.unwrap_err().status, 404);
    assert_eq!(ana.done("DELETE", &path).await.unwrap_err().status, 409);
    let page: v1::MessagePage =
        bo.get(&format!("/sessions/{}/messages", room.main_session_id)).await.unwrap();
    assert_eq!(page.messages[0].files, said.files);
    ana.done("DELETE", &format!("/rooms/{}/members/{}", room.id, bo.id)).await.unwrap();
    assert_eq!(got(&his).await, 404, "a ticket from before is of no use");
    server.stop().await;
}

#[tokio::test]
async fn the_file_of_a_message_that_has_decayed_is_nowhere_and_no_copy_outlives_it() {
    let clock = Arc::new(VirtualClock::new());
    let server = TestServer::builder().clock(Arc::clone(&clock) as _).start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let file = send(&ana, "cat.bin", &noise(5_000, 1)).await;
    let path = format!("/sessions/{}/messages", room.main_session_id);
    let carrying = |ttl_s| v1::SendRequest {
        client_id: parlor_testkit::person::fresh_id(),
        files: vec![file.id.clone()],
        ttl_s,
        ..v1::SendRequest::default()
    };
    let said: v1::Message = ana.call("POST", &path, Some(&carrying(Some(60)))).await.unwrap();
    let his = ticket(&bo).await;
    let got = async || fetch(&bo, &file.id, &his, &[]).await.status;
    assert_eq!(got().await, 200);
    for longer in [None, Some(61)] {
        let copy: Result<v1::Message, _> = bo.call("POST", &path, Some(&carrying(longer))).await;
        assert_eq!(copy.unwrap_err().status, 404, "it would outlive the first");
    }
    let _: v1::Message = bo.call("POST", &path, Some(&carrying(Some(30)))).await.unwrap();
    clock.advance(Duration::from_secs(60));
    soon("it has decayed", async { while got().await == 200 {} }).await;
    assert_eq!(got().await, 404);
    let left: v1::Message = bo.get(&format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!((left.files.len(), left.deleted_at.is_some()), (0, true));
    let gone = async { while !inventory(server.data_dir()).await.blobs.is_empty() {} };
    soon("the bytes are gone", gone).await;
    server.stop().await;
}

#[tokio::test]
async fn the_file_of_a_deleted_message_is_gone_from_the_disk() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let file = send(&ana, "x", &noise(5_000, 1)).await;
    let said = say(&ana, &room.main_session_id, "look", &[&file.id]).await;
    let ticket = ticket(&ana).await;
    assert_eq!(fetch(&ana, &file.id, &ticket, &[]).await.status, 200);
    ana.done("DELETE", &format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(fetch(&ana, &file.id, &ticket, &[]).await.status, 404);
    let gone = async {
        while !inventory(server.data_dir()).await.blobs.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the bytes", gone).await;
    let left: v1::Message = ana.get(&format!("/messages/{}", said.id)).await.unwrap();
    assert!(left.files.is_empty() && left.deleted_at.is_some());
    server.stop().await;
}

#[tokio::test]
async fn nobody_sends_what_they_may_not_have_or_too_much_of_it() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("private", "Garden", &[&bo]).await;
    let session = &room.main_session_id;
    let mut ids = vec![];
    for n in 0..11 {
        ids.push(send(&ana, "x", &noise(100, n)).await.id);
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let status = async |who: &Person, content: &str, files: &[&str]| {
        try_say(who, session, content, files).await.map_err(|refused| refused.status)
    };
    assert_eq!(status(&bo, "hers", &all[..1]).await, Err(404));
    assert_eq!(status(&ana, "none", &["x"]).await, Err(404));
    assert_eq!(status(&ana, "many", &all).await, Err(422));
    assert_eq!(status(&ana, "twice", &[all[0], all[0]]).await, Err(422));
    assert_eq!(status(&ana, "", &[]).await, Err(422));
    assert_eq!(status(&ana, "ten", &all[..10]).await.unwrap().files.len(), 10);
    // What one was shown, one may pass on.
    assert_eq!(status(&bo, "see", &all[..1]).await.unwrap().files.len(), 1);
    server.stop().await;
}
