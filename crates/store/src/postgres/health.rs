//! How a database on a server is.

use super::contents::{connect, noted};
use super::schema::{SETTINGS, check_settings, newest, version};
use crate::tables::MOVING;
use crate::{Health, StoreError};

/// The note of how far the search index is.
const INDEXED_TO: &str = "search_indexed_to";

/// Looks at a database that servers may use. PostgreSQL has no check of all of it that anybody may
/// run; its own logs tell.
///
/// # Errors
/// [`StoreError`] when it cannot be reached or read.
pub async fn examine(url: &str) -> Result<Health, StoreError> {
    let client = connect(url).await?;
    let unsafe_setting = match check_settings(&client.query_one(SETTINGS, &[]).await?) {
        Err(StoreError::Database(text)) => Some(text),
        other => other.map(|()| None)?,
    };
    let schema = version(&client).await?;
    let sql = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
    let mut health = Health {
        schema,
        newest: newest(),
        half_moved: schema > 0 && noted(&client, MOVING).await?.is_some(),
        damage: None,
        unsafe_setting,
        unindexed: 0,
        last_sent_at: None,
        clock: Some(client.query_one(sql, &[]).await?.try_get(0)?),
    };
    if schema == health.newest {
        let to: i64 = noted(&client, INDEXED_TO).await?.and_then(|to| to.parse().ok()).unwrap_or(0);
        let sql = "select (select count(*) from messages where no > $1), \
                   (select sent_at from messages order by no desc limit 1)";
        let row = client.query_one(sql, &[&to]).await?;
        (health.unindexed, health.last_sent_at) = (row.try_get(0)?, row.try_get(1)?);
    }
    Ok(health)
}
