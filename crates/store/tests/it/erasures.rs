//! What somebody erased is erased again in a database that was copied before.

use std::fs;

use parlor_domain::{MessageId, Room, RoomKind, SessionId, UserId, room};
use parlor_store::keys::{self, KeyPlace};
use parlor_store::messages::Page;
use parlor_store::sqlite;

use crate::postgres::{Beside, node};
use crate::sealed::{end, placed, restored};
use crate::sqlite::{close, world_in};
use crate::world::World;

/// What is to be erased: a message of a session, another session, a room and an account.
struct Scene {
    ana: UserId,
    bo: UserId,
    den: Room,
    shed: Room,
    corner: SessionId,
    said: MessageId,
}

impl Scene {
    async fn of(w: &World) -> Self {
        let (ana, bo) = (w.account("ana").await, w.account("bo").await);
        let den = w.room(ana, RoomKind::Private, &[bo]).await;
        let shed = w.room(ana, RoomKind::Private, &[]).await;
        let corner = w.open(w.draft_session(ana, den.id, &[bo])).await.unwrap().value.id;
        let said = w.say(ana, den.main_session, "words").await.id;
        w.say(ana, den.main_session, "others").await;
        w.say(ana, corner, "in the corner").await;
        w.say(ana, shed.main_session, "in the shed").await;
        Self { ana, bo, den, shed, corner, said }
    }

    async fn erase(&self, w: &World) {
        w.unsay(self.ana, self.said).await.unwrap();
        end(w, self.ana, self.corner).await;
        w.change(self.ana, self.shed.id, &[], room::delete).await.unwrap();
        w.store.delete_account(self.bo, w.now()).await.unwrap();
    }

    /// What there is of it, as its own words and the names of those who are here.
    async fn left(&self, w: &World) -> Vec<String> {
        let mut left = Vec::new();
        for text in ["words", "others", "corner", "shed"] {
            left.extend(w.find(self.ana, text).await);
        }
        let den = w.log(self.den.main_session).await;
        assert!(!den.is_empty(), "the room itself is there");
        for user in [self.ana, self.bo] {
            left.extend(w.store.user(user).await.unwrap().map(|user| user.username));
        }
        // What is left of an account is a number.
        left.retain(|text| !text.starts_with("deleted-"));
        left
    }
}

const ALL: [&str; 6] = ["words", "others", "in the corner", "in the shed", "ana", "bo"];
const LEFT: [&str; 2] = ["others", "ana"];

#[tokio::test]
async fn what_was_erased_since_a_backup_is_erased_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let scene = Scene::of(&w).await;
    let copy = tempfile::tempdir().unwrap();
    sqlite::backup::copy(&path, &copy.path().join("copy"), |_, _| {}).unwrap();
    scene.erase(&w).await;
    assert_eq!(scene.left(&w).await, LEFT);
    assert_eq!(w.store.erase_again(w.now()).await.unwrap(), 0, "it is erased");

    let after = restored(copy.path(), home.path()).await;
    assert_eq!(scene.left(&after).await, ALL, "it is a copy from before");
    assert_eq!(after.store.erase_again(after.now()).await.unwrap(), 4);
    assert_eq!(scene.left(&after).await, LEFT);
    assert_eq!(after.store.erase_again(after.now()).await.unwrap(), 0);
    // What is erased from now on is listed after what was.
    let last = after.store.page(scene.ana, scene.den.main_session, Page::Newest, 1).await;
    let others = last.unwrap().unwrap().messages[0].id;
    after.unsay(scene.ana, others).await.unwrap();
    close(after).await;
    assert_eq!(w.store.erase_again(w.now()).await.unwrap(), 0);
    close(w).await;
}

#[tokio::test]
async fn an_older_list_goes_on_where_the_database_is() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    let w = world_in(&path, Box::new(()));
    let scene = Scene::of(&w).await;
    let early = tempfile::tempdir().unwrap();
    fs::create_dir(early.path().join("keys")).unwrap();
    let keys = [home.path(), early.path()].map(|at| KeyPlace::File(at.join("keys/parlor.db")));
    keys::copy(&keys[0], &keys[1]).await.unwrap();
    end(&w, scene.ana, scene.corner).await;
    let copy = tempfile::tempdir().unwrap();
    sqlite::backup::copy(&path, &copy.path().join("copy"), |_, _| {}).unwrap();
    close(w).await;
    // The keys of before, and what is erased with them.
    let second = placed(copy.path(), early.path());
    let later = world_in(&second.path().join("parlor.db"), Box::new(()));
    assert_eq!(later.store.erase_again(later.now()).await.unwrap(), 0);
    later.unsay(scene.ana, scene.said).await.unwrap();
    close(later).await;
    let third = restored(copy.path(), second.path()).await;
    assert_eq!(third.store.erase_again(third.now()).await.unwrap(), 1);
    assert_eq!(third.find(scene.ana, "words").await, [""; 0]);
    close(third).await;
}

#[tokio::test]
async fn what_is_listed_and_was_not_erased_is_when_a_database_is_opened_next() {
    let database = parlor_parts::database().unwrap();
    let beside = Beside::of(&database.url()).await;
    let w = node(&database.url(), Box::new(())).await;
    let scene = Scene::of(&w).await;
    let spare = w.say(scene.ana, scene.den.main_session, "spare").await;
    w.unsay(scene.ana, spare.id).await.unwrap();
    assert_eq!(beside.count("select count(*) from parlor_keyring.erasures").await, 1);
    let after = node(&database.url(), Box::new(database)).await;
    assert_eq!(after.store.erase_again(after.now()).await.unwrap(), 0, "it is erased");
    assert_eq!(scene.left(&after).await, ALL);
    let Scene { ana, bo, shed, corner, said, .. } = &scene;
    let rows = [
        (1, said.0, Some(ana.0)),
        (2, corner.0, None),
        (3, shed.id.0, Some(ana.0)),
        (4, bo.0, None),
    ];
    for (kind, id, by) in rows {
        let sql = "insert into parlor_keyring.erasures (kind, id, by_id) values ($1, $2, $3)";
        beside.client.execute(sql, &[&i64::from(kind), &id, &by]).await.unwrap();
    }
    assert_eq!(after.store.erase_again(after.now()).await.unwrap(), 4);
    assert_eq!(scene.left(&after).await, LEFT);
    assert_eq!(after.store.erase_again(after.now()).await.unwrap(), 0);
}
