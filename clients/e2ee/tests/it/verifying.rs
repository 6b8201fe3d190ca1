//! Verification by emoji, to its good end and to its bad ones.

use parlor_e2ee::{Error, OpenError, Settings, Stage, Verdict, Verification};

use crate::kit::{Company, Device, Posted, SESSION, first_device, members, say};
use crate::relay::Relay;

const ALL: [&str; 3] = ["ana", "bo", "cy"];

/// Ana asks, Bo accepts; until both are willing.
pub(crate) async fn meet(ana: &Device, bo: &Device) -> (Verification, Verification) {
    let (user, device) = (&bo.user, &bo.machine.account().device_id);
    let asking = ana.machine.ask_to_verify(user, device).await.unwrap();
    let answering = answer(ana, &asking, bo).await;
    (asking, answering)
}

/// Bo accepts what Ana has asked; until both are willing.
pub(crate) async fn answer(ana: &Device, asking: &Verification, bo: &Device) -> Verification {
    ana.machine.flush(&ana.line).await.unwrap();
    assert_eq!(asking.stage(), Stage::Waiting);
    let asked = bo.sync().await.asked;
    assert_eq!(asked, [(ana.user.clone(), asking.name().to_owned())]);
    let answering = bo.machine.verification(&asked[0].0, &asked[0].1).unwrap();
    assert_eq!(answering.stage(), Stage::Asked);
    answering.accept().unwrap();
    bo.machine.flush(&bo.line).await.unwrap();
    ana.sync().await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Ready, Stage::Ready));
    answering
}

/// The same, and Ana begins; until both have emoji.
async fn to_the_emoji(ana: &Device, bo: &Device) -> (Verification, Verification) {
    let (asking, answering) = meet(ana, bo).await;
    compare(ana, &asking, bo, &answering).await;
    (asking, answering)
}

/// Ana begins the comparison; until both have emoji.
pub(crate) async fn compare(
    ana: &Device,
    asking: &Verification,
    bo: &Device,
    answering: &Verification,
) {
    asking.begin().await.unwrap();
    ana.machine.flush(&ana.line).await.unwrap();
    bo.sync().await;
    answering.accept().unwrap();
    for _ in 0..2 {
        bo.sync().await;
        ana.sync().await;
    }
}

pub(crate) async fn finish(devices: [&Device; 2]) {
    for _ in 0..3 {
        for device in devices {
            device.sync().await;
        }
    }
}

#[tokio::test]
async fn equal_emoji_verify_both_people() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[1]);
    let (asking, answering) = to_the_emoji(ana, bo).await;
    let (Stage::Compare(left), Stage::Compare(right)) = (asking.stage(), answering.stage()) else {
        panic!("{:?} {:?}", asking.stage(), answering.stage());
    };
    assert_eq!(left, right);
    assert!(left.iter().all(|(emoji, word)| !emoji.is_empty() && !word.is_empty()));
    asking.confirm().await.unwrap();
    assert_eq!(asking.stage(), Stage::Confirmed);
    answering.confirm().await.unwrap();
    finish([ana, bo]).await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Done, Stage::Done));
    assert!(ana.machine.is_verified("bo").await.unwrap());
    assert!(bo.machine.is_verified("ana").await.unwrap());
    assert!(!ana.machine.is_verified("cy").await.unwrap());
    let posted = ana.say(&ALL, "is it you").await;
    assert_eq!(bo.read(&posted).await.unwrap().verdict, Verdict::Verified);
    company.sync().await;
    assert!(company.ana[1].machine.is_verified("bo").await.unwrap(), "ana's other device knows");
}

/// Ana says something in a session for people whom she has verified.
async fn say_to_verified(ana: &Device, text: &str) -> Posted {
    let settings = Settings { verified_only: true, ..Settings::default() };
    let sealed = ana.machine.seal(&ana.line, SESSION, &members(&ALL), &settings, &say(text)).await;
    let (session, id, sender) = (SESSION.to_owned(), text.to_owned(), ana.user.clone());
    Posted { session, id, sender, sealed: sealed.unwrap() }
}

#[tokio::test]
async fn where_only_verified_people_read_nobody_else_gets_a_key() {
    let company = Company::meet().await;
    let (ana, bo, cy) = (&company.ana[0], &company.bo[0], &company.cy[0]);
    for (round, other) in [bo, cy].into_iter().enumerate() {
        let posted = say_to_verified(ana, &format!("before {round}")).await;
        assert!(company.ana[1].hears(&posted, &format!("before {round}")).await, "it is her own");
        assert!(matches!(other.read(&posted).await, Err(OpenError::MissingKey)));
        let (asking, answering) = to_the_emoji(ana, other).await;
        asking.confirm().await.unwrap();
        answering.confirm().await.unwrap();
        finish([ana, other]).await;
        let posted = say_to_verified(ana, &format!("after {round}")).await;
        assert!(other.hears(&posted, &format!("after {round}")).await);
    }
}

#[tokio::test]
async fn emoji_that_differ_end_it_on_both_sides() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let (asking, answering) = to_the_emoji(ana, bo).await;
    answering.mismatch().unwrap();
    finish([ana, bo]).await;
    assert!(matches!(answering.stage(), Stage::Cancelled { by_us: true, .. }));
    assert!(matches!(asking.stage(), Stage::Cancelled { by_us: false, .. }));
    assert!(!ana.machine.is_verified("bo").await.unwrap());
}

#[tokio::test]
async fn a_verification_that_is_called_off_verifies_nobody() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let (asking, answering) = to_the_emoji(ana, bo).await;
    asking.cancel().unwrap();
    finish([ana, bo]).await;
    assert!(matches!(answering.stage(), Stage::Cancelled { by_us: false, .. }));
    assert!(matches!(answering.confirm().await, Ok(()) | Err(Error::Unknown(_))));
    finish([ana, bo]).await;
    assert!(!bo.machine.is_verified("ana").await.unwrap());
}

#[tokio::test]
async fn a_new_device_is_signed_by_verifying_it_from_the_old_one() {
    let relay = Relay::default();
    let old = first_device(&relay, "ana").await;
    let new = Device::new(&relay, "ana", "ana-2").await;
    old.sync().await;
    assert!(!new.machine.standing().await.unwrap().device_signed);
    let (asking, answering) = to_the_emoji(&old, &new).await;
    asking.confirm().await.unwrap();
    answering.confirm().await.unwrap();
    finish([&old, &new]).await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Done, Stage::Done));
    assert!(new.machine.standing().await.unwrap().device_signed);
    let posted = new.say(&["ana"], "from the new one").await;
    assert!(old.hears(&posted, "from the new one").await);
}

#[tokio::test]
async fn a_verified_person_whose_identity_changes_is_not_believed_until_verified_again() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let (asking, answering) = to_the_emoji(ana, bo).await;
    asking.confirm().await.unwrap();
    answering.confirm().await.unwrap();
    finish([ana, bo]).await;
    assert!(ana.machine.is_verified("bo").await.unwrap());
    bo.machine.replace_identity(&bo.line, crate::relay::PASSWORD).await.unwrap();
    ana.sync().await;
    let blocked = ana.seal(&ALL, "?").await;
    assert!(matches!(blocked, Err(Error::IdentityChanged(who)) if who == ["bo"]));
    bo.sync().await;
    bo.machine.accept_identity("ana").await.unwrap();
    let posted = bo.say(&ALL, "trust me").await;
    let refused = ana.read(&posted).await.unwrap_err();
    assert!(refused.may_open_later(), "{refused}");
    ana.machine.accept_identity("bo").await.unwrap();
    assert_eq!(ana.read(&posted).await.unwrap().verdict, Verdict::FirstSeen);
}

#[tokio::test]
async fn a_device_that_there_is_not_cannot_be_asked() {
    let company = Company::meet().await;
    let refused = company.ana[0].machine.ask_to_verify("bo", "nobody").await;
    assert!(matches!(refused, Err(Error::Unknown(_))));
    let refused = company.ana[0].machine.verification("bo", "nothing");
    assert!(matches!(refused, Err(Error::Unknown(_))));
}
