//! The capacity model of `cargo xtask scale` against real servers: what it says of a small town is
//! what they count, exactly. The model is the same file.

#[path = "../../../../xtask/src/scale/model.rs"]
mod model;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use parlor_testkit::http::Request;
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::{Person, ServerProcess, TestServer, soon};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1;

use model::{Dice, Node, Town, channel_of};

const PEOPLE: usize = 240;
const ROOMS: usize = 40;
const LARGEST: usize = 90;
/// How often each member of a room speaks, at most.
const SAID_MOST: usize = 3;

/// A room that is to be.
struct Plan {
    members: Vec<usize>,
    /// Who speaks, in turn.
    speakers: Vec<usize>,
}

/// Rooms of sizes as the model has them, and what is said in each.
fn plans(seed: u64) -> Vec<Plan> {
    let mut dice = Dice::new(seed);
    let plan = |_| {
        let size = dice.size(2, LARGEST);
        let mut members = BTreeSet::new();
        while members.len() < size {
            members.insert(dice.below(PEOPLE));
        }
        let members: Vec<_> = members.into_iter().collect();
        let said = 1 + dice.below(SAID_MOST);
        let speakers = (0..said).map(|_| members[dice.below(size)]).collect();
        Plan { members, speakers }
    };
    (0..ROOMS).map(plan).collect()
}

/// Everybody, each connected to the node of their number.
struct Crowd {
    people: Vec<Person>,
    sockets: Vec<Socket>,
    sessions: Vec<String>,
}

impl Crowd {
    /// Makes the people and the rooms, and lets everybody listen to their rooms.
    async fn gather(people: Vec<Person>, plans: &[Plan]) -> Self {
        let mut sockets = join_all(people.iter().map(|who| Socket::open(who, Codec::Json))).await;
        let mut sessions = Vec::new();
        for (n, plan) in plans.iter().enumerate() {
            let (owner, others) = plan.members.split_first().unwrap();
            let others: Vec<_> = others.iter().map(|who| &people[*who]).collect();
            let room = people[*owner].room("private", &format!("room {n}"), &others).await;
            for who in &plan.members {
                let subscribed =
                    sockets[*who].subscribe(&room.main_session_id, None, &mut vec![]).await;
                subscribed.unwrap();
            }
            sessions.push(room.main_session_id);
        }
        Self { people, sockets, sessions }
    }

    /// Says everything that is planned, and counts what each socket hears of it.
    async fn talk(&mut self, plans: &[Plan]) -> Vec<usize> {
        for (plan, session) in plans.iter().zip(&self.sessions) {
            for speaker in &plan.speakers {
                self.people[*speaker].say(session, "something").await.unwrap();
            }
        }
        let wanted = |who: usize| {
            let of = plans.iter().filter(|plan| plan.members.contains(&who));
            of.map(|plan| plan.speakers.len()).sum()
        };
        let heard = self.sockets.iter_mut().enumerate().map(|(n, it)| hear(it, wanted(n)));
        join_all(heard).await
    }
}

/// Hears at least so many messages, and whatever comes before the answer to one more command.
async fn hear(socket: &mut Socket, wanted: usize) -> usize {
    let is_said = |heard: &Heard| match heard {
        Heard::Frame(Frame::Event(event)) => {
            matches!(event.kind, Some(v1::event::Kind::Posted(_)))
        }
        Heard::Frame(_) => false,
        Heard::Closed(code) => panic!("closed with {code}"),
    };
    let mut count = 0;
    while count < wanted {
        count += usize::from(is_said(&socket.next().await));
    }
    let mut more = Vec::new();
    let ping = |r#ref| Command::Ping(v1::Ping { r#ref });
    socket.ask(ping, &mut more).await.unwrap();
    count + more.iter().filter(|heard| is_said(heard)).count()
}

/// What the model says of the same town, with everybody connected to one of so many nodes.
fn predicted(plans: &[Plan], crowd: &Crowd, nodes: usize) -> Vec<Node> {
    let channel = |id: &str| channel_of(*uuid::Uuid::parse_str(id).unwrap().as_bytes());
    let mut town = Town::new(nodes);
    for (who, person) in crowd.people.iter().enumerate() {
        town.follow(channel(&person.id), who % nodes);
    }
    for (plan, session) in plans.iter().zip(&crowd.sessions) {
        let (mut members, mut said) = (vec![0; nodes], vec![0.0; nodes]);
        plan.members.iter().for_each(|who| members[who % nodes] += 1);
        plan.speakers.iter().for_each(|who| said[who % nodes] += 1.0);
        town.room(channel(session), &members, &said);
    }
    town.nodes()
}

fn messages_in(data: &std::path::Path) -> i64 {
    let database = rusqlite::Connection::open(data.join("parlor.sqlite")).unwrap();
    database.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_delivers_and_stores_what_the_model_says() {
    let plans = plans(7);
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(Person::new(server.address(), &format!("person{n}"), None).await);
    }
    let mut crowd = Crowd::gather(people, &plans).await;
    let heard: usize = crowd.talk(&plans).await.into_iter().sum();
    let [node] = predicted(&plans, &crowd, 1)[..] else { panic!("one node") };
    assert_eq!(heard as f64, node.deliveries, "deliveries");
    assert_eq!(messages_in(server.data_dir()) as f64, node.stored, "messages stored");
    assert_eq!(node.heard, 0.0, "nobody else is there to be heard");
    drop(crowd);
    server.stop().await;
}

/// A counter of a node.
async fn counted(node: &ServerProcess, name: &str) -> f64 {
    let answer = Request::new("GET", "/metrics").send(node.address()).await;
    assert_eq!(answer.status, 200, "this machine may read the metrics");
    let text = answer.text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map_or(0.0, |value| value.parse().expect("a counter is a number"))
}

const OUT: &str = "parlor_bus_events_total{way=\"out\"}";
const IN: &str = "parlor_bus_events_total{way=\"in\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_deliver_store_and_tell_each_other_what_the_model_says() {
    const NODES: usize = 3;
    let plans = plans(11);
    let database = parlor_parts::database().unwrap();
    let settings = TestServer::builder()
        .set("database_url", &database.url())
        .set("redis_url", &parlor_parts::redis_url().unwrap())
        .set("secret_key", "a secret that all of the nodes share");
    let nodes: Vec<_> = (0..NODES)
        .map(|_| ServerProcess::start_with(env!("CARGO_BIN_EXE_parlor-tested"), &settings))
        .collect();
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        people.push(nodes[n % NODES].person(&format!("person{n}")).await);
    }
    let mut crowd = Crowd::gather(people, &plans).await;
    // Who begins to listen is heard of a moment later: the first round does not count.
    crowd.talk(&plans).await;
    let mut before = Vec::new();
    for node in &nodes {
        before.push((counted(node, OUT).await, counted(node, IN).await));
    }
    let heard = crowd.talk(&plans).await;
    for (n, (node, predicted)) in nodes.iter().zip(predicted(&plans, &crowd, NODES)).enumerate() {
        let delivered: usize = heard.iter().skip(n).step_by(NODES).sum();
        assert_eq!(delivered as f64, predicted.deliveries, "node {n}: deliveries");
        let (out, came) = before[n];
        assert_eq!(counted(node, OUT).await - out, predicted.told, "node {n}: told");
        let all_came = async {
            while counted(node, IN).await - came < predicted.heard {
                tokio::task::yield_now().await;
            }
        };
        soon("what the others say", all_came).await;
        assert_eq!(counted(node, IN).await - came, predicted.heard, "node {n}: heard");
    }
}
