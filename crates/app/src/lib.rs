//! The use cases of Parlor, one verb a file.
//!
//! Owns what a person can do, from the request in the product's words to the answer in the
//! product's words: it asks the domain for the decision, the store for the deed, the hub for the
//! telling. Refuses HTTP, SQL and byte formats.

pub mod accounts;
pub mod actor;
pub mod clock;
mod courier;
pub mod decay;
pub mod deliver;
mod digest;
pub mod drafts;
pub mod e2ee;
mod early;
pub mod error;
pub mod exchange;
pub mod files;
pub mod heal;
pub mod hear;
pub mod jobs;
pub mod mail;
pub mod messages;
mod neighbours;
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

use parlor_blobs::Blobs;
use parlor_bus::{Bus, Topic, Word};
use parlor_domain::{Limits, Time};
use parlor_egress::Egress;
use parlor_hub::{Hub, Key};
use parlor_store::Store;
use parlor_wire::Dialect;
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::task::TaskTracker;

pub use actor::Actor;
pub use clock::Clock;
pub use error::Error;
pub use mail::Mail;
pub use parlor_bus::State as BusState;
pub use parlor_media::is_shown as media_is_shown;
pub use parlor_store::accounts::CodeOutcome;
pub use parlor_store::handles::{Listing, Which};
pub use parlor_store::messages::{MessagePage, Page};
pub use parlor_store::threads::Followed;
pub use parlor_store::{Changed, LogPage, Posted, UserLogPage};
pub use secret::{Hidden, Secret};
pub use settings::{Hashing, Settings};

use accounts::live::Live;
use accounts::tokens::Tokens;
use courier::Courier;
use digest::Digests;
use early::Early;
use files::Tickets;
use files::Turns;
use heal::Health;
use jobs::Bells;
use neighbours::Neighbours;
use passwords::Passwords;
use pauses::Pauses;
use people::People;
use presence::Turned;
use rates::Rates;
use views::Views;

/// The use cases, and what they need to be done.
pub struct App {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    /// Fetches what is behind links; nothing where that is switched off.
    egress: Option<Egress>,
    hub: Arc<Hub>,
    bus: Arc<dyn Bus>,
    /// Whether other nodes may commit to the same store.
    shared: bool,
    clock: Arc<dyn Clock>,
    limits: Limits,
    settings: Settings,
    tokens: Tokens,
    live: Arc<Live>,
    passwords: Passwords,
    pauses: Pauses,
    rates: Rates,
    views: Views,
    people: People,
    digests: Digests,
    courier: Arc<Courier>,
    turned: Turned,
    early: Early,
    health: Health,
    neighbours: Neighbours,
    turns: Turns,
    tickets: Tickets,
    /// Places for looking into pictures.
    drawing: Arc<Semaphore>,
    bells: Bells,
    /// The name of the installation in signed ids, once it is known.
    server_name: OnceCell<String>,
    tasks: TaskTracker,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// Fetches what is behind links; `None`: nobody does.
    pub egress: Option<Egress>,
    /// Keeps the bytes of files.
    pub blobs: Arc<dyn Blobs>,
    /// Tells.
    pub hub: Arc<Hub>,
    /// Tells other nodes.
    pub bus: Arc<dyn Bus>,
    /// Whether other nodes may commit to the same store: nothing that it says is then kept for
    /// long, and what they commit is looked for.
    pub shared: bool,
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
        let shared = parts.shared;
        follow(&parts);
        Arc::new(Self {
            tokens: Tokens::new(&parts.secret, issuer, parts.settings.access_token_ttl),
            live: Arc::new(Live::new(shared)),
            passwords: Passwords::new(parts.settings.hashing),
            pauses: Pauses::new(&parts.limits),
            rates: Rates::new(&parts.limits, shared),
            views: Views::new(shared),
            people: People::new(shared),
            digests: Digests::new(&parts.secret),
            courier,
            turned: Turned::default(),
            early: Early::default(),
            health: Health::new(parts.clock.now()),
            neighbours: Neighbours::default(),
            turns: Turns::default(),
            tickets: Tickets::new(&parts.secret),
            drawing: Arc::new(Semaphore::new(places(parts.limits.image_tasks_max))),
            bells: Bells::default(),
            server_name: OnceCell::new(),
            store: parts.store,
            blobs: parts.blobs,
            egress: parts.egress,
            hub: parts.hub,
            bus: parts.bus,
            shared,
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

    /// Whether the bus carries.
    pub fn bus_state(&self) -> BusState {
        self.bus.state()
    }

    /// Lets the connections of one façade hear something that is not kept, on all nodes: a text.
    pub fn murmur(&self, dialect: Dialect, text: &[u8]) {
        self.hub.murmur_text(dialect, text);
        self.bus.say(Word::Murmur(dialect, text.to_vec()));
    }

    /// Counts one change of the actor's against their rate.
    fn admit(&self, actor: &Actor) -> Result<Time, Error> {
        let now = self.clock.now();
        self.rates.commands.take(actor.user, now)?;
        Ok(now)
    }
}

/// So many at once, and at least one.
fn places(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS)
}

/// Lets the bus hear of what is listened to here, from the moment that it is.
fn follow(parts: &Parts) {
    let bus = Arc::clone(&parts.bus);
    parts.hub.on_lane(move |key| {
        if let Some(topic) = topic(key) {
            bus.follow(topic);
        }
    });
}

/// The log behind what is listened to.
fn topic(key: Key) -> Option<Topic> {
    match key {
        Key::Session(session) | Key::Typing(session) => Some(Topic::Session(session)),
        Key::User(user) | Key::Queue(user) => Some(Topic::User(user)),
        Key::Dialect(_) => None,
    }
}
