//! Of whom devices are to ask for keys again: noted once, and looked at by each device when it
//! asks.

use parlor_domain::UserId;
use tokio_postgres::Row;

use super::super::readers::Db;
use super::super::rows::{many, one, uuid};
use crate::StoreError;
use crate::e2ee::{CAME, CHANGES, KEYS, SIGNED, WENT};

/// What a change notes when it commits.
#[derive(Default)]
pub(in super::super) struct Changes {
    kinds: Vec<i64>,
    users: Vec<i64>,
    sessions: Vec<i64>,
}

impl Changes {
    /// Somebody's keys have changed.
    pub(in super::super) fn keys(&mut self, user_no: i64) {
        self.note(KEYS, user_no, 0);
    }

    /// Somebody has signed keys: of their own, or of another person, which only they see.
    pub(super) fn signed(&mut self, user_no: i64, signer_no: i64) {
        if user_no == signer_no {
            self.keys(user_no);
        } else {
            self.note(SIGNED, user_no, signer_no);
        }
    }

    /// Somebody came into an encrypted session.
    pub(in super::super) fn came(&mut self, user_no: i64, session_no: i64) {
        self.note(CAME, user_no, session_no);
    }

    /// Somebody went out of it.
    pub(in super::super) fn went(&mut self, user_no: i64, session_no: i64) {
        self.note(WENT, user_no, session_no);
    }

    fn note(&mut self, kind: i64, user_no: i64, session_no: i64) {
        let row = (kind, user_no, session_no);
        let rows = self.kinds.iter().zip(&self.users).zip(&self.sessions);
        if rows.map(|((kind, user), session)| (*kind, *user, *session)).any(|known| known == row) {
            return;
        }
        self.kinds.push(kind);
        self.users.push(user_no);
        self.sessions.push(session_no);
    }

    /// Writes them. Whoever counts has locked the count until they commit: what is read up to it is
    /// complete.
    pub(in super::super) async fn write(&self, db: &Db) -> Result<(), StoreError> {
        if self.kinds.is_empty() {
            return Ok(());
        }
        let sql = "insert into meta (key, value) values ($1, $2::bigint::text) on conflict (key) \
                   do update set value = (meta.value::bigint + $2)::text \
                   returning value::bigint - $2";
        let count = self.kinds.len() as i64;
        let before: Option<i64> =
            one(db, sql, &[&CHANGES, &count], |row| Ok(row.try_get(0)?)).await?;
        let sql = "insert into e2ee_changes (kind, user_no, session_no, pos) \
                   select n.kind, n.user_no, n.session_no, $4 + n.nth from unnest($1::bigint[], \
                   $2::bigint[], $3::bigint[]) with ordinality n (kind, user_no, session_no, nth) \
                   on conflict (kind, user_no, session_no) do update set pos = excluded.pos";
        let before = before.unwrap_or(0);
        db.execute(sql, &[&self.kinds, &self.users, &self.sessions, &before]).await.map(drop)
    }
}

/// How far the changes are.
pub(super) async fn newest(db: &Db) -> Result<i64, StoreError> {
    let sql = "select value::bigint from meta where key = $1";
    Ok(one(db, sql, &[&CHANGES], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0))
}

/// Whether `$1` and the user in the column share an encrypted session.
const SHARED: &str = "exists (select 1 from session_members a \
    join sessions s on s.no = a.session_no and s.algorithm is not null \
    join session_members b on b.session_no = a.session_no and b.user_no = x.user_no \
    where a.user_no = $1)";

/// Whose keys the user is to ask for again between two places, and with whom they share nothing any
/// more: by their small ids, and whether it is the former.
pub(super) async fn between(
    db: &Db,
    user_no: i64,
    (pos, to): (i64, i64),
) -> Result<Vec<(i64, bool)>, StoreError> {
    let sql = format!(
        "with new as materialized (select kind, user_no, session_no from e2ee_changes \
         where pos > $2 and pos <= $3) \
         select x.user_no, bool_or(x.fresh) from ( \
         select x.user_no, true as fresh from new x \
         where x.kind = {KEYS} and (x.user_no = $1 or {SHARED}) \
         union all select x.user_no, true from new x \
         where x.kind = {SIGNED} and x.session_no = $1 and {SHARED} \
         union all select x.user_no, true from new x \
         join session_members a on a.session_no = x.session_no and a.user_no = $1 \
         where x.kind = {CAME} and x.user_no <> $1 and {SHARED} \
         union all select x.user_no, true from new c \
         join session_members x on x.session_no = c.session_no and x.user_no <> $1 \
         where c.kind = {CAME} and c.user_no = $1 and {SHARED} \
         union all select x.user_no, false from new x \
         join session_members a on a.session_no = x.session_no and a.user_no = $1 \
         where x.kind = {WENT} and x.user_no <> $1 and not {SHARED} \
         union all select x.user_no, false from new c \
         join session_members x on x.session_no = c.session_no and x.user_no <> $1 \
         where c.kind = {WENT} and c.user_no = $1 and not {SHARED} \
         ) x group by x.user_no order by x.user_no"
    );
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    many(db, &sql, &[&user_no, &pos, &to], read).await
}

/// The user, and those with whom they share an encrypted session.
pub(super) async fn sharers(db: &Db, user_no: i64) -> Result<Vec<UserId>, StoreError> {
    let sql = "select id from users where no = $1 union select u.id from session_members a \
               join sessions s on s.no = a.session_no and s.algorithm is not null \
               join session_members b on b.session_no = a.session_no \
               join users u on u.no = b.user_no where a.user_no = $1";
    many(db, sql, &[&user_no], |row| Ok(UserId(uuid(row, 0)?))).await
}
