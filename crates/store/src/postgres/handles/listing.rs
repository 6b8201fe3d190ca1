//! Messages of main sessions, over all the rooms of their reader.

use parlor_domain::{Placed, RoomId, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::super::readers::Db;
use super::super::rows::{MESSAGE, MESSAGE_COLUMNS, many, message, most, one, uuid};
use super::super::sealing;
use crate::StoreError;
use crate::handles::Listing;

/// Messages that are fetched at once to be looked at.
const SLICE: u64 = 512;

/// What is looked for in texts, and in how many.
pub(super) struct Scan {
    /// In lower case.
    pub(super) text: String,
    pub(super) rows: u64,
}

/// Selects messages of main sessions that the user `$1` is in, to be read by [`placed`].
pub(super) fn select() -> String {
    let columns = MESSAGE.replacen(" from messages m", ", r.id from messages m", 1);
    format!("{columns} {MAIN}")
}

const MAIN: &str = "join rooms r on r.main_session_no = m.session_no \
    join session_members me on me.session_no = m.session_no \
    and me.user_no = (select no from users where id = $1)";

/// Reads a row of [`select`].
pub(super) fn placed(row: &Row) -> Result<Placed, StoreError> {
    Ok(Placed { message: message(row)?, room: RoomId(uuid(row, MESSAGE_COLUMNS)?) })
}

/// Opens what is sealed of them.
pub(super) async fn open(db: &Db, placed: &mut [Placed]) -> Result<(), StoreError> {
    let mut messages: Vec<_> = placed.iter_mut().map(|placed| &mut placed.message).collect();
    sealing::open(db, &mut messages).await
}

/// What a listing is narrowed to, and what that is bound to.
struct Wanted<'a> {
    sql: String,
    bound: Vec<&'a (dyn ToSql + Sync)>,
}

impl<'a> Wanted<'a> {
    fn of(user: &'a UserId, listing: &'a Listing) -> Self {
        let mut wanted =
            Self { sql: "where m.deleted_at is null".to_owned(), bound: vec![&user.0] };
        if let Some(room) = &listing.room {
            let room = wanted.bind(&room.0);
            wanted.sql += &format!(" and r.id = {room}");
        }
        if let Some(sender) = &listing.sender {
            let sender = wanted.bind(&sender.0);
            wanted.sql += &format!(" and u.id = {sender}");
        }
        wanted
    }

    /// Binds a value, and says by what it goes in the statement.
    fn bind(&mut self, value: &'a (dyn ToSql + Sync)) -> String {
        self.bound.push(value);
        format!("${}", self.bound.len())
    }
}

/// A page of all messages, and how many there are.
pub(super) async fn listed(
    db: &Db,
    user: UserId,
    listing: &Listing,
    bytes_max: u64,
) -> Result<(Vec<Placed>, u64), StoreError> {
    let mut wanted = Wanted::of(&user, listing);
    let sql = format!(
        "select count(*) from messages m join users u on u.no = m.sender_no {MAIN} {}",
        wanted.sql
    );
    let total: Option<i64> = one(db, &sql, &wanted.bound, |row| Ok(row.try_get(0)?)).await?;
    let (limit, offset, most_bytes) = (most(listing.limit), most(listing.offset), most(bytes_max));
    let (limit, offset) = (wanted.bind(&limit), wanted.bind(&offset));
    let most_bytes = wanted.bind(&most_bytes);
    // Only as much as may be shown is sent at all.
    let sql = format!(
        "select * from (select page.*, sum(octet_length(page.content)) over (order by page.no \
         desc) as bytes from ({} {} order by m.no desc limit {limit} offset {offset}) as page \
         (id, no, number, seq, session, sender, client_id, content, reply_to, sent_at, edited_at, \
         deleted_at, file, room)) as sized where bytes <= {most_bytes} order by no desc",
        select(),
        wanted.sql,
    );
    let mut found = many(db, &sql, &wanted.bound, placed).await?;
    open(db, &mut found).await?;
    Ok((found, total.unwrap_or(0).unsigned_abs()))
}

/// Looks at messages, the newest first, until enough are found that hold a text. The database
/// folds letters by its own rules, so that it is not asked.
pub(super) async fn containing(
    db: &Db,
    user: UserId,
    listing: &Listing,
    scan: &Scan,
    bytes_max: u64,
) -> Result<(Vec<Placed>, u64), StoreError> {
    let (mut found, mut passed, mut bytes) = (Vec::new(), 0, 0);
    let (mut seen, mut before) = (0, i64::MAX);
    while seen < scan.rows {
        let slice = SLICE.min(scan.rows - seen);
        let slice_found = next(db, &user, listing, before, slice).await?;
        let count = slice_found.len() as u64;
        for placed in slice_found {
            if found.len() as u64 >= listing.limit {
                break;
            }
            before = placed.message.no;
            let content = &placed.message.content;
            if !content.to_lowercase().contains(&scan.text) {
                continue;
            }
            passed += 1;
            if passed <= listing.offset {
                continue;
            }
            bytes += content.len() as u64;
            if bytes > bytes_max {
                return Ok(counted(found));
            }
            found.push(placed);
        }
        seen += count;
        if count < slice || found.len() as u64 >= listing.limit {
            break;
        }
    }
    Ok(counted(found))
}

fn counted(found: Vec<Placed>) -> (Vec<Placed>, u64) {
    let count = found.len() as u64;
    (found, count)
}

/// The next messages to be looked at.
async fn next(
    db: &Db,
    user: &UserId,
    listing: &Listing,
    before: i64,
    limit: u64,
) -> Result<Vec<Placed>, StoreError> {
    let mut wanted = Wanted::of(user, listing);
    let limit = most(limit);
    let (before, limit) = (wanted.bind(&before), wanted.bind(&limit));
    let sql =
        format!("{} {} and m.no < {before} order by m.no desc limit {limit}", select(), wanted.sql);
    let mut found = many(db, &sql, &wanted.bound, placed).await?;
    open(db, &mut found).await?;
    Ok(found)
}
