//! What people have begun to write and not said yet.

use async_trait::async_trait;
use parlor_domain::{Denied, SessionId, Unsent, UserId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::rows::{exists, many, maybe_message, one, time, uuid, view};
use super::threads;
use super::txn::Space;
use crate::StoreError;
use crate::drafts::{DecideDraft, Drafts};

#[async_trait]
impl Drafts for PostgresStore {
    async fn keep_draft(
        &self,
        user: UserId,
        unsent: Unsent,
        most: u64,
        decide: DecideDraft,
    ) -> Result<(), StoreError> {
        let txn = self.begin().await?;
        let view = view(&txn, user, unsent.session).await?.ok_or(Denied::NotFound)?;
        decide(&view, &unsent)?;
        let root_no = match unsent.thread {
            Some(id) => threads::root_no(&txn, view.session_no, id).await?,
            None => 0,
        };
        let (user_no, session_no) = (view.user_no, view.session_no);
        let key = [&user_no as _, &session_no as _, &root_no as _];
        let place = "user_no = $1 and session_no = $2 and root_no = $3";
        if unsent.content.is_empty() {
            txn.execute(&format!("delete from drafts where {place}"), &key).await?;
            return txn.commit().await;
        }
        // So that two devices at once do not keep one too many.
        txn.lock_key(Space::Writer, user_no).await?;
        if !exists(&txn, &format!("select 1 from drafts where {place}"), &key).await? {
            let sql = "select count(*) from drafts where user_no = $1";
            let count = one(&txn, sql, &[&user_no], |row| Ok(row.try_get(0)?)).await?;
            if count.unwrap_or(0_i64).unsigned_abs() >= most {
                return Err(Denied::Conflict("there are too many drafts").into());
            }
        }
        let sql = "insert into drafts \
                   (user_no, session_no, root_no, content, reply_to, updated_at) \
                   values ($1, $2, $3, $4, $5, $6) on conflict (user_no, session_no, root_no) \
                   do update set content = excluded.content, reply_to = excluded.reply_to, \
                   updated_at = excluded.updated_at";
        let reply_to = unsent.reply_to.map(|id| id.0);
        let (content, at) = (&unsent.content, unsent.updated_at.0);
        txn.execute(sql, &[&user_no, &session_no, &root_no, content, &reply_to, &at]).await?;
        txn.commit().await
    }

    async fn drafts(&self, user: UserId) -> Result<Vec<Unsent>, StoreError> {
        let sql = "select s.id, m.id, d.content, d.reply_to, d.updated_at from drafts d \
                   join sessions s on s.no = d.session_no left join messages m on m.no = d.root_no \
                   where d.user_no = (select no from users where id = $1) \
                   order by d.updated_at desc, d.session_no, d.root_no";
        let unsent = |row: &Row| {
            Ok(Unsent {
                session: SessionId(uuid(row, 0)?),
                thread: maybe_message(row, 1)?,
                content: row.try_get(2)?,
                reply_to: maybe_message(row, 3)?,
                updated_at: time(row, 4)?,
            })
        };
        many(&self.one().await?, sql, &[&user.0], unsent).await
    }
}
