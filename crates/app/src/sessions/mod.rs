//! Sessions: opened in a room, joined by some of its members, read, ended.

mod create;
mod end;
mod list;
mod members;
mod read;
mod settings;
mod typing;

pub use create::CreateSession;
pub use settings::SessionPatch;
