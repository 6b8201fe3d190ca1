//! A database that no server has open, as rows of any table: what is moved, hashed and looked at.
//! Knows no table by name but the counted ones and the notes of `meta`.

use std::collections::HashMap;
use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use tokio::time::{interval, timeout};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_util::task::TaskTracker;

use super::{LOCK, schema};
use crate::StoreError;
use crate::moves::{Progress, Side, Standing, count_sql, rows_sql};
use crate::tables::{COUNTED, EPOCH, MOVING, Next, Row, TABLES, Table, Value};

/// For how long somebody who has just left may still seem to be there: PostgreSQL sees the end of a
/// connection a moment after whoever had it has gone on.
const LEAVING: Duration = Duration::from_secs(5);

type Fault = Box<dyn Error + Sync + Send>;

/// A database on a server, by itself.
pub(crate) struct Database {
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl Database {
    /// Opens a database to be moved from, or into: no server uses it while this lives.
    ///
    /// # Errors
    /// [`StoreError::Database`] when a server has it open, or it cannot be reached.
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        let client = connect(url).await?;
        let mut pulse = interval(LEAVING / 100);
        let free = async {
            loop {
                pulse.tick().await;
                let sql = "select pg_try_advisory_lock($1)";
                if client.query_one(sql, &[&LOCK]).await?.try_get(0)? {
                    return Ok::<_, StoreError>(());
                }
            }
        };
        let Ok(free) = timeout(LEAVING, free).await else {
            let text = "the database is in use: stop every server on it first";
            return Err(StoreError::Database(text.to_owned()));
        };
        free?;
        Ok(Self::of(client))
    }

    /// Reads through a connection that somebody else has set up.
    pub(super) fn of(client: Client) -> Self {
        Self { client, prepared: HashMap::new() }
    }

    /// The connection.
    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    async fn prepare(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// The types of a table's columns, here.
    async fn types(&mut self, table: &Table) -> Result<Vec<Type>, StoreError> {
        let sql = format!("select {} from {} limit 0", table.listed(), table.name);
        let statement = self.prepare(&sql).await?;
        Ok(statement.columns().iter().map(|column| column.type_().clone()).collect())
    }
}

/// Reads a URL, whose password no error tells.
pub(super) fn parse(url: &str) -> Result<Config, StoreError> {
    let form = "the database's URL is not of the form postgres://user:password@host:port/database";
    url.parse().map_err(|_| StoreError::Database(form.to_owned()))
}

/// Connects by a URL.
pub(super) async fn connect(url: &str) -> Result<Client, StoreError> {
    let (client, connection) = parse(url)?.connect(NoTls).await?;
    // Ends when the client is dropped.
    TaskTracker::new().spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the database broke");
        }
    });
    Ok(client)
}

#[async_trait]
impl Side for Database {
    async fn standing(&mut self) -> Result<Standing, StoreError> {
        let version = schema::version(&self.client).await?;
        if version == 0 {
            let sql = "select exists (select 1 from pg_tables where schemaname = current_schema())";
            let occupied = self.client.query_one(sql, &[]).await?.try_get(0)?;
            return Ok(Standing { occupied, ..Standing::default() });
        }
        let current = version == schema::newest();
        Ok(Standing {
            version,
            occupied: !current || self.count().await? > 0,
            epoch: noted(&self.client, EPOCH).await?,
            moving: noted(&self.client, MOVING).await?,
        })
    }

    async fn begin(&mut self, progress: &Progress) -> Result<(), StoreError> {
        schema::migrate(&mut self.client).await?;
        note(&self.client, MOVING, &progress.text()?).await
    }

    async fn count(&mut self) -> Result<u64, StoreError> {
        let count: i64 = self.client.query_one(&count_sql(), &[]).await?.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn rows(
        &mut self,
        table: &'static Table,
        after: Option<Row>,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = rows_sql(table, after.is_some(), |n| format!("${n}"));
        let statement = self.prepare(&sql).await?;
        let after = after.unwrap_or_default();
        let bound: Vec<&(dyn ToSql + Sync)> = after.iter().map(|value| value as _).collect();
        let found = self.client.query(&statement, &bound).await?;
        let width = table.columns.len();
        let read = |row: &tokio_postgres::Row| (0..width).map(|n| row.try_get(n)).collect();
        Ok(found.iter().map(read).collect::<Result<_, _>>()?)
    }

    async fn put(
        &mut self,
        table: &'static Table,
        rows: Vec<Row>,
        progress: &Progress,
    ) -> Result<(), StoreError> {
        let types = self.types(table).await?;
        let txn = self.client.transaction().await?;
        let sql = format!("copy {} ({}) from stdin binary", table.name, table.listed());
        let mut writer = pin!(BinaryCopyInWriter::new(txn.copy_in(&sql).await?, &types));
        for row in &rows {
            let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(|value| value as _).collect();
            writer.as_mut().write(&row).await?;
        }
        writer.finish().await?;
        txn.execute(NOTE, &[&MOVING, &progress.text()?]).await?;
        Ok(txn.commit().await?)
    }

    async fn next(&mut self) -> Result<Next, StoreError> {
        let mut all = [1; COUNTED.len()];
        for (next, table) in all.iter_mut().zip(COUNTED) {
            let sequence = sequence(&self.client, table).await?;
            let sql = format!(
                "select greatest((select coalesce(max(no), 0) from {table}) + 1, \
                 (select case when is_called then last_value + 1 else last_value end \
                 from {sequence}))"
            );
            *next = self.client.query_one(&sql, &[]).await?.try_get(0)?;
        }
        Ok(all)
    }

    async fn set_next(&mut self, next: Next) -> Result<(), StoreError> {
        for (next, table) in next.into_iter().zip(COUNTED) {
            let sql = "select setval(pg_get_serial_sequence($1, 'no'), $2, false)";
            self.client.query_one(sql, &[&table, &next]).await?;
        }
        Ok(())
    }

    async fn end(&mut self, epoch: &str) -> Result<(), StoreError> {
        let txn = self.client.transaction().await?;
        txn.execute(NOTE, &[&EPOCH, &epoch]).await?;
        txn.execute("delete from meta where key = $1", &[&MOVING]).await?;
        txn.commit().await?;
        // Until then nothing is known about what the tables hold, and plans are guesses.
        let names = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
        Ok(self.client.batch_execute(&format!("analyze {names}")).await?)
    }
}

/// The sequence that gives a table's small ids.
async fn sequence(client: &Client, table: &str) -> Result<String, StoreError> {
    let sql = "select pg_get_serial_sequence($1, 'no')";
    let found: Option<String> = client.query_one(sql, &[&table]).await?.try_get(0)?;
    found.ok_or_else(|| StoreError::Database(format!("table {table} has no sequence")))
}

/// A note of `meta`.
pub(super) async fn noted(client: &Client, key: &str) -> Result<Option<String>, StoreError> {
    let found = client.query_opt("select value from meta where key = $1", &[&key]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?)
}

const NOTE: &str = "insert into meta (key, value) values ($1, $2) \
    on conflict (key) do update set value = excluded.value";

/// Writes a note into `meta`.
pub(super) async fn note(client: &Client, key: &str, value: &str) -> Result<(), StoreError> {
    Ok(client.execute(NOTE, &[&key, &value]).await.map(drop)?)
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(match *ty {
            Type::BOOL => Self::Int(bool::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::TEXT | Type::VARCHAR => Self::Text(String::from_sql(ty, raw)?),
            Type::BYTEA | Type::UUID => Self::Bytes(raw.to_vec()),
            _ => return Err(format!("no value of ours is {ty}").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        // What it does not know is an error with a better text.
        true
    }
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number @ (0 | 1)), &Type::BOOL) => (*number == 1).to_sql(ty, out),
            (Self::Int(number), &Type::INT2) => i16::try_from(*number)?.to_sql(ty, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(ty, out),
            (Self::Int(number), &Type::INT8) => number.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR) => text.to_sql(ty, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (Self::Bytes(bytes), &Type::UUID) if bytes.len() == 16 => {
                out.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            _ => Err(format!("a value that is no {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
