//! Nothing that was started stays: not after a panic, and not when the process that started it
//! is killed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use parlor_parts::{Haproxy, Postgres, Redis};

use crate::listens;

/// Set for the copy of this test that is to be killed.
const HELD: &str = "PARLOR_PARTS_HELD";

#[test]
fn a_panic_ends_what_was_started() {
    let (told, heard) = std::sync::mpsc::sync_channel(1);
    let holder = std::thread::spawn(move || {
        let part = Redis::start().unwrap();
        told.send(part.address()).unwrap();
        panic!("on purpose");
    });
    let address = heard.recv().unwrap();
    assert!(holder.join().is_err());
    assert!(!listens(address));
}

/// Starts itself a second time; the second one starts parts, says where they are, and is killed.
#[test]
fn whoever_is_killed_takes_the_parts_along() {
    if std::env::var_os(HELD).is_some() {
        let (postgres, redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
        let proxy = Haproxy::start(&[]).unwrap();
        println!("\nat {} {} {}", postgres.address(), redis.address(), proxy.address());
        loop {
            std::thread::park();
        }
    }
    let name = "ends::whoever_is_killed_takes_the_parts_along";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(HELD, "1").stdout(Stdio::piped());
    let mut holder = command.spawn().unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let places = lines.map_while(Result::ok).find_map(|line| {
        let places = line.strip_prefix("at ")?.split(' ').map(|place| place.parse().unwrap());
        Some(places.collect::<Vec<SocketAddr>>())
    });
    let places = places.unwrap();
    assert!(places.iter().all(|place| listens(*place)), "{places:?}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    // Their end takes a moment: as long as they like, but no more than 10 s.
    let gone = (0..1_000).any(|_| {
        std::thread::park_timeout(Duration::from_millis(10));
        places.iter().all(|place| !listens(*place))
    });
    assert!(gone, "{places:?}");
}
