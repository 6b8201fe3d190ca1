//! What only few messages need, beside what all do: threads, files, words that are passed on, and
//! naming everybody. It is one statement with the rest, but only for groups that have one of these.

use parlor_domain::Draft;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// What of a group needs more.
#[derive(Default)]
pub(super) struct More {
    /// Places of drafts that name everybody.
    all: Vec<i64>,
    /// Places of drafts that pass something on, whose words these are, and when they were said.
    passing: Vec<i64>,
    senders: Vec<Uuid>,
    times: Vec<i64>,
    /// Places of drafts that carry files, each file's place among them, and its id.
    carrying: Vec<i64>,
    nths: Vec<i64>,
    files: Vec<Uuid>,
}

impl More {
    /// `None` when nothing of a group needs more.
    pub(super) fn of(drafts: &[&Draft]) -> Option<Self> {
        let mut more = Self::default();
        for (place, draft) in (1..).zip(drafts) {
            if draft.mentions.all {
                more.all.push(place);
            }
            if let Some(forwarded) = &draft.forwarded {
                more.passing.push(place);
                more.senders.push(forwarded.sender.0);
                more.times.push(forwarded.sent_at.0);
            }
            for (nth, file) in (1..).zip(&draft.files) {
                more.carrying.push(place);
                more.nths.push(nth);
                more.files.push(file.id.0);
            }
        }
        let none = [&more.all, &more.passing, &more.carrying].iter().all(|some| some.is_empty());
        let plain = none && drafts.iter().all(|draft| draft.thread.is_none());
        (!plain).then_some(more)
    }

    /// What [`ALSO`] is given besides.
    pub(super) fn bound(&self) -> [&(dyn ToSql + Sync); 7] {
        let (carrying, nths, files) = (&self.carrying, &self.nths, &self.files);
        [&self.all, &self.passing, &self.senders, &self.times, carrying, nths, files]
    }
}

/// Which drafts may carry what they carry: their senders' own files that nobody carries yet, what
/// people look like, and files of messages that they can see, but for what would outlive these or
/// the session that it is taken out of.
pub(super) const MAY_CARRY: &str = " \
    where not exists (select 1 from unnest($21::bigint[], $23::uuid[]) a (ord, file_id) \
        where a.ord = x.ord and not exists (select 1 from files f \
        join users o on o.no = f.user_no where f.id = a.file_id \
        and ((f.carried = 0 and f.user_no = x.sender_no) or o.picture = f.id \
        or exists (select 1 from attachments t \
        join messages m on m.no = t.message_no and m.deleted_at is null \
        and (m.expires_at is null or m.expires_at >= coalesce(x.expires_at, 9223372036854775807)) \
        join sessions c on c.no = m.session_no and c.ended_at is null \
        and (c.ends_at is null or c.no = x.session_no \
        or c.ends_at >= coalesce(x.expires_at, 9223372036854775807)) \
        join session_members sm on sm.session_no = m.session_no and sm.user_no = x.sender_no \
        where t.file_id = f.id))))";

/// Whom messages name, everybody by one row; whose words they pass on; and what becomes of the
/// threads that they are in. Who speaks in a thread has read it up to there and follows it, as do
/// those who are named in it and, from its first message on, the author of what it is under. Those
/// who speak and those who do not are written apart, since a row is written once by a statement.
pub(super) const ALSO: &str = "\
    rooted as (select f.ord, f.no, f.session_no, f.sender_no, f.number + f.nth as number, \
        f.sent_at, r.no as root_no, r.id as root_id, r.sender_no as author_no, \
        r.number as root_number from fresh f join messages r on r.id = f.thread_id), \
    called as (select distinct f.no, f.session_no, f.number + f.nth as number, u.no as user_no \
        from unnest($11::bigint[], $12::text[]) n (ord, name) join fresh f on f.ord = n.ord \
        join users u on u.username_key = n.name and u.no <> f.sender_no \
        join session_members m on m.session_no = f.session_no and m.user_no = u.no), \
    named as (insert into mentions (session_no, user_no, number, root_no) \
        select c.session_no, c.user_no, c.number, r.root_no from called c \
        left join rooted r on r.no = c.no \
        union all select f.session_no, 0, f.number + f.nth, r.root_no \
        from unnest($17::bigint[]) a (ord) join fresh f on f.ord = a.ord \
        left join rooted r on r.no = f.no), \
    passed as (insert into forwards (message_no, sender_no, sent_at) \
        select f.no, u.no, w.sent_at \
        from unnest($18::bigint[], $19::uuid[], $20::bigint[]) w (ord, sender, sent_at) \
        join fresh f on f.ord = w.ord join users u on u.id = w.sender), \
    asked as (select f.no, a.nth, a.file_id from fresh f \
        join unnest($21::bigint[], $22::bigint[], $23::uuid[]) a (ord, nth, file_id) \
        on a.ord = f.ord), \
    carried as (insert into attachments (message_no, nth, file_id) \
        select no, nth, file_id from asked), \
    counted as (update files x set carried = x.carried + c.count from \
        (select file_id, count(*) as count from asked group by file_id) c \
        where x.id = c.file_id), \
    resealed as (insert into jobs (id, kind, about, created_at, due_at) \
        select distinct on (a.file_id) gen_random_uuid(), 'seal', a.file_id, f.sent_at, f.sent_at \
        from asked a join fresh f on f.no = a.no join files x on x.id = a.file_id \
        where x.sealed or (f.sealed is not null and not x.encrypted) \
        on conflict (kind, about) do update set asked = jobs.asked + 1, \
        due_at = least(jobs.due_at, excluded.due_at), tries = 0, given_up = false, \
        error = null), \
    grown as (insert into threads \
        (root_no, root_id, session_no, replies, last_no, last_number, last_at) \
        select root_no, root_id, session_no, count(*), max(no), max(number), \
        (array_agg(sent_at order by no desc))[1] from rooted \
        group by root_no, root_id, session_no \
        on conflict (root_no) do update set replies = threads.replies + excluded.replies, \
        last_no = excluded.last_no, last_number = excluded.last_number, \
        last_at = excluded.last_at), \
    marked as (update messages m set extras = m.extras | 2 \
        where m.no in (select root_no from rooted) and m.extras & 2 = 0), \
    concerned as (select root_no, session_no, user_no, max(spoke) as spoke, \
        min(read) as read from (\
        select root_no, session_no, sender_no as user_no, number as spoke, number as read \
        from rooted \
        union all select r.root_no, r.session_no, r.author_no, null, r.root_number from rooted r \
        join session_members m on m.session_no = r.session_no and m.user_no = r.author_no \
        where not exists (select 1 from threads t where t.root_no = r.root_no) \
        union all select r.root_no, r.session_no, c.user_no, null, r.number - 1 \
        from called c join rooted r on r.no = c.no) x group by root_no, session_no, user_no), \
    spoke as (insert into followers \
        (root_no, user_no, session_no, following, read_number, said_number) \
        select root_no, user_no, session_no, true, spoke, spoke from concerned \
        where spoke is not null on conflict (root_no, user_no) do update set following = true, \
        read_number = greatest(followers.read_number, excluded.read_number), \
        said_number = excluded.said_number), \
    heard as (insert into followers (root_no, user_no, session_no, following, read_number) \
        select root_no, user_no, session_no, true, read from concerned where spoke is null \
        on conflict (root_no, user_no) do update set following = true), ";
