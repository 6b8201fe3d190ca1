//! Moves what is committed from the write-ahead log into the database while the writer goes on, so
//! that the writer's own checkpoint, which empties the log and during which nothing is committed,
//! finds little left to move: 64 MiB take fifty milliseconds, what came meanwhile takes three.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{failed, open_writing};
use crate::StoreError;

/// A thread that checkpoints beside the writer, when it is told to.
pub(super) struct Ahead {
    orders: SyncSender<oneshot::Sender<()>>,
    thread: JoinHandle<()>,
    /// The order that is being carried out.
    under_way: Option<oneshot::Receiver<()>>,
}

impl Ahead {
    /// Starts the thread. It opens a connection of its own when there is something to do: most
    /// servers are never so busy.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let mut conn = None;
        let (orders, incoming) = sync_channel::<oneshot::Sender<()>>(1);
        let work = move || {
            while let Ok(done) = incoming.recv() {
                if let Err(error) = move_what_can_be(&path, &mut conn) {
                    // The writer's own checkpoint moves all of it then.
                    tracing::warn!(%error, "failed to checkpoint ahead");
                }
                // A writer that ends does not wait for it.
                let _ = done.send(());
            }
        };
        let thread = thread::Builder::new().name("sqlite-move".into()).spawn(work);
        let thread = thread.map_err(|e| StoreError::Database(e.to_string()))?;
        Ok(Self { orders, thread, under_way: None })
    }

    /// Whether it is time for the writer's own checkpoint: one was `due`, and what could be moved
    /// ahead of it has been.
    pub(super) fn is_time(&mut self, due: bool) -> bool {
        let Some(order) = &mut self.under_way else {
            if due {
                let (done, order) = oneshot::channel();
                // A thread that has ended closes the order, which is as good as done.
                let _ = self.orders.send(done);
                self.under_way = Some(order);
            }
            return false;
        };
        if order.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
            return false;
        }
        self.under_way = None;
        true
    }

    /// Ends the thread and its connection.
    pub(super) fn end(self) {
        drop(self.orders);
        if self.thread.join().is_err() {
            tracing::error!("the thread that checkpoints ahead has panicked");
        }
    }
}

/// Moves every page that no reader needs as it was, and waits for nobody.
fn move_what_can_be(path: &Path, conn: &mut Option<Connection>) -> Result<(), StoreError> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(open_writing(path)?),
    };
    conn.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())).map_err(failed)
}
