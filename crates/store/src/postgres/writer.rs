//! The lanes: tasks with a connection each that store what waits for them in one round trip.
//!
//! A session's drafts go through one lane of a node ([`super::spread`]), so that they are stored in
//! the order in which they were queued; lanes of several nodes meet at the lock on the session's
//! head. Each group is told before it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_domain::{Event, EventKind};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::messages::{self, Append};
use super::readers::{Db, Readers};
use super::spread::{Place, Spread};
use crate::messages::Posted;
use crate::{Batch, StoreError};

/// Drafts in one group.
const GROUP_MAX: usize = 512;

/// Drafts that may wait for a lane; more make the senders wait.
const QUEUE_MAX: usize = 2048;

/// From so many drafts in a group on, a lane waits a moment for more before it stores the next: a
/// transaction costs the database about as much with a few drafts as with many, and whoever was
/// just answered is about to say the next thing. Nobody waits who is nearly alone.
const BUSY: usize = 4;
const MOMENT: Duration = Duration::from_millis(1);

/// How long a lane waits before it connects again, at first and at most.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// The lanes of a node. They end when this is dropped.
pub(super) struct Lanes {
    queues: Vec<mpsc::Sender<Queued>>,
    spread: Arc<Spread>,
}

/// A draft, with its place until it is answered.
struct Queued {
    append: Append,
    _place: Place,
}

impl Lanes {
    /// Starts so many.
    pub(super) fn start(
        count: usize,
        readers: &Readers,
        sink: &mpsc::Sender<Batch>,
        tasks: &TaskTracker,
    ) -> Self {
        let queues = (0..count).map(|_| {
            let (queue, waiting) = mpsc::channel(QUEUE_MAX);
            let lane = Lane { readers: readers.clone(), db: None, sink: sink.clone() };
            tasks.spawn(lane.serve(waiting));
            queue
        });
        Self { queues: queues.collect(), spread: Spread::over(count) }
    }

    /// Queues a draft.
    pub(super) async fn push(&self, append: Append) -> Result<(), StoreError> {
        let place = self.spread.place(append.draft.session_no);
        let queue = self.queues.get(place.lane).ok_or(StoreError::Closed)?;
        queue.send(Queued { append, _place: place }).await.map_err(|_| StoreError::Closed)
    }
}

struct Lane {
    readers: Readers,
    /// Missing until there is something to do, and after it was lost.
    db: Option<Db>,
    sink: mpsc::Sender<Batch>,
}

impl Lane {
    async fn serve(mut self, mut waiting: mpsc::Receiver<Queued>) {
        let mut group = Vec::new();
        let mut pause = PAUSE;
        // Drafts in the two groups before: those who wait for an answer are in either.
        let (mut last, mut before) = (0, 0);
        while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
            if last >= BUSY {
                gather(&mut group, &mut waiting, (last + before).min(GROUP_MAX)).await;
            }
            (last, before) = (group.len(), last);
            self.store(std::mem::take(&mut group)).await;
            if self.db.is_some() {
                pause = PAUSE;
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    /// Stores a group, tells it and answers it. What fails as a whole because of one draft, or of
    /// one session, is tried again in parts, so that it is the failure of that one alone.
    async fn store(&mut self, group: Vec<Queued>) {
        let mut groups = vec![group];
        while let Some(group) = groups.pop() {
            match self.try_store(&group).await {
                Ok(answers) => self.answer(group, answers).await,
                Err(error) => match parts(group, &error) {
                    // The last is taken first.
                    Ok(parts) => groups.extend(parts.into_iter().rev()),
                    Err(group) => refuse(group, &error),
                },
            }
        }
    }

    async fn try_store(&mut self, group: &[Queued]) -> Result<Vec<Answer>, StoreError> {
        let db = match self.db.take() {
            Some(db) if !db.is_closed() => db,
            _ => self.readers.take().await?,
        };
        let appends: Vec<&Append> = group.iter().map(|queued| &queued.append).collect();
        let stored = messages::append(&db, &appends).await;
        if !matches!(stored, Err(StoreError::Unavailable(_))) {
            self.db = Some(db);
        }
        stored
    }

    async fn answer(&self, group: Vec<Queued>, answers: Vec<Answer>) {
        let mut batch = Batch::default();
        for (queued, answer) in group.iter().zip(&answers) {
            if let Ok(posted) = answer
                && posted.fresh
            {
                let draft = &queued.append.draft;
                let kind = EventKind::Posted(posted.told(draft));
                let (session, seq, at) = (draft.session, posted.seq, posted.sent_at);
                batch.events.push(Event { session, seq, at, kind });
            }
        }
        if !batch.is_empty() && self.sink.send(batch).await.is_err() {
            tracing::debug!("nobody hears of commits any more");
        }
        for (queued, answer) in group.into_iter().zip(answers) {
            // A sender that went away needs no answer.
            let _ = queued.append.answer.send(answer);
        }
    }
}

/// Waits a moment until there are so many.
async fn gather(group: &mut Vec<Queued>, waiting: &mut mpsc::Receiver<Queued>, enough: usize) {
    let gathered = async {
        while group.len() < enough
            && let Some(queued) = waiting.recv().await
        {
            group.push(queued);
        }
    };
    // Cut short, it loses nothing: what was received is in the group.
    let _ = tokio::time::timeout(MOMENT, gathered).await;
}

type Answer = Result<Posted, StoreError>;

/// A group that failed, in smaller ones: by session, and then one by one; in the order in which
/// they wait. `Err`: it is not to be tried again, because nobody knows whether it has happened,
/// because a part would fail alike, or because it cannot be parted.
fn parts(group: Vec<Queued>, error: &StoreError) -> Result<Vec<Vec<Queued>>, Vec<Queued>> {
    if !matches!(error, StoreError::Busy | StoreError::Database(_)) {
        return Err(group);
    }
    let mut sessions: BTreeMap<i64, Vec<Queued>> = BTreeMap::new();
    for queued in group {
        sessions.entry(queued.append.draft.session_no).or_default().push(queued);
    }
    if sessions.len() > 1 {
        return Ok(sessions.into_values().collect());
    }
    let group: Vec<Queued> = sessions.into_values().flatten().collect();
    // Whoever holds the lock on the session holds up all of its drafts.
    if group.len() > 1 && !matches!(error, StoreError::Busy) {
        return Ok(group.into_iter().map(|queued| vec![queued]).collect());
    }
    Err(group)
}

fn refuse(group: Vec<Queued>, error: &StoreError) {
    if !matches!(error, StoreError::Busy) {
        tracing::error!(%error, drafts = group.len(), "failed to append");
    }
    for queued in group {
        // A sender that went away needs no answer.
        let _ = queued.append.answer.send(Err(copy(error)));
    }
}

/// One failure is that of many.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Busy => StoreError::Busy,
        StoreError::Closed => StoreError::Closed,
        StoreError::Unavailable(text) => StoreError::Unavailable(text.clone()),
        other => StoreError::Database(other.to_string()),
    }
}
