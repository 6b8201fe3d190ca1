//! Path 6/8: the bus of a single node. There is nobody else to tell; what Redis does instead
//! begins in `redis.rs`. Next: `app/src/deliver.rs` (7/8) tells the hub.

use parlor_domain::{Event, UserEvent};

use crate::Bus;

/// The bus of a node that is alone, or whose neighbours find everything in the store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

impl Bus for Local {
    fn publish(&self, _: &[Event], _: &[UserEvent]) {}
}
