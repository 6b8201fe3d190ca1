//! How committed events reach other nodes.
//!
//! Owns the carrying, and nothing else: sequence is truth, the bus is rumour. What it loses, the
//! receiver reads from the store. Refuses to be a system of record.

mod local;

use async_trait::async_trait;
use parlor_domain::{Event, UserEvent};

pub use local::Local;

/// Carries events between nodes.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Carries what this node has committed, in commit order. It may lose it; it never fails.
    async fn publish(&self, events: &[Event], user_events: &[UserEvent]);
}
