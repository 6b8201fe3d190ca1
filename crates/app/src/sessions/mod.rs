//! Sessions: opened in a room, joined by some of its members, read, ended.

mod create;
mod end;
mod list;
mod members;
mod read;
mod rename;
mod typing;

pub use create::CreateSession;
