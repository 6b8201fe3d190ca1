//! Pins: what a session keeps in sight.

use async_trait::async_trait;
use parlor_domain::pin::PinFacts;
use parlor_domain::{Denied, EventKind, Extras, Message, MessageId, SessionId, Time, UserId};
use rusqlite::params;

use super::messages::seen;
use super::rows::{MESSAGE, exists, many, message, one, view};
use super::txn::Txn;
use super::{SqliteStore, extras};
use crate::StoreError;
use crate::pins::{DecidePin, Pins};

#[async_trait]
impl Pins for SqliteStore {
    async fn pin(
        &self,
        user: UserId,
        message: MessageId,
        on: bool,
        now: Time,
        decide: DecidePin,
    ) -> Result<(), StoreError> {
        self.write(move |txn| pin(txn, user, (message, on), now, decide)).await
    }

    async fn pins(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<Vec<Message>>, StoreError> {
        self.read(move |conn| {
            let Some(view) = view(conn, user, session)? else {
                return Ok(None);
            };
            let sql = format!(
                "{MESSAGE} join pins p on p.session_no = m.session_no and p.message_no = m.no \
                 where p.session_no = ? and s.ended_at is null order by p.at desc, m.no desc"
            );
            let mut pinned = many(conn, &sql, [view.session_no], message)?;
            extras::fill(conn, view.user_no, &mut pinned)?;
            Ok(Some(pinned))
        })
        .await
    }
}

fn pin(
    txn: &mut Txn<'_>,
    user: UserId,
    (id, on): (MessageId, bool),
    now: Time,
    decide: DecidePin,
) -> Result<(), StoreError> {
    let (view, message) = seen(txn.conn, user, id)?.ok_or(Denied::NotFound)?;
    let (session_no, no) = (view.session_no, message.no);
    let sql = "select 1 from pins where session_no = ? and message_no = ?";
    let pinned = exists(txn.conn, sql, [session_no, no])?;
    let sql = "select count(*) from pins where session_no = ?";
    let count: i64 = one(txn.conn, sql, [session_no], |row| row.get(0))?.unwrap_or(0);
    decide(&view, &message, &PinFacts { pinned, count: count.unsigned_abs() })?;
    if on == pinned {
        return Ok(());
    }
    if on {
        let sql = "insert into pins (session_no, message_no, by_no, at) values (?, ?, ?, ?)";
        txn.execute(sql, params![session_no, no, view.user_no, now.0])?;
        extras::set(txn, no, Extras::PINNED)?;
    } else {
        let sql = "delete from pins where session_no = ? and message_no = ?";
        txn.execute(sql, [session_no, no])?;
        extras::unset(txn, no, Extras::PINNED)?;
    }
    let kind = EventKind::Pinned { message: id, number: message.number, by: user, on };
    txn.log(session_no, now, Some(no), kind).map(drop)
}
