//! Being signed in: the tokens, and asking with them.
//!
//! Owns refreshing: once at a time, written down before the new token is used. Refuses to go on
//! when the login is over.

use parking_lot::RwLock;
use parlor_wire::v1;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Error;
use crate::cache::Cache;
use crate::http::{Body, Http};

/// The name under which the login is kept.
const LOGIN: &str = "login";

/// Who is signed in, and what proves it. (Without `Debug`: tokens are secrets.)
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) device_id: String,
    access_token: String,
    refresh_token: String,
}

/// The server, asked in somebody's name.
pub(crate) struct Api {
    http: Http,
    login: RwLock<Login>,
    refreshing: tokio::sync::Mutex<()>,
}

impl Api {
    /// Signs in.
    pub(crate) async fn sign_in(
        http: Http,
        cache: &Cache,
        login: &str,
        password: &str,
        device_name: Option<&str>,
    ) -> Result<Self, Error> {
        let body = json!({"login": login, "password": password, "device_name": device_name});
        let answer = http.json("POST", "/api/v1/auth/login", None, Body::Json(&body)).await?;
        let login = Login::of(serde_json::from_value(answer)?);
        cache.keep(LOGIN, &login)?;
        Ok(Self::with(http, login))
    }

    /// Goes on with the login that is kept.
    pub(crate) fn resume(http: Http, cache: &Cache) -> Result<Option<Self>, Error> {
        Ok(cache.note(LOGIN)?.map(|login| Self::with(http, login)))
    }

    fn with(http: Http, login: Login) -> Self {
        Self { http, login: RwLock::new(login), refreshing: tokio::sync::Mutex::default() }
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    pub(crate) fn login(&self) -> Login {
        self.login.read().clone()
    }

    pub(crate) fn token(&self) -> String {
        self.login.read().access_token.clone()
    }

    /// Asks for something; the path is below `/api/v1`.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        cache: &Cache,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Error> {
        let body = || body.map_or(Body::Nothing, Body::Json);
        Ok(serde_json::from_value(self.ask(cache, method, path, body).await?)?)
    }

    /// Does something of which there is nothing to say.
    pub(crate) async fn done(
        &self,
        cache: &Cache,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Error> {
        let body = || body.map_or(Body::Nothing, Body::Json);
        self.ask(cache, method, path, body).await.map(drop)
    }

    /// Asks, refreshes the token if it is over, and asks again.
    pub(crate) async fn ask<'a>(
        &self,
        cache: &Cache,
        method: &str,
        path: &str,
        body: impl Fn() -> Body<'a>,
    ) -> Result<Value, Error> {
        let path = format!("/api/v1{path}");
        let token = self.token();
        match self.http.json(method, &path, Some(&token), body()).await {
            // A wrong password is answered so, too, but with the token being good: asked again, it
            // is refused again.
            Err(Error::Refused { status: 401, .. }) => {
                self.refresh(cache, &token).await?;
                self.http.json(method, &path, Some(&self.token()), body()).await
            }
            answer => answer,
        }
    }

    /// Gets a new token in the place of this one, unless somebody has done so meanwhile.
    pub(crate) async fn refresh(&self, cache: &Cache, old: &str) -> Result<(), Error> {
        let _one_at_a_time = self.refreshing.lock().await;
        if self.token() != old {
            return Ok(());
        }
        let body = json!({ "refresh_token": self.login().refresh_token });
        let answer = self.http.json("POST", "/api/v1/auth/refresh", None, Body::Json(&body)).await;
        let answer = answer.map_err(|error| match error {
            Error::Refused { status: 400..=403 | 422, .. } => Error::SignedOut,
            other => other,
        })?;
        let login = Login::of(serde_json::from_value(answer)?);
        cache.keep(LOGIN, &login)?;
        *self.login.write() = login;
        Ok(())
    }
}

impl Login {
    fn of(said: v1::LoginResult) -> Self {
        let user = said.user.unwrap_or_default();
        Self {
            user_id: user.id,
            username: user.username,
            device_id: said.device_id,
            access_token: said.access_token,
            refresh_token: said.refresh_token,
        }
    }
}
