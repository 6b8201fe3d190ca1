//! Who writes an upload on this node: one at a time. Whoever comes takes over from whoever is
//! there, which is mostly a connection that its client has given up long ago.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::FileId;
use tokio_util::sync::CancellationToken;

/// How long the one before may take to put away what has come.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everybody who writes.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<FileId, Writer>>>);

#[derive(Clone)]
struct Writer {
    /// Tells the writer to end.
    over: CancellationToken,
    /// Says that it has.
    gone: CancellationToken,
}

/// A place that is one's own until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    id: FileId,
    writer: Writer,
}

impl Turns {
    /// Has whoever writes an upload end, and waits until what they have got is put away. False:
    /// they take too long.
    pub(super) async fn settle(&self, id: FileId) -> bool {
        let Some(writer) = self.0.lock().get(&id).cloned() else {
            return true;
        };
        writer.over.cancel();
        tokio::time::timeout(PATIENCE, writer.gone.cancelled()).await.is_ok()
    }

    /// Takes the place, unless somebody was faster.
    pub(super) fn take(&self, id: FileId) -> Option<Turn> {
        let mut all = self.0.lock();
        if all.contains_key(&id) {
            return None;
        }
        let (over, gone) = (CancellationToken::new(), CancellationToken::new());
        let writer = Writer { over, gone };
        all.insert(id, writer.clone());
        Some(Turn { turns: self.clone(), id, writer })
    }
}

impl Turn {
    /// Cancelled when somebody else wants the place.
    pub(super) fn over(&self) -> CancellationToken {
        self.writer.over.clone()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.lock().remove(&self.id);
        self.writer.gone.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test]
    async fn who_comes_waits_until_the_one_before_has_ended() {
        let (turns, id) = (Turns::default(), FileId(Uuid::nil()));
        assert!(turns.settle(id).await, "nobody is there");
        let first = turns.take(id).unwrap();
        assert!(turns.take(id).is_none());
        let over = first.over();
        let ends = async {
            over.cancelled().await;
            drop(first);
        };
        let (settled, ()) = tokio::join!(turns.settle(id), ends);
        assert!(settled && turns.take(id).is_some());
    }
}
