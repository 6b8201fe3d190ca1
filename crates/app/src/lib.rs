//! The use cases of Parlor, one verb a file.
//!
//! Owns what a person can do, from the request in the product's words to the answer in the
//! product's words: it asks the domain for the decision, the store for the deed, the hub for the
//! telling. Refuses HTTP, SQL and byte formats.

pub mod accounts;
pub mod actor;
pub mod clock;
mod courier;
pub mod deliver;
mod digest;
pub mod error;
pub mod jobs;
pub mod mail;
pub mod messages;
mod passwords;
mod pauses;
mod people;
pub mod presence;
pub mod rates;
pub mod rooms;
pub mod secret;
pub mod sessions;
pub mod settings;
pub mod users;
mod views;

use std::sync::Arc;

use parlor_domain::{Limits, Time};
use parlor_hub::Hub;
use parlor_store::Store;
use tokio_util::task::TaskTracker;

pub use actor::Actor;
pub use clock::Clock;
pub use error::Error;
pub use mail::Mail;
pub use parlor_store::accounts::CodeOutcome;
pub use parlor_store::handles::{Listing, Which};
pub use parlor_store::messages::{MessagePage, Page};
pub use parlor_store::{Changed, LogPage, Posted, UserLogPage};
pub use secret::{Hidden, Secret};
pub use settings::{Hashing, Settings};

use accounts::live::Live;
use accounts::tokens::Tokens;
use courier::Courier;
use digest::Digests;
use passwords::Passwords;
use people::People;
use presence::Turned;
use rates::Rates;
use views::Views;

/// The use cases, and what they need to be done.
pub struct App {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    settings: Settings,
    tokens: Tokens,
    live: Arc<Live>,
    passwords: Passwords,
    rates: Rates,
    views: Views,
    people: People,
    digests: Digests,
    courier: Arc<Courier>,
    turned: Turned,
    tasks: TaskTracker,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// Tells.
    pub hub: Arc<Hub>,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// The limits in force.
    pub limits: Limits,
    /// The secret that every key is derived from.
    pub secret: Secret,
    /// Carries letters; `None`: nobody does.
    pub mail: Option<Arc<dyn Mail>>,
    /// What the operator chose.
    pub settings: Settings,
    /// Knows every task, so that shutdown can join them.
    pub tasks: TaskTracker,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let courier = Arc::new(Courier::new(&parts));
        let issuer = parts.settings.issuer.clone();
        let issuer = issuer.unwrap_or_else(|| format!("urn:parlor:{}", parts.store.epoch()));
        Arc::new(Self {
            tokens: Tokens::new(&parts.secret, issuer, parts.settings.access_token_ttl),
            live: Arc::default(),
            passwords: Passwords::new(parts.settings.hashing),
            rates: Rates::new(&parts.limits),
            views: Views::default(),
            people: People::default(),
            digests: Digests::new(&parts.secret),
            courier,
            turned: Turned::default(),
            store: parts.store,
            hub: parts.hub,
            clock: parts.clock,
            limits: parts.limits,
            settings: parts.settings,
            tasks: parts.tasks,
        })
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the operator chose.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Who is here and who listens.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Names this history: cursors of another epoch are void.
    pub fn epoch(&self) -> &str {
        self.store.epoch()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub async fn check_store(&self) -> Result<(), Error> {
        Ok(self.store.check().await?)
    }

    /// Counts one change of the actor's against their rate.
    fn admit(&self, actor: &Actor) -> Result<Time, Error> {
        let now = self.clock.now();
        self.rates.commands.take(actor.user, now)?;
        Ok(now)
    }
}
