//! The one writer: everything that waits goes into one transaction, which is durable before
//! anybody is answered. Heads of logs are kept in memory, since nobody else writes.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use parlor_domain::EventKind;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::checkpoint::Ahead;
use super::keyring::{self, KeyFile};
use super::messages::{self, Append};
use super::search::{Index, SLICE};
use super::txn::{Head, Txn};
use super::{BUSY_WAIT, caught, erasures, failed, open_writing, rooms, schema, search};
use crate::{Batch, StoreError};

/// Ops in one commit.
const GROUP_MAX: usize = 512;

/// From so many ops in a commit on, while those who listen have not been told of it yet, the writer
/// lets more gather, so that pages are written and listeners woken less often. Fewer are those who
/// each wait for an answer before they go on; they would only lose time.
const BUSY: usize = 64;

/// So many that wait are enough,
const PLENTY: usize = 384;

/// and so many times it looks whether they are there, with a pause before each.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(2);

/// How long the writer rests before it uses the pause to checkpoint, and to index what little was
/// said since.
const IDLE: Duration = Duration::from_millis(50);

/// How long it rests before it indexes a whole slice,
const REST: Duration = Duration::from_millis(2);

/// and how far the index may be behind before slices go with the commits of a writer that never
/// rests. Each takes a few milliseconds, so a burst shall be over before it comes to this.
const BEHIND_MAX: i64 = 128 * 1024;

/// How long what was overwritten may stay in the write-ahead log while the writer never rests.
const SWEEP: Duration = Duration::from_secs(5);

/// Under load the write-ahead log is begun anew after so many ops, or when it has grown by so many
/// bytes. Its file stays as long as it is: cutting it off would take twenty milliseconds, and to
/// make it grow again costs every commit more than to write over what is there.
const WAL_OPS_MAX: usize = 16 * 1024;
const WAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A log that has become as long as this all the same is emptied.
const WAL_FILE_BYTES_MAX: u64 = 4 * WAL_BYTES_MAX;

/// How long a checkpoint waits for readers.
const CHECKPOINT_WAIT: Duration = Duration::from_millis(200);

type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Work = Box<dyn FnOnce(&mut Txn<'_>) -> (Result<(), ()>, Finish) + Send>;

/// Something for the next commit.
pub struct Op(Kind);

#[expect(clippy::large_enum_variant, reason = "nearly all that waits is appended")]
enum Kind {
    Append(Append),
    Run(Work),
}

impl Op {
    pub(super) fn append(append: Append) -> Self {
        Self(Kind::Append(append))
    }

    /// Wraps a change: its value is answered once the commit is durable, its refusal likewise, so
    /// that nobody learns of a state that may still be undone.
    pub(super) fn run<T: Send + 'static>(
        work: impl FnOnce(&mut Txn<'_>) -> Result<T, StoreError> + Send + 'static,
        answer: oneshot::Sender<Result<T, StoreError>>,
    ) -> Self {
        Self(Kind::Run(Box::new(move |txn| {
            let result = caught(|| work(txn));
            let done = result.as_ref().map(|_| ()).map_err(|_| ());
            let finish: Finish = Box::new(move |commit| {
                // A caller that went away needs no answer.
                let _ = answer.send(commit.and(result));
            });
            (done, finish)
        })))
    }
}

impl Op {
    /// A slice of the work on the search index, of up to `rows` messages. Nobody waits for it.
    pub(super) fn index(rows: i64) -> Self {
        Self(Kind::Run(Box::new(move |txn| {
            let done = caught(|| search::extend(txn, rows));
            let done = done.map_err(|error| tracing::error!(%error, "failed to index"));
            (done, Box::new(|_| {}))
        })))
    }
}

/// What becomes of the write-ahead log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Log {
    BeginAnew,
    Empty,
}

/// Carries out groups of ops, one durable transaction each.
pub struct Committer {
    path: PathBuf,
    keys: Arc<KeyFile>,
    conn: Option<Connection>,
    heads: HashMap<i64, Head>,
    next_message_no: i64,
    /// Whether the write-ahead log holds anything.
    unchecked: bool,
    /// Whether it may hold what was overwritten since.
    erased: bool,
    /// Ops since the log was begun anew.
    wal_ops: usize,
    /// Beyond this many bytes the log is begun anew even under load.
    wal_bytes_max: u64,
    /// How far the search index is.
    index: Index,
    /// Held as long as this lives: two writers would give the same numbers twice.
    _lock: File,
}

impl Committer {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let mut conn = open_writing(path)?;
        schema::bring_up(&mut conn)?;
        rooms::found_lobby(&mut conn)?;
        let mut committer = Self {
            path: path.to_owned(),
            keys: KeyFile::open(path)?,
            conn: None,
            heads: HashMap::new(),
            next_message_no: 1,
            unchecked: true,
            erased: true,
            wal_ops: 0,
            wal_bytes_max: WAL_BYTES_MAX,
            index: Index::default(),
            _lock: lock,
        };
        committer.adopt(conn)?;
        Ok(committer)
    }

    /// The keys to what is sealed.
    pub(super) fn keys(&self) -> &Arc<KeyFile> {
        &self.keys
    }

    /// Names this history; made with the database.
    pub(super) fn epoch(&self) -> Result<String, StoreError> {
        let conn = self.conn.as_ref().ok_or(StoreError::Closed)?;
        let get = || {
            let sql = "select value from meta where key = 'epoch'";
            conn.query_row(sql, [], |row| row.get(0)).optional().map_err(failed)
        };
        if let Some(epoch) = get()? {
            return Ok(epoch);
        }
        let epoch = Uuid::new_v4().simple().to_string();
        let sql = "insert into meta (key, value) values ('epoch', ?)";
        conn.execute(sql, [&epoch]).map_err(failed)?;
        Ok(epoch)
    }

    /// Commits a group and answers it; returns what became durable, in order.
    pub fn commit(&mut self, ops: Vec<Op>) -> Batch {
        let mut waiting = Waiting::default();
        self.wal_ops += ops.len();
        self.index.stuck = false;
        let committed = self.transact(ops, &mut waiting);
        match committed {
            Ok(batch) => {
                self.unchecked = true;
                self.destroy_keys(&batch);
                waiting.answer(&Ok(()));
                batch
            }
            Err(error) => {
                tracing::error!(%error, "failed to commit");
                self.heads.clear();
                // What a failed write or sync left behind is not to be trusted: begin again from
                // what is on the disk.
                self.conn = None;
                self.index.stuck = true;
                waiting.answer(&Err(error));
                Batch::default()
            }
        }
    }

    /// The keys of sessions that have ended go once that is durable. Where this fails, or is not
    /// come to, they go before what was said in the session is erased.
    fn destroy_keys(&self, batch: &Batch) {
        for event in &batch.events {
            if matches!(event.kind, EventKind::Ended { .. })
                && let Err(error) = self.keys.forget(event.session)
            {
                tracing::error!(%error, "failed to destroy the key of a session that has ended");
            }
        }
    }

    fn transact(&mut self, ops: Vec<Op>, waiting: &mut Waiting) -> Result<Batch, StoreError> {
        if self.conn.is_none() {
            let reopened = open_writing(&self.path)
                .and_then(|conn| probe(&conn).map(|()| conn))
                .and_then(|conn| self.adopt(conn));
            if let Err(error) = reopened {
                waiting.refuse(ops, &error);
                return Err(error);
            }
        }
        let conn = self.conn.as_ref().ok_or(StoreError::Closed)?;
        let execute = |sql: &str| conn.prepare_cached(sql).and_then(|mut s| s.execute([]));
        if let Err(error) = execute("begin immediate").map_err(failed) {
            waiting.refuse(ops, &error);
            return Err(error);
        }
        let mut batch = Batch::default();
        let (mut undo, mut listed) = (Vec::new(), Vec::new());
        let mut txn = Txn {
            conn,
            heads: &mut self.heads,
            undo: &mut undo,
            batch: &mut batch,
            next_message_no: &mut self.next_message_no,
            erased: &mut self.erased,
            index: &mut self.index,
            erasures: &mut listed,
            keys: &self.keys,
        };
        let mut ops = ops.into_iter();
        while let Some(op) = ops.next() {
            if let Err(error) = waiting.take(&mut txn, op) {
                waiting.refuse(ops.collect(), &error);
                return Err(error);
            }
        }
        write_heads(conn, &mut self.heads, &undo)?;
        if !listed.is_empty() {
            let nth = self.keys.list(&listed, erasures::done_to(conn)?)?;
            erasures::done(conn, nth)?;
        }
        fail::fail_point!("store::commit::tell-first", |_| execute("rollback")
            .map(|_| std::mem::take(&mut batch))
            .map_err(failed));
        fail::fail_point!("store::commit::answer-first", |_| execute("rollback")
            .map(|_| Batch::default())
            .map_err(failed));
        execute("commit").map_err(failed)?;
        Ok(batch)
    }

    /// By how many messages the search index is behind: what nobody can do anything about now does
    /// not count.
    fn behind(&self) -> i64 {
        match self.index {
            Index { stuck: true, .. } => 0,
            Index { soiled: true, .. } => SLICE,
            Index { to, .. } if to < self.next_message_no - 1 => self.next_message_no - 1 - to,
            index if index.is_scattered() => SLICE,
            _ => 0,
        }
    }

    /// Whether there is anything to do for the search index.
    pub(super) fn is_behind(&self) -> bool {
        self.behind() > 0
    }

    /// How long to wait for the next op before there is something else to do; `None`: there is not.
    fn rest(&self) -> Option<Duration> {
        let some = self.unchecked || self.is_behind();
        some.then_some(if self.behind() >= SLICE { REST } else { IDLE })
    }

    /// Takes over an open connection.
    fn adopt(&mut self, conn: Connection) -> Result<(), StoreError> {
        let sql = "select max((select coalesce(max(no), 0) + 1 from messages), \
                   coalesce((select cast(value as integer) from meta \
                   where key = 'next_message_no'), 1))";
        self.next_message_no = conn.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
        self.index = Index::load(&conn)?;
        keyring::teach(&conn, &self.keys)?;
        self.heads.clear();
        self.conn = Some(conn);
        Ok(())
    }

    /// Moves what is committed from the write-ahead log into the database, so that the next commit
    /// writes over the log from its beginning, or empties it, so that what was overwritten is gone
    /// from it too. Waits a little for readers, and leaves it to the next time when they take
    /// longer: writers are waiting.
    fn checkpoint(&mut self, log: Log) {
        let Some(conn) = &self.conn else { return };
        let sql = match log {
            Log::BeginAnew => "pragma wal_checkpoint(restart)",
            Log::Empty => "pragma wal_checkpoint(truncate)",
        };
        let busy = conn
            .busy_timeout(CHECKPOINT_WAIT)
            .and_then(|()| conn.query_row(sql, [], |row| row.get::<_, i64>(0)));
        // A connection takes every timeout that fits an integer.
        let _ = conn.busy_timeout(BUSY_WAIT);
        match busy {
            Ok(0) if log == Log::Empty => (self.unchecked, self.erased) = (false, false),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "failed to checkpoint"),
        }
        self.wal_ops = 0;
        self.wal_bytes_max = self.wal_bytes() + WAL_BYTES_MAX;
    }

    /// Whether the log is to be begun anew even under load.
    fn is_log_long(&self) -> bool {
        self.wal_ops >= WAL_OPS_MAX || self.wal_bytes() > self.wal_bytes_max
    }

    fn wal_bytes(&self) -> u64 {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        std::fs::metadata(wal).map_or(0, |meta| meta.len())
    }
}

/// Keeps other processes, and other stores of this one, from writing to the same database. The
/// lock is on a file of its own: SQLite's own locks would go with ours.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut beside = path.to_owned().into_os_string();
    beside.push("-lock");
    let open = File::options().write(true).create(true).truncate(false).open(beside);
    let file = open.map_err(|e| StoreError::Database(format!("lock: {e}")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Database("the database is open already".to_owned()))
        }
        Err(TryLockError::Error(e)) => Err(StoreError::Database(format!("lock: {e}"))),
    }
}

/// Writes something after a failure, so that an empty change does not pass for a healthy disk.
fn probe(conn: &Connection) -> Result<(), StoreError> {
    let sql = "insert or replace into meta (key, value) values ('probe', '')";
    conn.execute(sql, []).map(|_| ()).map_err(failed)
}

/// Runs one change so that its failure undoes it alone.
fn run(txn: &mut Txn<'_>, work: Work, finishes: &mut Vec<Finish>) -> Result<(), StoreError> {
    let (events, user_events) = (txn.batch.events.len(), txn.batch.user_events.len());
    let (undone, listed) = (txn.undo.len(), txn.erasures.len());
    txn.execute("savepoint change", [])?;
    let (done, finish) = work(txn);
    finishes.push(finish);
    if done.is_err() {
        txn.execute("rollback to change", [])?;
        txn.batch.events.truncate(events);
        txn.batch.user_events.truncate(user_events);
        txn.erasures.truncate(listed);
        while txn.undo.len() > undone {
            match txn.undo.pop() {
                Some((session_no, Some(head))) => txn.heads.insert(session_no, head),
                Some((session_no, None)) => txn.heads.remove(&session_no),
                None => None,
            };
        }
    }
    txn.execute("release change", [])?;
    Ok(())
}

/// Writes each head that changed once.
fn write_heads(
    conn: &Connection,
    heads: &mut HashMap<i64, Head>,
    changed: &[(i64, Option<Head>)],
) -> Result<(), StoreError> {
    let sql = "update heads set seq = ?, number = ?, acl_version = ?, threaded = ?, \
               membership_version = ? where session_no = ?";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    for (session_no, _) in changed {
        let Some(head) = heads.get_mut(session_no).filter(|head| head.dirty) else {
            continue;
        };
        head.dirty = false;
        let (acl, membership) = (head.acl_version, head.membership_version);
        let row = params![head.seq, head.number, acl, head.threaded, membership, session_no];
        statement.execute(row).map_err(failed)?;
    }
    Ok(())
}

/// Who is answered when the commit is durable.
#[derive(Default)]
struct Waiting {
    appends: Vec<(Append, Result<crate::Posted, StoreError>)>,
    runs: Vec<Finish>,
}

impl Waiting {
    fn answer(self, commit: &Result<(), StoreError>) {
        for (append, result) in self.appends {
            // A sender that went away needs no answer.
            let _ = append.answer.send(verdict(commit).and(result));
        }
        for finish in self.runs {
            finish(verdict(commit));
        }
    }

    /// Carries out one op. Fails only when the whole group has to: a refused draft has written
    /// nothing, but one that the database failed on, or that panicked, may have written half,
    /// without a savepoint.
    fn take(&mut self, txn: &mut Txn<'_>, op: Op) -> Result<(), StoreError> {
        let append = match op.0 {
            Kind::Run(work) => return run(txn, work, &mut self.runs),
            Kind::Append(append) => append,
        };
        let result = caught(|| messages::append(txn, &append));
        let broken = result.as_ref().err().filter(|error| is_fault(error)).map(copy);
        self.appends.push((append, result));
        broken.map_or(Ok(()), Err)
    }

    /// Refuses ops that were not even tried.
    fn refuse(&mut self, ops: Vec<Op>, error: &StoreError) {
        for op in ops {
            if let Kind::Append(append) = op.0 {
                let _ = append.answer.send(Err(copy(error)));
            }
        }
    }
}

fn verdict(commit: &Result<(), StoreError>) -> Result<(), StoreError> {
    commit.as_ref().copied().map_err(copy)
}

/// Whether something failed, rather than being refused.
fn is_fault(error: &StoreError) -> bool {
    !matches!(error, StoreError::Denied(_) | StoreError::Stale(_) | StoreError::KeyReused)
}

/// One failed commit fails many.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        other => StoreError::Database(other.to_string()),
    }
}

/// Starts the writer's thread; it ends when every sender is gone.
pub(super) fn start(
    committer: Committer,
    queue: mpsc::Receiver<Op>,
    sink: mpsc::Sender<Batch>,
) -> Result<(), StoreError> {
    let broken = |e: std::io::Error| StoreError::Database(e.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(broken)?;
    let ahead = Ahead::start(&committer.path)?;
    let serve = move || runtime.block_on(serve(committer, ahead, queue, sink));
    thread::Builder::new().name("sqlite-write".into()).spawn(serve).map_err(broken)?;
    Ok(())
}

/// Waits while what was committed is still to be told, unless enough ops for a commit are there.
async fn gather(queue: &mpsc::Receiver<Op>, sink: &mpsc::Sender<Batch>) {
    for _ in 0..LOOKS {
        let told = sink.capacity() == sink.max_capacity();
        if told || queue.len() >= PLENTY {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What the writer does next.
#[expect(clippy::large_enum_variant, reason = "there is one, for one turn")]
enum Next {
    Op(Op),
    /// Nothing came.
    Rest,
    /// Nothing will come any more.
    End,
}

async fn next(queue: &mut mpsc::Receiver<Op>, rest: Option<Duration>) -> Next {
    let op = match rest {
        None => Ok(queue.recv().await),
        Some(rest) => tokio::time::timeout(rest, queue.recv()).await,
    };
    match op {
        Ok(Some(op)) => Next::Op(op),
        Ok(None) => Next::End,
        Err(_) => Next::Rest,
    }
}

async fn serve(
    mut committer: Committer,
    mut ahead: Ahead,
    mut queue: mpsc::Receiver<Op>,
    sink: mpsc::Sender<Batch>,
) {
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut erase = false;
    loop {
        let mut group = match next(&mut queue, committer.rest()).await {
            Next::Op(first) => vec![first],
            Next::Rest if committer.is_behind() => vec![Op::index(SLICE)],
            Next::Rest => {
                // A reader may be in the way: then again after the next rest.
                committer.checkpoint(Log::Empty);
                continue;
            }
            Next::End => break,
        };
        while group.len() < GROUP_MAX
            && let Ok(op) = queue.try_recv()
        {
            group.push(op);
        }
        let size = group.len();
        if committer.behind() > BEHIND_MAX {
            group.push(Op::index(SLICE));
        }
        let batch = committer.commit(group);
        if !batch.is_empty() && sink.send(batch).await.is_err() {
            tracing::debug!("nobody hears of commits any more");
        }
        let sweep = poll_fn(|cx| Poll::Ready(sweep.poll_tick(cx).is_ready())).await;
        erase |= sweep && committer.erased;
        if ahead.is_time(erase || committer.is_log_long()) {
            let empty = erase || committer.wal_bytes() > WAL_FILE_BYTES_MAX;
            committer.checkpoint(if empty { Log::Empty } else { Log::BeginAnew });
            erase = false;
        }
        if size >= BUSY {
            gather(&queue, &sink).await;
        }
    }
    ahead.end();
    committer.checkpoint(Log::Empty);
    // Who sees the sink end may open the database again.
    drop(committer);
    drop(sink);
}
