//! Pins: what a session keeps in sight. Who changes them holds the lock on the head of its log.

use async_trait::async_trait;
use parlor_domain::pin::PinFacts;
use parlor_domain::{EventKind, Extras, Message, MessageId, SessionId, Time, UserId};

use super::messages::held;
use super::rows::{MESSAGE, exists, many, message, one, view};
use super::{PostgresStore, extras};
use crate::StoreError;
use crate::pins::{DecidePin, Pins};

#[async_trait]
impl Pins for PostgresStore {
    async fn pin(
        &self,
        user: UserId,
        id: MessageId,
        on: bool,
        now: Time,
        decide: DecidePin,
    ) -> Result<(), StoreError> {
        let mut txn = self.begin().await?;
        let (view, message) = held(&mut txn, user, id).await?;
        let (session_no, no) = (view.session_no, message.no);
        let sql = "select 1 from pins where session_no = $1 and message_no = $2";
        let pinned = exists(&txn, sql, &[&session_no, &no]).await?;
        let sql = "select count(*) from pins where session_no = $1";
        let count = one(&txn, sql, &[&session_no], |row| Ok(row.try_get(0)?)).await?;
        let count = count.unwrap_or(0_i64).unsigned_abs();
        decide(&view, &message, &PinFacts { pinned, count })?;
        if on == pinned {
            return Ok(());
        }
        if on {
            let sql = "insert into pins (session_no, message_no, by_no, at) \
                       values ($1, $2, $3, $4)";
            txn.execute(sql, &[&session_no, &no, &view.user_no, &now.0]).await?;
            extras::set(&txn, no, Extras::PINNED).await?;
        } else {
            let sql = "delete from pins where session_no = $1 and message_no = $2";
            txn.execute(sql, &[&session_no, &no]).await?;
            extras::unset(&txn, no, Extras::PINNED).await?;
        }
        let kind = EventKind::Pinned { message: id, number: message.number, by: user, on };
        txn.log(session_no, now, Some(no), kind).await?;
        txn.commit().await
    }

    async fn pins(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<Vec<Message>>, StoreError> {
        let db = self.read().await?;
        let Some(view) = view(&db, user, session).await? else {
            return Ok(None);
        };
        let sql = format!(
            "{MESSAGE} join pins p on p.session_no = m.session_no and p.message_no = m.no \
             where p.session_no = $1 and s.ended_at is null order by p.at desc, m.no desc"
        );
        let mut pinned = many(&db, &sql, &[&view.session_no], message).await?;
        extras::fill_all(&db, view.user_no, &mut pinned).await?;
        Ok(Some(pinned))
    }
}
