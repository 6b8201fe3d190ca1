//! What must hold of every store of bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bucket;
mod conformance;
mod disk;
mod s3;
