//! When the server is asked to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for `SIGTERM` and `SIGINT`. Until somebody does, either ends the process at once.
pub struct Asked {
    term: Signal,
    int: Signal,
}

impl Asked {
    /// Begins to listen: before the server does, so that nobody who was let in is cut off.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Waits for either.
    pub async fn to_stop(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
        tracing::info!("stopping");
    }
}
