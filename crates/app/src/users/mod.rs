//! People: finding them, and what they say of themselves.

mod find;
mod init;
mod people;
mod picture;
mod profile;
mod rename;

pub use init::Init;
pub use profile::ProfilePatch;
