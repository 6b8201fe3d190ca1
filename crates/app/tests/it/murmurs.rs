//! What is told and not kept.

use std::time::Duration;

use parlor_app::Error;
use parlor_domain::Denied;

use crate::house::House;

#[tokio::test]
async fn what_is_not_kept_counts_as_a_message_does() {
    let house = House::new(false);
    house.register("ana").await;
    let proofs = house.signed_in("ana").await;
    let ana = house.app.authenticate_bearer(proofs.access_token.expose()).await.unwrap();
    let main = house.app.lobby(&ana).await.unwrap().main_session;
    for _ in 0..house.app.limits().messages_burst {
        house.app.admit_murmur(&ana, main).await.unwrap();
    }
    let refused = house.app.admit_murmur(&ana, main).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::SlowDown { .. }))));
    house.clock.pass(Duration::from_secs(1));
    house.app.admit_murmur(&ana, main).await.unwrap();
}

#[tokio::test]
async fn nobody_murmurs_where_they_are_not() {
    let house = House::new(false);
    for name in ["ana", "bo"] {
        house.register(name).await;
    }
    let (ana, bo) = (house.signed_in("ana").await, house.signed_in("bo").await);
    let ana = house.app.authenticate_bearer(ana.access_token.expose()).await.unwrap();
    let bo = house.app.authenticate_bearer(bo.access_token.expose()).await.unwrap();
    let lobby = house.app.lobby(&ana).await.unwrap();
    house.app.leave(&bo, lobby.id).await.unwrap();
    let refused = house.app.admit_murmur(&bo, lobby.main_session).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::NotFound))));
}
