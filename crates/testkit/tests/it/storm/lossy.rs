//! A Redis that loses messages: everybody hears everything all the same, and soon.

use std::collections::BTreeMap;
use std::time::Duration;

use parlor_testkit::clock::Stopwatch;
use parlor_testkit::person::fresh_id;
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::{Cluster, Person};
use parlor_wire::command::Codec;
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::town::people_at;
use super::{NODES, binary, count, seed, settings};
use crate::disconnects::Heads;
use crate::disconnects::line::ask;
use crate::simulation::dice::Dice;

/// Of Redis's messages, one in so many does not come.
const LOST_ONE_IN: u64 = 10;

/// How late anything may be heard.
const LATE_MAX: Duration = Duration::from_secs(5);

/// Rooms, and people who listen in all of them: as many at each node.
const ROOMS: usize = 10;
const LISTENERS: usize = 12;

/// Messages between two silences, in which a lost last event would be missed for ever.
const BURST: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_loses_is_heard_soon_all_the_same() {
    let bursts = count("PARLOR_STORM_BURSTS", 200);
    let seed = seed();
    let settings = settings();
    let cluster = Cluster::losing(binary(), NODES, settings, LOST_ONE_IN, seed).await;
    let nodes: Vec<_> = cluster.nodes.iter().map(|node| node.address()).collect();
    let listeners = people_at(&nodes, "listener", LISTENERS).await;
    let speaker = Person::new(cluster.address(), "speaker", None).await;
    let mut sessions = Vec::new();
    for n in 0..ROOMS {
        let members: Vec<&Person> = listeners.iter().collect();
        let room = speaker.room("public", &format!("Room {n}"), &members).await;
        sessions.push(room.main_session_id);
    }
    let mut ears = JoinSet::new();
    let mut cursors = Vec::new();
    for person in &listeners {
        let (told, cursor) = watch::channel(BTreeMap::new());
        let mut socket = Socket::open(person, Codec::Json).await;
        let mut early = Vec::new();
        for session in &sessions {
            socket.subscribe(session, Some(0), &mut early).await.unwrap();
        }
        ears.spawn(listen(socket, early, told));
        cursors.push(cursor);
    }
    let mut dice = Dice::new(seed);
    let mut latest = Duration::ZERO;
    for burst in 0..bursts {
        let heads = speak(&cluster, &speaker, &sessions, &mut dice).await;
        let began = Stopwatch::start();
        for cursor in &mut cursors {
            let all = cursor.wait_for(|cursors| {
                heads.iter().all(|(session, head)| cursors.get(session) >= Some(head))
            });
            let heard = timeout(LATE_MAX.saturating_sub(began.elapsed()), all).await;
            assert!(heard.is_ok_and(|heard| heard.is_ok()), "not all is heard of burst {burst}");
        }
        latest = latest.max(began.elapsed());
    }
    let (messages, lost) = cluster.loss.as_ref().unwrap().messages();
    println!(
        "{bursts} bursts of {BURST}: Redis sent {messages} messages, of which {lost} were lost; \
         everybody had heard everything after {:.2} s at the latest",
        latest.as_secs_f64()
    );
    assert!(lost > 0, "nothing was lost, so nothing was shown");
}

/// Says a few things, each on another node; where each log is afterwards.
async fn speak(cluster: &Cluster, by: &Person, sessions: &[String], dice: &mut Dice) -> Heads {
    let mut heads = Heads::new();
    for _ in 0..BURST {
        let session = &sessions[dice.index(sessions.len())];
        let said = v1::SendRequest {
            client_id: fresh_id(),
            content: "are you there?".to_owned(),
            ..v1::SendRequest::default()
        };
        let path = format!("/sessions/{session}/messages");
        let request = by.request("POST", &path).json(&serde_json::to_string(&said).unwrap());
        let node = cluster.nodes[dice.index(NODES)].address();
        let answer = ask(node, &request).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text());
        let message: v1::Message = serde_json::from_slice(&answer.body).unwrap();
        heads.insert(session.clone(), message.seq);
    }
    heads
}

/// Hears everything in order, without a hole or a double, for ever.
async fn listen(mut socket: Socket, early: Vec<Heard>, told: watch::Sender<BTreeMap<String, i64>>) {
    let mut early = early.into_iter();
    loop {
        let heard = match early.next() {
            Some(heard) => heard,
            None => socket.next().await,
        };
        match heard {
            Heard::Frame(Frame::Event(v1::Event { session_id: Some(session), seq, .. })) => {
                let seq = seq.expect("an event of a session has its place");
                told.send_modify(|cursors| {
                    let last = cursors.insert(session, seq).unwrap_or(0);
                    assert_eq!(seq, last + 1, "a hole or a double");
                });
            }
            Heard::Frame(_) => {}
            Heard::Closed(code) => panic!("a line is closed with {code}"),
        }
    }
}
