//! `append`: one transaction, which takes one round trip, gives `seq` and `number` under the locks
//! of the sessions' heads and writes the rows of a whole group.

mod more;
mod queries;

use more::More;
pub(super) use queries::{Erased, erase, held, seen, strip};

use std::collections::BTreeSet;
use std::sync::LazyLock;

use parlor_domain::{Denied, Draft, MessageId};
use tokio::sync::oneshot;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::readers::Db;
use super::rows::{maybe_time, time};
use crate::StoreError;
use crate::messages::{Posted, Receipt, bits, no_thread};

/// A draft on its way into the log.
pub(super) struct Append {
    pub(super) draft: Draft,
    /// Its text, where it is kept sealed.
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) answer: oneshot::Sender<Result<Posted, StoreError>>,
}

impl Append {
    /// What of the text is kept as it is.
    fn kept(&self) -> &str {
        if self.sealed.is_some() { "" } else { &self.draft.content }
    }
}

/// Locks the heads of the sessions concerned, in the order that everybody keeps to.
const LOCK: &str = "select 1 from heads where session_no = any($1) order by session_no \
    for no key update";

/// Stores those drafts that still hold and that have no receipt, and returns them.
///
/// The receipt is written first: where there is one already, also one that another node is just
/// writing, the draft is left out. Receipts are written in the order of their keys, so that two
/// nodes that write the same ones do not wait for each other. A small id is drawn under the lock of
/// its session, so that in a session they ascend. (`is true` makes the planner look those up by
/// their hash, whose number it cannot guess, instead of comparing each with each.)
///
/// What only few messages need, [`more`] adds where a group has one of these.
const HELD: &str = "\
    with d as (select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], \
        $5::uuid[], $6::bytea[], $7::text[], $8::uuid[], $9::text[], $10::bigint[], \
        $13::uuid[], $14::bigint[], $15::bigint[], $16::bytea[]) \
        with ordinality d (id, session_no, acl_version, sender_no, client_id, digest, content, \
        reply_to, file, sent_at, thread_id, extras, expires_at, sealed, ord)), \
    held as (select x.*, nextval('messages_no_seq') as no from (select d.*, h.seq as seq, \
        h.number as number, h.threaded as threaded from d \
        join heads h on h.session_no = d.session_no \
        and h.acl_version = d.acl_version where (d.reply_to is null or (select \
        m.session_no = d.session_no and m.deleted_at is null from messages m \
        where m.id = d.reply_to)) and (d.thread_id is null or exists (select 1 \
        from messages m left join threads t on t.root_no = m.no where m.id = d.thread_id \
        and m.session_no = d.session_no and m.thread_id is null \
        and (m.deleted_at is null or t.root_no is not null))) order by d.ord) x";

/// Who is new of them, and what is written of all.
const SAID: &str = "), \
    kept as (insert into receipts (user_no, key, kind, made_no, digest, at) \
        select sender_no, client_id, 1, no, digest, sent_at from held \
        order by sender_no, client_id, no on conflict do nothing returning made_no), \
    fresh as (select held.*, row_number() over sofar as nth, \
        count(thread_id) over sofar as nth_threaded \
        from held where (no in (select made_no from kept)) is true \
        window sofar as (partition by session_no order by no)), \
    said as (insert into messages (no, id, session_no, number, seq, sender_no, client_id, \
        content, reply_to, sent_at, file, thread_id, threaded, extras, expires_at, sealed) \
        select no, id, session_no, number + nth, seq + nth, sender_no, client_id, content, \
        reply_to, sent_at, file, thread_id, threaded + nth_threaded, extras, \
        expires_at, sealed from fresh), \
    told as (insert into events (session_no, seq, kind, at, message_no) \
        select session_no, seq + nth, 1, sent_at, no from fresh), ";

/// Whom messages name.
const NAMED: &str = "\
    named as (insert into mentions (session_no, user_no, number) \
        select distinct f.session_no, u.no, f.number + f.nth \
        from unnest($11::bigint[], $12::text[]) n (ord, name) join fresh f on f.ord = n.ord \
        join users u on u.username_key = n.name and u.no <> f.sender_no \
        join session_members m on m.session_no = f.session_no and m.user_no = u.no), ";

const AFTER: &str = "\
    moved as (update heads h set seq = h.seq + f.count, number = h.number + f.count, \
        threaded = h.threaded + f.threaded from (select session_no, count(*) as count, \
        count(thread_id) as threaded from fresh group by session_no) f \
        where h.session_no = f.session_no) \
    select ord, no, number + nth, seq + nth from fresh";

/// The statement for groups of plain messages.
static STORE: LazyLock<String> = LazyLock::new(|| [HELD, SAID, NAMED, AFTER].concat());

/// The statement for groups with a message in a thread, one that carries files or passes something
/// on, or one that names everybody.
static STORE_MORE: LazyLock<String> =
    LazyLock::new(|| [HELD, more::MAY_CARRY, SAID, more::ALSO, AFTER].concat());

/// Stores drafts, each exactly once, and says what became of each.
///
/// # Errors
/// [`StoreError`] when nothing was stored, or, as [`StoreError::Unavailable`], when nobody knows.
pub(super) async fn append(
    db: &Db,
    group: &[&Append],
) -> Result<Vec<Result<Posted, StoreError>>, StoreError> {
    let drafts: Vec<&Draft> = group.iter().map(|append| &append.draft).collect();
    let sessions: BTreeSet<i64> = drafts.iter().map(|draft| draft.session_no).collect();
    let sessions: Vec<i64> = sessions.into_iter().collect();
    let rows = store(db, &sessions, &drafts, group).await?;
    let mut posted: Vec<Option<Posted>> = vec![None; drafts.len()];
    for row in rows {
        let at = place(&row)?;
        let slot = posted.get_mut(at).zip(drafts.get(at)).ok_or_else(unknown_row)?;
        *slot.0 = Some(Posted {
            id: slot.1.id,
            no: row.try_get(1)?,
            number: row.try_get(2)?,
            seq: row.try_get(3)?,
            sent_at: slot.1.sent_at,
            expires_at: slot.1.expires_at,
            fresh: true,
        });
    }
    let rest = drafts.iter().zip(&posted).filter(|(_, posted)| posted.is_none());
    let rest: Vec<&Draft> = rest.map(|(draft, _)| *draft).collect();
    let mut reasons = reasons(db, &rest).await.into_iter();
    let reason = || reasons.next().unwrap_or_else(|| Err(unknown_row()));
    let mut reason = reason;
    Ok(posted.into_iter().map(|posted| posted.map_or_else(&mut reason, Ok)).collect())
}

/// The place of a row's draft in the group; the database counts from one.
fn place(row: &Row) -> Result<usize, StoreError> {
    let ord: i64 = row.try_get(0)?;
    usize::try_from(ord - 1).map_err(|_| unknown_row())
}

fn unknown_row() -> StoreError {
    StoreError::Database("a stored draft was not asked for".to_owned())
}

async fn store(
    db: &Db,
    sessions: &[i64],
    drafts: &[&Draft],
    group: &[&Append],
) -> Result<Vec<Row>, StoreError> {
    let ids: Vec<Uuid> = drafts.iter().map(|draft| draft.id.0).collect();
    let session_nos: Vec<i64> = drafts.iter().map(|draft| draft.session_no).collect();
    let versions: Vec<i64> = drafts.iter().map(|draft| draft.acl_version).collect();
    let senders: Vec<i64> = drafts.iter().map(|draft| draft.sender_no).collect();
    let keys: Vec<Uuid> = drafts.iter().map(|draft| draft.client_id.0).collect();
    let digests: Vec<&[u8]> = drafts.iter().map(|draft| draft.digest.as_slice()).collect();
    let contents: Vec<&str> = group.iter().map(|append| append.kept()).collect();
    let sealed: Vec<Option<&[u8]>> = group.iter().map(|append| append.sealed.as_deref()).collect();
    let replies: Vec<Option<Uuid>> =
        drafts.iter().map(|draft| draft.reply_to.map(|id| id.0)).collect();
    let files: Vec<Option<&str>> = drafts.iter().map(|draft| draft.file.as_deref()).collect();
    let times: Vec<i64> = drafts.iter().map(|draft| draft.sent_at.0).collect();
    let (mut places, mut names) = (Vec::<i64>::new(), Vec::<&str>::new());
    for (place, draft) in (1..).zip(drafts) {
        for name in &draft.mentions.people {
            places.push(place);
            names.push(name);
        }
    }
    let threads: Vec<Option<Uuid>> =
        drafts.iter().map(|draft| draft.thread.map(|id| id.0)).collect();
    let extras: Vec<i64> = drafts.iter().map(|draft| bits(draft)).collect();
    let ends: Vec<Option<i64>> =
        drafts.iter().map(|draft| draft.expires_at.map(|at| at.0)).collect();
    let more = More::of(drafts);
    let mut bound: Vec<&(dyn ToSql + Sync)> = vec![
        &ids,
        &session_nos,
        &versions,
        &senders,
        &keys,
        &digests,
        &contents,
        &replies,
        &files,
        &times,
        &places,
        &names,
        &threads,
        &extras,
        &ends,
        &sealed,
    ];
    let sql = match &more {
        Some(more) => {
            bound.extend(more.bound());
            STORE_MORE.as_str()
        }
        None => STORE.as_str(),
    };
    db.at_once((LOCK, &[&sessions]), (sql, &bound)).await
}

/// Why drafts were not stored. Mostly none was left out, and nothing is asked.
const REASONS: &str = "select m.id, m.no, m.number, m.seq, m.sent_at, r.digest, m.expires_at, \
    h.acl_version, \
    exists (select 1 from messages a where a.id = d.reply_to and a.session_no = d.session_no \
    and a.deleted_at is null), \
    exists (select 1 from messages a left join threads t on t.root_no = a.no \
    where a.id = d.thread_id and a.session_no = d.session_no and a.thread_id is null \
    and (a.deleted_at is null or t.root_no is not null)) \
    from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[]) with ordinality \
    d (user_no, key, session_no, reply_to, thread_id, ord) \
    left join receipts r on r.user_no = d.user_no and r.key = d.key \
    left join messages m on m.no = r.made_no and r.kind = 1 \
    left join heads h on h.session_no = d.session_no order by d.ord";

async fn reasons(db: &Db, drafts: &[&Draft]) -> Vec<Result<Posted, StoreError>> {
    if drafts.is_empty() {
        return vec![];
    }
    let users: Vec<i64> = drafts.iter().map(|draft| draft.sender_no).collect();
    let keys: Vec<Uuid> = drafts.iter().map(|draft| draft.client_id.0).collect();
    let sessions: Vec<i64> = drafts.iter().map(|draft| draft.session_no).collect();
    let replies: Vec<Option<Uuid>> =
        drafts.iter().map(|draft| draft.reply_to.map(|id| id.0)).collect();
    let threads: Vec<Option<Uuid>> =
        drafts.iter().map(|draft| draft.thread.map(|id| id.0)).collect();
    match db.query(REASONS, &[&users, &keys, &sessions, &replies, &threads]).await {
        Ok(rows) => rows.iter().zip(drafts).map(|(row, draft)| reason(row, draft)).collect(),
        // Others of the group are stored: this is the failure of these drafts alone.
        Err(error) => {
            let failed = |_: &&Draft| Err(StoreError::Unavailable(error.to_string()));
            drafts.iter().map(failed).collect()
        }
    }
}

/// A receipt counts for more than any other reason. Without one, the access list has changed, or
/// the message is an answer to nothing, in no thread, or carries what its sender may not have.
fn reason(row: &Row, draft: &Draft) -> Result<Posted, StoreError> {
    if row.try_get::<_, Option<&[u8]>>(5)?.is_some() {
        let first = first_result(row)?;
        let same = first.digest == draft.digest;
        return same.then_some(first.posted).ok_or(StoreError::KeyReused);
    }
    match row.try_get::<_, Option<i64>>(7)? {
        None => Err(Denied::NotFound.into()),
        Some(version) if version != draft.acl_version => {
            Err(StoreError::Stale(Box::new(draft.clone())))
        }
        Some(_) if draft.reply_to.is_some() && !row.try_get::<_, bool>(8)? => {
            Err(Denied::NotFound.into())
        }
        Some(_) if draft.thread.is_some() && !row.try_get::<_, bool>(9)? => Err(no_thread().into()),
        Some(_) if !draft.files.is_empty() => Err(Denied::NotFound.into()),
        Some(_) => Err(StoreError::Stale(Box::new(draft.clone()))),
    }
}

/// What an earlier send came to, of a row that begins with the message, the digest and the end; a
/// key that made something else is refused.
fn first_result(row: &Row) -> Result<Receipt, StoreError> {
    let id: Option<Uuid> = row.try_get(0)?;
    let posted = Posted {
        id: MessageId(id.ok_or(StoreError::KeyReused)?),
        no: row.try_get(1)?,
        number: row.try_get(2)?,
        seq: row.try_get(3)?,
        sent_at: time(row, 4)?,
        expires_at: maybe_time(row, 6)?,
        fresh: false,
    };
    let digest: &[u8] = row.try_get(5)?;
    let digest = digest.try_into().map_err(|_| crate::stored::damaged("a receipt"))?;
    Ok(Receipt { posted, digest })
}
