//! The server of the browser tests and of schemathesis: the built binary on a free port, with a
//! folder of its own that is gone afterwards. Ends the server by its process id, whatever the
//! tests came to.

use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::process::Background;
use crate::tree;

/// What the server says once it can be reached.
const BOUND: &str = "listening on ";
const START: Duration = Duration::from_secs(20);

/// A running server for one test run.
pub(crate) struct TestServer {
    server: Background,
    data: std::path::PathBuf,
    /// Where it can be reached.
    pub(crate) url: String,
}

impl TestServer {
    /// Starts the binary of the dev profile, with its rate limits lifted: both make many
    /// requests in a row, and would spend their time being told to wait.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// The same, with these settings.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let data = tree::scratch("browser")?.join(format!("data-{}", std::process::id()));
        std::fs::create_dir_all(&data)?;
        let mut command = Command::new(tree::parlor("debug"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
        command.env("PARLOR_LIMITS", "off").envs(settings.iter().copied());
        let mut server = Background::start(&mut command)?;
        let url = server.wait_for(BOUND, START).context("the server did not start")?;
        Ok(Self { server, data, url })
    }

    /// Stops it, and gives what it logged.
    pub(crate) fn stop(self) -> String {
        let log = self.server.stop();
        let _ = std::fs::remove_dir_all(&self.data);
        log
    }
}
