//! The command line, and what stands in the environment in its place.

use std::io::{Error, ErrorKind};
use std::path::PathBuf;

use clap::Parser;

use crate::home::Home;
use crate::start::Given;

/// Parlor in a terminal.
///
/// Asks for the server, the name and the password when it is started for the first time, and keeps
/// them closed by a passphrase. F1 shows what keys there are.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "parlor-tui",
    version,
    after_help = "Examples:\n  parlor tui\n  parlor tui --server https://chat.example.org\n  \
                  parlor tui --folder ~/.local/share/parlor-work"
)]
pub struct Args {
    /// The server's address, for the first time.
    #[arg(long, value_name = "URL", env = "PARLOR_URL")]
    server: Option<String>,
    /// Where everything of this login is kept [default: ~/.local/share/parlor].
    #[arg(long, value_name = "FOLDER", env = "PARLOR_FOLDER")]
    folder: Option<PathBuf>,
    /// The name to sign in by, for the first time.
    #[arg(long, value_name = "NAME", env = "PARLOR_LOGIN")]
    name: Option<String>,
    /// Its password: from the environment only, since others see what is typed as an argument.
    #[arg(skip)]
    password: Option<String>,
    /// What closes that which is kept: from the environment only.
    #[arg(skip)]
    passphrase: Option<String>,
}

impl Args {
    /// Reads the command line and the environment.
    pub fn read() -> Self {
        let mut args = Self::parse();
        args.password = std::env::var("PARLOR_PASSWORD").ok();
        args.passphrase = std::env::var("PARLOR_PASSPHRASE").ok();
        args
    }

    /// Where everything is kept, and what is known for signing in.
    ///
    /// # Errors
    /// When the folder belongs to another server or name than was asked for.
    pub(crate) fn split(self) -> Result<(Home, Given), Error> {
        let home = Home::new(self.folder.unwrap_or_else(Home::usual));
        if let Some((server, name)) = home.signed_in() {
            let other = |asked: &Option<String>, kept: &str| {
                asked.as_ref().is_some_and(|asked| asked.trim_end_matches('/') != kept)
            };
            if other(&self.server, &server) || other(&self.name, &name) {
                let text = format!(
                    "{} is for {name} at {server}: name another one by --folder, or sign out \
                     there",
                    home.path().display()
                );
                return Err(Error::new(ErrorKind::AlreadyExists, text));
            }
        }
        let given = Given {
            server: self.server,
            name: self.name,
            password: self.password,
            passphrase: self.passphrase,
        };
        Ok((home, given))
    }
}
