//! Path 6/8: the bus of a single node. There is nobody else to tell. Next: `app/src/deliver.rs`
//! (7/8) tells the hub.

use async_trait::async_trait;
use parlor_domain::{Event, UserEvent};

use crate::Bus;

/// The bus of a node that is alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

#[async_trait]
impl Bus for Local {
    async fn publish(&self, _: &[Event], _: &[UserEvent]) {}
}
