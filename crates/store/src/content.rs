//! What an installation holds, as one number: BLAKE3 over the canonical rows of every table, the
//! same whichever database they are in. The epoch is no part of it: a copy that goes another way
//! has an epoch of its own.
//!
//! A canonical row is its values one after the other: a byte for the kind (0 nothing, 1 number, 2
//! text, 3 bytes), then eight bytes of the number, or of the length, lowest first, then the text or
//! the bytes. A table is its name and its columns, as texts, then its rows in the order of its key,
//! bytewise.

use serde::{Deserialize, Serialize};

use crate::tables::{COUNTED, Next, Table, Value};

/// What is in one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableContent {
    /// The table's name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// BLAKE3 of them, in hexadecimal digits.
    pub blake3: String,
}

/// What is in all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Each table, in a fixed order.
    pub tables: Vec<TableContent>,
}

impl Content {
    /// The whole content's hash, in hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for table in &self.tables {
            text(&mut hasher, &table.table);
            text(&mut hasher, &table.blake3);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Rows of a table; 0 where there is no such table.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.iter().find(|found| found.table == table).map_or(0, |found| found.rows)
    }

    /// The first table in which two installations differ.
    pub fn differs(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let pairs = self.tables.iter().zip(&other.tables);
        let first = pairs.into_iter().find(|(one, two)| one != two).map(|(one, _)| &one.table);
        Some(first.cloned().unwrap_or_else(|| "the list of tables".to_owned()))
    }

    /// Adds the next small ids, which nothing else shows.
    pub(crate) fn count(&mut self, next: Next) {
        let mut hasher = blake3::Hasher::new();
        for (name, next) in COUNTED.iter().zip(next) {
            text(&mut hasher, name);
            hasher.update(&next.to_le_bytes());
        }
        self.tables.push(TableContent {
            table: "next small ids".to_owned(),
            rows: COUNTED.len() as u64,
            blake3: hasher.finalize().to_hex().to_string(),
        });
    }
}

/// Adds up one table, row by row.
pub(crate) struct Sum {
    table: &'static str,
    rows: u64,
    hasher: blake3::Hasher,
    row: Vec<u8>,
}

impl Sum {
    /// No rows yet.
    pub(crate) fn of(table: &'static Table) -> Self {
        let mut hasher = blake3::Hasher::new();
        text(&mut hasher, table.name);
        table.columns.iter().for_each(|column| text(&mut hasher, column));
        Self { table: table.name, rows: 0, hasher, row: Vec::new() }
    }

    /// Adds the next row.
    pub(crate) fn add(&mut self, row: &[Value]) {
        self.row.clear();
        for value in row {
            match value {
                Value::Null => self.row.push(0),
                Value::Int(number) => {
                    self.row.push(1);
                    self.row.extend_from_slice(&number.to_le_bytes());
                }
                Value::Text(text) => put(&mut self.row, 2, text.as_bytes()),
                Value::Bytes(bytes) => put(&mut self.row, 3, bytes),
            }
        }
        self.hasher.update(&self.row);
        self.rows += 1;
    }

    /// The sum.
    pub(crate) fn end(self) -> TableContent {
        TableContent {
            table: self.table.to_owned(),
            rows: self.rows,
            blake3: self.hasher.finalize().to_hex().to_string(),
        }
    }
}

fn put(row: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    row.push(kind);
    row.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    row.extend_from_slice(bytes);
}

fn text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::TABLES;

    fn sum(rows: &[&[Value]]) -> TableContent {
        let mut sum = Sum::of(&TABLES[0]);
        rows.iter().for_each(|row| sum.add(row));
        sum.end()
    }

    #[test]
    fn what_differs_anywhere_has_another_hash() {
        let text = |text: &str| Value::Text(text.to_owned());
        let (ab, c) = (text("ab"), text("c"));
        let one = sum(&[&[ab.clone(), c.clone()]]);
        assert_eq!(one, sum(&[&[ab.clone(), c.clone()]]));
        let (a, bc) = (text("a"), text("bc"));
        let others: [&[&[Value]]; 5] = [
            &[&[a, bc]],
            &[&[ab.clone(), c.clone()], &[ab.clone(), c.clone()]],
            &[&[c.clone(), ab.clone()]],
            &[&[Value::Bytes(b"ab".to_vec()), c]],
            &[&[ab, Value::Null]],
        ];
        for other in others {
            assert_ne!(one.blake3, sum(other).blake3);
        }
    }

    #[test]
    fn the_first_table_that_differs_is_named() {
        let mut one = Content { tables: vec![sum(&[])] };
        let mut other = one.clone();
        one.count([1, 2, 3, 4]);
        other.count([1, 2, 3, 4]);
        assert_eq!(one.differs(&other), None);
        other.tables.pop();
        other.count([1, 2, 3, 5]);
        assert_eq!(one.differs(&other).as_deref(), Some("next small ids"));
        assert_ne!(one.digest(), other.digest());
    }
}
