//! Keeping the index: filled behind the messages, in slices, by whichever node comes first; what is
//! deleted or reworded is taken out in the same commit.

use std::time::Duration;

use parlor_domain::search::words;
use tokio::sync::mpsc;
use tokio_postgres::Row;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::readers::{Db, Readers};
use super::super::rows::one;
use super::super::txn::Txn;
use crate::StoreError;

/// Messages of one slice, and bytes of their texts: some milliseconds.
const SLICE: i64 = 256;
const SLICE_BYTES: usize = 128 * 1024;

/// How long the job rests when there was nothing to do, at first and at most.
const REST: Duration = Duration::from_millis(100);
const REST_MAX: Duration = Duration::from_secs(2);

/// Small ids whose words go together. The index has no order: of a word it finds all that there is.
/// So each is in it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretch {
    /// Few, of all sessions at once: a search reads the newest, and no more where a word is said
    /// often.
    Short,
    /// Many, of one session: a search that goes on reads nothing of sessions that it may not see.
    Long,
}

impl Stretch {
    /// Small ids of one.
    pub(super) fn len(self) -> i64 {
        match self {
            Self::Short => 1 << 11,
            Self::Long => 1 << 20,
        }
    }

    /// A word of a session as the index holds it: no word has a dot.
    pub(super) fn word(self, session_no: i64, nth: i64, word: &str) -> String {
        match self {
            Self::Short => format!("s{nth}.{word}"),
            Self::Long => format!("{session_no}.{nth}.{word}"),
        }
    }

    /// Who said something in a session, in the manner of a word: no word begins so.
    pub(super) fn author(self, session_no: i64, nth: i64, author_no: i64) -> String {
        self.word(session_no, nth, &format!("@{author_no}"))
    }
}

/// The advisory lock between the job, which takes it for itself, and those who take words out of
/// the index: what one has committed, the other sees.
const LOCK: i64 = super::super::LOCK + 2;

/// A message, as it is indexed.
pub(in super::super) struct Said<'a> {
    pub(in super::super) session_no: i64,
    pub(in super::super) no: i64,
    pub(in super::super) author_no: i64,
    pub(in super::super) text: &'a str,
}

impl Said<'_> {
    /// Its words and its author, parted by blanks: no word has one. Nothing for no words.
    fn stored(&self) -> String {
        let words = words(self.text);
        let mut all = Vec::with_capacity(2 * words.len() + 2);
        for stretch in [Stretch::Short, Stretch::Long] {
            let nth = self.no / stretch.len();
            all.extend(words.iter().map(|word| stretch.word(self.session_no, nth, &word.text)));
            all.push(stretch.author(self.session_no, nth, self.author_no));
        }
        if words.is_empty() { String::new() } else { all.join(" ") }
    }
}

/// The small ids of the last message in the index and of the last one of all.
pub(super) async fn reaches(db: &Db) -> Result<(i64, i64), StoreError> {
    let sql = "select (select value::bigint from meta where key = 'search_indexed_to'), \
               (select max(no) from messages)";
    let read = |row: &Row| {
        let (to, last): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok((to.unwrap_or(0), last.unwrap_or(0)))
    };
    Ok(one(db, sql, &[], read).await?.unwrap_or_default())
}

/// The small id of the last message in the index.
async fn indexed_to(db: &Db) -> Result<i64, StoreError> {
    let sql = "select value::bigint from meta where key = 'search_indexed_to'";
    Ok(one(db, sql, &[], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0))
}

/// Puts the new wording in place of the old one, if that is in the index.
pub(in super::super) async fn reword(txn: &Txn, said: Said<'_>) -> Result<(), StoreError> {
    share(txn).await?;
    let words = said.stored();
    let sql = "update search set words = array_to_tsvector(string_to_array($1, ' ')) \
               where no = $2";
    txn.execute(sql, &[&words, &said.no]).await.map(drop)
}

/// Takes messages out of the index, by their small ids.
pub(in super::super) async fn remove(txn: &Txn, nos: &[i64]) -> Result<(), StoreError> {
    share(txn).await?;
    txn.execute("delete from search where no = any($1)", &[&nos]).await.map(drop)
}

/// Takes all that was said in a room out of the index; its sessions are locked, and its messages
/// still there.
pub(in super::super) async fn remove_room(txn: &Txn, room_no: i64) -> Result<(), StoreError> {
    share(txn).await?;
    let sql = "delete from search where no in (select m.no from messages m \
               join sessions s on s.no = m.session_no where s.room_no = $1)";
    txn.execute(sql, &[&room_no]).await.map(drop)
}

async fn share(txn: &Txn) -> Result<(), StoreError> {
    txn.execute("select pg_advisory_xact_lock_shared($1)", &[&LOCK]).await.map(drop)
}

/// The job that fills the index.
pub(in super::super) struct Indexer {
    readers: Readers,
    tasks: TaskTracker,
    end: CancellationToken,
    /// Up to here no message can turn up any more that is not there now.
    settled: i64,
    /// What is settled when every transaction before this one has ended.
    settling: Option<(i64, i64)>,
    /// Whether something may wait outside the tree of the index: every question goes through all
    /// that waits, and a search asks one for each of its sessions.
    waiting: bool,
}

impl Indexer {
    /// Starts the job; it ends when it is told to.
    pub(in super::super) fn start(readers: &Readers, tasks: &TaskTracker, end: CancellationToken) {
        let (readers, started) = (readers.clone(), tasks.clone());
        let tasks = tasks.clone();
        let indexer = Self { readers, tasks, end, settled: 0, settling: None, waiting: true };
        started.spawn(indexer.serve());
    }

    async fn serve(mut self) {
        let mut rest = REST;
        let end = self.end.clone();
        loop {
            if end.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
                return;
            }
            let Some(done) = end.run_until_cancelled(self.extend()).await else { return };
            rest = match done {
                Ok(true) => Duration::ZERO,
                Ok(false) => (rest * 2).clamp(REST, REST_MAX),
                Err(error) => {
                    tracing::warn!(%error, "failed to index");
                    REST_MAX
                }
            };
        }
    }

    /// Does one slice; false when there was nothing to do.
    async fn extend(&mut self) -> Result<bool, StoreError> {
        let db = self.readers.take().await?;
        let (to, last) = (indexed_to(&db).await?, last_given(&db).await?);
        if to >= last {
            if self.waiting {
                db.execute("select gin_clean_pending_list('search_by_words')", &[]).await?;
                self.waiting = false;
            }
            return Ok(false);
        }
        self.settle(&db, last).await?;
        if to >= self.settled {
            return Ok(false);
        }
        // Nothing of it is told.
        let (sink, _) = mpsc::channel(1);
        let txn = Txn::begin(db, sink, self.tasks.clone());
        txn.execute("select pg_advisory_xact_lock($1)", &[&LOCK]).await?;
        fill(&txn, self.settled).await?;
        txn.commit().await?;
        self.waiting = true;
        Ok(true)
    }

    /// Finds out up to where every small id that was given is visible, or never will be. It is
    /// given by a transaction that has a number of its own by then (it holds the lock on a head):
    /// when all that were numbered before ours have ended, so have those which gave the ids before.
    async fn settle(&mut self, db: &Db, last: i64) -> Result<(), StoreError> {
        let sql = "select pg_current_xact_id()::text::bigint, \
                   pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        let numbers = one(db, sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await?;
        let (now, oldest): (i64, i64) = numbers.unwrap_or_default();
        if let Some((last, before)) = self.settling
            && oldest >= before
        {
            (self.settled, self.settling) = (last, None);
        }
        if self.settling.is_none() {
            self.settling = Some((last, now));
        }
        Ok(())
    }
}

/// The last small id that was given to a message.
async fn last_given(db: &Db) -> Result<i64, StoreError> {
    let sql = "select case when is_called then last_value else 0 end from messages_no_seq";
    Ok(one(db, sql, &[], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0))
}

/// Puts the words of the next messages in. Another node may have done so meanwhile.
async fn fill(txn: &Txn, settled: i64) -> Result<(), StoreError> {
    let sql = "select no, session_no, sender_no, \
               case when extras & 64 = 0 then content else '' end from messages \
               where no > $1 and no <= $2 order by no limit $3";
    let from = indexed_to(txn).await?;
    let rows = txn.query(sql, &[&from, &settled, &SLICE]).await?;
    let (mut nos, mut sessions, mut texts) = (Vec::<i64>::new(), Vec::<i64>::new(), Vec::new());
    let mut bytes = 0;
    let mut to = settled;
    for (nth, row) in (1..).zip(&rows) {
        let (no, text): (i64, &str) = (row.try_get(0)?, row.try_get(3)?);
        let (session_no, author_no) = (row.try_get(1)?, row.try_get(2)?);
        let words = Said { session_no, no, author_no, text }.stored();
        if !words.is_empty() {
            nos.push(no);
            sessions.push(session_no);
            texts.push(words);
        }
        bytes += text.len();
        if nth == SLICE || bytes > SLICE_BYTES {
            to = no;
            break;
        }
    }
    let sql = "insert into search (no, session_no, words) select w.no, w.session_no, \
               array_to_tsvector(string_to_array(w.words, ' ')) \
               from unnest($1::bigint[], $2::bigint[], $3::text[]) w (no, session_no, words) \
               on conflict (no) do update set words = excluded.words";
    txn.execute(sql, &[&nos, &sessions, &texts]).await?;
    let sql = "insert into meta (key, value) values ('search_indexed_to', $1::bigint::text) \
               on conflict (key) do update set value = \
               greatest(meta.value::bigint, excluded.value::bigint)::text";
    txn.execute(sql, &[&to]).await.map(drop)
}
