//! People whom a name is all there is to.

use parlor_app::rooms::CreateRoom;
use parlor_app::{Actor, Error};
use parlor_domain::rules::AskedRules;
use parlor_domain::{Denied, RoomId, RoomKind};

use crate::house::{House, address};

const HERE: &str = "10.0.0.1";

impl House {
    async fn guest(&self, name: &str) -> Actor {
        let signed_in = self.app.register_guest(name, address(HERE)).await.unwrap();
        self.app.authenticate_bearer(signed_in.access_token.expose()).await.unwrap()
    }

    async fn opened_by(&self, name: &str) -> Result<Actor, Error> {
        let signed_in = self.app.login_guest(name, address(HERE)).await?;
        self.app.authenticate_bearer(signed_in.access_token.expose()).await
    }

    async fn room(&self, actor: &Actor) -> RoomId {
        let asked = CreateRoom {
            encryption: None,
            rules: AskedRules::default(),
            name: "a room".into(),
            kind: RoomKind::Public,
            description: String::new(),
            password: None,
            members: vec![],
            key: None,
            slug: None,
            unique: false,
        };
        self.app.create_room(actor, asked).await.unwrap().value.id
    }
}

#[tokio::test]
async fn names_that_make_one_handle_are_still_two_guests() {
    let house = House::new(false);
    for name in ["John Doe", "john-doe", "🙂", "🙃"] {
        house.guest(name).await;
    }
    let twice = house.app.register_guest("🙂", address(HERE)).await;
    assert!(matches!(twice, Err(Error::Denied(Denied::Taken("username")))), "{twice:?}");
}

#[tokio::test]
async fn the_handle_of_somebody_with_a_password_is_no_guests() {
    let house = House::new(false);
    house.register("ana").await;
    for name in ["ana", "Ana", "аna"] {
        let taken = house.app.register_guest(name, address(HERE)).await;
        assert!(matches!(taken, Err(Error::Denied(Denied::Taken("username")))), "{name}");
    }
    let opened = house.opened_by("ana").await;
    assert!(matches!(opened, Err(Error::Denied(Denied::NotFound))), "{opened:?}");
}

#[tokio::test]
async fn a_name_that_several_have_taken_opens_the_first_of_them() {
    let house = House::new(false);
    let (ana, bo) = (house.guest("ana").await, house.guest("bo").await);
    house.app.rename(&bo, "ana").await.unwrap();
    assert_eq!(house.opened_by("ana").await.unwrap().user, ana.user);
    let long = house.app.rename(&bo, &"x".repeat(26)).await;
    assert!(matches!(long, Err(Error::Denied(Denied::TooLong { limit: 25, .. }))), "{long:?}");
}

#[tokio::test]
async fn shared_rooms_are_those_that_both_are_in() {
    let house = House::new(false);
    let (ana, bo) = (house.guest("ana").await, house.guest("bo").await);
    let (ours, mine) = (house.room(&ana).await, house.room(&ana).await);
    house.app.join(&bo, ours, None).await.unwrap();
    let rooms = async |reader: &Actor, user: &Actor| {
        let shared = house.app.rooms_shared_with(reader, user.user).await.unwrap();
        shared.into_iter().map(|(room, _)| room).collect::<Vec<_>>()
    };
    assert_eq!(rooms(&ana, &ana).await, [ours, mine]);
    assert_eq!(rooms(&ana, &bo).await, [ours]);
    assert_eq!(rooms(&bo, &ana).await, [ours]);
}

#[tokio::test]
async fn a_deleted_accounts_token_is_told_from_one_that_was_never_ours() {
    let house = House::new(false);
    let signed_in = house.app.register_guest("ana", address(HERE)).await.unwrap();
    let token = signed_in.access_token.expose();
    assert!(!house.app.is_of_deleted(token).await.unwrap());
    let ana = house.app.authenticate_bearer(token).await.unwrap();
    house.app.delete_account(&ana).await.unwrap();
    assert!(house.app.is_of_deleted(token).await.unwrap());
    assert!(!house.app.is_of_deleted("x").await.unwrap());
    assert!(matches!(house.app.authenticate_bearer(token).await, Err(Error::Unauthorized)));
    let found = house.app.living(ana.user).await;
    assert!(matches!(found, Err(Error::Denied(Denied::NotFound))), "{found:?}");
}
