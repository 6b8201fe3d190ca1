//! Faults that are planted one at a time, to show that the simulation finds each. A fault is for a
//! whole process, so each is hunted in a process of its own: this test, started again.

use std::fmt::Write as _;
use std::process::Command;

use super::{SEED, hunt, number, seeds};

/// Schedules within which each fault must be found.
const WITHIN: u64 = 3_000;

/// Stands before what a process has found.
const FOUND: &str = "found: ";

/// Names the fault that this process is to hunt.
const PLANTED: &str = "PARLOR_SIM_FAULT";

/// How often a fault strikes in one schedule.
#[derive(Clone, Copy)]
enum Often {
    Always,
    /// At one place that the seed names.
    Once,
}

/// What is planted, and where.
const FAULTS: [(&str, &str, Often); 16] = [
    ("told and answered before it is committed", "store::commit::tell-first", Often::Once),
    ("answered before it is committed, and then lost", "store::commit::answer-first", Often::Once),
    ("the access list is not compared", "store::append::skip-acl", Often::Always),
    ("a removal does not change the access version", "store::acl::not-bumped", Often::Always),
    ("a repeated send is not recognised", "store::receipts::forget", Often::Always),
    ("a seq is passed over", "store::log::skip-seq", Often::Once),
    ("a batch is not told", "app::deliver::drop", Often::Once),
    ("views outlive a removal", "app::views::deaf", Often::Always),
    ("what is told twice is heard twice", "hub::lane::no-dedupe", Often::Always),
    ("a hole is not noticed", "hub::lane::ignore-hole", Often::Always),
    ("who is behind is not told so", "hub::lane::pass-over", Often::Always),
    ("the bell does not ring", "hub::bell::mute", Often::Once),
    ("one's own leaving does not end the hearing", "hub::ear::hear-on", Often::Always),
    ("two frames change places", "hub::ear::swap", Often::Once),
    ("a log is resumed one too late", "doors::listening::resume-late", Often::Always),
    ("a log is resumed one too early", "doors::listening::resume-early", Often::Always),
];

#[test]
fn every_planted_fault_is_found() {
    if let Some(fault) = number(PLANTED) {
        let found = hunt_here(usize::try_from(fault).unwrap());
        return println!("{FOUND}{}", found.unwrap_or_default());
    }
    let mut table = format!("{:<46} schedules  what the checker said\n", "planted");
    let mut missed = Vec::new();
    for (fault, (name, ..)) in FAULTS.iter().enumerate() {
        let row = hunt_elsewhere(fault);
        let _ = writeln!(table, "{name:<46} {}", row.as_deref().unwrap_or("NOT FOUND"));
        if row.is_none() {
            missed.push(*name);
        }
    }
    println!("{table}");
    assert!(missed.is_empty(), "not found within {WITHIN} schedules: {missed:?}\n{table}");
}

/// Hunts a fault in another process; how soon it was found and what was said, if it was.
fn hunt_elsewhere(fault: usize) -> Option<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "simulation::faults::every_planted_fault_is_found", "--nocapture"]);
    let output = command.env(PLANTED, fault.to_string()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", FAULTS[fault].0);
    let row = text.lines().find_map(|line| line.split_once(FOUND)).map(|(_, row)| row);
    row.filter(|row| !row.is_empty()).map(str::to_owned)
}

fn hunt_here(fault: usize) -> Option<String> {
    let (_, point, often) = FAULTS[fault];
    let scenario = fail::FailScenario::setup();
    let plant = |seed: Option<u64>| match (seed, often) {
        (None, _) => fail::remove(point),
        (Some(_), Often::Always) => fail::cfg(point, "return").unwrap(),
        (Some(seed), Often::Once) => {
            fail::cfg(point, &format!("{}*off->1*return", seed % 16)).unwrap();
        }
    };
    let first = number("PARLOR_SIM_SEED").unwrap_or(SEED);
    let found = hunt((1..=WITHIN).zip(seeds(first)), &plant);
    scenario.teardown();
    found.map(|(n, seed, failure)| format!("{n:>9}  {failure} ({seed:#x})"))
}
