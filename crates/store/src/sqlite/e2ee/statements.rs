//! What members have signed about who was let in.

use async_trait::async_trait;
use parlor_domain::{Denied, SessionId, UserId};
use rusqlite::params;

use super::super::SqliteStore;
use super::super::rows::{many, most, one, view};
use crate::StoreError;
use crate::e2ee::{Statement, Statements};

#[async_trait]
impl Statements for SqliteStore {
    async fn add_statements(
        &self,
        user: UserId,
        session: SessionId,
        statements: Vec<String>,
        kept: u64,
    ) -> Result<(), StoreError> {
        self.write(move |txn| {
            let no = view(txn.conn, user, session)?.ok_or(Denied::NotFound)?.session_no;
            let sql = "select coalesce(max(number), 0) from e2ee_statements where session_no = ?";
            let mut number: i64 = one(txn.conn, sql, [no], |row| row.get(0))?.unwrap_or(0);
            for statement in &statements {
                number += 1;
                let sql = "insert into e2ee_statements (session_no, number, statement) \
                           values (?, ?, ?)";
                txn.execute(sql, params![no, number, statement])?;
            }
            let sql = "delete from e2ee_statements where session_no = ? and number <= ?";
            txn.execute(sql, [no, number.saturating_sub(most(kept))]).map(drop)
        })
        .await
    }

    async fn statements(
        &self,
        user: UserId,
        session: SessionId,
        after: i64,
        limit: u64,
    ) -> Result<Option<Vec<Statement>>, StoreError> {
        self.read(move |conn| {
            let Some(view) = view(conn, user, session)? else { return Ok(None) };
            let sql = "select number, statement from e2ee_statements \
                       where session_no = ? and number > ? order by number limit ?";
            many(conn, sql, [view.session_no, after, most(limit)], |row| {
                Ok(Statement { number: row.get(0)?, statement: row.get(1)? })
            })
            .map(Some)
        })
        .await
    }
}
