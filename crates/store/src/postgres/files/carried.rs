//! Which messages carry which files. That they do is written with them, in one statement.

use std::collections::HashMap;

use parlor_domain::{File, FileId};
use tokio_postgres::Row;

use super::super::readers::Db;
use super::super::rows::{many, uuid};
use super::super::txn::Txn;
use super::{FILE, delete, found, is_sealed, sealed};
use crate::StoreError;

/// The files that messages carry, in their order.
pub(in super::super) async fn of_messages(
    db: &Db,
    nos: &[i64],
) -> Result<HashMap<i64, Vec<File>>, StoreError> {
    let columns = FILE.replacen("select ", "select a.message_no, ", 1);
    // The first column comes before those that are read as a file.
    let sql = format!(
        "select c.* from ({columns} join attachments a on a.file_id = f.id \
         where a.message_no = any($1) order by a.message_no, a.nth) c"
    );
    let mut files: HashMap<i64, Vec<File>> = HashMap::new();
    for row in db.query(&sql, &[&nos]).await? {
        let mut file = found(&row, 1)?;
        if is_sealed(&row, 1)? {
            // Without its key the message shows nothing of it either.
            file = sealed::opened(db, file.clone()).await?.unwrap_or(file);
        }
        files.entry(row.try_get(0)?).or_default().push(file.file);
    }
    Ok(files)
}

/// Takes messages' files from them; those that no other carries are deleted.
pub(in super::super) async fn release(txn: &Txn, nos: &[i64]) -> Result<(), StoreError> {
    let sql = "delete from attachments where message_no = any($1) returning file_id";
    let mut taken = many(txn, sql, &[&nos], |row| uuid(row, 0)).await?;
    if taken.is_empty() {
        return Ok(());
    }
    taken.sort_unstable();
    let sql = "select 1 from files where id = any($1) order by id for update";
    txn.query(sql, &[&taken]).await?;
    let sql = "update files f set carried = f.carried - t.count from (select id, count(*) as count \
               from unnest($1::uuid[]) t (id) group by id) t where f.id = t.id \
               returning f.id, f.carried";
    let read = |row: &Row| Ok((FileId(uuid(row, 0)?), row.try_get::<_, i64>(1)?));
    let left = many(txn, sql, &[&taken], read).await?;
    let gone = left.into_iter().filter(|(_, carried)| *carried == 0);
    delete(txn, &gone.map(|(id, _)| id).collect::<Vec<_>>()).await
}
