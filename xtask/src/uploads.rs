//! `cargo xtask uploads`: files of full size whose connections are cut, and a server that is killed
//! while people send. The same tests run, smaller, in `cargo xtask test`.

use anyhow::Context as _;

use crate::{process, sim};

/// Send a large file over a connection that is cut again and again, and kill a server that takes
/// files.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often the server is killed.
    #[arg(long, default_value_t = 200)]
    kills: u64,
    /// How large the file is: `1GiB`, `50MiB`.
    #[arg(long, default_value = "1GiB", value_parser = bytes)]
    bytes: u64,
    /// How often its connection is cut.
    #[arg(long, default_value_t = 20)]
    cuts: u64,
    /// When the kills are; a failure is repeated by it.
    #[arg(long)]
    seed: Option<u64>,
}

/// The verb.
pub(crate) fn uploads(options: &Options) -> anyhow::Result<()> {
    // Memory is measured of a build that people run.
    let mut command = sim::testkit("files::cut", &["--release"]);
    command.env("PARLOR_UPLOAD_BYTES", options.bytes.to_string());
    command.env("PARLOR_UPLOAD_CUTS", options.cuts.to_string());
    command.env("PARLOR_UPLOAD_MEASURED", "1");
    process::run(&mut command)?;
    let mut command = sim::testkit("files::killed", &["--release"]);
    command.env("PARLOR_UPLOAD_KILLS", options.kills.to_string());
    command.envs(options.seed.map(|seed| ("PARLOR_UPLOAD_KILLS_SEED", seed.to_string())));
    process::run(&mut command)
}

/// A number of bytes.
fn bytes(text: &str) -> anyhow::Result<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        unit => anyhow::bail!("`{unit}` is none of B, KiB, MiB, GiB"),
    };
    let count: u64 = digits.parse().context("not a number of bytes")?;
    count.checked_mul(1 << unit).context("too many bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(bytes("1GiB").unwrap(), 1 << 30);
        assert_eq!(bytes("50MiB").unwrap(), 50 << 20);
        assert_eq!(bytes("7").unwrap(), 7);
        assert!(bytes("1GB").is_err() && bytes("GiB").is_err() && bytes("99999999999GiB").is_err());
    }
}
