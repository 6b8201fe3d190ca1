//! What a client keeps: notes of the program, what rooms are called, and words that are found from
//! the beginning.

use parlor_sdk::{Room, Update};
use serde_json::json;

use crate::kit::{Server, heard, knows, stands_in, started};

#[tokio::test]
async fn a_new_name_is_in_the_cache_when_it_is_told() {
    let server = Server::start();
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let mut at_bos = bo.updates();
    let room = ana.create_room("den", "private", &[bo.user_id()], None).await.unwrap();
    knows(&bo, &mut at_bos, &room.main_session_id).await;
    let mut at_bos = bo.updates();
    let path = format!("/rooms/{}", room.id);
    ana.request("PATCH", &path, Some(&json!({"name": "garden"}))).await.unwrap();
    // Of his coming in he may hear now, too; of the name he hears when it is there to be read.
    heard(&mut at_bos, |update| {
        let renamed = |known: &Room| known.id == room.id && known.name == "garden";
        let is_told = matches!(update, Update::Rooms) && bo.rooms().unwrap().iter().any(renamed);
        is_told.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_direct_room_is_known_by_its_people() {
    let server = Server::start();
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.create_room("", "direct", &[bo.user_id()], None).await.unwrap();
    let rooms = ana.rooms().unwrap();
    let kept = rooms.iter().find(|known| known.id == room.id).unwrap();
    assert!(kept.people.iter().any(|person| person.username == "bo"), "{kept:?}");
}

#[tokio::test]
async fn a_note_of_the_program_is_closed_and_there_the_next_time() {
    let server = Server::start();
    let ana = server.person("ana").await;
    assert_eq!(ana.kept::<String>("last").unwrap(), None);
    ana.keep("last", &"canary-note-31").unwrap();
    ana.keep("login", &"not the SDK's own").unwrap();
    ana.stop().await;
    drop(ana);
    assert!(!stands_in(&server.folder("ana"), "canary-note-31"));
    let again = started(server.device("ana").resume().await.unwrap()).await;
    assert_eq!(again.kept("last").unwrap(), Some("canary-note-31".to_owned()));
    assert_eq!(again.username(), "ana");
}

#[tokio::test]
async fn what_was_kept_is_found_from_the_first_moment() {
    let server = Server::start();
    let ana = server.person("ana").await;
    let room = ana.create_room("notes", "private", &[], None).await.unwrap();
    let session = ana.session(&room.main_session_id);
    for n in 1..=250 {
        drop(session.say(format!("note number{n}")).unwrap());
    }
    session.say("the last").unwrap().delivered().await.unwrap();
    let mut updates = ana.updates();
    while session.timeline(None, 300).unwrap().len() < 251 {
        heard(&mut updates, |update| matches!(update, Update::Posted(_)).then_some(())).await;
    }
    ana.stop().await;
    drop((session, ana));
    let again = server.device("ana").resume().await.unwrap();
    for word in ["number1", "number249", "number250"] {
        assert!(!again.search(word, 300).unwrap().is_empty(), "{word}, before it is started");
    }
}
