//! The image that the Dockerfile makes, run as a container is: its root is all there is, nobody is
//! root, and the health check is the image's own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::dockerfile::{Step, stages};
use super::replay::{Image, compiles, is_root, replay};
use super::text_of;
use parlor_testkit::PATIENCE;

/// Bytes that the image may have when it is compiled as the Dockerfile says.
const BYTES_MAX: u64 = 64 << 20;

/// A program in the image, as the image says that it is run.
fn inside(image: &Image, command: &[String], listen: &str) -> Command {
    let id = image.user.to_string();
    let mut program = Command::new("unshare");
    program.arg("--root").arg(&image.root).arg("--wd").arg(&image.workdir);
    if is_root() {
        program.args(["--setgid", &id, "--setuid", &id]);
    } else {
        // Whoever is not root already is nobody, and only needs a name space to change the root.
        program.args(["--user", "--map-user", &id, "--map-group", &id]);
    }
    program.args(command).env_clear().envs(image.env.iter().cloned());
    // Another port than everybody's: tests run side by side.
    program.env("PARLOR_LISTEN", listen);
    program
}

struct Container(Child);

impl Container {
    fn start(image: &Image) -> (Self, SocketAddr) {
        let mut command = inside(image, &image.command, "0.0.0.0:0");
        let child = command.stdout(Stdio::piped()).spawn().expect("`unshare` is here");
        let mut container = Self(child);
        let out = container.0.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("it says something or ends");
        let address = line.trim().strip_prefix("listening on http://").map(str::parse);
        let Some(Ok(address)) = address else { panic!("the image does not start: {line:?}") };
        (container, address)
    }

    /// Stops it as an engine does, and returns whether it ended well.
    fn stop(mut self) -> bool {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM).expect("it runs");
        self.0.wait().expect("it is our child").success()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(path: &str, to: SocketAddr) -> String {
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let host = to.port();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost:{host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn bytes_in(path: &Path) -> u64 {
    let of = |entry: std::io::Result<std::fs::DirEntry>| bytes_in(&entry.unwrap().path());
    match std::fs::read_dir(path) {
        Ok(entries) => entries.map(of).sum(),
        Err(_) => path.metadata().unwrap().len(),
    }
}

#[test]
fn the_image_serves_on_every_address_and_runs_as_nobody() {
    let image = replay(&stages(&text_of("Dockerfile")));
    let size = bytes_in(&image.root);
    println!("the image has {:.1} MiB", size as f64 / f64::from(1 << 20));
    assert!(!compiles() || size < BYTES_MAX, "{size} bytes are no small image");
    assert!(!image.root.join("bin/sh").exists(), "an image without a shell");

    let (container, address) = Container::start(&image);
    let status = std::fs::read_to_string(format!("/proc/{}/status", container.0.id())).unwrap();
    let id = if is_root() { image.user } else { rustix::process::geteuid().as_raw() };
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    assert!(id != 0 && ids.split_whitespace().all(|uid| uid == id.to_string()), "{ids}");
    if is_root() {
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        assert_eq!(effective.trim(), "0000000000000000", "it may do what root may");
    }
    // An address that only a server on every address has.
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], address.port()));
    assert!(get("/health", elsewhere).starts_with("HTTP/1.1 200 "));
    assert!(get("/ready", elsewhere).starts_with("HTTP/1.1 200 "));
    let client = get("/app/", elsewhere);
    assert!(!compiles() || client.contains("/app/assets/"), "no web client inside: {client}");

    let listen = format!("0.0.0.0:{}", address.port());
    let well = || inside(&image, &image.health, &listen).status().unwrap().success();
    assert!(well(), "the health check says no while it serves");
    let database = image.at("/data/parlor.sqlite");
    assert!(database.metadata().is_ok_and(|file| !is_root() || file.uid() == image.user));
    assert!(container.stop(), "it does not end well when asked to");
    assert!(!well(), "the health check says yes when nothing runs");
    let (container, _) = Container::start(&image);
    assert!(container.stop(), "it does not start again on its volume");
}

#[test]
fn the_image_says_how_it_is_to_be_run() {
    let all = stages(&text_of("Dockerfile"));
    let last = all.last().unwrap();
    assert_eq!(last.base, "scratch");
    let says = |step: &Step| last.steps.contains(step);
    let env = last.steps.iter().find_map(|step| match step {
        Step::Env(pairs) => Some(pairs),
        _ => None,
    });
    let has = |name: &str, value: &str| {
        env.is_some_and(|env| env.contains(&(name.to_owned(), value.to_owned())))
    };
    assert!(has("PARLOR_LISTEN", "0.0.0.0:8000") && says(&Step::Expose(8000)));
    assert!(has("PARLOR_DATA_DIR", "/data") && says(&Step::Volume("/data".to_owned())));
    assert!(says(&Step::StopSignal("SIGTERM".to_owned())));
}

#[test]
fn the_image_is_compiled_by_what_the_sources_ask_for() {
    let all = stages(&text_of("Dockerfile"));
    let base = |name: &str| &*all.iter().find(|stage| stage.name == name).unwrap().base;
    let manifest: toml::Table = text_of("Cargo.toml").parse().unwrap();
    let version = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(base("build").starts_with(&format!("rust:{version}-")), "{}", base("build"));
    let package: serde_json::Value = serde_json::from_str(&text_of("web/package.json")).unwrap();
    let least = package["engines"]["node"].as_str().unwrap().trim_start_matches(">=");
    let least: u32 = least.split('.').next().unwrap().parse().unwrap();
    let node = base("web").strip_prefix("node:").unwrap();
    let major: u32 = node.split(['.', '-']).next().unwrap().parse().unwrap();
    assert!(major > least, "node {major} where {least} or later is asked for");
}
