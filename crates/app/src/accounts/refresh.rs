//! Exchanging a refresh token for the next one.

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
        let rotated = self
            .store
            .rotate(shown.login, shown.hash, next.hash, expires, now);
        match rotated.await? {
            Rotation::Rotated(login) => {
                self.live.forget(&[login.id]);
                self.signed_in(&login, next.token, None, now).await
            }
            Rotation::Reused(login) => {
                self.cut(&[login]);
                tracing::warn!(%login, "a refresh token was used twice: the login is revoked");
                Err(Error::Unauthorized)
            }
            Rotation::Dead => Err(Error::Unauthorized),
        }
    }
}
