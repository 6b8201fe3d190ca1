//! A session with very many devices in it: what a new key for all of them costs who sends it.

use parlor_e2ee::{Machine, Members, Settings};
use tempfile::TempDir;

use crate::kit::{Device, SESSION, account, first_device, say};
use crate::relay::Relay;

/// Devices, unless `PARLOR_CROWD_DEVICES` says otherwise.
const DEVICES: usize = 40;

/// How often somebody leaves, and how often something is said to those who are left.
const LEAVES: usize = 5;
const MESSAGES: usize = 90;

/// What a device may cost, in bytes. The times are only told: other tests run beside.
const BYTES_MAX: usize = 2_500;

/// Ticks of a processor are hundredths of a second.
const TICK_MICROS: u64 = 10_000;

/// What the processors did for this process so far, with the key service in it.
fn micros() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    ticks.sum::<u64>() * TICK_MICROS
}

/// Says something; gives the bytes that went to the server, and what it took.
async fn cost(ana: &Device, relay: &Relay, members: &Members, settings: &Settings) -> (usize, u64) {
    let (bytes, before) = (relay.state().seen.len(), micros());
    ana.machine.seal(&ana.line, SESSION, members, settings, &say("hello")).await.unwrap();
    (relay.state().seen.len() - bytes, micros() - before)
}

#[tokio::test]
async fn a_new_key_for_a_crowd_costs_little_for_each_device() {
    let given = std::env::var("PARLOR_CROWD_DEVICES").ok();
    let devices = given.map_or(DEVICES, |given| given.parse().unwrap());
    let (relay, folder) = (Relay::default(), TempDir::new().unwrap());
    let mut members = Members::default();
    for n in 0..devices + LEAVES {
        first_device(&relay, &format!("p{n}")).await;
        members.user_ids.push(format!("p{n}"));
    }
    let machine =
        Machine::open(account("ana", "ana-1"), folder.path(), "a passphrase").await.unwrap();
    let ana = Device::with(&relay, "ana", "ana-1", machine).await;
    ana.machine.set_up_identity(&ana.line).await.unwrap();
    let settings = Settings { rotation_period_msgs: 100, ..Settings::default() };
    let first = cost(&ana, &relay, &members, &settings).await;
    let mut rekeys = Vec::new();
    for _ in 0..LEAVES {
        members.user_ids.pop();
        rekeys.push(cost(&ana, &relay, &members, &settings).await);
    }
    let before = micros();
    for _ in 0..MESSAGES {
        assert_eq!(cost(&ana, &relay, &members, &settings).await.0, 0, "nobody left or came");
    }
    let message = (micros() - before) / MESSAGES as u64;
    rekeys.sort_unstable();
    let bytes = rekeys[LEAVES / 2].0;
    let mut took: Vec<_> = rekeys.iter().map(|rekey| rekey.1).collect();
    took.sort_unstable();
    let took = took[LEAVES / 2];
    println!(
        "{devices} devices: first {first:?}, then {bytes} bytes and {took} µs for a new key \
         (median of {rekeys:?}), {message} µs for a message"
    );
    assert!(bytes > 0 && bytes <= devices * BYTES_MAX);
}
