//! The façades, by name: each speaks the API of another system.

/// Whose API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// ROOM.
    Room,
    /// Mrsambosk.
    Mrsambosk,
    /// Rei's Chatroom.
    Rei,
    /// Chat Room API, whose word for a room is group.
    Groups,
    /// shh-chatroom.
    Shh,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Room, Self::Mrsambosk, Self::Rei, Self::Groups, Self::Shh];

    /// The name in the configuration, in paths (`/compat/rei/`) and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Mrsambosk => "mrsambosk",
            Self::Rei => "rei",
            Self::Groups => "groups",
            Self::Shh => "shh",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str().eq_ignore_ascii_case(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::parse(dialect.as_str()), Some(dialect));
        }
        assert_eq!(Dialect::parse("REI"), Some(Dialect::Rei));
        assert_eq!(Dialect::parse(""), None);
    }
}
