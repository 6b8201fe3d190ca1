//! An async client of Parlor to build programs on: bots, bridges, exports, interfaces.
//!
//! ```no_run
//! use parlor_sdk::{Client, Update};
//!
//! # async fn run() -> Result<(), parlor_sdk::Error> {
//! let client = Client::builder("https://chat.example.org")
//!     .folder("bot-data")
//!     .passphrase("something long")
//!     .sign_in("bot", "its password")
//!     .await?;
//! let mut updates = client.updates();
//! client.start();
//! while let Ok(update) = updates.recv().await {
//!     if let Update::Posted(message) = update
//!         && message.sender_id != client.user_id()
//!     {
//!         client.session(&message.session_id).reply(&message.id, "I heard you")?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Owns the connection, its resumption, a cache on the disk that is closed by a passphrase, an
//! outbox whose messages are sent once, and a search over what was opened. Encryption comes from
//! `parlor-e2ee`. Refuses to send in the clear where a session was ever encrypted, and to send to
//! somebody whom only the server calls a member.
//!
//! # Who is let in
//!
//! In an encrypted session keys are given to those only who are *let in*.
//! [`SessionHandle::add_members`] signs so of whom it adds, and [`Client::create_room`] and
//! [`Client::create_session`] let in whom they name. Whoever is in a session otherwise is
//! *unvouched*: [`Encryption::unvouched`] says who that is, and [`Encryption::let_in`] lets
//! somebody in after one has looked. To add people to an encrypted session by [`Client::request`]
//! leaves them unvouched.

mod apply;
mod cache;
mod client;
pub mod clock;
mod decay;
mod encryption;
mod error;
mod files;
#[cfg(test)]
mod fuzz;
mod http;
mod load;
mod login;
mod message;
mod outbox;
mod room;
mod session;
mod socket;
mod update;
mod vault;

pub use client::{Builder, Client};
pub use encryption::Encryption;
pub use error::Error;
pub use message::{FileInfo, Message, Reaction, Secrecy};
pub use outbox::{Draft, Sending};
pub use parlor_e2ee::{
    CodeError, DeviceInfo, Distrust, RecoveryKey, Restored, Settings, Stage, Standing, Verdict,
    Verification,
};
pub use room::{Ending, Member, Room, Session};
pub use session::{Page, SessionHandle};
pub use update::Update;
