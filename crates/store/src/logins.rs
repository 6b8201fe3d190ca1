//! Logins: sign-ins, each of one device, each a family of refresh tokens.

use async_trait::async_trait;
use parlor_domain::{Device, DeviceId, LoginId, Time, UserId};

use crate::StoreError;

/// A sign-in to be remembered. Secrets come as hashes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogin {
    /// Its id to be.
    pub id: LoginId,
    /// Who signs in.
    pub user: UserId,
    /// The device's id to be.
    pub device: DeviceId,
    /// What the device is called.
    pub device_name: String,
    /// The hash of the first refresh token.
    pub refresh_hash: [u8; 32],
    /// The hash of the cookie's secret.
    pub cookie_hash: [u8; 32],
    /// When it ends unless it is used.
    pub expires: Time,
    /// The façade that it came by, whose refresh tokens stay the same. `None`: they are rotated.
    pub dialect: Option<&'static str>,
    /// Whether the refresh tokens of the person's earlier logins by this façade work no more.
    pub alone: bool,
}

/// A sign-in that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The id.
    pub id: LoginId,
    /// Who.
    pub user: UserId,
    /// Their small id.
    pub user_no: i64,
    /// The device.
    pub device: DeviceId,
    /// The hash of the cookie's secret.
    pub cookie_hash: [u8; 32],
    /// When it ends unless it is used.
    pub expires: Time,
}

/// What became of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It was the current one; the new one is current now.
    Rotated(Login),
    /// It had been used before: the whole login is revoked.
    Reused(LoginId),
    /// The login is unknown, revoked or over.
    Dead,
}

/// Which logins to revoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// One.
    Login(LoginId),
    /// The one of this device, if it is the user's.
    Device(UserId, DeviceId),
    /// All of a user's.
    All(UserId),
}

/// Writes and reads logins.
#[async_trait]
pub trait Logins: Send + Sync {
    /// Remembers a sign-in; `device_added` is logged in the user's own log.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn create_login(&self, new: NewLogin, now: Time) -> Result<Login, StoreError>;

    /// A login that is neither revoked nor over.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn login(&self, login: LoginId, now: Time) -> Result<Option<Login>, StoreError>;

    /// Exchanges a refresh token, given and taken as hashes, and moves the login's end to
    /// `expires`. A token that is not the current one revokes the login: the caller has proved
    /// before that we made it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn rotate(
        &self,
        login: LoginId,
        presented: [u8; 32],
        next: [u8; 32],
        expires: Time,
        now: Time,
    ) -> Result<Rotation, StoreError>;

    /// Whether this is the refresh token, given as a hash, of a live login that came by this
    /// façade; if so, the login's end is moved to `expires`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn renew(
        &self,
        login: LoginId,
        dialect: &'static str,
        presented: [u8; 32],
        expires: Time,
        now: Time,
    ) -> Result<Option<Login>, StoreError>;

    /// Moves a login's end, because its cookie was used.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn extend(&self, login: LoginId, expires: Time, now: Time) -> Result<(), StoreError>;

    /// Revokes logins and returns those that were alive; `device_removed` is logged.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn revoke(&self, which: Which, now: Time) -> Result<Vec<LoginId>, StoreError>;

    /// Forgets up to `limit` logins whose time was over at `now`, revoked or not, and returns how
    /// many: fewer than `limit` when none is left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_logins(&self, now: Time, limit: u64) -> Result<u64, StoreError>;

    /// Which of these logins are revoked, over or gone: for a node whose connections live as long
    /// as their logins, when another node may have ended some.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn dead(&self, logins: Vec<LoginId>, now: Time) -> Result<Vec<LoginId>, StoreError>;

    /// The devices with a live login, the last used first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn devices(&self, user: UserId, now: Time) -> Result<Vec<Device>, StoreError>;
}
