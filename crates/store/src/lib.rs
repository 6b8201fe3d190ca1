//! What Parlor remembers: one trait per aggregate, SQLite or PostgreSQL behind them.
//!
//! Owns durability, order (`seq` and `number` are given here, in the transaction) and exactly-once
//! sending. Decisions are the domain's: a change carries a pure function that the store calls with
//! the facts, inside the very transaction that carries the decision out. Refuses HTTP, the wire
//! format and clocks.

pub mod accounts;
pub mod content;
pub mod decay;
pub mod drafts;
pub mod e2ee;
mod erasures;
pub mod error;
pub mod files;
pub mod handles;
pub mod health;
pub mod jobs;
mod keyring;
pub mod keys;
pub mod log;
pub mod logins;
pub mod messages;
pub mod moves;
pub mod pins;
pub mod postgres;
pub mod previews;
pub mod reactions;
pub mod rooms;
pub mod search;
pub mod sessions;
pub mod sqlite;
pub mod state;
mod stored;
mod tables;
pub mod threads;

pub use accounts::Accounts;
pub use content::Content;
pub use decay::{Decay, Decayed};
pub use drafts::Drafts;
pub use e2ee::{Backups, Keys, Statements};
pub use error::{Changed, StoreError};
pub use files::Files;
pub use handles::Handles;
pub use health::Health;
pub use jobs::Jobs;
pub use log::{Batch, Log, LogPage, UserLogPage};
pub use logins::Logins;
pub use messages::{Messages, Posted};
pub use pins::Pins;
pub use previews::Previews;
pub use reactions::Reactions;
pub use rooms::Rooms;
pub use search::Search;
pub use sessions::Sessions;
pub use state::{Kept, State};
pub use threads::Threads;

/// What people do with what was said.
pub trait Talk: Reactions + Pins + Previews + Threads + Drafts {}

impl<T: Reactions + Pins + Previews + Threads + Drafts> Talk for T {}

/// What encrypted sessions need.
pub trait E2ee: Keys + Backups + Statements {}

impl<T: Keys + Backups + Statements> E2ee for T {}

/// All of it. A node has one, as `Arc<dyn Store>`.
pub trait Store:
    Accounts
    + Logins
    + Rooms
    + Sessions
    + Messages
    + Decay
    + Talk
    + Search
    + Log
    + Handles
    + Files
    + Jobs
    + E2ee
    + Send
    + Sync
{
}

impl<T> Store for T where
    T: Accounts
        + Logins
        + Rooms
        + Sessions
        + Messages
        + Decay
        + Talk
        + Search
        + Log
        + Handles
        + Files
        + Jobs
        + E2ee
        + Send
        + Sync
{
}
