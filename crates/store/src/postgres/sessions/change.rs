//! What a decision about a session is made from, and carrying it out. The session's room is locked.

use parlor_domain::session::Settings;
use parlor_domain::{
    Denied, EventKind, SessionChange, SessionFacts, SessionId, Time, Ttl, UserId, View,
};

use tokio_postgres::Row;

use super::super::readers::Bound;
use super::super::rooms::{self, Place};
use super::super::rows::{ending_at, maybe_ttl, one, view};
use super::super::txn::Txn;
use super::create::roles;
use super::{Leaving, Newcomer, enter, leave, people, tell_added, tell_removed};
use crate::StoreError;
use crate::erasures::Erasure;

/// The facts for a decision of `user`; `None` when they are not in the session.
pub(super) async fn facts(
    txn: &mut Txn,
    place: &Place,
    user: UserId,
    session: SessionId,
    named: &[UserId],
) -> Result<Option<SessionFacts>, StoreError> {
    let Some(view) = view(txn, user, session).await? else {
        return Ok(None);
    };
    let acl_version = txn.head(view.session_no).await?.acl_version;
    let sql = "select member_count from sessions where no = $1";
    let count = one(txn, sql, &[&view.session_no], |row| Ok(row.try_get(0)?)).await?;
    let people = rooms::standings(txn, place.no, Some(view.session_no), named).await?;
    let view = View { acl_version, ..view };
    Ok(count.map(|member_count| SessionFacts { view, people, member_count }))
}

/// Carries out changes, those who come in one after the other all at once.
pub(super) async fn carry_out(
    txn: &mut Txn,
    place: &Place,
    view: &View,
    changes: &[SessionChange],
    now: Time,
) -> Result<(), StoreError> {
    let comes = |change: &SessionChange| matches!(change, SessionChange::Add(_));
    for run in changes.chunk_by(|one, next| comes(one) && comes(next)) {
        apply(txn, place, view, run, now).await?;
    }
    Ok(())
}

/// Carries out one change, or several comings.
async fn apply(
    txn: &mut Txn,
    place: &Place,
    view: &View,
    run: &[SessionChange],
    now: Time,
) -> Result<(), StoreError> {
    let Some(change) = run.first() else {
        return Ok(());
    };
    match change {
        SessionChange::Add(_) => add(txn, place, view, run, now).await,
        SessionChange::Remove(user, reason) => {
            let known = people(txn, &[*user]).await?;
            let person = known.get(user).ok_or(Denied::NotFound)?;
            let by = Some(view.user).filter(|by| by != user);
            let leaving = Leaving { person, by, reason: *reason, now };
            leave(txn, &[view.session_no], &leaving).await?;
            tell_removed(txn, view.session_no, &leaving, view.room, false).await
        }
        SessionChange::Settings(asked) => settings(txn, view, asked, now).await,
        SessionChange::End => end(txn, view.session_no, Some(view.user), now).await,
    }
}

/// Adds room members; whoever decided, nobody is in a session without being in its room.
async fn add(
    txn: &mut Txn,
    place: &Place,
    view: &View,
    run: &[SessionChange],
    now: Time,
) -> Result<(), StoreError> {
    let users = run.iter().filter_map(|change| match change {
        SessionChange::Add(user) => Some(*user),
        _ => None,
    });
    let users: Vec<UserId> = users.collect();
    let (known, roles) = (people(txn, &users).await?, roles(txn, place, &users).await?);
    let mut newcomers = Vec::with_capacity(users.len());
    for user in &users {
        let person = known.get(user).ok_or(Denied::NotFound)?;
        let role = *roles.get(user).ok_or(Denied::NotFound)?;
        let by = Some(view.user).filter(|by| by != user);
        newcomers.push(Newcomer { person, role, by });
    }
    let news = enter(txn, view.session_no, newcomers, now).await?;
    tell_added(txn, (view.room, view.session_no), &news, now).await
}

/// Ends a session: from now on nothing that was said in it is read, and it is still to be erased.
pub(in super::super) async fn end(
    txn: &mut Txn,
    session_no: i64,
    by: Option<UserId>,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "update sessions set ended_at = $2, ends_at = null, silence_s = null, \
               read_only_s = null, erasing_after = 0, sealing_after = null where no = $1";
    txn.execute(sql, &[&session_no, &now.0]).await?;
    txn.execute("delete from drafts where session_no = $1", &[&session_no]).await?;
    let session = txn.head(session_no).await?.session;
    txn.erasures().push(Erasure::Session(session, by));
    txn.log(session_no, now, None, EventKind::Ended { by }).await?;
    txn.bump_acl(session_no).await
}

async fn settings(
    txn: &mut Txn,
    view: &View,
    asked: &Settings,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "update sessions set name = coalesce($2, name), \
               message_ttl_s = case when $3 then $4 else message_ttl_s end, \
               ends_at = case when $5 then $6 else ends_at end, \
               silence_s = case when $5 then $7 else silence_s end, \
               read_only_s = case when $5 then $8 else read_only_s end, \
               sealing_after = case when $6 is not null and ends_at is null then 0 \
               else sealing_after end where no = $1 \
               returning name, message_ttl_s, ends_at, silence_s, read_only_s";
    let (ttl, ending) = (asked.message_ttl.flatten(), asked.ending.flatten());
    let bound: Bound<'_> = &[
        &view.session_no,
        &asked.name,
        &asked.message_ttl.is_some(),
        &ttl.map(Ttl::seconds),
        &asked.ending.is_some(),
        &ending.map(|ending| ending.at.0),
        &ending.and_then(|ending| ending.silence).map(Ttl::seconds),
        &ending.and_then(|ending| ending.read_only).map(Ttl::seconds),
    ];
    let read = |row: &Row| Ok((row.try_get(0)?, maybe_ttl(row, 1)?, ending_at(row, 2)?));
    let (name, message_ttl, ending) = one(txn, sql, bound, read).await?.ok_or(Denied::NotFound)?;
    let kind = EventKind::SessionSettings { name, message_ttl, ending, by: view.user };
    txn.log(view.session_no, now, None, kind).await?;
    let same = message_ttl == view.message_ttl && ending == view.ending;
    if same { Ok(()) } else { txn.bump_acl(view.session_no).await }
}
