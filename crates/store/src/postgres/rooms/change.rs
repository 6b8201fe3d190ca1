//! Carrying out what was decided about a room that is locked.

use std::collections::HashMap;

use parlor_domain::room::Settings;
use parlor_domain::{
    Denied, EventKind, Gone, Role, RoomChange, RoomId, RoomKind, Rules, Time, UserId,
};
use tokio_postgres::Row;

use super::super::rows::{Person, many, maybe_time, one, rules_at, word};
use super::super::sessions::{self, Leaving, Newcomer};
use super::super::txn::Txn;
use super::{Place, admit, delete, lock, search_key, tell_added};
use crate::StoreError;
use crate::rooms::columns;

/// What the changes of a room are carried out with.
struct Work<'a> {
    place: &'a Place,
    actor: UserId,
    known: HashMap<UserId, Person>,
    now: Time,
}

/// Carries out changes, those who come in one after the other all at once.
pub(super) async fn carry_out(
    txn: &mut Txn,
    place: &Place,
    actor: UserId,
    changes: &[RoomChange],
    now: Time,
) -> Result<(), StoreError> {
    lock_logs(txn, place, changes).await?;
    let concerned: Vec<UserId> = changes.iter().filter_map(whom).chain([actor]).collect();
    let known = sessions::people(txn, &concerned).await?;
    let work = Work { place, actor, known, now };
    let comes = |change: &RoomChange| matches!(change, RoomChange::Join { .. });
    for run in changes.chunk_by(|one, next| comes(one) && comes(next)) {
        work.apply(txn, run).await?;
    }
    Ok(())
}

/// Whom a change is about.
fn whom(change: &RoomChange) -> Option<UserId> {
    match change {
        RoomChange::Join { user, .. }
        | RoomChange::Remove { user, .. }
        | RoomChange::SetRole { user, .. }
        | RoomChange::Ban { user, .. }
        | RoomChange::Unban(user) => Some(*user),
        RoomChange::Settings(_) | RoomChange::Delete => None,
    }
}

/// Deletes a room that was deleted before, if it is there.
pub(in super::super) async fn delete_again(
    txn: &mut Txn,
    room: RoomId,
    by: UserId,
    now: Time,
) -> Result<(), StoreError> {
    let Some(place) = lock(txn, room).await? else { return Ok(()) };
    lock_logs(txn, &place, &[RoomChange::Delete]).await?;
    delete::delete(txn, &place, by, now).await
}

/// Locks every log that the changes write to, all at once.
async fn lock_logs(txn: &mut Txn, place: &Place, changes: &[RoomChange]) -> Result<(), StoreError> {
    let (mut main, mut all, mut theirs) = (false, false, Vec::new());
    for change in changes {
        match change {
            RoomChange::Join { .. } => main = true,
            RoomChange::Remove { user, .. } | RoomChange::SetRole { user, .. } => {
                theirs.push(user.0);
            }
            RoomChange::Settings(asked) => {
                main = true;
                all |= asked.kind.is_some() || asked.archived.is_some();
                all |= asked.rules.retention.is_some();
            }
            RoomChange::Delete => all = true,
            RoomChange::Ban { .. } | RoomChange::Unban(_) => {}
        }
    }
    if !all && theirs.is_empty() {
        return if main { txn.lock_heads(&[place.main_no]).await } else { Ok(()) };
    }
    let sql = "select s.no from sessions s where s.room_no = $1 and (s.main or $2 or exists \
               (select 1 from session_members sm join users u on u.no = sm.user_no \
               where sm.session_no = s.no and u.id = any($3)))";
    let logs: Vec<i64> =
        many(txn, sql, &[&place.no, &all, &theirs], |row| Ok(row.try_get(0)?)).await?;
    txn.lock_heads(&logs).await
}

impl Work<'_> {
    fn known(&self, user: UserId) -> Result<&Person, StoreError> {
        self.known.get(&user).ok_or(Denied::NotFound.into())
    }

    /// Carries out one change, or several comings.
    async fn apply(&self, txn: &mut Txn, run: &[RoomChange]) -> Result<(), StoreError> {
        let Some(change) = run.first() else {
            return Ok(());
        };
        match change {
            RoomChange::Join { .. } => self.join(txn, run).await,
            RoomChange::Remove { user, reason } => self.remove(txn, *user, *reason).await,
            RoomChange::SetRole { user, role } => self.set_role(txn, *user, *role).await,
            RoomChange::Ban { user, reason } => self.ban(txn, *user, reason).await,
            RoomChange::Unban(user) => {
                let sql = "delete from bans where room_no = $1 and user_no = $2";
                let target = self.known(*user)?.no;
                txn.execute(sql, &[&self.place.no, &target]).await.map(drop)
            }
            RoomChange::Settings(asked) => self.settings(txn, asked).await,
            RoomChange::Delete => delete::delete(txn, self.place, self.actor, self.now).await,
        }
    }

    async fn join(&self, txn: &mut Txn, run: &[RoomChange]) -> Result<(), StoreError> {
        let mut newcomers = Vec::with_capacity(run.len());
        for change in run {
            if let RoomChange::Join { user, role, by } = change {
                let by = by.filter(|by| by != user);
                newcomers.push(Newcomer { person: self.known(*user)?, role: *role, by });
            }
        }
        let news = admit(txn, self.place, newcomers, self.now).await?;
        tell_added(txn, self.place, &news, self.now).await
    }

    async fn ban(&self, txn: &Txn, user: UserId, reason: &str) -> Result<(), StoreError> {
        let by = self.known.get(&self.actor).map(|by| by.no);
        let sql = "insert into bans (room_no, user_no, by_no, reason, banned_at) \
                   values ($1, $2, $3, $4, $5) on conflict (room_no, user_no) do update \
                   set by_no = excluded.by_no, reason = excluded.reason, \
                   banned_at = excluded.banned_at";
        let target = self.known(user)?.no;
        let bound = [&self.place.no as _, &target as _, &by as _, &reason as _, &self.now.0 as _];
        txn.execute(sql, &bound).await.map(drop)
    }

    /// Takes somebody out of a room and of every session of it, also of those that have ended: an
    /// ex-member reads nothing.
    async fn remove(&self, txn: &mut Txn, user: UserId, reason: Gone) -> Result<(), StoreError> {
        let (place, person) = (self.place, self.known(user)?);
        let sql = "delete from room_members where room_no = $1 and user_no = $2";
        if txn.execute(sql, &[&place.no, &person.no]).await? == 0 {
            return Ok(());
        }
        let sql = "update rooms set member_count = member_count - 1 where no = $1";
        txn.execute(sql, &[&place.no]).await?;
        let by = Some(self.actor).filter(|&by| by != user);
        let leaving = Leaving { person, by, reason, now: self.now };
        let sessions = sessions_of(txn, place, person.no).await?;
        sessions::leave(txn, &sessions, &leaving).await?;
        for session in sessions {
            let whole_room = session == place.main_no;
            sessions::tell_removed(txn, session, &leaving, place.id, whole_room).await?;
        }
        Ok(())
    }

    async fn set_role(&self, txn: &mut Txn, user: UserId, role: Role) -> Result<(), StoreError> {
        let (place, target) = (self.place, self.known(user)?.no);
        let sql = "update room_members set role = $3 where room_no = $1 and user_no = $2";
        if txn.execute(sql, &[&place.no, &target, &role.as_str()]).await? == 0 {
            return Err(Denied::NotFound.into());
        }
        let kind = EventKind::RoleChanged { user, role, by: self.actor };
        txn.log(place.main_no, self.now, None, kind).await?;
        for session in sessions_of(txn, place, target).await? {
            txn.bump_acl(session).await?;
        }
        Ok(())
    }

    async fn settings(&self, txn: &mut Txn, asked: &Settings) -> Result<(), StoreError> {
        let sql = "select name, description, kind, archived_at, password_hash, message_ttl_s, \
                   retention_s, sessions_max from rooms where no = $1";
        let old = one(txn, sql, &[&self.place.no], look_row).await?.ok_or(Denied::NotFound)?;
        let archived_at = match asked.archived {
            None => old.archived_at,
            Some(true) => old.archived_at.or(Some(self.now)),
            Some(false) => None,
        };
        let new = Look {
            name: asked.name.clone().unwrap_or(old.name),
            description: asked.description.clone().unwrap_or(old.description),
            kind: asked.kind.unwrap_or(old.kind),
            archived_at,
            password_hash: asked.password_hash.clone().unwrap_or(old.password_hash),
            rules: old.rules.with(asked.rules),
        };
        self.write(txn, &new).await?;
        if new.rules.shortens(&old.rules) {
            let sql = "update sessions set shortening_after = 0 \
                       where room_no = $1 and ended_at is null";
            txn.execute(sql, &[&self.place.no]).await?;
        }
        let decides = (new.kind, new.archived_at, new.rules.retention);
        let another = decides != (old.kind, old.archived_at, old.rules.retention);
        txn.log(self.place.main_no, self.now, None, self.told(new)).await?;
        if another { bump_all(txn, self.place).await } else { Ok(()) }
    }

    async fn write(&self, txn: &Txn, new: &Look) -> Result<(), StoreError> {
        let sql = "update rooms set name = $2, description = $3, search_key = $4, kind = $5, \
                   archived_at = $6, password_hash = $7, changed_at = $8, message_ttl_s = $9, \
                   retention_s = $10, sessions_max = $11 where no = $1";
        let (message_ttl, retention, sessions_max) = columns(&new.rules);
        txn.execute(
            sql,
            &[
                &self.place.no,
                &new.name,
                &new.description,
                &search_key(&new.name, &new.description),
                &new.kind.as_str(),
                &new.archived_at.map(|at| at.0),
                &new.password_hash,
                &self.now.0,
                &message_ttl,
                &retention,
                &sessions_max,
            ],
        )
        .await
        .map(drop)
    }

    /// How a room's settings are now, for the log of its main session.
    fn told(&self, new: Look) -> EventKind {
        EventKind::RoomSettings {
            room: self.place.id,
            name: new.name,
            description: new.description,
            kind: new.kind,
            has_password: new.password_hash.is_some(),
            archived_at: new.archived_at,
            rules: new.rules,
            by: self.actor,
        }
    }
}

/// A room's settings.
struct Look {
    name: String,
    description: String,
    kind: RoomKind,
    archived_at: Option<Time>,
    password_hash: Option<String>,
    rules: Rules,
}

fn look_row(row: &Row) -> Result<Look, StoreError> {
    Ok(Look {
        name: row.try_get(0)?,
        description: row.try_get(1)?,
        kind: word(row, 2, RoomKind::parse)?,
        archived_at: maybe_time(row, 3)?,
        password_hash: row.try_get(4)?,
        rules: rules_at(row, 5)?,
    })
}

/// The sessions of a room that somebody is in, the main one last.
async fn sessions_of(txn: &Txn, place: &Place, user_no: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "select s.no from session_members sm join sessions s on s.no = sm.session_no \
               where sm.user_no = $1 and s.room_no = $2 order by s.main, s.no";
    many(txn, sql, &[&user_no, &place.no], |row| Ok(row.try_get(0)?)).await
}

/// Notes that who may do what has changed in every session of a room.
async fn bump_all(txn: &mut Txn, place: &Place) -> Result<(), StoreError> {
    let sql = "select no from sessions where room_no = $1";
    let sessions: Vec<i64> = many(txn, sql, &[&place.no], |row| Ok(row.try_get(0)?)).await?;
    for no in sessions {
        txn.bump_acl(no).await?;
    }
    Ok(())
}
