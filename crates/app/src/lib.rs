//! The use cases of Parlor, one verb a file.
//!
//! Owns what a person can do, from the request in the product's words to the answer in the
//! product's words: it asks the domain for the decision, the store for the deed, the hub for the
//! telling. Refuses HTTP, SQL and byte formats.

pub mod accounts;
pub mod actor;
pub mod clock;
pub mod error;
pub mod rooms;
pub mod sessions;
pub mod users;

use std::sync::Arc;

use parlor_domain::Limits;
use parlor_hub::Hub;
use parlor_store::Store;

pub use actor::Actor;
pub use clock::Clock;
pub use error::Error;

/// The use cases, and what they need to be done.
pub struct App {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    limits: Limits,
}
