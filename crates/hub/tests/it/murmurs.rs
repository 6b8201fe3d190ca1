//! Murmurs: typing, presence and read markers, told together once per tick and dropped first.

use std::time::Duration;

use parlor_domain::{Limits, Time};
use parlor_hub::{Change, Ear, Form, Key};
use parlor_wire::frame::Codec;

use crate::said::{SILENCE, ear_from_start, frames, gather, hub_of, is_rung, run, session, user};

fn heard(ear: &mut Ear) -> Vec<String> {
    let json = |frame: &parlor_hub::Frame| {
        let payload = Form::Plain(Codec::Json).of(frame).payload();
        String::from_utf8(payload.to_vec()).unwrap()
    };
    frames(ear).unwrap().iter().map(|frame| json(frame)).collect()
}

#[test]
fn those_who_write_are_told_together_once_and_when_they_stop() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    let now = Time(1_000_000);
    for n in [2, 3, 2, 2] {
        hub.typing(session(1), user(n), now);
    }
    hub.murmur(now);
    let told = heard(&mut ear);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&user(2).to_string()) && told[0].contains(&user(3).to_string()));
    hub.typing(session(1), user(2), now + Duration::from_secs(3));
    hub.murmur(now + Duration::from_secs(3));
    assert_eq!(heard(&mut ear), Vec::<String>::new(), "nothing has changed");
    let typing = Duration::from_millis(Limits::default().typing_ms);
    hub.murmur(now + Duration::from_secs(3) + typing);
    let told = heard(&mut ear);
    assert!(told.len() == 1 && !told[0].contains(&user(3).to_string()), "{told:?}");
    hub.murmur(now + Duration::from_secs(60));
    let told = heard(&mut ear);
    assert!(told.len() == 1 && told[0].contains("\"user_ids\":[]"), "{told:?}");
}

#[test]
fn who_has_no_word_for_the_end_of_writing_hears_of_everybody_who_says_that_they_write() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    ear.listen(Key::Typing(session(1)));
    ear.live_from(Key::Typing(session(1)), 1);
    let mut typists = |at: Time| -> Vec<_> {
        hub.murmur(at);
        frames(&mut ear).unwrap().iter().filter_map(|frame| frame.typist()).collect()
    };
    let now = Time(1_000_000);
    for n in [3, 2, 2] {
        hub.typing(session(1), user(n), now);
    }
    hub.typing(session(2), user(4), now);
    assert_eq!(typists(now), [user(2), user(3)]);
    assert_eq!(typists(now), []);
    hub.typing(session(1), user(2), now);
    assert_eq!(typists(now), [user(2)], "again, while the others know it already");
    assert_eq!(typists(now + Duration::from_secs(60)), [], "the end is not told");
}

#[test]
fn presence_and_read_markers_of_one_tick_are_one_frame_each_with_the_last_word() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    for online in [true, false, true] {
        hub.presence(session(1), Change { user: user(2), online });
    }
    for number in [3, 4, 9] {
        hub.read_mark(session(1), user(3), number);
    }
    assert!(heard(&mut ear).is_empty(), "not before the tick");
    hub.murmur(Time(0));
    let told = heard(&mut ear);
    assert_eq!(told.len(), 2, "{told:?}");
    let online = format!("\"online\":[\"{}\"],\"offline\":[]", user(2));
    assert!(told.iter().any(|text| text.contains(&online)), "{told:?}");
    assert!(told.iter().any(|text| text.contains("\"number\":9")), "{told:?}");
    hub.murmur(Time(0));
    assert!(heard(&mut ear).is_empty());
}

#[test]
fn murmurs_are_dropped_before_anything_that_is_kept() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    for seq in 1..=60 {
        hub.publish(session(1), run(session(1), seq..=seq)).unwrap();
        hub.read_mark(session(1), user(2), seq);
        hub.murmur(Time(seq));
    }
    let told = gather(&mut ear);
    assert!(told.iter().filter(|seq| **seq > 0).copied().eq(1..=60));
    let murmurs = told.iter().filter(|seq| **seq == 0).count();
    assert!((1..=16).contains(&murmurs), "{murmurs} murmurs were kept");
}

#[test]
fn who_comes_later_does_not_hear_earlier_murmurs() {
    let hub = hub_of(100);
    let _first = ear_from_start(&hub, 1);
    hub.read_mark(session(1), user(2), 7);
    hub.murmur(Time(0));
    let mut late = ear_from_start(&hub, 3);
    assert_eq!(gather(&mut late), SILENCE);
    hub.read_mark(session(1), user(2), 8);
    hub.murmur(Time(1));
    assert_eq!(gather(&mut late), [0]);
}

#[test]
fn nobody_is_woken_by_what_nobody_hears() {
    let hub = hub_of(100);
    let mut ear = ear_from_start(&hub, 1);
    gather(&mut ear);
    assert!(!is_rung(&ear));
    hub.typing(session(2), user(2), Time(0));
    hub.murmur(Time(0));
    assert!(!is_rung(&ear) && !hub.is_heard(session(2)));
}
