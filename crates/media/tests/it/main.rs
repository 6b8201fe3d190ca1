//! Pictures and pages, good and bad.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod cleaning;
mod drawn;
mod pages;
mod small;
