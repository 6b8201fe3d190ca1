//! Setting up an identity: once for each account.

use parlor_e2ee::{Error, Standing};

use crate::kit::{Device, first_device};
use crate::relay::Relay;

#[tokio::test]
async fn the_first_device_gives_the_account_its_identity_and_is_signed_by_it() {
    let relay = Relay::default();
    let ana = Device::new(&relay, "ana", "ana-1").await;
    let standing = ana.machine.standing().await.unwrap();
    assert_eq!(
        standing,
        Standing { has_identity: false, device_signed: false, can_sign: false, backup: false }
    );
    assert!(matches!(ana.seal(&["ana"], "too early").await, Err(Error::NotSetUp)));
    ana.machine.set_up_identity(&ana.line).await.unwrap();
    let standing = ana.machine.standing().await.unwrap();
    assert!(standing.has_identity && standing.device_signed && standing.can_sign);
    ana.machine.set_up_identity(&ana.line).await.unwrap();
    assert!(ana.seal(&["ana"], "now").await.is_ok());
}

#[tokio::test]
async fn the_second_device_does_not_make_another_identity() {
    let relay = Relay::default();
    first_device(&relay, "ana").await;
    let second = Device::new(&relay, "ana", "ana-2").await;
    let refused = second.machine.set_up_identity(&second.line).await;
    assert!(matches!(refused, Err(Error::AlreadySetUp)));
    assert!(matches!(second.seal(&["ana"], "not yet").await, Err(Error::DeviceUnverified)));
}

#[tokio::test]
async fn what_was_not_carried_is_due_again() {
    let relay = Relay::default();
    let machine = parlor_e2ee::Machine::in_memory(crate::kit::account("ana", "ana-1")).await;
    let machine = machine.unwrap();
    let line = relay.line("@ana:parlor.test", "ana-1");
    relay.state().broken = Some(("/e2ee/keys/upload", 503));
    let failed = machine.flush(&line).await.unwrap_err();
    assert!(failed.is_temporary());
    relay.state().broken = None;
    machine.flush(&line).await.unwrap();
    assert!(machine.outgoing().await.unwrap().is_empty());
}
