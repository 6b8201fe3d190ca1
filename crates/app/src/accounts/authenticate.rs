//! Who is it? Asked before everything else, on every door.

use std::time::Duration;

use parlor_domain::{Denied, LoginId, Time};
use parlor_store::logins::Login;

use super::tokens::{BadToken, same};
use crate::{Actor, App, Error};

/// A cookie's use moves its login's end at most this often.
const EXTEND_EVERY: Duration = Duration::from_hours(1);

/// Why an access token proves nobody: for façades whose clients act on it.
#[derive(Debug, thiserror::Error)]
pub enum Unproved {
    /// It was made for something else.
    #[error("not an access token")]
    OtherKind,
    /// Its time is over.
    #[error("the access token is over")]
    Over,
    /// It was never made here, or its login is over.
    #[error("the access token is not good")]
    Unknown,
    /// Something failed.
    #[error(transparent)]
    Failed(Error),
}

impl From<BadToken> for Unproved {
    fn from(bad: BadToken) -> Self {
        match bad {
            BadToken::Unknown => Self::Unknown,
            BadToken::OtherKind => Self::OtherKind,
            BadToken::Over => Self::Over,
        }
    }
}

impl From<Error> for Unproved {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthorized => Self::Unknown,
            other => Self::Failed(other),
        }
    }
}

impl App {
    /// The actor that an access token proves.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when the token is not good or its login is over.
    pub async fn authenticate_bearer(&self, token: &str) -> Result<Actor, Error> {
        self.try_bearer(token).await.map_err(|unproved| match unproved {
            Unproved::Failed(error) => error,
            _ => Error::Unauthorized,
        })
    }

    /// The actor that an access token proves, or what is wrong with it.
    ///
    /// # Errors
    /// [`Unproved`].
    pub async fn try_bearer(&self, token: &str) -> Result<Actor, Unproved> {
        let now = self.clock.now();
        let (user, login) = self.tokens.read_access(token, now)?;
        let login = self.alive(login, now).await?;
        if login.user != user {
            return Err(Unproved::Unknown);
        }
        Ok(actor(&login))
    }

    /// Whether an access token that we made, and that would still be good, is of an account that
    /// is deleted. Such a token opens nothing; its owner may know why.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn is_of_deleted(&self, token: &str) -> Result<bool, Error> {
        let Ok((user, _)) = self.tokens.read_access(token, self.clock.now()) else {
            return Ok(false);
        };
        match self.living(user).await {
            Err(Error::Denied(Denied::NotFound)) => Ok(true),
            found => found.map(|_| false),
        }
    }

    /// The actor that a cookie proves; using it keeps the login alive.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when the cookie is not good or its login is over.
    pub async fn authenticate_cookie(&self, value: &str) -> Result<Actor, Error> {
        let now = self.clock.now();
        let shown = self.tokens.read_cookie(value).ok_or(Error::Unauthorized)?;
        let login = self.alive(shown.login, now).await?;
        if !same(&shown.hash, &login.cookie_hash) {
            return Err(Error::Unauthorized);
        }
        self.keep_alive(&login, now).await?;
        Ok(actor(&login))
    }

    /// Whether an actor's login is still alive: long-lived connections ask again.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it is not.
    pub async fn still_signed_in(&self, actor: &Actor) -> Result<(), Error> {
        self.alive(actor.login, self.clock.now()).await.map(drop)
    }

    /// The actor of a login, while it lives.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it is over.
    pub(crate) async fn authenticate_login(
        &self,
        login: LoginId,
        now: Time,
    ) -> Result<Actor, Error> {
        Ok(actor(&self.alive(login, now).await?))
    }

    async fn alive(&self, id: LoginId, now: Time) -> Result<Login, Error> {
        if self.health.is_lost() {
            return Err(Error::Unavailable);
        }
        let before = match self.live.get(id, now) {
            Ok(login) if now < login.expires => return Ok(login),
            // Its end may have been moved meanwhile: the store knows.
            Ok(_) => self.live.now(),
            Err(before) => before,
        };
        let login = self.store.login(id, now).await?;
        let login = login.ok_or(Error::Unauthorized)?;
        self.live.put(login.clone(), before, now);
        Ok(login)
    }

    async fn keep_alive(&self, login: &Login, now: Time) -> Result<(), Error> {
        let ttl = self.settings.refresh_ttl;
        let every = EXTEND_EVERY.min(ttl / 2);
        if now + ttl.saturating_sub(every) < login.expires {
            return Ok(());
        }
        self.store.extend(login.id, now + ttl, now).await?;
        self.live.forget(&[login.id]);
        Ok(())
    }
}

fn actor(login: &Login) -> Actor {
    Actor { user: login.user, user_no: login.user_no, login: login.id, device: login.device }
}
