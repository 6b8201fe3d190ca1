//! The stock client of Socket.IO, run by Node against a server of the dev profile: what the door
//! promises is what that client makes of it.

use std::path::PathBuf;
use std::process::Command;

use crate::browser::TestServer;
use crate::process::exists;
use crate::steps::Steps;
use crate::{test, tree, web};

/// The step, with its packages.
pub(crate) fn tests(steps: &mut Steps) -> anyhow::Result<()> {
    if !exists("npm") {
        return steps.missing("socket.io client", "Node is not installed");
    }
    steps.call("socket.io packages", || web::install(&dir()))?;
    test::build_server()?;
    let server = TestServer::start()?;
    let mut tests = Command::new("npm");
    tests.arg("test").current_dir(dir()).env("PARLOR_URL", &server.url);
    let result = steps.run("socket.io client", tests);
    std::fs::write(steps.logs().join("socketio-server.log"), server.stop())?;
    result
}

fn dir() -> PathBuf {
    tree::root().join("tests/socketio")
}
