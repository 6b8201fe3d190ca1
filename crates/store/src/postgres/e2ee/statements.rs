//! What members have signed about who was let in. The log's lock of a session keeps its statements
//! in one order, which nobody sees a part of.

use async_trait::async_trait;
use parlor_domain::{Denied, SessionId, UserId};

use super::super::PostgresStore;
use super::super::rows::{many, most, one, view};
use crate::StoreError;
use crate::e2ee::{Statement, Statements};

#[async_trait]
impl Statements for PostgresStore {
    async fn add_statements(
        &self,
        user: UserId,
        session: SessionId,
        statements: Vec<String>,
        kept: u64,
    ) -> Result<(), StoreError> {
        let mut txn = self.begin().await?;
        let no = view(&txn, user, session).await?.ok_or(Denied::NotFound)?.session_no;
        txn.lock_heads(&[no]).await?;
        let sql = "select coalesce(max(number), 0) from e2ee_statements where session_no = $1";
        let last: Option<i64> = one(&txn, sql, &[&no], |row| Ok(row.try_get(0)?)).await?;
        let last = last.unwrap_or(0);
        let sql = "insert into e2ee_statements (session_no, number, statement) \
                   select $1, $2 + s.nth, s.statement \
                   from unnest($3::text[]) with ordinality s (statement, nth)";
        let added = txn.execute(sql, &[&no, &last, &statements]).await?;
        let gone = last.saturating_add_unsigned(added).saturating_sub(most(kept));
        let sql = "delete from e2ee_statements where session_no = $1 and number <= $2";
        txn.execute(sql, &[&no, &gone]).await?;
        txn.commit().await
    }

    async fn statements(
        &self,
        user: UserId,
        session: SessionId,
        after: i64,
        limit: u64,
    ) -> Result<Option<Vec<Statement>>, StoreError> {
        let db = self.read().await?;
        let Some(view) = view(&db, user, session).await? else { return Ok(None) };
        let sql = "select number, statement from e2ee_statements \
                   where session_no = $1 and number > $2 order by number limit $3";
        let bound = [&view.session_no as _, &after as _, &most(limit) as _];
        let found = many(&db, sql, &bound, |row| {
            Ok(Statement { number: row.try_get(0)?, statement: row.try_get(1)? })
        });
        found.await.map(Some)
    }
}
