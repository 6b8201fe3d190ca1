//! What a façade shows of what was said: it has no keys, and says so where there are only letters
//! that mean nothing.

use parlor_domain::Message;
use parlor_wire::v1;

/// What stands for what only members' own devices can read.
pub const ENCRYPTED: &str = "🔒 An encrypted message: it can be read in Parlor's own clients.";

/// The words of a message that was read.
pub fn read(message: &Message) -> &str {
    if message.is_encrypted() { ENCRYPTED } else { &message.content }
}

/// The words of a message that was told.
pub fn told(message: &v1::Message) -> &str {
    if message.encrypted.is_some() { ENCRYPTED } else { &message.content }
}
