//! The pages of `docs/operate/`, run as they stand, each in a folder of its own with the binary at
//! hand. Ports that they name become free ones.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::readme::examples;

/// The ports that the pages use.
const PORTS: [&str; 3] = ["8000", "8080", "8443"];

/// Runs a page's examples and returns what they print.
fn run(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate").join(page);
    let text = std::fs::read_to_string(&path).expect("the page is there");
    let mut script = examples(&text).expect("every mark has its block").join("\n");
    assert!(!script.is_empty(), "{page} has no examples to run");
    // Held at the same time, so that they differ.
    let free = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    for (port, free) in PORTS.iter().zip(&free) {
        let free = free.local_addr().unwrap().port();
        script = script.replace(&format!(":{port}"), &format!(":{free}"));
    }
    drop(free);
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    symlink(env!("CARGO_BIN_EXE_parlor-tested"), folder.path().join("parlor")).unwrap();
    let path = std::env::var("PATH").expect("there is a PATH");
    let path = format!("{}:{path}:/usr/sbin", folder.path().display());
    // Whatever happens, nothing that was started stays behind.
    let script = format!("trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n{script}");
    let mut bash = Command::new("bash");
    bash.args(["-eum", "-o", "pipefail", "-c", &script]).current_dir(folder.path());
    // What tests are told is no configuration of a server.
    let ours = std::env::vars().filter(|(name, _)| name.starts_with("PARLOR_"));
    ours.for_each(|(name, _)| _ = bash.env_remove(name));
    let done = bash.env("PATH", path).output().expect("bash is here");
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{page} fails:\n{script}\n--- out\n{out}\n--- err\n{said}");
    out
}

#[test]
fn the_page_about_tls_is_right() {
    let out = run("tls.md");
    assert!(out.contains("308 https://localhost:"), "{out}");
}

#[test]
fn the_page_about_reverse_proxies_is_right() {
    let out = run("reverse-proxy.md");
    assert!(out.contains("__Host-parlor_login="), "{out}");
}

#[test]
fn the_page_about_monitoring_is_right() {
    assert!(run("monitoring.md").contains("parlor_http_requests_total{"));
}

#[test]
fn the_page_about_upgrades_is_right() {
    assert!(run("upgrades.md").contains("\"store\":\"ok\""));
}
