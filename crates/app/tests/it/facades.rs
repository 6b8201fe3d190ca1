//! What the façades ask for beyond what our own doors do.

use std::time::Duration;

use parlor_app::accounts::{Enroll, Login, NotRenewed, SignedIn, Unproved};
use parlor_app::rooms::CreateRoom;
use parlor_app::{Error, Hidden, Which};
use parlor_domain::rules::AskedRules;
use parlor_domain::{Denied, RoomKind};
use parlor_wire::Dialect;

use crate::house::{House, PASSWORD, address};

async fn enrolled(house: &House, name: &str) -> SignedIn {
    let (email, from) = (format!("{name}@example.org"), address("10.0.0.1"));
    let password = Hidden::new(PASSWORD);
    let asked = Enroll { name: name.into(), unique: true, email, password, address: from };
    house.app.enroll(asked).await.unwrap();
    let asked = Login {
        login: Hidden::new(name),
        password: Hidden::new(PASSWORD),
        device_name: None,
        agent: None,
        address: from,
        dialect: Some(Dialect::Shh),
    };
    house.app.login(asked).await.unwrap()
}

fn room(name: &str, unique: bool) -> CreateRoom {
    CreateRoom {
        encryption: None,
        rules: AskedRules::default(),
        name: name.into(),
        kind: RoomKind::Unlisted,
        description: String::new(),
        password: None,
        members: vec![],
        key: None,
        slug: None,
        unique,
    }
}

#[tokio::test]
async fn whoever_asks_is_told_why_an_access_token_proves_nobody() {
    let house = House::new(false);
    let ana = enrolled(&house, "ana").await;
    let tried = async |token: &Hidden| house.app.try_bearer(token.expose()).await;
    assert_eq!(tried(&ana.access_token).await.unwrap().user, ana.user.id);
    assert!(matches!(tried(&ana.refresh_token).await, Err(Unproved::OtherKind)));
    assert!(matches!(tried(&Hidden::new("x")).await, Err(Unproved::Unknown)));
    house.clock.pass(Duration::from_mins(15));
    assert!(matches!(tried(&ana.access_token).await, Err(Unproved::Over)));
    let next = house.app.renew(Dialect::Shh, &ana.refresh_token).await.unwrap();
    assert!(tried(&next.access_token).await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_is_enough_to_sign_out_and_a_wrong_one_ends_nothing() {
    let house = House::new(false);
    let (ana, bo) = (enrolled(&house, "ana").await, enrolled(&house, "bo").await);
    let out = async |token: &Hidden| house.app.logout_by(Dialect::Shh, token).await.unwrap();
    out(&Hidden::new("x")).await;
    out(&ana.access_token).await;
    assert!(house.is_good(&ana).await);
    out(&ana.refresh_token).await;
    assert!(!house.is_good(&ana).await && house.is_good(&bo).await);
    let again = house.app.renew(Dialect::Shh, &ana.refresh_token).await;
    assert!(matches!(again, Err(NotRenewed::Unknown)));
    out(&ana.refresh_token).await;
}

#[tokio::test]
async fn a_room_that_a_facade_makes_may_have_a_long_name_that_is_its_own() {
    let house = House::new(false);
    let ana = enrolled(&house, "ana").await;
    let ana = house.app.authenticate_bearer(ana.access_token.expose()).await.unwrap();
    let long = "x".repeat(255);
    let made = house.app.create_room(&ana, room(&long, true)).await.unwrap();
    assert_eq!(made.value.name, long);
    let again = house.app.create_room(&ana, room(&long, true)).await;
    assert!(matches!(again, Err(Error::Denied(Denied::Taken(_)))));
    for (name, unique) in [("x".repeat(256), true), ("y".repeat(81), false)] {
        let refused = house.app.create_room(&ana, room(&name, unique)).await;
        assert!(matches!(refused, Err(Error::Denied(Denied::TooLong { .. }))), "{name}");
    }
}

#[tokio::test]
async fn rooms_can_be_had_in_the_order_in_which_one_came_in() {
    let house = House::new(false);
    let (ana, bo) = (enrolled(&house, "ana").await, enrolled(&house, "bo").await);
    let ana = house.app.authenticate_bearer(ana.access_token.expose()).await.unwrap();
    let bo = house.app.authenticate_bearer(bo.access_token.expose()).await.unwrap();
    let first = house.app.create_room(&ana, room("first", true)).await.unwrap().value;
    let second = house.app.create_room(&ana, room("second", true)).await.unwrap().value;
    for room in [second.id, first.id] {
        house.clock.pass(Duration::from_secs(1));
        house.app.join(&bo, room, None).await.unwrap();
    }
    let names = async |which| {
        let cards = house.app.cards(&bo, which).await.unwrap();
        let own = cards.into_iter().filter(|card| !card.room.lobby);
        own.map(|card| card.room.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Which::Mine).await, ["first", "second"]);
    assert_eq!(names(Which::Joined).await, ["second", "first"]);
}
