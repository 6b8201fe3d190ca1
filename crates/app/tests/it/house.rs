//! An app with a database of its own, a clock that stands still, and a letter box.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parlor_app::accounts::{Login, Register, Registered, SignedIn};
use parlor_app::mail::{Letter, MailError};
use parlor_app::{App, Clock, Error, Hashing, Hidden, Mail, Parts, Secret, Settings};
use parlor_blobs::Disk;
use parlor_domain::{Limits, Time};
use parlor_hub::Hub;
use parlor_store::sqlite::{SqliteConfig, SqliteStore};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) store: Arc<SqliteStore>,
    letters: watch::Receiver<Vec<Letter>>,
    tasks: TaskTracker,
    _folder: TempDir,
}

pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn pass(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

struct LetterBox(watch::Sender<Vec<Letter>>);

#[async_trait]
impl Mail for LetterBox {
    async fn send(&self, letter: Letter) -> Result<(), MailError> {
        self.0.send_modify(|letters| letters.push(letter));
        Ok(())
    }
}

impl House {
    pub(crate) fn new(verification_required: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parlor.sqlite");
        let (sink, mut commits) = mpsc::channel(64);
        let store = SqliteStore::open(&SqliteConfig { path, readers: 1 }, sink).unwrap();
        let unheard = TaskTracker::new();
        unheard.spawn(async move { while commits.recv().await.is_some() {} });
        let tasks = TaskTracker::new();
        let clock = Arc::new(StillClock(AtomicI64::new(1_700_000_000_000_000)));
        let (letter_box, letters) = watch::channel(Vec::new());
        let store = Arc::new(store);
        let limits = Limits { sweep_rows_max: 2, ..Limits::default() };
        let app = App::new(Parts {
            store: store.clone(),
            egress: None,
            blobs: Arc::new(Disk::open(&folder.path().join("blobs")).unwrap()),
            hub: Hub::new(limits),
            bus: Arc::new(parlor_bus::Local),
            shared: false,
            clock: clock.clone(),
            limits,
            secret: Secret::new(vec![7; 32]).unwrap(),
            mail: Some(Arc::new(LetterBox(letter_box))),
            settings: Settings {
                verification_required,
                hashing: Hashing::Minimal,
                guests: true,
                ..Settings::default()
            },
            tasks: tasks.clone(),
        });
        Self { app, clock, store, letters, tasks, _folder: folder }
    }

    pub(crate) async fn register(&self, name: &str) {
        self.try_register(name, &format!("{name}@example.org")).await.unwrap();
    }

    pub(crate) async fn try_register(&self, name: &str, email: &str) -> Result<Registered, Error> {
        let asked = Register {
            username: name.into(),
            email: Some(email.into()),
            password: Hidden::new(PASSWORD),
            name: None,
            address: address("10.0.0.1"),
        };
        self.app.register(asked).await
    }

    pub(crate) async fn login(
        &self,
        name: &str,
        password: &str,
        from: &str,
    ) -> Result<SignedIn, Error> {
        let asked = Login {
            login: Hidden::new(name),
            password: Hidden::new(password),
            device_name: None,
            agent: None,
            address: address(from),
            dialect: None,
        };
        self.app.login(asked).await
    }

    pub(crate) async fn signed_in(&self, name: &str) -> SignedIn {
        self.login(name, PASSWORD, "10.0.0.1").await.unwrap()
    }

    pub(crate) async fn is_good(&self, proofs: &SignedIn) -> bool {
        let token = proofs.access_token.expose();
        self.app.authenticate_bearer(token).await.is_ok()
    }

    /// Waits until nothing goes on behind anybody's back.
    pub(crate) async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    /// The letter that is the `nth` to come.
    pub(crate) async fn letter(&self, nth: usize) -> Letter {
        let mut letters = self.letters.clone();
        let come = letters.wait_for(|letters| letters.len() >= nth).await;
        come.unwrap()[nth - 1].clone()
    }

    /// The code in the letter that is the `nth` to come.
    pub(crate) async fn code(&self, nth: usize) -> Hidden {
        let text = self.letter(nth).await.text;
        let (_, rest) = text.split_once("The code is ").unwrap();
        Hidden::new(&rest[..6])
    }
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}
