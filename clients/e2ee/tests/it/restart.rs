//! A store on the disk: the same device again, only with the passphrase.

use std::path::Path;

use parlor_e2ee::{Error, Machine, OpenError};

use crate::kit::{Company, Device, account};
use crate::relay::Relay;

const PASSPHRASE: &str = "a long passphrase";

async fn on_disk(relay: &Relay, folder: &Path) -> Device {
    let machine = Machine::open(account("dee", "dee-1"), folder, PASSPHRASE).await.unwrap();
    Device::with(relay, "dee", "dee-1", machine).await
}

#[tokio::test]
async fn a_device_that_is_started_again_is_the_same_and_reads_on() {
    let company = Company::meet().await;
    let folder = tempfile::tempdir().unwrap();
    let (fingerprint, position, early);
    {
        let dee = on_disk(&company.relay, folder.path()).await;
        dee.machine.set_up_identity(&dee.line).await.unwrap();
        fingerprint = dee.machine.fingerprint();
        early = company.ana[0].say(&["ana", "dee"], "early").await;
        assert!(dee.hears(&early, "early").await);
        position = dee.machine.position().await.unwrap();
    }
    let dee = on_disk(&company.relay, folder.path()).await;
    assert_eq!(dee.machine.fingerprint(), fingerprint);
    assert!(dee.machine.position().await.unwrap() >= position);
    assert!(dee.machine.standing().await.unwrap().device_signed);
    assert!(dee.hears(&early, "early").await);
    let later = company.ana[0].say(&["ana", "dee"], "later").await;
    assert!(dee.hears(&later, "later").await);
    let back = dee.say(&["ana", "dee"], "back").await;
    assert!(company.ana[1].hears(&back, "back").await);
}

#[tokio::test]
async fn a_replay_is_noticed_after_a_restart() {
    let company = Company::meet().await;
    let folder = tempfile::tempdir().unwrap();
    let mut posted;
    {
        let dee = on_disk(&company.relay, folder.path()).await;
        dee.machine.set_up_identity(&dee.line).await.unwrap();
        posted = company.ana[0].say(&["ana", "dee"], "once").await;
        assert!(dee.hears(&posted, "once").await);
    }
    posted.id = "another".to_owned();
    let dee = on_disk(&company.relay, folder.path()).await;
    assert!(matches!(dee.read(&posted).await, Err(OpenError::Replayed { .. })));
}

#[tokio::test]
async fn a_wrong_passphrase_and_another_login_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(on_disk(&Relay::default(), folder.path()).await);
    let wrong = Machine::open(account("dee", "dee-1"), folder.path(), "guess").await;
    assert!(matches!(wrong, Err(Error::Passphrase)));
    let other = Machine::open(account("dee", "dee-2"), folder.path(), PASSPHRASE).await;
    assert!(matches!(other, Err(Error::OtherDevice)));
}
