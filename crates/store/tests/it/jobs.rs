//! Jobs: there once, done by one at a time, and not lost with who does them.

use parlor_domain::{FileId, Time};
use parlor_store::files::{Blob, Made, NewUpload, Room};
use parlor_store::jobs::{Claimed, Kind, Lease};
use uuid::Uuid;

use crate::world::{World, id};

const KIND: Kind = Kind::Thumbnail;

/// Who claims at `now` has it for ten microseconds.
async fn claim(w: &World, worker: Uuid, limit: u64, now: i64) -> Vec<Claimed> {
    let lease = Lease { worker, until: Time(now + 10) };
    w.store.claim_jobs(KIND, lease, limit, Time(now)).await.unwrap()
}

async fn ask(w: &World, about: Uuid, now: i64) {
    w.store.ask_job(KIND, about, Time(now)).await.unwrap();
}

async fn fail(w: &World, job: Claimed, worker: Uuid, again: Option<i64>) {
    let again = again.map(Time);
    w.store.fail_job(job, worker, "no luck".to_owned(), again).await.unwrap();
}

fn abouts(claimed: &[Claimed]) -> Vec<Uuid> {
    claimed.iter().map(|job| job.about).collect()
}

/// A job that was given up, and one that somebody has.
pub(crate) async fn of_every_kind(w: &World) {
    let worker = id();
    ask(w, id(), 1).await;
    let job = claim(w, worker, 9, 1).await[0];
    fail(w, job, worker, None).await;
    ask(w, id(), 2).await;
    claim(w, worker, 9, 2).await;
}

pub(crate) async fn a_job_is_there_once_and_done_by_one(w: World) {
    let (one, two, cat, dog) = (id(), id(), id(), id());
    ask(&w, cat, 100).await;
    ask(&w, cat, 101).await;
    ask(&w, dog, 102).await;
    assert_eq!(claim(&w, one, 9, 99).await, [], "none is due");
    let first = claim(&w, one, 1, 103).await;
    assert_eq!(abouts(&first), [cat], "what was asked for first");
    assert_eq!(first[0].tries, 1);
    let second = claim(&w, two, 9, 103).await;
    assert_eq!(abouts(&second), [dog], "the other has it");
    assert_eq!(claim(&w, two, 9, 103).await, []);
    w.store.finish_job(second[0], one).await.unwrap();
    w.store.finish_job(first[0], one).await.unwrap();
    assert_eq!(abouts(&claim(&w, one, 9, 1_000).await), [dog], "only who has it can finish it");
}

pub(crate) async fn a_job_that_nobody_finished_is_taken_over(w: World) {
    let (one, two, cat) = (id(), id(), id());
    ask(&w, cat, 100).await;
    let lost = claim(&w, one, 9, 100).await[0];
    assert_eq!(claim(&w, two, 9, 109).await, []);
    let taken = claim(&w, two, 9, 110).await[0];
    assert_eq!((taken.id, taken.about, taken.tries), (lost.id, cat, 2));
    // Who lost it says nothing any more, whatever it was.
    w.store.finish_job(lost, one).await.unwrap();
    fail(&w, lost, one, None).await;
    assert_eq!(claim(&w, one, 9, 119).await, []);
    w.store.finish_job(taken, two).await.unwrap();
    assert_eq!(claim(&w, one, 9, 1_000).await, []);
}

pub(crate) async fn a_job_that_fails_comes_back_when_it_is_due(w: World) {
    let (one, cat) = (id(), id());
    ask(&w, cat, 100).await;
    let job = claim(&w, one, 9, 100).await[0];
    fail(&w, job, one, Some(500)).await;
    assert_eq!(claim(&w, one, 9, 499).await, []);
    let job = claim(&w, one, 9, 500).await[0];
    assert_eq!(job.tries, 2);
    fail(&w, job, one, Some(900)).await;
    // Whoever asks does not wait for that.
    ask(&w, cat, 510).await;
    assert_eq!(claim(&w, one, 9, 510).await[0].tries, 1);
}

pub(crate) async fn what_is_given_up_stays_for_a_while(w: World) {
    let (one, cat, dog) = (id(), id(), id());
    for about in [cat, dog] {
        ask(&w, about, 100).await;
        let job = claim(&w, one, 9, 100).await[0];
        fail(&w, job, one, None).await;
    }
    assert_eq!(claim(&w, one, 9, 1_000).await, []);
    ask(&w, cat, 200).await;
    let again = claim(&w, one, 9, 200).await;
    assert_eq!(abouts(&again), [cat], "it was asked for again");
    w.store.finish_job(again[0], one).await.unwrap();
    assert_eq!(w.store.forget_jobs(Time(100), 9).await.unwrap(), 0);
    assert_eq!(w.store.forget_jobs(Time(101), 9).await.unwrap(), 1);
    assert_eq!(w.store.forget_jobs(Time(101), 9).await.unwrap(), 0);
    ask(&w, dog, 300).await;
    assert_eq!(abouts(&claim(&w, one, 1, 300).await), [dog], "as if it had never been there");
}

pub(crate) async fn what_is_asked_for_meanwhile_is_done_again(w: World) {
    let (one, cat) = (id(), id());
    ask(&w, cat, 100).await;
    let early = claim(&w, one, 9, 100).await[0];
    ask(&w, cat, 105).await;
    assert_eq!(claim(&w, one, 9, 105).await, [], "one at a time");
    w.store.finish_job(early, one).await.unwrap();
    let late = claim(&w, one, 9, 106).await[0];
    assert_eq!((late.id, late.tries, late.asked), (early.id, 1, 2));
    ask(&w, cat, 107).await;
    fail(&w, late, one, None).await;
    let last = claim(&w, one, 9, 108).await[0];
    assert_eq!(last.tries, 1, "what failed was an earlier one");
    w.store.finish_job(last, one).await.unwrap();
    assert_eq!(claim(&w, one, 9, 1_000).await, []);
}

pub(crate) async fn a_worker_gives_back_what_it_has(w: World) {
    let (one, two, cat, dog) = (id(), id(), id(), id());
    ask(&w, cat, 100).await;
    claim(&w, one, 9, 100).await;
    ask(&w, dog, 100).await;
    claim(&w, two, 9, 100).await;
    w.store.free_jobs(Some(one)).await.unwrap();
    let again = claim(&w, one, 9, 101).await;
    assert_eq!(abouts(&again), [cat]);
    assert_eq!(again[0].tries, 1, "it was not even tried");
    // After a crash nobody has any: those were tries.
    w.store.free_jobs(None).await.unwrap();
    let mut all = claim(&w, two, 9, 102).await;
    all.sort_by_key(|job| job.about);
    assert_eq!(abouts(&all), [cat, dog]);
    assert_eq!((all[0].tries, all[1].tries), (2, 2));
}

pub(crate) async fn no_job_is_given_to_two(w: World) {
    for n in 0..40 {
        ask(&w, id(), n).await;
    }
    let claims = (0..8).map(|_| claim(&w, id(), 7, 100));
    let mut given: Vec<_> =
        futures_util::future::join_all(claims).await.iter().flat_map(|c| abouts(c)).collect();
    let rest = claim(&w, id(), 99, 100).await;
    given.extend(abouts(&rest));
    assert_eq!(given.len(), 40);
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 40, "each once");
}

pub(crate) async fn a_picture_is_to_be_drawn(w: World) {
    let ana = w.account("ana").await;
    let mut sent = vec![];
    for (n, pixels) in [(1, Some((640, 480))), (2, None)] {
        let room = Room { user_bytes_max: 1_000, all_bytes_max: 1_000, uploads_max: 9 };
        let new = NewUpload {
            id: FileId(id()),
            user: ana,
            length: 10,
            name: "cat".to_owned(),
            encrypted: false,
            sha256: None,
            expires: Time(2_000_000),
        };
        let upload = w.store.begin_upload(new, room, w.now()).await.unwrap();
        let blob = Blob { hash: [n; 32], size: 10 };
        w.store.expect_blob(blob, w.now()).await.unwrap();
        let made = Made { blob, media_type: "image/png".to_owned(), pixels };
        w.store.finish_upload(ana, upload.id, made, w.now()).await.unwrap();
        sent.push(upload.id);
    }
    let jobs = claim(&w, id(), 9, w.now().0).await;
    assert_eq!(abouts(&jobs), [sent[0].0], "the other is no picture");
    assert!(w.store.any_file(sent[0]).await.unwrap().is_some(), "whoever asks");
    assert!(w.store.any_file(FileId(id())).await.unwrap().is_none());
}
