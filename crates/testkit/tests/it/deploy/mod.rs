//! What it takes to run a server elsewhere: the image, the compose files, the load balancer, the
//! systemd unit. No Docker engine is needed: each is run or read by the next real thing.

mod balancer;
mod compose;
mod dockerfile;
mod image;
mod replay;
mod unit;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("we are in it")
}

/// A file of the repository.
fn text_of(name: &str) -> String {
    let path = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
