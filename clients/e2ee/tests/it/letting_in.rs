//! Who is given keys: those whom somebody let in who is let in, whatever the server calls a member.

use parlor_e2ee::{Error, OpenError, Settings};
use serde_json::{Value, json};

use crate::kit::{Company, Device, SESSION, at, first_device, ids, say};

/// Ana, Bo and Cy are in the session, and so they were when everybody saw it first.
async fn scene() -> Company {
    let company = Company::meet().await;
    for device in company.devices() {
        device.machine.see(SESSION, &at(&["ana", "bo", "cy"], 10)).await.unwrap();
    }
    company
}

/// Somebody whom nobody let in.
async fn newcomer(company: &Company, name: &str) -> Device {
    let device = first_device(&company.relay, name).await;
    device.sync().await;
    device
}

/// Whether what this device says in this session is read by another one.
async fn reach(from: &Device, to: &Device, version: i64) -> bool {
    let text = format!("{} at {version}", to.user);
    let posted = from.say_at(&at(&["ana", "bo", "cy", "dee"], version), &text).await;
    match to.read(&posted).await {
        Ok(_) => true,
        Err(OpenError::MissingKey) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn whom_only_the_server_calls_a_member_gets_no_key_until_a_member_lets_them_in() {
    let company = scene().await;
    let dee = newcomer(&company, "dee").await;
    let everybody = at(&["ana", "bo", "cy", "dee"], 11);
    assert!(!reach(&company.ana[0], &dee, 11).await);
    assert!(reach(&company.ana[0], &company.bo[0], 11).await, "the others read on");
    for device in company.devices() {
        assert_eq!(device.unvouched(&everybody).await, ["dee"]);
    }
    company.bo[1].lets_in("dee", 11).await;
    for device in company.devices() {
        assert!(reach(device, &dee, 11).await);
        assert!(device.unvouched(&everybody).await.is_empty());
    }
}

#[tokio::test]
async fn an_old_statement_brings_nobody_back() {
    let company = scene().await;
    let dee = newcomer(&company, "dee").await;
    let ana = &company.ana[0];
    company.bo[0].lets_in("dee", 10).await;
    assert!(reach(ana, &dee, 11).await);
    ana.say_at(&at(&["ana", "bo", "cy"], 12), "without dee").await;
    {
        let mut state = company.relay.state();
        let kept = state.statements.get_mut(SESSION).unwrap();
        kept.push(kept[0].clone());
    }
    assert!(!reach(ana, &dee, 13).await);
    company.bo[0].lets_in("dee", 13).await;
    assert!(reach(ana, &dee, 13).await);
}

#[tokio::test]
async fn nobody_lets_themselves_in() {
    let company = scene().await;
    let (dee, eve) = (newcomer(&company, "dee").await, newcomer(&company, "eve").await);
    dee.lets_in("dee", 11).await;
    dee.lets_in("eve", 11).await;
    eve.lets_in("dee", 11).await;
    assert!(!reach(&company.ana[0], &dee, 11).await);
}

#[tokio::test]
async fn only_a_device_that_is_signed_makes_statements_and_no_others_count() {
    let company = scene().await;
    let dee = newcomer(&company, "dee").await;
    let unsigned = Device::new(&company.relay, "bo", "bo-3").await;
    let refused = unsigned.machine.let_in(&unsigned.line, SESSION, &ids(&["dee"]), 11).await;
    assert!(matches!(refused, Err(Error::DeviceUnverified)), "{refused:?}");
    company.bo[0].lets_in("dee", 11).await;
    {
        // In the name of cy, by the keys of bo; and one that was touched.
        let mut state = company.relay.state();
        let kept = state.statements.get_mut(SESSION).unwrap();
        let mut lines = vec![Value::Null, json!({"text": "", "signatures": {}})];
        for (from, to) in [(r#""by":"bo""#, r#""by":"cy""#), (":11,", ":12,")] {
            let mut touched = kept[0].clone();
            touched["text"] = kept[0]["text"].as_str().unwrap().replace(from, to).into();
            assert_ne!(touched, kept[0]);
            lines.push(touched);
        }
        // Nor does the right one where it was not made for.
        lines.push(kept[0].clone());
        state.statements.insert("another".to_owned(), lines[4..].to_vec());
        state.statements.insert(SESSION.to_owned(), lines[1..4].to_vec());
    }
    let ana = &company.ana[0];
    assert!(!reach(ana, &dee, 11).await);
    let there = at(&["ana", "bo", "cy"], 10);
    assert!(ana.machine.unvouched(&ana.line, "another", &there).await.unwrap().is_empty());
    let more = at(&["ana", "bo", "cy", "dee"], 11);
    assert_eq!(ana.machine.unvouched(&ana.line, "another", &more).await.unwrap(), ["dee"]);
}

#[tokio::test]
async fn whoever_was_let_in_under_another_identity_is_unvouched() {
    let company = scene().await;
    let dee = newcomer(&company, "dee").await;
    company.bo[0].lets_in("dee", 11).await;
    dee.machine.replace_identity(&dee.line, crate::relay::PASSWORD).await.unwrap();
    assert!(!reach(&company.ana[0], &dee, 11).await);
    company.bo[0].sync().await;
    company.bo[0].lets_in("dee", 11).await;
    assert!(reach(&company.ana[0], &dee, 11).await);
}

#[tokio::test]
async fn a_chain_counts_whose_middle_came_and_left_while_one_was_away() {
    let company = scene().await;
    let (dee, eve) = (newcomer(&company, "dee").await, newcomer(&company, "eve").await);
    company.bo[0].lets_in("eve", 10).await;
    let there = at(&["ana", "bo", "cy", "eve"], 11);
    assert!(eve.unvouched(&there).await.is_empty());
    eve.lets_in("dee", 11).await;
    assert!(reach(&company.ana[0], &dee, 13).await, "eve is gone by now");
}

#[tokio::test]
async fn in_a_session_of_ones_own_nobody_is_let_in_but_whom_one_named() {
    let company = Company::meet().await;
    let (ana, dee) = (&company.ana[0], newcomer(&company, "dee").await);
    ana.machine.begin_roll(SESSION, &ids(&["ana", "bo", "cy"])).await.unwrap();
    ana.machine.see(SESSION, &at(&["ana", "bo", "cy", "dee"], 1)).await.unwrap();
    assert!(!reach(ana, &dee, 1).await);
    assert!(reach(ana, &company.cy[0], 1).await);
}

#[tokio::test]
async fn while_everybody_is_let_in_nothing_is_asked_for() {
    let company = scene().await;
    let ana = &company.ana[0];
    let everybody = at(&["ana", "bo", "cy"], 10);
    ana.say_at(&everybody, "first").await;
    company.relay.state().broken = Some(("/e2ee/statements", 500));
    ana.say_at(&everybody, "second").await;
    let settings = Settings::default();
    let more = at(&["ana", "bo", "cy", "dee"], 11);
    let sealing = ana.machine.seal(&ana.line, SESSION, &more, &settings, &say("third")).await;
    assert!(sealing.unwrap_err().is_temporary(), "it is not known whether dee is let in");
}

#[tokio::test]
async fn the_roll_is_there_after_a_restart() {
    let company = scene().await;
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let account = crate::kit::account("dee", "dee-1");
        let machine = parlor_e2ee::Machine::open(account, folder.path(), "a passphrase").await;
        Device::with(&company.relay, "dee", "dee-1", machine.unwrap()).await
    };
    let first = open().await;
    first.machine.set_up_identity(&first.line).await.unwrap();
    assert!(first.unvouched(&at(&["ana", "dee"], 10)).await.is_empty());
    drop(first);
    let again = open().await;
    assert_eq!(again.unvouched(&at(&["ana", "bo", "dee"], 11)).await, ["bo"]);
}
