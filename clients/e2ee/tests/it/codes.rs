//! Verification by a code that one device shows and the other takes.

use parlor_e2ee::{
    Account, Carrier as _, CodeError, Error, Kind, Machine, Request, Stage, Verdict, Verification,
};
use serde_json::json;

use crate::kit::{Company, Device, SERVER, first_device};
use crate::relay::{Line, PASSWORD, Relay};
use crate::verifying::{answer, compare, finish, meet};

const ALL: [&str; 3] = ["ana", "bo", "cy"];

/// One shows a code, the other takes it; until whoever shows it is asked.
async fn pass(
    shower: &Device,
    showing: &Verification,
    taker: &Device,
    taking: &Verification,
) -> String {
    let code = showing.show_code().await.unwrap();
    assert_eq!(showing.stage(), Stage::Showing(code.clone()));
    taking.take_code(&code).await.unwrap();
    assert_eq!(taking.stage(), Stage::Matched);
    taker.machine.flush(&taker.line).await.unwrap();
    shower.sync().await;
    assert_eq!(showing.stage(), Stage::Taken);
    code
}

fn refused(taken: Result<(), Error>) -> CodeError {
    match taken {
        Err(Error::Code(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

/// The code with another letter at this place; the blanks are gone.
fn mistyped(code: &str, at: usize) -> String {
    let mut letters: Vec<char> = code.split_whitespace().collect::<String>().chars().collect();
    letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
    letters.into_iter().collect()
}

#[tokio::test]
async fn a_new_device_is_signed_by_a_code_whichever_of_the_two_shows_it() {
    for new_shows in [true, false] {
        let relay = Relay::default();
        let old = first_device(&relay, "ana").await;
        let new = Device::new(&relay, "ana", "ana-2").await;
        old.sync().await;
        let (asking, answering) = meet(&old, &new).await;
        let (shower, showing, taker, taking) = match new_shows {
            true => (&new, &answering, &old, &asking),
            false => (&old, &asking, &new, &answering),
        };
        pass(shower, showing, taker, taking).await;
        assert!(!new.machine.standing().await.unwrap().device_signed, "nobody has said so yet");
        showing.confirm().await.unwrap();
        assert_eq!(showing.stage(), Stage::Confirmed);
        finish([shower, taker]).await;
        assert_eq!((asking.stage(), answering.stage()), (Stage::Done, Stage::Done));
        assert!(new.machine.standing().await.unwrap().device_signed, "new shows: {new_shows}");
        let posted = new.say(&["ana"], "from the new one").await;
        assert!(old.hears(&posted, "from the new one").await);
    }
}

#[tokio::test]
async fn a_code_verifies_both_people() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[1]);
    let (asking, answering) = meet(ana, bo).await;
    pass(bo, &answering, ana, &asking).await;
    answering.confirm().await.unwrap();
    finish([bo, ana]).await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Done, Stage::Done));
    assert!(ana.machine.is_verified("bo").await.unwrap());
    assert!(bo.machine.is_verified("ana").await.unwrap());
    assert!(!ana.machine.is_verified("cy").await.unwrap());
    let posted = ana.say(&ALL, "is it you").await;
    assert_eq!(bo.read(&posted).await.unwrap().verdict, Verdict::Verified);
    company.sync().await;
    assert!(company.ana[1].machine.is_verified("bo").await.unwrap(), "ana's other device knows");
}

#[tokio::test]
async fn a_code_is_shown_in_groups_the_same_again_and_read_whatever_its_blanks() {
    let company = Company::meet().await;
    let (asking, answering) = meet(&company.ana[0], &company.bo[0]).await;
    let code = asking.show_code().await.unwrap();
    assert_eq!(asking.show_code().await.unwrap(), code);
    let groups: Vec<_> = code.split(' ').collect();
    let (last, others) = groups.split_last().unwrap();
    assert!(others.iter().all(|group| group.len() == 4) && (1..=4).contains(&last.len()));
    assert!(code.starts_with("TUFU UklY"), "it is a code of Matrix's: {code}");
    let spaced = format!("\n\t{}\u{a0}\r\n", groups.join("\n  "));
    answering.take_code(&spaced).await.unwrap();
}

#[tokio::test]
async fn a_wrong_text_is_refused_and_nothing_ends() {
    let company = Company::meet().await;
    let (ana, bo, cy) = (&company.ana[0], &company.bo[0], &company.cy[0]);
    let (asking, answering) = meet(ana, bo).await;
    let (with_cy, cys) = meet(ana, cy).await;
    let (code, own) = (answering.show_code().await.unwrap(), asking.show_code().await.unwrap());
    let foreign = cys.show_code().await.unwrap();
    let letters: String = code.split_whitespace().collect();
    let shorter = &letters[..letters.len() - 4];
    let texts = ["", "hello", "\u{1f436} \u{1f431}", shorter, &format!("{letters}AAAA"), "TUFU"];
    for text in texts.into_iter().chain([&*letters.replace('T', "/"), &mistyped(&code, 0)]) {
        assert_eq!(refused(asking.take_code(text).await), CodeError::Malformed, "{text}");
    }
    let other = CodeError::OtherVerification;
    assert_eq!(refused(asking.take_code(&foreign).await), other);
    assert_eq!(refused(with_cy.take_code(&code).await), other);
    assert_eq!(refused(asking.take_code(&own).await), CodeError::OtherKeys);
    // Wherever else a letter is wrong, up to the secret that only the other side knows.
    let secret = letters.len() - 22;
    for at in (0..secret).step_by(7) {
        refused(asking.take_code(&mistyped(&code, at)).await);
    }
    finish([ana, bo]).await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Showing(own), Stage::Showing(code)));
    assert_eq!(with_cy.stage(), Stage::Ready);
    pass(bo, &answering, ana, &asking).await;
    answering.confirm().await.unwrap();
    finish([bo, ana]).await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Done, Stage::Done));
}

#[tokio::test]
async fn a_wrong_secret_verifies_nobody_and_another_verification_may_follow() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    for bo_asks_again in [true, false] {
        let (asking, answering) = meet(ana, bo).await;
        let code = answering.show_code().await.unwrap();
        let length = code.split_whitespace().collect::<String>().len();
        asking.take_code(&mistyped(&code, length - 10)).await.unwrap();
        ana.machine.flush(&ana.line).await.unwrap();
        bo.sync().await;
        assert!(matches!(answering.stage(), Stage::Cancelled { .. }), "{:?}", answering.stage());
        assert!(answering.confirm().await.is_err());
        finish([ana, bo]).await;
        assert!(matches!(asking.stage(), Stage::Cancelled { .. }), "{:?}", asking.stage());
        assert!(!ana.machine.is_verified("bo").await.unwrap());
        assert!(!bo.machine.is_verified("ana").await.unwrap());
        let (first, second) = if bo_asks_again { (bo, ana) } else { (ana, bo) };
        let (again, answer) = meet(first, second).await;
        again.cancel().unwrap();
        finish([first, second]).await;
        assert!(matches!(answer.stage(), Stage::Cancelled { .. }));
    }
}

#[tokio::test]
async fn a_code_that_did_not_work_at_the_other_side_ends_it() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let (asking, answering) = meet(ana, bo).await;
    assert!(matches!(asking.mismatch(), Err(Error::Unknown(_))), "nothing was taken yet");
    pass(ana, &asking, bo, &answering).await;
    assert!(matches!(answering.confirm().await, Err(Error::Unknown(_))), "who takes is not asked");
    asking.mismatch().unwrap();
    finish([ana, bo]).await;
    assert!(matches!(asking.stage(), Stage::Cancelled { by_us: true, .. }));
    assert!(matches!(answering.stage(), Stage::Cancelled { by_us: false, .. }));
    assert!(!ana.machine.is_verified("bo").await.unwrap());
    assert!(!bo.machine.is_verified("ana").await.unwrap());
}

#[tokio::test]
async fn emoji_are_compared_also_after_both_have_shown_a_code() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let (asking, answering) = meet(ana, bo).await;
    let code = asking.show_code().await.unwrap();
    answering.show_code().await.unwrap();
    compare(ana, &asking, bo, &answering).await;
    assert!(matches!(asking.stage(), Stage::Compare(_)), "{:?}", asking.stage());
    assert_eq!(asking.stage(), answering.stage());
    // It is too late for a code then, and nothing ends by trying.
    assert_eq!(refused(answering.take_code(&code).await), CodeError::NotNow);
    assert_eq!(refused(asking.show_code().await.map(drop)), CodeError::NotNow);
    asking.confirm().await.unwrap();
    answering.confirm().await.unwrap();
    finish([ana, bo]).await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Done, Stage::Done));
    assert!(ana.machine.is_verified("bo").await.unwrap());
}

#[tokio::test]
async fn where_emoji_are_left_out_it_can_only_be_a_code() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let device = &bo.machine.account().device_id;
    let asking = ana.machine.ask_to_verify_by_code("bo", device).await.unwrap();
    let answering = answer(ana, &asking, bo).await;
    for side in [&asking, &answering] {
        assert!(side.is_by_code());
        assert_eq!(refused(side.begin().await), CodeError::OnlyCode);
    }
    pass(ana, &asking, bo, &answering).await;
    asking.confirm().await.unwrap();
    finish([ana, bo]).await;
    assert!(ana.machine.is_verified("bo").await.unwrap());
    let (asking, answering) = meet(ana, bo).await;
    assert!(!asking.is_by_code() && !answering.is_by_code());
}

#[tokio::test]
async fn it_is_too_early_for_a_code_before_both_are_willing_and_too_late_after_one_was_taken() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let device = &bo.machine.account().device_id;
    let early = ana.machine.ask_to_verify("bo", device).await.unwrap();
    assert_eq!(refused(early.show_code().await.map(drop)), CodeError::NotNow);
    assert_eq!(early.stage(), Stage::Waiting);
    early.cancel().unwrap();
    finish([ana, bo]).await;
    let (asking, answering) = meet(ana, bo).await;
    let code = pass(ana, &asking, bo, &answering).await;
    assert_eq!(refused(answering.take_code(&code).await), CodeError::NotNow);
    for late in [&asking, &answering] {
        assert_eq!(refused(late.show_code().await.map(drop)), CodeError::NotNow);
        assert_eq!(refused(late.begin().await), CodeError::NotNow);
    }
    asking.confirm().await.unwrap();
    finish([ana, bo]).await;
    assert_eq!((asking.stage(), answering.stage()), (Stage::Done, Stage::Done));
}

#[tokio::test]
async fn nobody_is_verified_because_somebody_says_that_it_is_done() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    for round in 0..3 {
        let (asking, answering) = meet(ana, bo).await;
        match round {
            0 => drop(answering.show_code().await.unwrap()),
            1 => drop(pass(bo, &answering, ana, &asking).await),
            _ => compare(ana, &asking, bo, &answering).await,
        }
        say_done(&ana.line, &bo.machine, asking.name()).await;
        for _ in 0..2 {
            bo.sync().await;
            let stage = answering.stage();
            assert!(matches!(stage, Stage::Cancelled { .. }), "{round}: {stage:?}");
        }
        assert!(!bo.machine.is_verified("ana").await.unwrap());
        asking.cancel().unwrap();
        finish([ana, bo]).await;
    }
}

/// Says so for Ana before it is.
async fn say_done(line: &Line, to: &Machine, name: &str) {
    let Account { user_id, device_id, .. } = to.account();
    let content = json!({ "transaction_id": name });
    let request = Request {
        id: name.to_owned(),
        kind: Kind::ToDevice,
        method: "PUT",
        path: format!("/e2ee/send_to_device/m.key.verification.done/{name}"),
        body: json!({ "messages": { format!("@{user_id}:{SERVER}"): { device_id: content } } }),
    };
    line.carry(&request).await.unwrap();
}

#[tokio::test]
async fn an_identity_that_changes_after_its_code_was_taken_is_not_verified() {
    let company = Company::meet().await;
    let (ana, bo) = (&company.ana[0], &company.bo[0]);
    let (asking, answering) = meet(ana, bo).await;
    pass(ana, &asking, bo, &answering).await;
    ana.machine.replace_identity(&ana.line, PASSWORD).await.unwrap();
    bo.sync().await;
    asking.confirm().await.unwrap();
    ana.machine.flush(&ana.line).await.unwrap();
    bo.sync().await;
    for _ in 0..3 {
        assert!(matches!(answering.stage(), Stage::Cancelled { .. }), "{:?}", answering.stage());
        bo.sync().await;
    }
    finish([ana, bo]).await;
    assert!(!bo.machine.is_verified("ana").await.unwrap());
    assert!(!ana.machine.is_verified("bo").await.unwrap());
}
