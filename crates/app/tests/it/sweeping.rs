//! What is over is forgotten, and not before.

use std::sync::Arc;
use std::time::Duration;

use parlor_app::{Actor, App, Error};
use parlor_domain::saying::SendMessage;
use parlor_domain::{ClientId, SessionId};
use parlor_store::{Accounts as _, Logins as _, Messages as _, Posted};
use uuid::Uuid;

use crate::house::House;

const DAY: Duration = Duration::from_hours(24);

async fn say(
    app: &Arc<App>,
    actor: &Actor,
    session: SessionId,
    (id, text): (u128, &str),
) -> Result<Posted, Error> {
    let client_id = ClientId(Uuid::from_u128(id));
    let cmd = SendMessage::plain(client_id, session, text.to_owned());
    app.send(actor, cmd).await?.done().await
}

#[tokio::test]
async fn answers_are_kept_for_a_week_and_then_forgotten() {
    let house = House::new(false);
    house.register("ana").await;
    let proofs = house.signed_in("ana").await;
    let ana = house.app.authenticate_bearer(proofs.access_token.expose()).await.unwrap();
    let main = house.app.lobby(&ana).await.unwrap().main_session;
    for n in 1..=5 {
        assert!(say(&house.app, &ana, main, (n, "hello")).await.unwrap().fresh);
    }
    house.clock.pass(7 * DAY);
    house.app.forget_what_is_over().await.unwrap();
    for n in 1..=5 {
        assert!(!say(&house.app, &ana, main, (n, "hello")).await.unwrap().fresh);
    }
    let other = say(&house.app, &ana, main, (1, "other words")).await;
    assert!(matches!(other, Err(Error::IdempotencyConflict)));
    house.clock.pass(DAY);
    house.app.forget_what_is_over().await.unwrap();
    assert!(say(&house.app, &ana, main, (1, "other words")).await.unwrap().fresh);
    assert_eq!(house.store.forget_receipts(house.app.now() - 7 * DAY, 9).await.unwrap(), 0);
}

#[tokio::test]
async fn logins_and_codes_are_forgotten_when_they_are_over() {
    let house = House::new(false);
    house.register("ana").await;
    house.code(1).await;
    for _ in 0..5 {
        house.signed_in("ana").await;
    }
    house.clock.pass(6 * DAY);
    let kept = house.signed_in("ana").await;
    house.app.forget_what_is_over().await.unwrap();
    let actor = house.app.authenticate_bearer(kept.access_token.expose()).await.unwrap();
    assert_eq!(house.app.devices(&actor).await.unwrap().len(), 6);
    house.clock.pass(2 * DAY);
    house.app.forget_what_is_over().await.unwrap();
    assert_eq!(house.store.forget_logins(house.app.now(), 9).await.unwrap(), 0);
    assert_eq!(house.store.forget_codes(house.app.now(), 9).await.unwrap(), 0);
    let kept = house.app.refresh(&kept.refresh_token).await.unwrap();
    assert!(house.is_good(&kept).await);
}
