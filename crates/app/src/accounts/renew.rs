//! A façade's refresh tokens, which stay good: their clients keep one.

use parlor_domain::{LoginId, Time};
use parlor_store::logins::{Login, Which};
use parlor_wire::Dialect;

use super::SignedIn;
use super::tokens::BadToken;
use crate::{App, Error, Hidden};

/// Why a façade's refresh token buys nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotRenewed {
    /// It was made for something else.
    #[error("not a refresh token")]
    OtherKind,
    /// Its time is over.
    #[error("the refresh token is over")]
    Over,
    /// It was never made here, or its login is over.
    #[error("the refresh token is not good")]
    Unknown,
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<BadToken> for NotRenewed {
    fn from(bad: BadToken) -> Self {
        match bad {
            BadToken::Unknown => Self::Unknown,
            BadToken::OtherKind => Self::OtherKind,
            BadToken::Over => Self::Over,
        }
    }
}

impl App {
    /// A new access token for a façade's refresh token, which stays good; the login lives on. In
    /// the answer is the refresh token that the client keeps from now on.
    ///
    /// # Errors
    /// [`NotRenewed`] when the token is not a good one of this façade.
    pub async fn renew(&self, dialect: Dialect, token: &Hidden) -> Result<SignedIn, NotRenewed> {
        let now = self.clock.now();
        let (login, hash) = self.shown_refresh(dialect, token, now)?;
        let expires = now + self.settings.refresh_ttl;
        let renewed = self.store.renew(login, dialect.as_str(), hash, expires, now).await;
        let login = renewed.map_err(Error::from)?.ok_or(NotRenewed::Unknown)?;
        self.live.forget(&[login.id]);
        let next =
            if dialect == Dialect::Shh { self.signed_refresh(&login, now)? } else { token.clone() };
        Ok(self.signed_in(&login, next, None, now).await?)
    }

    /// Ends the login that a façade's refresh token is of; one that is not good ends nothing.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn logout_by(&self, dialect: Dialect, token: &Hidden) -> Result<(), Error> {
        match self.shown_refresh(dialect, token, self.clock.now()) {
            Ok((login, _)) => self.revoke(Which::Login(login)).await.map(drop),
            Err(_) => Ok(()),
        }
    }

    /// The login that a refresh token of this façade is of, and what is stored of the token.
    fn shown_refresh(
        &self,
        dialect: Dialect,
        token: &Hidden,
        now: Time,
    ) -> Result<(LoginId, [u8; 32]), NotRenewed> {
        if dialect == Dialect::Shh {
            let ttl = self.settings.refresh_ttl;
            let login = self.tokens.read_signed_refresh(token.expose(), ttl, now)?;
            return Ok((login, standing_hash(login)));
        }
        let shown = self.tokens.read_lasting(token.expose()).ok_or(NotRenewed::Unknown)?;
        Ok((shown.login, shown.hash))
    }

    /// The refresh token that a login begins with, unless it can only be made for the login that
    /// there is then; and what is stored of it.
    pub(crate) fn first_refresh(
        &self,
        dialect: Option<Dialect>,
        login: LoginId,
    ) -> Result<(Option<Hidden>, [u8; 32]), Error> {
        let minted = match dialect {
            None => self.tokens.refresh(login)?,
            Some(Dialect::Shh) => return Ok((None, standing_hash(login))),
            Some(_) => self.tokens.lasting(login)?,
        };
        Ok((Some(minted.token), minted.hash))
    }

    /// A refresh token that is a JWT.
    pub(crate) fn signed_refresh(&self, login: &Login, now: Time) -> Result<Hidden, Error> {
        self.tokens.signed_refresh(login, self.settings.refresh_ttl, now)
    }
}

/// What is stored of a login's signed refresh tokens: all of them are good as long as it lives.
fn standing_hash(login: LoginId) -> [u8; 32] {
    *blake3::hash(login.0.as_bytes()).as_bytes()
}
