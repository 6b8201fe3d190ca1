//! The ids of things: one type each, so that a room's id never passes for a session's.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A text that is no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("read the id: not a UUID")]
pub struct BadId;

macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            /// Reads the hyphenated form only: one thing has one spelling.
            fn from_str(text: &str) -> Result<Self, BadId> {
                if text.len() != 36 {
                    return Err(BadId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| BadId)
            }
        }
    )*};
}

id! {
    /// A person's account.
    UserId;
    /// A room.
    RoomId;
    /// A conversation inside a room.
    SessionId;
    /// A message.
    MessageId;
    /// A file that somebody sent, or is sending.
    FileId;
    /// A device that somebody signs in from.
    DeviceId;
    /// A sign-in.
    LoginId;
    /// The sender's own id of a message or of another creating request: the key of exactly-once.
    ClientId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let text = "0190f5c2-7a1e-7000-8000-000000000001";
        assert_eq!(text.parse::<UserId>().map(|id| id.to_string()), Ok(text.to_owned()));
        for bad in ["", "x", "0190f5c27a1e70008000000000000001", "../../etc/passwd", "' OR 1=1--"] {
            assert_eq!(bad.parse::<UserId>(), Err(BadId), "{bad}");
        }
    }
}
