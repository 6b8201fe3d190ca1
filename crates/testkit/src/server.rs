//! A server in this process, on a port of its own, with a data folder of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use parlor_app::Clock;
use parlor_server::config::Raw;
use parlor_server::{Running, SystemClock};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::contract::Contract;
use crate::http::{Answer, Request};
use crate::mail::Letters;
use crate::{Person, person};

/// A server to be.
pub struct Builder {
    keys: Vec<(String, String)>,
    clock: Arc<dyn Clock>,
}

impl Builder {
    /// Sets a key of the configuration.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.keys.retain(|(name, _)| name != key);
        self.keys.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Sets a limit by its name.
    #[must_use]
    pub fn limit(self, name: &str, value: u64) -> Self {
        self.set(&format!("limit_{name}"), &value.to_string())
    }

    /// With the limits in force, and passwords hashed at full cost.
    #[must_use]
    pub fn limits_on(self) -> Self {
        self.set("limits", "on")
    }

    /// With another clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The keys that were set.
    pub(crate) fn keys(&self) -> &[(String, String)] {
        &self.keys
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(self) -> TestServer {
        count_panics();
        let data_dir = TempDir::new().expect("a temporary folder can be made");
        let mut raw = Raw::new();
        raw.add("test", self.keys);
        let folder = data_dir.path().to_string_lossy().into_owned();
        raw.add("test", [("data_dir".to_owned(), folder)]);
        let config = raw.read().expect("the test's configuration is sound");
        let running = Running::start(config, self.clock, None).await;
        let running = running.expect("the server starts");
        TestServer {
            address: running.address(),
            letters: Letters::of(data_dir.path()),
            running: Some(running),
            contract: OnceCell::new(),
            panics_before: panics(),
            data_dir,
        }
    }
}

/// A running server.
pub struct TestServer {
    address: SocketAddr,
    letters: Letters,
    running: Option<Running>,
    contract: OnceCell<Contract>,
    panics_before: usize,
    data_dir: TempDir,
}

impl TestServer {
    /// A server without rate limits and with cheap passwords.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server to be.
    pub fn builder() -> Builder {
        let keys = [("listen", "127.0.0.1:0"), ("limits", "off"), ("log", "warn")];
        let keys = keys.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Builder { keys: keys.to_vec(), clock: Arc::new(SystemClock) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for the façade of this name.
    ///
    /// # Panics
    /// When it does not.
    pub fn address_of(&self, facade: &str) -> SocketAddr {
        let running = self.running.as_ref().expect("it runs");
        let mut addresses = running.compat_addresses().iter();
        let found = addresses.find(|(_, dialect)| dialect.as_str() == facade);
        found.expect("it listens for the façade").0
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The letters that it wrote.
    pub fn letters(&self) -> &Letters {
        &self.letters
    }

    /// The folder of everything that it keeps.
    pub fn data_dir(&self) -> &std::path::Path {
        self.data_dir.path()
    }

    /// Registers somebody, with the password [`person::PASSWORD`], and signs them in.
    pub async fn person(&self, username: &str) -> Person {
        let contract = self.contract().await;
        Person::new(self.address, username, Some(contract)).await
    }

    /// Signs in somebody who has an account, from a new device.
    pub async fn device(&self, username: &str) -> Person {
        let contract = self.contract().await;
        Person::sign_in(self.address, username, person::PASSWORD, Some(contract)).await
    }

    /// What the server says of its own API.
    pub async fn contract(&self) -> Contract {
        let contract = self.contract.get_or_init(|| Contract::fetch(self.address));
        contract.await.clone()
    }

    /// Sends a request by nobody and checks the answer against the contract.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = request.send(self.address).await;
        let contract = self.contract().await;
        contract.check(request.method(), request.path(), &answer);
        answer
    }

    /// Fails when something has panicked since this server was started.
    ///
    /// # Panics
    /// Then.
    pub fn assert_no_panic(&self) {
        assert_eq!(panics(), self.panics_before, "something in the server panicked");
    }

    /// Stops it, as `SIGTERM` would.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            crate::soon("the end of the server", running.stop()).await;
        }
        self.assert_no_panic();
    }
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn panics() -> usize {
    PANICS.load(Ordering::SeqCst)
}

/// Counts panics of this process from now on. A test that panics itself fails anyway.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(info);
        }));
    });
}
