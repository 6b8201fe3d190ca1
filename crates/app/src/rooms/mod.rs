//! Rooms: made, found, entered, kept in order, closed.

mod ban;
mod cards;
mod create;
mod delete;
mod find;
mod join;
mod kick;
mod leave;
mod list;
mod members;
mod roles;
mod settings;

pub use create::CreateRoom;
pub use settings::RoomPatch;

use parlor_domain::{Denied, Limits};

use crate::{Hidden, passwords};

/// Checks a password that is to become a room's. It may be short: people say it to each other.
fn check_password(password: &Hidden, limits: &Limits) -> Result<(), Denied> {
    if password.expose().is_empty() {
        return Err(Denied::invalid("password", "must not be empty"));
    }
    passwords::bounded("password", password, limits)
}
