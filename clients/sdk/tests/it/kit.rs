//! A real server, people who use it, and waiting for what happens.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use parlor_sdk::{Builder, Client, Message, Update};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

pub(crate) const PASSWORD: &str = "correct horse battery";
/// The file that the server's log goes to.
pub(crate) const LOG: &str = "log.txt";

pub(crate) const PASSPHRASE: &str = "a passphrase of the tests";

/// How long anything may take before the test has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The server as a child process, stopped by its own id.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// Starts it with these variables of the environment.
    pub(crate) fn start_with(settings: Vec<(&'static str, String)>) -> Self {
        let folder = TempDir::new().unwrap();
        let (child, url) = spawn(folder.path(), &settings);
        Self { child, url, folder, settings }
    }

    /// Kills it, as a power cut would, and starts it again on the same folder, on another port.
    pub(crate) fn kill_and_start(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.url) = spawn(self.folder.path(), &self.settings);
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A folder for somebody's device.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder that the server writes to.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder("d")
    }

    /// Registers somebody.
    pub(crate) async fn account(&self, name: &str) {
        Client::register(&self.url, name, PASSWORD).await.unwrap();
    }

    /// Somebody's device, which keeps what it hears in a folder and is closed by a passphrase.
    pub(crate) fn device(&self, name: &str) -> Builder {
        Client::builder(&self.url).folder(self.folder(name)).passphrase(PASSPHRASE)
    }

    /// Registers somebody, and signs in and starts one device of theirs.
    pub(crate) async fn person(&self, name: &str) -> Client {
        self.account(name).await;
        self.sign_in(name, name).await
    }

    /// Signs in and starts a device.
    pub(crate) async fn sign_in(&self, name: &str, device: &str) -> Client {
        started(self.device(device).sign_in(name, PASSWORD).await.unwrap()).await
    }
}

/// Starts a server on a folder, and gives its address.
fn spawn(folder: &Path, settings: &[(&'static str, String)]) -> (Child, String) {
    let binary = std::env::var("PARLOR_BIN").expect("PARLOR_BIN names the server's binary");
    let log = File::options().create(true).append(true).open(folder.join(LOG)).unwrap();
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.join("d"));
    command.env_clear().env("PARLOR_LIMITS", "off").env("PARLOR_LOG", "debug");
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    // Tokens are for one place, and the port is another one after each start.
    command.env("PARLOR_PUBLIC_URL", "http://parlor.test").current_dir(folder);
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").expect("it says where").to_owned();
    (child, url)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a client and waits until it is connected.
pub(crate) async fn started(client: Client) -> Client {
    let mut updates = client.updates();
    client.start();
    heard(&mut updates, |update| matches!(update, Update::Connected).then_some(())).await;
    client
}

/// Waits for something to happen.
pub(crate) async fn heard<T>(
    updates: &mut Receiver<Update>,
    wanted: impl Fn(&Update) -> Option<T>,
) -> T {
    let waiting = async {
        loop {
            match updates.recv().await {
                Ok(update) => {
                    if let Some(found) = wanted(&update) {
                        return found;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => panic!("the client is gone"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it happens in time")
}

/// Waits for a message that says this, opened.
pub(crate) async fn hears(updates: &mut Receiver<Update>, body: &str) -> Message {
    heard(updates, |update| match update {
        Update::Posted(message) | Update::Changed(message) if message.body == body => {
            Some((**message).clone())
        }
        _ => None,
    })
    .await
}

/// Waits until a client knows a session.
pub(crate) async fn knows(client: &Client, updates: &mut Receiver<Update>, session_id: &str) {
    while client.session(session_id).info().is_err() {
        heard(updates, |update| matches!(update, Update::Rooms).then_some(())).await;
    }
}

/// What is kept of a session.
pub(crate) fn bodies(client: &Client, session_id: &str) -> Vec<String> {
    let kept = client.session(session_id).timeline(None, 1_000).unwrap();
    kept.into_iter().map(|message| message.body).collect()
}

/// Whether a text stands anywhere in the files of a folder.
pub(crate) fn stands_in(folder: &Path, text: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return stands_in(&path, text);
        }
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}
