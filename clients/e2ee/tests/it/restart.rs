//! A store on the disk: the same device again, only with the passphrase.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;

use parlor_e2ee::{Error, Machine, OpenError};
use tempfile::TempDir;

use crate::kit::{Company, Device, SERVER, account};
use crate::relay::Relay;

const PASSPHRASE: &str = "a long passphrase";

async fn machine(folder: &Path) -> Machine {
    Machine::open(account("dee", "dee-1"), folder, PASSPHRASE).await.unwrap()
}

async fn on_disk(relay: &Relay, folder: &Path) -> Device {
    Device::with(relay, "dee", "dee-1", machine(folder).await).await
}

fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

/// Does something until it was woken so often; nothing comes of it when it is not done by then.
async fn until_woken<T>(times: usize, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut polls) = (pin!(work), 0);
    std::future::poll_fn(|context| {
        if polls > times {
            return Poll::Ready(None);
        }
        polls += 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_letter_takes_effect_wherever_taking_it_in_was_cut_short() {
    let company = Company::meet().await;
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let dee = on_disk(&company.relay, folder.path()).await;
        dee.machine.set_up_identity(&dee.line).await.unwrap();
        dee.sync().await;
        dee.machine.position().await.unwrap()
    };
    let posted = company.ana[0].say(&["ana", "dee"], "once").await;
    let line = company.relay.line(&format!("@dee:{SERVER}"), "dee-1");
    let delta = line.sync(before);
    for times in 0.. {
        let folder = copy(folder.path());
        let done = {
            let dee = machine(folder.path()).await;
            dee.look_up_senders(&line, &delta).await.unwrap();
            until_woken(times, dee.receive(&delta)).await.is_some()
        };
        let dee = machine(folder.path()).await;
        if dee.position().await.unwrap() == before {
            dee.receive(&delta).await.unwrap();
        }
        let opened = dee.open_message(posted.arrived()).await;
        assert!(opened.is_ok(), "cut short when woken {times} times: {opened:?}");
        if done {
            assert!(times > 2, "taking it in is no single step");
            return;
        }
    }
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
