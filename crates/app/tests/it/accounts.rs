//! Coming in, staying in, and being put out.

use std::future::Future as _;
use std::task::{Context, Waker};
use std::time::Duration;

use parlor_app::{Error, Hidden};
use parlor_domain::Denied;

use crate::house::{House, PASSWORD, address};

fn is_slowed(result: Result<impl Sized, Error>) -> bool {
    matches!(result, Err(Error::Denied(Denied::SlowDown { .. })))
}

#[tokio::test]
async fn an_unknown_login_a_wrong_password_and_an_unproved_account_look_alike() {
    let house = House::new(true);
    house.register("ana").await;
    let tries = [("nobody", PASSWORD), ("ana", "wrong horse"), ("ana", PASSWORD)];
    for (name, password) in tries {
        let refused = house.login(name, password, "10.0.0.1").await;
        assert!(matches!(refused, Err(Error::WrongPassword)), "{name} {password}");
    }
    let code = house.code(1).await;
    let from = address("10.0.0.1");
    house.app.verify("ana@example.org", &code, from).await.unwrap();
    for name in ["ana", "ANA", "ana@example.org"] {
        assert!(house.login(name, PASSWORD, "10.0.0.1").await.is_ok(), "{name}");
    }
    let again = house.app.verify("ana@example.org", &code, from).await;
    assert!(again.is_err(), "a code works once");
}

#[tokio::test]
async fn an_address_that_has_an_account_is_told_to_nobody_but_its_owner() {
    let house = House::new(true);
    house.register("ana").await;
    let from = address("10.0.0.1");
    house.app.verify("ana@example.org", &house.code(1).await, from).await.unwrap();
    let fresh = house.try_register("bo", "bo@example.org").await.unwrap();
    house.code(2).await;
    let taken = house.try_register("cyn", "Ana@Example.org").await.unwrap();
    assert_eq!(fresh.verification_required, taken.verification_required);
    assert_eq!((&*taken.user.username, &*taken.user.name), ("cyn", "cyn"));
    let letter = house.letter(3).await;
    assert_eq!(letter.to, "ana@example.org");
    assert!(letter.text.contains("has an account, ana."), "{}", letter.text);
    assert!(letter.text.contains("/app/login") && letter.text.contains("/app/forgot"));
    assert!(!letter.text.contains("The code is"), "a code would prove it for somebody else");
    for name in ["bo", "cyn"] {
        let refused = house.login(name, PASSWORD, "10.0.0.1").await;
        assert!(matches!(refused, Err(Error::WrongPassword)), "{name}");
        let again = house.try_register(name, "dora@example.org").await;
        assert!(matches!(again, Err(Error::Denied(Denied::Taken(_)))), "{name}");
    }
    assert!(house.login("ana@example.org", PASSWORD, "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn an_address_that_somebody_took_without_proving_it_is_won_back_by_a_reset() {
    let house = House::new(true);
    house.try_register("mallory", "ana@example.org").await.unwrap();
    house.code(1).await;
    house.try_register("ana", "ana@example.org").await.unwrap();
    assert!(house.letter(2).await.text.contains("/app/forgot"));
    let (email, from) = ("ana@example.org", address("10.0.0.1"));
    house.app.forgot(email, from).unwrap();
    let (code, password) = (house.code(3).await, Hidden::new("my own horse"));
    house.app.reset_password(email, &code, &password, from).await.unwrap();
    assert!(house.login(email, PASSWORD, "10.0.0.1").await.is_err());
    assert!(house.login(email, "my own horse", "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn where_addresses_are_not_proved_a_taken_one_is_a_conflict() {
    let house = House::new(false);
    house.register("ana").await;
    let taken = house.try_register("cyn", "ana@example.org").await;
    assert!(matches!(taken, Err(Error::Denied(Denied::Taken(_)))));
}

#[tokio::test]
async fn a_code_dies_of_five_wrong_tries_and_of_age() {
    let house = House::new(true);
    house.register("ana").await;
    let (email, from) = ("ana@example.org", address("10.0.0.1"));
    let code = house.code(1).await;
    let wrong = Hidden::new(if code.expose() == "000000" { "1" } else { "000000" });
    for _ in 0..5 {
        assert!(house.app.verify(email, &wrong, from).await.is_err());
    }
    assert!(house.app.verify(email, &code, from).await.is_err());
    house.app.resend(email, from).unwrap();
    let code = house.code(2).await;
    house.clock.pass(Duration::from_secs(601));
    assert!(house.app.verify(email, &code, from).await.is_err());
    house.app.resend(email, from).unwrap();
    let code = house.code(3).await;
    assert!(house.app.verify(email, &code, from).await.is_ok());
}

#[tokio::test]
async fn guessing_from_one_address_does_not_keep_the_owner_out() {
    let house = House::new(false);
    house.register("ana").await;
    for _ in 0..20 {
        let refused = house.login("ana", "wrong horse", "10.0.0.66").await;
        assert!(matches!(refused, Err(Error::WrongPassword)));
    }
    assert!(is_slowed(house.login("ana", PASSWORD, "10.0.0.66").await));
    assert!(house.login("ana", PASSWORD, "10.0.0.1").await.is_ok());
    house.clock.pass(Duration::from_secs(3));
    assert!(house.login("ana", PASSWORD, "10.0.0.66").await.is_ok());
}

#[tokio::test]
async fn right_passwords_use_up_no_tries() {
    let house = House::new(false);
    house.register("ana").await;
    for _ in 0..50 {
        house.signed_in("ana").await;
    }
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_login_at_once() {
    let house = House::new(false);
    house.register("ana").await;
    let (first, other) = (house.signed_in("ana").await, house.signed_in("ana").await);
    let second = house.app.refresh(&first.refresh_token).await.unwrap();
    assert!(house.is_good(&first).await && house.is_good(&second).await);
    assert!(house.app.refresh(&first.refresh_token).await.is_err());
    assert!(!house.is_good(&first).await && !house.is_good(&second).await);
    assert!(house.app.refresh(&second.refresh_token).await.is_err());
    assert!(house.is_good(&other).await, "another login is another family");
}

#[tokio::test]
async fn a_forged_refresh_token_ends_nothing() {
    let house = House::new(false);
    house.register("ana").await;
    let proofs = house.signed_in("ana").await;
    let mut forged = proofs.refresh_token.expose().to_owned();
    forged.replace_range(30..31, if &forged[30..31] == "A" { "B" } else { "A" });
    assert!(house.app.refresh(&Hidden::new(forged)).await.is_err());
    assert!(house.is_good(&proofs).await);
    assert!(house.app.refresh(&proofs.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_new_password_ends_every_other_login() {
    let house = House::new(false);
    house.register("ana").await;
    let (mine, other) = (house.signed_in("ana").await, house.signed_in("ana").await);
    let actor = house.app.authenticate_bearer(mine.access_token.expose()).await.unwrap();
    assert!(house.is_good(&other).await);
    let (old, new) = (Hidden::new(PASSWORD), Hidden::new("another horse"));
    house.app.change_password(&actor, &old, &new).await.unwrap();
    assert!(house.is_good(&mine).await && !house.is_good(&other).await);
    let from = address("10.0.0.1");
    house.app.forgot("ana@example.org", from).unwrap();
    let code = house.code(2).await;
    let email = "ana@example.org";
    house.app.reset_password(email, &code, &old, from).await.unwrap();
    assert!(!house.is_good(&mine).await);
    assert!(house.login("ana", PASSWORD, "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn signing_out_holds_even_when_nobody_waits_for_it() {
    let house = House::new(false);
    house.register("ana").await;
    let proofs = house.signed_in("ana").await;
    let actor = house.app.authenticate_bearer(proofs.access_token.expose()).await.unwrap();
    {
        let mut hung_up = Box::pin(house.app.logout(&actor));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(hung_up.as_mut().poll(&mut cx).is_pending());
    }
    house.settled().await;
    assert!(!house.is_good(&proofs).await);
}

#[tokio::test]
async fn a_cookie_that_is_used_lives_on_and_one_that_is_not_ends() {
    let house = House::new(false);
    house.register("ana").await;
    let (used, idle) = (house.signed_in("ana").await, house.signed_in("ana").await);
    let (used, idle) = (used.cookie.unwrap(), idle.cookie.unwrap());
    for _ in 0..10 {
        house.clock.pass(Duration::from_hours(24));
        house.app.authenticate_cookie(used.expose()).await.unwrap();
    }
    assert!(house.app.authenticate_cookie(idle.expose()).await.is_err());
}

#[tokio::test]
async fn an_access_token_ends_by_the_clock_and_a_device_by_its_owner() {
    let house = House::new(false);
    house.register("ana").await;
    let (mine, other) = (house.signed_in("ana").await, house.signed_in("ana").await);
    let actor = house.app.authenticate_bearer(mine.access_token.expose()).await.unwrap();
    house.app.revoke_device(&actor, other.device).await.unwrap();
    assert!(!house.is_good(&other).await);
    let gone = house.app.revoke_device(&actor, other.device).await;
    assert!(matches!(gone, Err(Error::Denied(Denied::NotFound))));
    house.clock.pass(Duration::from_secs(900));
    assert!(!house.is_good(&mine).await);
}
