//! People: finding them, and what they say of themselves.

mod find;
mod init;
mod people;
mod profile;

pub use init::Init;
pub use profile::ProfilePatch;
