//! The number by which an answer is known to be of a command.

use crate::command::Command;

/// The `ref` that an answer to this command carries; `None` for commands that have no answer.
pub fn of(command: &Command) -> Option<i64> {
    match command {
        Command::Subscribe(c) => Some(c.r#ref),
        Command::Unsubscribe(c) => Some(c.r#ref),
        Command::Send(c) => Some(c.r#ref),
        Command::Edit(c) => Some(c.r#ref),
        Command::Delete(c) => Some(c.r#ref),
        Command::Read(c) => Some(c.r#ref),
        Command::Ping(c) => Some(c.r#ref),
        Command::Typing(_) | Command::E2eeAck(_) => None,
    }
}

/// Gives a command another `ref`: on a door that numbers commands itself.
pub(crate) fn set(command: &mut Command, reference: i64) {
    match command {
        Command::Subscribe(c) => c.r#ref = reference,
        Command::Unsubscribe(c) => c.r#ref = reference,
        Command::Send(c) => c.r#ref = reference,
        Command::Edit(c) => c.r#ref = reference,
        Command::Delete(c) => c.r#ref = reference,
        Command::Read(c) => c.r#ref = reference,
        Command::Ping(c) => c.r#ref = reference,
        Command::Typing(_) | Command::E2eeAck(_) => {}
    }
}
