//! Exchanging a refresh token for the next one.

use parlor_domain::LoginId;
use parlor_store::logins::Rotation;

use super::SignedIn;
use crate::{App, Error, Hidden};

impl App {
    /// Exchanges a refresh token. One that was used before is in two hands: the login is revoked,
    /// and whoever comes next must sign in.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when the token is not the current one of a live login.
    pub async fn refresh(&self, token: &Hidden) -> Result<SignedIn, Error> {
        let shown = self.tokens.read_refresh(token.expose());
        let shown = shown.ok_or(Error::Unauthorized)?;
        let next = self.tokens.refresh(shown.login)?;
        let now = self.clock.now();
        let expires = now + self.settings.refresh_ttl;
        let (store, hash) = (self.store.clone(), next.hash);
        let work = async move {
            let rotating = store.rotate(shown.login, shown.hash, hash, expires, now);
            rotating.await
        };
        match self.revoking(work, reused).await? {
            Rotation::Rotated(login) => self.signed_in(&login, next.token, None, now).await,
            Rotation::Reused(login) => {
                tracing::warn!(%login, "a refresh token was used twice: the login is revoked");
                Err(Error::Unauthorized)
            }
            Rotation::Dead => Err(Error::Unauthorized),
        }
    }
}

/// The login that a rotation has ended.
fn reused(rotation: &Rotation) -> &[LoginId] {
    match rotation {
        Rotation::Reused(login) => std::slice::from_ref(login),
        Rotation::Rotated(_) | Rotation::Dead => &[],
    }
}
