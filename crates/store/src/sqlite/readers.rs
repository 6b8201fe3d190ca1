//! Read-only connections, each on its own thread, fed from one bounded queue.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::keyring::{self, KeyFile};
use super::{caught, failed, open_reading};
use crate::StoreError;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Reads that may wait; more are refused.
const QUEUE_MAX: usize = 4096;

/// Where reads run.
pub(super) enum Readers {
    /// On threads of their own, which end when this is dropped.
    Pool(SyncSender<Job>),
    /// On the calling thread, for tests that have only one.
    Inline(Box<Mutex<Connection>>),
}

impl Readers {
    /// Starts `count` threads.
    pub(super) fn start(
        path: &Path,
        count: usize,
        keys: &Arc<KeyFile>,
    ) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE_MAX);
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..count.max(1) {
            let conn = open_reading(path)?;
            keyring::teach(&conn, keys)?;
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("sqlite-read-{n}"))
                .spawn(move || serve(&conn, &queue))
                .map_err(|e| StoreError::Database(e.to_string()))?;
        }
        Ok(Self::Pool(jobs))
    }

    /// Reads on the calling thread.
    pub(super) fn inline(path: &Path, keys: &Arc<KeyFile>) -> Result<Self, StoreError> {
        let conn = open_reading(path)?;
        keyring::teach(&conn, keys)?;
        Ok(Self::Inline(Box::new(Mutex::new(conn))))
    }

    /// Runs a read from one state of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let jobs = match self {
            Self::Inline(conn) => {
                // As with threads: anything may happen before the reading, and after it.
                tokio::task::yield_now().await;
                let result = snapshot(&conn.lock(), work);
                tokio::task::yield_now().await;
                return result;
            }
            Self::Pool(jobs) => jobs,
        };
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            // A caller that went away needs no answer.
            let _ = answer.send(snapshot(conn, work));
        });
        jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn serve(conn: &Connection, queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().recv();
        let Ok(job) = job else { return };
        job(conn);
    }
}

/// Runs several statements against one state of the database.
fn snapshot<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    conn.prepare_cached("begin").and_then(|mut s| s.execute([])).map_err(failed)?;
    let result = caught(|| work(conn));
    conn.prepare_cached("commit").and_then(|mut s| s.execute([])).map_err(failed)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        super::super::open_writing(&home.path().join("db")).unwrap();
        home
    }

    #[tokio::test]
    async fn one_read_too_many_is_refused_as_too_many() {
        let home = database();
        let path = home.path().join("db");
        let readers = Readers::start(&path, 1, &KeyFile::open(&path).unwrap()).unwrap();
        let Readers::Pool(jobs) = &readers else {
            panic!("a pool was started");
        };
        let (begun, has_begun) = sync_channel(1);
        let (go_on, may_go_on) = sync_channel::<()>(1);
        let slow: Job = Box::new(move |_| {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
        });
        jobs.send(slow).unwrap();
        has_begun.recv().unwrap();
        for _ in 0..QUEUE_MAX {
            jobs.try_send(Box::new(|_| {})).unwrap();
        }
        assert!(matches!(readers.read(|_| Ok(())).await, Err(StoreError::Busy)));
        go_on.send(()).unwrap();
        let (last, is_last) = sync_channel(1);
        jobs.send(Box::new(move |_| last.send(()).unwrap())).unwrap();
        is_last.recv().unwrap();
        assert!(readers.read(|_| Ok(())).await.is_ok(), "there is room again");
    }
}
