//! Lanes come and go with those who listen; connections are counted in and out.

use parlor_domain::Limits;
use parlor_hub::{Hub, TooMany};

use crate::said::{ear_from_start, gather, hub_of, key, left, run, session, user, who};

#[test]
fn a_deserted_lane_waits_for_those_who_come_back() {
    let hub = hub_of(100);
    drop(ear_from_start(&hub, 1));
    hub.publish(session(1), run(session(1), 1..=3)).expect("kept for a while");
    let mut back = hub.connect(who(1, 1)).expect("within the limits");
    back.listen(key(1));
    assert_eq!(back.tail_if_kept(key(1), 2), Some(3));
    back.live_from(key(1), 2);
    assert_eq!(gather(&mut back), [2, 3]);
}

#[test]
fn who_went_and_came_back_reads_of_it_in_the_store() {
    let hub = hub_of(100);
    let _other = ear_from_start(&hub, 2);
    let went = left(session(1), 2, user(1));
    let events = [run(session(1), 1..=1), vec![went], run(session(1), 3..=4)].concat();
    hub.publish(session(1), events).expect("without a hole");
    let mut back = hub.connect(who(1, 1)).expect("within the limits");
    back.listen(key(1));
    assert_eq!(back.tail_if_kept(key(1), 1), None);
    assert_eq!(back.tail_if_kept(key(1), 2), None);
    assert_eq!(back.tail_if_kept(key(1), 3), Some(4));
}

#[test]
fn a_deserted_lane_is_taken_away() {
    let hub = hub_of(100);
    let mut first = ear_from_start(&hub, 1);
    let second = ear_from_start(&hub, 2);
    assert!(hub.is_heard(session(1)));
    first.ignore(key(1));
    assert!(hub.is_heard(session(1)), "somebody still listens");
    drop(second);
    hub.sweep();
    assert!(hub.is_heard(session(1)), "whoever comes back is waited for");
    hub.sweep();
    assert!(!hub.is_heard(session(1)));
    hub.publish(session(1), run(session(1), 1..=1)).expect("told to nobody");
}

#[test]
fn connections_are_limited_by_device_user_address_and_in_all() {
    let limits = |set: fn(&mut Limits)| {
        let mut limits = Limits::lifted();
        set(&mut limits);
        Hub::new(limits)
    };
    let by_device = limits(|l| l.connections_per_device_max = 1);
    let by_user = limits(|l| l.connections_per_user_max = 1);
    let by_address = limits(|l| l.connections_per_address_max = 1);
    let in_all = limits(|l| l.connections_max = 1);
    let other = who(2, 2);
    let cases = [
        (by_device, who(2, 1), TooMany::Device),
        (by_user, who(1, 2), TooMany::User),
        (by_address, other, TooMany::Address),
        (in_all, other, TooMany::All),
    ];
    for (hub, mut second, refusal) in cases {
        if refusal == TooMany::Address {
            second.address = who(1, 1).address;
        }
        let first = hub.connect(who(1, 1)).unwrap();
        assert_eq!(hub.connect(second).err(), Some(refusal));
        drop(first);
        assert_eq!(hub.connections(), 0);
        assert!(hub.connect(second).is_ok(), "{refusal}: not counted down");
    }
}

#[test]
fn somebody_is_here_as_long_as_one_connection_is() {
    let hub = hub_of(100);
    let (one, two) = (hub.connect(who(1, 1)).unwrap(), hub.connect(who(1, 2)).unwrap());
    let changes = hub.presence_changes();
    assert_eq!(changes.len(), 1);
    assert!(changes[0].online && changes[0].user == user(1));
    drop(one);
    assert!(hub.is_online(user(1)) && hub.presence_changes().is_empty());
    drop(two);
    assert!(!hub.is_online(user(1)));
    let changes = hub.presence_changes();
    assert!(changes.len() == 1 && !changes[0].online);
}
