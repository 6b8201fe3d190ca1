//! The web client's page of a room, as Lighthouse sees it in a new browser: what the budgets of a
//! page say. Lighthouse slows the network and, for a phone, the processor.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::figures::{self, Figures};
use super::machine;
use super::system::{BOUND, Data, Kind, parlor};
use crate::process::Background;
use crate::{tree, web};

const START: Duration = Duration::from_secs(10);
const FORMS: [(&str, &str); 2] = [("desktop", figures::DESKTOP), ("mobile", figures::PHONE)];
/// What is measured, its unit, and how many of Lighthouse's are one of it.
const MEASURES: [(&str, &str, f64); 7] = [
    (figures::PERFORMANCE, "", 1.0),
    (figures::ACCESSIBILITY, "", 1.0),
    (figures::BEST_PRACTICES, "", 1.0),
    (figures::LARGEST_PAINT, "s", 1e3),
    (figures::INTERACTIVE, "s", 1e3),
    (figures::BLOCKED, "ms", 1.0),
    (figures::LAYOUT_SHIFT, "", 1.0),
];

/// One run, on a server of its own for both sizes of screen.
pub(super) fn run(figures: &mut Figures) -> anyhow::Result<()> {
    web::install(&dir())?;
    let data = Data::new()?;
    let mut command = parlor(data.path());
    // The browser goes where the server is.
    command.env_remove("PARLOR_PUBLIC_URL");
    let mut server = Background::start(&mut machine::on_server_core(&command)?)?;
    let address = server.wait_for(BOUND, START)?;
    let url = format!("http://{}", address.trim_end_matches('/'));
    // A browser is many processes: those of a page have both cores anywhere else.
    machine::unpin()?;
    let result = FORMS.iter().try_for_each(|(form, name)| {
        let measured = measure(&url, form)?;
        for (what, unit, of) in MEASURES {
            let value = measured[what].as_f64().with_context(|| format!("no {what}"))?;
            figures.add(name, Kind::Parlor.name(), what, unit, value / of);
        }
        let failed = &measured["failed"];
        ensure!(failed.as_array().is_some_and(Vec::is_empty), "{name}: {failed}");
        Ok(())
    });
    server.stop();
    machine::pin(machine::LOAD_CORE)?;
    result
}

fn measure(url: &str, form: &str) -> anyhow::Result<Value> {
    let mut node = Command::new("node");
    node.arg(dir().join("measure.mjs")).arg(form).env("PARLOR_URL", url);
    let output = node.output().context("failed to run Node")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "Lighthouse: {}", said.trim());
    serde_json::from_slice(&output.stdout).context("Lighthouse said something else")
}

/// Where the packages of it are.
fn dir() -> PathBuf {
    tree::root().join("bench/lighthouse")
}
