//! The systemd unit, judged by systemd itself.

use std::process::Command;

use super::text_of;

const UNIT: &str = "deploy/parlor.service";
/// Exposure that `systemd-analyze security` may find, in tenths of ten: a plain unit has 96.
const EXPOSURE_MAX: &str = "--threshold=20";

fn analyze(args: &[&str], unit: &str) -> (bool, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("parlor.service");
    std::fs::write(&path, unit).unwrap();
    let done = Command::new("systemd-analyze").args(args).arg(&path).output();
    let done = done.expect("systemd-analyze is here: `cargo xtask test` installs it");
    let said = String::from_utf8_lossy(&done.stderr) + String::from_utf8_lossy(&done.stdout);
    (done.status.success() && done.stderr.is_empty(), said.into_owned())
}

#[test]
fn systemd_takes_the_unit_and_finds_it_closed() {
    // It wants the program to be there.
    let text = text_of(UNIT).replace("/usr/bin/parlor", env!("CARGO_BIN_EXE_parlor-tested"));
    let (fine, said) = analyze(&["verify"], &text);
    assert!(fine, "{said}");
    let (typo, _) = analyze(&["verify"], &text.replace("LimitNOFILE", "LimitNoFile"));
    assert!(!typo, "a misspelt key is not noticed");
    let security = ["security", "--offline=yes", "--no-pager", EXPOSURE_MAX];
    let (closed, said) = analyze(&security, &text);
    assert!(closed, "{said}");
    let (open, _) = analyze(
        &security,
        &text.replace("ProtectSystem=strict", "").replace("CapabilityBoundingSet", "#"),
    );
    assert!(!open, "an open unit is not noticed");
}

#[test]
fn the_unit_leaves_the_server_the_time_that_it_takes_to_stop() {
    let text = text_of(UNIT);
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key}=")));
        line.unwrap_or_else(|| panic!("no {key}")).to_owned()
    };
    assert_eq!(value("KillSignal"), "SIGTERM");
    assert!(value("TimeoutStopSec").parse::<u32>().unwrap() > 10);
    assert_eq!(value("StateDirectory"), "parlor");
    assert!(value("LimitNOFILE").parse::<u64>().unwrap() >= 100_000);
}
