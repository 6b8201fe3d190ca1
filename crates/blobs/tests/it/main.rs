//! What must hold of every store of bytes.

mod conformance;
mod disk;
