//! Who asks.

use parlor_domain::{DeviceId, LoginId, UserId};

/// A signed-in user, by the login that proved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Who.
    pub user: UserId,
    /// Their small id.
    pub user_no: i64,
    /// Which sign-in.
    pub login: LoginId,
    /// From which device.
    pub device: DeviceId,
}
