//! What a server, or somebody in between, may try; and what comes of it.

use parlor_e2ee::{Distrust, Error, OpenError, Settings, Verdict};

use crate::kit::{Company, Device, OTHER_SESSION, SERVER};

const ALL: [&str; 3] = ["ana", "bo", "cy"];

#[tokio::test]
async fn a_ciphertext_under_another_message_id_is_refused() {
    let company = Company::meet().await;
    let posted = company.ana[0].say(&ALL, "once").await;
    let bo = &company.bo[0];
    assert!(bo.hears(&posted, "once").await);
    let mut again = posted.clone();
    again.id = "another".to_owned();
    let refused = bo.read(&again).await;
    assert!(matches!(refused, Err(OpenError::Replayed { first }) if first == posted.id));
    assert!(bo.hears(&posted, "once").await, "its own place still holds");
}

#[tokio::test]
async fn a_ciphertext_in_another_session_is_refused() {
    let company = Company::meet().await;
    let mut posted = company.ana[0].say(&ALL, "here").await;
    posted.session = OTHER_SESSION.to_owned();
    assert!(matches!(company.bo[0].read(&posted).await, Err(OpenError::MissingKey)));
}

#[tokio::test]
async fn a_message_that_is_said_to_come_from_somebody_else_is_refused() {
    let company = Company::meet().await;
    let mut posted = company.ana[0].say(&ALL, "by ana").await;
    posted.sender = "cy".to_owned();
    let refused = company.bo[0].read(&posted).await;
    let reason = OpenError::NotTrusted(Distrust::AnotherSender).to_string();
    assert_eq!(refused.unwrap_err().to_string(), reason);
    posted.sender = "ana".to_owned();
    assert!(company.bo[0].hears(&posted, "by ana").await, "a lie before it does not spoil it");
}

#[tokio::test]
async fn a_ciphertext_that_was_touched_is_refused() {
    let company = Company::meet().await;
    let mut posted = company.ana[0].say(&ALL, "whole").await;
    let middle = posted.sealed.ciphertext.len() / 2;
    let letter = if posted.sealed.ciphertext.as_bytes()[middle] == b'A' { "B" } else { "A" };
    posted.sealed.ciphertext.replace_range(middle..=middle, letter);
    let refused = company.bo[0].read(&posted).await.unwrap_err();
    assert!(matches!(refused, OpenError::Damaged(_)) && !refused.may_open_later(), "{refused}");
}

#[tokio::test]
async fn a_device_that_its_owner_did_not_sign_gets_no_key_and_is_not_believed() {
    let company = Company::meet().await;
    let ghost = Device::new(&company.relay, "bo", "ghost").await;
    company.sync().await;
    let devices = company.ana[0].machine.devices("bo").await.unwrap();
    let seen = devices.iter().find(|device| device.device_id == "ghost").unwrap();
    assert!(!seen.signed && !seen.verified);
    let posted = company.ana[0].say(&ALL, "not for ghosts").await;
    assert!(company.bo[0].hears(&posted, "not for ghosts").await);
    assert!(matches!(ghost.read(&posted).await, Err(OpenError::MissingKey)));
    assert!(matches!(ghost.seal(&ALL, "boo").await, Err(Error::DeviceUnverified)));
}

#[tokio::test]
async fn a_changed_identity_stops_sending_until_somebody_has_looked() {
    let company = Company::meet().await;
    let ana = &company.ana[0];
    let bo = &company.bo[0];
    let before = ana.machine.identity_of("bo").await.unwrap();
    ana.say(&ALL, "one").await;
    ana.say(&ALL, "two").await;
    bo.machine.replace_identity(&bo.line, crate::relay::PASSWORD).await.unwrap();
    ana.sync().await;
    assert_ne!(ana.machine.identity_of("bo").await.unwrap(), before);
    let blocked = ana.seal(&ALL, "to whom?").await;
    assert!(matches!(blocked, Err(Error::IdentityChanged(who)) if who == ["bo"]));
    assert_eq!(
        ana.machine.changed_identities(&crate::kit::ids(&ALL)).await.unwrap(),
        ["bo"],
        "it can be shown"
    );
    let said = bo.say(&ALL, "it is me").await;
    assert_eq!(ana.read(&said).await.unwrap().verdict, Verdict::IdentityChanged);
    ana.machine.accept_identity("bo").await.unwrap();
    assert_eq!(ana.read(&said).await.unwrap().verdict, Verdict::FirstSeen);
    let posted = ana.say(&ALL, "fine").await;
    assert!(bo.hears(&posted, "fine").await);
}

#[tokio::test]
async fn an_identity_is_not_replaced_without_the_password() {
    let company = Company::meet().await;
    let bo = &company.bo[0];
    let refused = bo.machine.replace_identity(&bo.line, "guess").await;
    assert!(matches!(refused, Err(Error::Carry(error)) if error.status == 401));
}

#[tokio::test]
async fn device_keys_that_were_tampered_with_make_no_device() {
    let company = Company::meet().await;
    let key = (format!("@bo:{SERVER}"), "bo-2".to_owned());
    {
        let mut state = company.relay.state();
        let other = state.devices[&(format!("@cy:{SERVER}"), "cy-1".to_owned())].keys.clone();
        let keys = &mut state.devices.get_mut(&key).unwrap().keys;
        keys["keys"]["curve25519:bo-2"] = other["keys"]["curve25519:cy-1"].clone();
    }
    let eve = crate::kit::first_device(&company.relay, "eve").await;
    eve.machine.follow(&crate::kit::ids(&["bo"])).await.unwrap();
    eve.sync().await;
    let devices = eve.machine.devices("bo").await.unwrap();
    assert_eq!(devices.iter().map(|d| &*d.device_id).collect::<Vec<_>>(), ["bo-1"]);
}

#[tokio::test]
async fn a_session_is_never_encrypted_less_than_it_was() {
    let company = Company::meet().await;
    let ana = &company.ana[0];
    assert!(!ana.machine.is_encrypted(OTHER_SESSION).await.unwrap());
    let posted = ana.say(&ALL, "sealed").await;
    assert!(ana.machine.is_encrypted(&posted.session).await.unwrap());
    let weaker = Settings { rotation_period_msgs: 1_000_000, ..Settings::default() };
    assert!(matches!(ana.machine.remember(&posted.session, &weaker).await, Err(Error::Downgrade)));
    let strict = Settings { verified_only: true, ..Settings::default() };
    ana.machine.remember(OTHER_SESSION, &strict).await.unwrap();
    let loosened = ana.machine.remember(OTHER_SESSION, &Settings::default()).await;
    assert!(matches!(loosened, Err(Error::Downgrade)));
}

#[tokio::test]
async fn an_event_that_is_delivered_twice_does_no_harm() {
    let company = Company::meet().await;
    let posted = company.ana[0].say(&ALL, "twice").await;
    let bo = &company.bo[0];
    let after = bo.machine.position().await.unwrap();
    let delta = bo.line.sync(after);
    assert!(!delta.to_device.events.is_empty());
    bo.machine.receive(&delta).await.unwrap();
    bo.machine.receive(&delta).await.unwrap();
    assert!(bo.hears(&posted, "twice").await);
    let next = company.ana[0].say(&ALL, "still works").await;
    assert!(bo.hears(&next, "still works").await);
}
