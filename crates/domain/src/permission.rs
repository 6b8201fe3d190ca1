//! The one permission function: what a role may do in a room. Every decision asks here.

use crate::{Denied, Role};

/// Something that needs a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read and write messages, open sessions.
    Talk,
    /// Add people to a room that anybody may join.
    InviteToOpen,
    /// Add people to a room that is private or has a password.
    InviteToClosed,
    /// Send somebody of this role away.
    Remove(Role),
    /// Keep somebody of this role (or nobody, `None`) from coming back, or let them.
    Ban(Option<Role>),
    /// Delete somebody else's message.
    DeleteOthers,
    /// Pin messages in the main session of a room that is open to everybody.
    PinInOpen,
    /// Name everybody in a session of many people at once.
    NameAll,
    /// Rename, describe, open or close the room.
    Settings,
    /// Give somebody who is `from` the role `to`.
    SetRole {
        /// The role they have.
        from: Role,
        /// The role they get.
        to: Role,
    },
    /// Archive or delete the room.
    Close,
    /// Change a session that somebody else opened.
    ManageSession,
}

/// Whether a member with this role may do this.
///
/// # Errors
/// [`Denied::Forbidden`] when not.
pub fn may(role: Role, action: Action) -> Result<(), Denied> {
    let allowed = match action {
        Action::Talk | Action::InviteToOpen => true,
        Action::InviteToClosed
        | Action::DeleteOthers
        | Action::PinInOpen
        | Action::NameAll
        | Action::ManageSession => role >= Role::Moderator,
        Action::Remove(target) => role > target,
        Action::Ban(target) => role >= Role::Moderator && target.is_none_or(|t| role > t),
        Action::Settings | Action::SetRole { .. } | Action::Close => role == Role::Owner,
    };
    allowed.then_some(()).ok_or(Denied::Forbidden("your role does not allow it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Member, Moderator, Owner};

    #[test]
    fn each_role_may_what_the_table_says() {
        let table = [
            (Action::Talk, [true, true, true]),
            (Action::InviteToOpen, [true, true, true]),
            (Action::InviteToClosed, [false, true, true]),
            (Action::Remove(Member), [false, true, true]),
            (Action::Remove(Moderator), [false, false, true]),
            (Action::Remove(Owner), [false, false, false]),
            (Action::Ban(None), [false, true, true]),
            (Action::Ban(Some(Member)), [false, true, true]),
            (Action::Ban(Some(Moderator)), [false, false, true]),
            (Action::Ban(Some(Owner)), [false, false, false]),
            (Action::DeleteOthers, [false, true, true]),
            (Action::PinInOpen, [false, true, true]),
            (Action::NameAll, [false, true, true]),
            (Action::Settings, [false, false, true]),
            (Action::SetRole { from: Member, to: Owner }, [false, false, true]),
            (Action::Close, [false, false, true]),
            (Action::ManageSession, [false, true, true]),
        ];
        for (action, expected) in table {
            let got = [Member, Moderator, Owner].map(|role| may(role, action).is_ok());
            assert_eq!(got, expected, "{action:?}");
        }
    }
}
