//! Saying and hearing: who reads what, before and after somebody leaves.

use parlor_e2ee::payload::BUCKETS;
use parlor_e2ee::{OpenError, Payload, Settings, Verdict};

use crate::kit::{Company, Device, SERVER, SESSION, first_device, members, say};
use crate::relay::Relay;

const ALL: [&str; 3] = ["ana", "bo", "cy"];

#[tokio::test]
async fn what_each_of_six_devices_says_all_six_read() {
    let company = Company::meet().await;
    for sender in company.devices() {
        let posted = sender.say(&ALL, "hello").await;
        for reader in company.devices() {
            assert!(reader.hears(&posted, "hello").await, "{} from {}", reader.user, sender.user);
        }
    }
}

#[tokio::test]
async fn who_has_left_reads_nothing_more_and_who_is_back_nothing_of_the_gap() {
    let company = Company::meet().await;
    let before = company.ana[0].say(&ALL, "before").await;
    let gap = company.ana[0].say(&["ana", "bo"], "gap").await;
    assert_ne!(before.sealed.session_id, gap.sealed.session_id, "the key is another one");
    company.bo[1].lets_in("cy", 0).await;
    let after = company.ana[0].say(&ALL, "after").await;
    for reader in company.ana.iter().chain(&company.bo) {
        for (posted, text) in [(&before, "before"), (&gap, "gap"), (&after, "after")] {
            assert!(reader.hears(posted, text).await, "{text}");
        }
    }
    for reader in &company.cy {
        assert!(reader.hears(&before, "before").await);
        assert!(matches!(reader.read(&gap).await, Err(OpenError::MissingKey)));
        assert!(reader.hears(&after, "after").await);
    }
}

#[tokio::test]
async fn who_comes_later_does_not_read_what_was_said_before() {
    let company = Company::meet().await;
    let early = company.ana[0].say(&["ana", "bo"], "early").await;
    company.ana[0].lets_in("cy", 0).await;
    let later = company.ana[0].say(&ALL, "later").await;
    assert_eq!(early.sealed.session_id, later.sealed.session_id, "nobody left: one key");
    assert!(matches!(company.cy[0].read(&early).await, Err(OpenError::MissingKey)));
    assert!(company.cy[0].hears(&later, "later").await);
}

#[tokio::test]
async fn a_device_that_comes_between_two_messages_reads_the_second() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let key = bo.machine.set_up_recovery(&bo.line).await.unwrap();
    let first = ana.say(&ALL, "first").await;
    let second = ana.say(&ALL, "second").await;
    assert_eq!(first.sealed.session_id, second.sealed.session_id);
    let phone = Device::new(&company.relay, "bo", "bo-phone").await;
    phone.machine.recover(&phone.line, &key.text()).await.unwrap();
    ana.sync().await;
    let third = ana.say(&ALL, "third").await;
    assert_eq!(first.sealed.session_id, third.sealed.session_id, "nobody left: one key");
    assert!(phone.hears(&third, "third").await);
    assert!(matches!(phone.read(&second).await, Err(OpenError::MissingKey)));
}

#[tokio::test]
async fn a_key_is_thrown_away_when_asked_and_after_its_number_of_messages() {
    let company = Company::meet().await;
    let ana = &company.ana[0];
    let first = ana.say(&ALL, "one").await.sealed.session_id;
    assert_eq!(ana.say(&ALL, "two").await.sealed.session_id, first);
    ana.machine.discard_key(SESSION).await.unwrap();
    assert_ne!(ana.say(&ALL, "three").await.sealed.session_id, first);
    let session = "0190d7a0-0000-7000-8000-000000000003";
    let settings = Settings { rotation_period_msgs: 2, ..Settings::default() };
    let mut keys = Vec::new();
    for text in ["a", "b", "c"] {
        let members = members(&ALL);
        let sealed = ana.machine.seal(&ana.line, session, &members, &settings, &say(text)).await;
        keys.push(sealed.unwrap().session_id);
    }
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[tokio::test]
async fn relations_and_the_time_of_sending_travel_inside() {
    let company = Company::meet().await;
    let ana = &company.ana[0];
    let at = "2026-05-01T10:00:00Z".parse().unwrap();
    let said = [
        Payload::say("an answer", at).answering("m1"),
        Payload::reword("m1", "better", at),
        Payload::react("m1", "\u{1f44d}", true, at),
    ];
    for (number, payload) in said.into_iter().enumerate() {
        let members = members(&ALL);
        let settings = Settings::default();
        let sealed = ana.machine.seal(&ana.line, SESSION, &members, &settings, &payload).await;
        let mut posted = ana.say(&ALL, &format!("n{number}")).await;
        posted.id = format!("relation-{number}");
        posted.sealed = sealed.unwrap();
        let opened = company.bo[0].read(&posted).await.unwrap();
        assert_eq!(opened.payload, payload);
        assert_eq!(opened.device_id.as_deref(), Some("ana-1"));
        assert_eq!(opened.verdict, Verdict::FirstSeen);
    }
}

#[tokio::test]
async fn ciphertexts_have_four_lengths_whatever_is_said() {
    let company = Company::meet().await;
    let mut lengths = std::collections::BTreeSet::new();
    for length in [0, 1, 40, 150, 300, 900, 2_000, 5_000, 15_000] {
        let sealed = company.ana[0].seal(&ALL, &"x".repeat(length)).await.unwrap();
        lengths.insert(sealed.ciphertext.len());
    }
    assert_eq!(lengths.len(), BUCKETS.len(), "{lengths:?}");
    assert!(lengths.iter().all(|length| *length < 32 * 1024), "{lengths:?}");
}

#[tokio::test]
async fn nothing_that_is_said_reaches_the_server() {
    let company = Company::meet().await;
    let canary = "canary-6b1f6d7e";
    let posted = company.ana[0].say(&ALL, canary).await;
    company.sync().await;
    assert!(company.bo[1].hears(&posted, canary).await);
    let seen = &company.relay.state().seen;
    assert!(seen.len() > 10_000, "the relay listened");
    assert!(!seen.contains(canary));
    assert!(!posted.sealed.ciphertext.contains(canary));
}

#[tokio::test]
async fn a_key_that_comes_after_its_message_opens_it_then() {
    let company = Company::meet().await;
    let posted = company.ana[0].say(&ALL, "early bird").await;
    let bo = &company.bo[0];
    let early = bo.machine.open_message(posted.arrived()).await.unwrap_err();
    assert!(matches!(early, OpenError::MissingKey) && early.may_open_later());
    assert!(bo.sync().await.sessions.contains(SESSION), "the session is named");
    assert!(bo.hears(&posted, "early bird").await);
}

#[tokio::test]
async fn who_has_no_one_time_keys_left_is_reached_by_the_fallback_key() {
    let company = Company::meet().await;
    let dee = crate::kit::first_device(&company.relay, "dee").await;
    dee.sync().await;
    let key = ("@dee:parlor.test".to_owned(), "dee-1".to_owned());
    company.relay.state().devices.get_mut(&key).unwrap().one_time.clear();
    let posted = company.ana[0].say(&["ana", "dee"], "by the fallback").await;
    assert!(dee.hears(&posted, "by the fallback").await);
    dee.sync().await;
    let left = company.relay.state().devices[&key].one_time.len();
    assert!(left >= 50, "the machine has made new ones: {left}");
}

#[tokio::test]
async fn fifty_sends_at_once_are_all_readable() {
    let company = Company::meet().await;
    let mut sends = tokio::task::JoinSet::new();
    for n in 0..50 {
        let ana = company.ana[0].clone();
        sends.spawn(async move { (n, ana.say(&ALL, &format!("n{n}")).await) });
    }
    for (n, posted) in sends.join_all().await {
        assert!(company.bo[0].hears(&posted, &format!("n{n}")).await, "{n}");
    }
}

#[tokio::test]
async fn a_key_is_believed_whose_device_is_gone_before_its_owner_was_ever_looked_up() {
    let relay = Relay::default();
    let (ana, bo) = (first_device(&relay, "ana").await, first_device(&relay, "bo").await);
    let said = ana.say(&["ana", "bo"], "before I go").await;
    // She signs that device out before he takes its letter, and he has never heard of her.
    relay.state().devices.remove(&(format!("@ana:{SERVER}"), "ana-1".to_owned()));
    assert!(bo.hears(&said, "before I go").await);
}
