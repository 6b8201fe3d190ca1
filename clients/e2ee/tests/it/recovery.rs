//! The recovery key and the backup, on a device that is new.

use parlor_e2ee::{Error, Verdict};

use crate::kit::{Company, Device};
use crate::relay::Relay;

const ALL: [&str; 3] = ["ana", "bo", "cy"];

#[tokio::test]
async fn a_new_device_reads_the_history_that_was_backed_up_and_is_told_what_that_proves() {
    let company = Company::meet().await;
    let old = company.ana[0].say(&ALL, "from ana").await;
    let older = company.bo[0].say(&ALL, "from bo").await;
    for posted in [&old, &older] {
        company.ana[0].read(posted).await.unwrap();
    }
    let key = company.ana[0].machine.set_up_recovery(&company.ana[0].line).await.unwrap();
    let third = Device::new(&company.relay, "ana", "ana-3").await;
    let restored = third.machine.recover(&third.line, &key.text()).await.unwrap();
    assert_eq!((restored.found, restored.imported), (2, 2));
    for (posted, text) in [(&old, "from ana"), (&older, "from bo")] {
        let opened = third.read(posted).await.unwrap();
        assert_eq!((&*opened.payload.body, opened.verdict), (text, Verdict::FromBackup));
        assert!(opened.verdict.warns());
    }
    let standing = third.machine.standing().await.unwrap();
    assert!(standing.device_signed && standing.can_sign && standing.backup);
}

#[tokio::test]
async fn keys_that_come_later_go_into_the_backup_by_themselves() {
    let company = Company::meet().await;
    let key = company.ana[0].machine.set_up_recovery(&company.ana[0].line).await.unwrap();
    let later = company.bo[0].say(&ALL, "later").await;
    assert!(company.ana[0].hears(&later, "later").await);
    company.ana[0].sync().await;
    let third = Device::new(&company.relay, "ana", "ana-3").await;
    third.machine.recover(&third.line, &key.text()).await.unwrap();
    assert!(third.hears(&later, "later").await);
}

#[tokio::test]
async fn another_key_opens_nothing_and_without_recovery_there_is_nothing_to_open() {
    let company = Company::meet().await;
    let third = Device::new(&company.relay, "ana", "ana-3").await;
    let bo = &company.bo[0];
    let other = bo.machine.set_up_recovery(&bo.line).await.unwrap().text();
    for wrong in [&*other, "", "not a key", &"EsTa".repeat(12)] {
        let refused = third.machine.recover(&third.line, wrong).await;
        assert!(matches!(refused, Err(Error::RecoveryKey)), "{wrong}");
    }
    assert!(!third.machine.standing().await.unwrap().device_signed);
    let relay = Relay::default();
    let dee = crate::kit::first_device(&relay, "dee").await;
    let refused = dee.machine.recover(&dee.line, &other).await;
    assert!(matches!(refused, Err(Error::NoRecovery)));
}

#[tokio::test]
async fn recovery_needs_the_identity_first() {
    let relay = Relay::default();
    let ana = Device::new(&relay, "ana", "ana-1").await;
    let refused = ana.machine.set_up_recovery(&ana.line).await;
    assert!(matches!(refused, Err(Error::NotSetUp)));
}

#[tokio::test]
async fn a_backup_under_another_key_is_not_read_and_nothing_goes_into_it() {
    let company = Company::meet().await;
    let key = company.ana[0].machine.set_up_recovery(&company.ana[0].line).await.unwrap();
    let bo = &company.bo[0];
    // The server puts Bo's backup in the place of Ana's.
    bo.machine.set_up_recovery(&bo.line).await.unwrap();
    company.relay.swap_backup("@ana:parlor.test", "@bo:parlor.test");
    let third = Device::new(&company.relay, "ana", "ana-3").await;
    let refused = third.machine.recover(&third.line, &key.text()).await;
    assert!(matches!(refused, Err(Error::Malformed(_))), "{refused:?}");
    assert!(!third.machine.standing().await.unwrap().backup);
}

#[tokio::test]
async fn the_server_sees_no_key_of_a_session_in_the_clear() {
    let company = Company::meet().await;
    let key = company.ana[0].machine.set_up_recovery(&company.ana[0].line).await.unwrap();
    company.ana[0].say(&ALL, "x").await;
    company.ana[0].sync().await;
    let state = company.relay.state();
    for secret in ["session_key", &key.text(), &key.text().replace(' ', "")] {
        assert!(!state.seen.contains(secret), "{secret}");
    }
    assert!(state.seen.contains("session_data"), "there was a backup");
}

#[tokio::test]
async fn the_recovery_key_does_not_show_itself() {
    let company = Company::meet().await;
    let key = company.ana[0].machine.set_up_recovery(&company.ana[0].line).await.unwrap();
    assert_eq!(format!("{key:?}"), "RecoveryKey(***)");
    assert_eq!(key.text().split(' ').next().map(str::len), Some(4));
}
