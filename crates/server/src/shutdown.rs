//! When the server is asked to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for `SIGTERM` or `SIGINT`.
pub async fn signalled() {
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("failed to listen for signals");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("stopping");
}
