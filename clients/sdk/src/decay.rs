//! Forgetting what has decayed, at its moment and without the server.

use std::time::Duration;

use parlor_wire::time::rfc3339;

use crate::{Client, Error, Update};

/// How late a message may be forgotten.
const EVERY: Duration = Duration::from_secs(1);

/// Forgets what has decayed, until the client stops.
pub(crate) async fn keep_forgetting(client: &Client) {
    let mut clock = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = client.0.stopping.cancelled() => return,
            _ = clock.tick() => {}
        }
        if let Err(error) = forget(client) {
            tracing::warn!(%error, "what has decayed was not forgotten");
        }
    }
}

fn forget(client: &Client) -> Result<(), Error> {
    let now = rfc3339((client.0.clock)().as_microsecond());
    for (message_id, session_id) in client.0.cache.decay(&now)? {
        client.tell(Update::Decayed { message_id, session_id });
    }
    Ok(())
}
