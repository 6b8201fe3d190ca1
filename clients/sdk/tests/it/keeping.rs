//! What a client keeps.

use parlor_sdk::{Room, Update};
use serde_json::json;

use crate::kit::{Server, heard, knows};

#[tokio::test]
async fn a_new_name_is_in_the_cache_when_it_is_told() {
    let server = Server::start();
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let mut at_bos = bo.updates();
    let room = ana.create_room("den", "private", &[bo.user_id()], false).await.unwrap();
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
