//! What an ear hears: everything from its place on, once, in order, and nothing after its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use parlor_domain::{Limits, LoginId};
use parlor_hub::{Cut, Form, Hole, Hub, Lagged};
use parlor_wire::frame::Codec;
use uuid::Uuid;

use crate::said::{
    SILENCE, ear_from_start, frames, gather, gather_some, hub_of, is_rung, key, left, posted, run,
    session, user, who,
};

#[test]
fn a_session_is_heard_in_order_from_the_place_that_was_named() {
    let hub = hub_of(100);
    let mut ear = hub.connect(who(1, 1)).unwrap();
    ear.listen(key(1));
    hub.publish(session(1), run(session(1), 1..=5)).unwrap();
    assert_eq!(gather(&mut ear), SILENCE, "nothing is taken before the place is named");
    ear.live_from(key(1), 4);
    assert!(is_rung(&ear), "what came meanwhile rings");
    assert_eq!(gather(&mut ear), [4, 5]);
    hub.publish(session(1), run(session(1), 6..=6)).unwrap();
    assert_eq!(gather(&mut ear), [6]);
    assert!(!is_rung(&ear));
}

#[test]
fn what_was_told_before_is_not_told_again() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    hub.publish(session(1), run(session(1), 1..=3)).unwrap();
    hub.publish(session(1), run(session(1), 2..=4)).unwrap();
    assert_eq!(gather(&mut ear), [1, 2, 3, 4]);
}

#[test]
fn a_hole_is_reported_and_nothing_behind_it_is_told() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    hub.publish(session(1), run(session(1), 1..=2)).unwrap();
    let hole = hub.publish(session(1), run(session(1), 5..=6));
    assert_eq!(hole, Err(Hole { after: 2, before: 5 }));
    assert_eq!(gather(&mut ear), [1, 2]);
    hub.publish(session(1), run(session(1), 3..=6)).unwrap();
    assert_eq!(gather(&mut ear), [3, 4, 5, 6]);
}

#[test]
fn a_busy_session_does_not_keep_a_quiet_one_waiting() {
    let hub = Hub::new(Limits::lifted());
    let mut ear = hub.connect(who(1, 1)).unwrap();
    for n in [1, 2] {
        ear.listen(key(n));
        ear.live_from(key(n), 1);
    }
    let busy: Vec<_> = (1..=40).map(|seq| posted(session(1), seq, 16 * 1024)).collect();
    hub.publish(session(1), busy).unwrap();
    hub.publish(session(2), run(session(2), 1..=1)).unwrap();
    let (told, gathered) = gather_some(&mut ear, 64 * 1024);
    assert!(gathered.more);
    let quiet = told.iter().position(|(from, _)| *from == key(2)).expect("heard in this turn");
    assert!(quiet <= 4, "the quiet session was heard after {quiet} frames of the busy one");
    let mut rest = told;
    while is_rung(&ear) {
        rest.extend(gather_some(&mut ear, 64 * 1024).0);
    }
    let of_busy = rest.iter().filter(|(from, _)| *from == key(1)).map(|(_, seq)| *seq);
    assert!(of_busy.eq(1..=40));
}

#[test]
fn who_falls_out_of_the_backlog_is_lagged() {
    let hub = hub_of(4);
    let mut slow = ear_from_start(&hub, 1);
    let mut brisk = ear_from_start(&hub, 2);
    for seq in 1..=5 {
        hub.publish(session(1), run(session(1), seq..=seq)).unwrap();
        assert_eq!(gather(&mut brisk), [seq]);
    }
    assert_eq!(frames(&mut slow).err(), Some(Lagged));
}

#[test]
fn one_burst_does_not_cut_those_who_keep_up() {
    let hub = Hub::new(Limits { backlog_bytes_max: 64 * 1024, ..Limits::default() });
    let mut ear = ear_from_start(&hub, 1);
    let burst: Vec<_> = (1..=20).map(|seq| posted(session(1), seq, 16 * 1024)).collect();
    hub.publish(session(1), burst).unwrap();
    assert!(gather(&mut ear).into_iter().eq(1..=20));
    // The burst is not kept longer than the next one.
    let mut late = ear_from_start(&hub, 2);
    hub.publish(session(1), vec![posted(session(1), 21, 16 * 1024)]).unwrap();
    assert_eq!(frames(&mut late).err(), Some(Lagged));
}

#[test]
fn two_sweeps_forget_what_a_stalled_ear_has_not_taken() {
    let hub = hub_of(100);
    let mut stalled = ear_from_start(&hub, 1);
    let mut brisk = ear_from_start(&hub, 2);
    hub.publish(session(1), run(session(1), 1..=3)).unwrap();
    assert_eq!(gather(&mut brisk), [1, 2, 3]);
    hub.sweep();
    assert_eq!(stalled.tail_if_kept(key(1), 1), Some(3), "one sweep forgets nothing new");
    hub.sweep();
    assert_eq!(stalled.tail_if_kept(key(1), 1), None);
    assert_eq!(stalled.tail_if_kept(key(1), 4), Some(3));
    assert_eq!(frames(&mut stalled).err(), Some(Lagged));
    hub.publish(session(1), run(session(1), 4..=4)).unwrap();
    assert_eq!(gather(&mut brisk), [4]);
}

#[test]
fn ones_own_leaving_is_the_last_thing_one_hears() {
    let hub = hub_of(100);
    let (mut gone, mut stays) = (ear_from_start(&hub, 1), ear_from_start(&hub, 2));
    let mut events = run(session(1), 1..=2);
    events.push(left(session(1), 3, user(1)));
    events.extend(run(session(1), 4..=6));
    hub.publish(session(1), events).unwrap();
    let (told, gathered) = gather_some(&mut gone, u64::MAX);
    assert_eq!(told.last(), Some(&(key(1), 3)));
    assert_eq!(gathered.over, [key(1)]);
    assert!(!gone.hears(key(1)));
    hub.publish(session(1), run(session(1), 7..=7)).unwrap();
    assert!(!is_rung(&gone));
    assert_eq!(gather(&mut gone), SILENCE);
    assert_eq!(gather(&mut stays), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn who_is_out_does_not_hear_murmurs_of_later() {
    let hub = hub_of(100);
    let mut gone = ear_from_start(&hub, 1);
    hub.publish(session(1), vec![left(session(1), 1, user(1))]).unwrap();
    hub.typing(session(1), user(2), parlor_domain::Time(0));
    hub.murmur(parlor_domain::Time(0));
    assert_eq!(gather(&mut gone), [1]);
}

#[test]
fn a_cut_wakes_and_gives_the_verdict() {
    let hub = hub_of(100);
    let (first, second) = (hub.connect(who(1, 1)).unwrap(), hub.connect(who(1, 2)).unwrap());
    assert!(!is_rung(&first) && first.verdict().is_none());
    hub.cut(&[LoginId(Uuid::from_u128(1))]);
    assert!(is_rung(&first) && !is_rung(&second));
    assert_eq!((first.verdict(), second.verdict()), (Some(Cut::Revoked), None));
    hub.drain();
    assert_eq!(first.verdict(), Some(Cut::Revoked), "a revocation is stronger than a drain");
    assert_eq!(second.verdict(), Some(Cut::Draining));
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn who_waits_is_woken_by_an_event_and_by_a_cut() {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let context = Context::from_waker(&waker);
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    assert_eq!(gather(&mut ear), SILENCE, "hears that it is live");
    assert!(!is_rung(&ear));
    for event in [true, false] {
        assert!(ear.poll_rung(&context).is_pending());
        if event {
            hub.publish(session(1), run(session(1), 1..=1)).unwrap();
        } else {
            hub.drain();
        }
        assert!(flag.0.swap(false, Ordering::AcqRel), "not woken");
        gather(&mut ear);
        assert_eq!(is_rung(&ear), !event, "a verdict stands, an event is heard once");
    }
}

#[test]
fn an_event_is_encoded_once_for_each_form() {
    let hub = Hub::new(Limits::default());
    let mut ears: Vec<_> = (1..=3).map(|n| ear_from_start(&hub, n)).collect();
    hub.publish(session(1), vec![posted(session(1), 1, 4_000)]).unwrap();
    let heard: Vec<_> = ears.iter_mut().map(|ear| frames(ear).unwrap().remove(0)).collect();
    for form in [Form::Plain(Codec::Json), Form::Plain(Codec::Proto), Form::Deflated] {
        let bytes = heard.iter().map(|frame| form.of(frame).bytes().as_ptr());
        let places: std::collections::BTreeSet<_> = bytes.collect();
        assert_eq!(places.len(), 1, "{form:?} was encoded {} times", places.len());
    }
    let json = Form::Plain(Codec::Json).of(&heard[0]).payload();
    assert!(json.starts_with(b"{\"type\":\"event\""), "{json:?}");
    assert!(Form::Deflated.of(&heard[0]).bytes().len() < 1_000);
}

#[test]
fn listening_again_begins_anew() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    hub.publish(session(1), run(session(1), 1..=3)).unwrap();
    assert_eq!(gather(&mut ear), [1, 2, 3]);
    ear.listen(key(1));
    assert_eq!(ear.len(), 1);
    hub.publish(session(1), run(session(1), 4..=4)).unwrap();
    assert_eq!(gather(&mut ear), SILENCE);
    ear.live_from(key(1), 2);
    assert_eq!(gather(&mut ear), [2, 3, 4]);
}

#[test]
fn a_slot_that_is_used_again_hears_only_the_new_session() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    hub.publish(session(1), run(session(1), 1..=2)).unwrap();
    ear.ignore(key(1));
    ear.listen(key(2));
    ear.live_from(key(2), 1);
    hub.publish(session(2), run(session(2), 1..=1)).unwrap();
    assert_eq!(gather_some(&mut ear, u64::MAX).0, [(key(2), 1)]);
}
