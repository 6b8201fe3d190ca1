//! Signing in by username or mail address.

use std::net::IpAddr;

use parlor_domain::name::{self, username_key};
use parlor_domain::{DeviceId, Limits, LoginId, Time, User, UserId};
use parlor_store::accounts::Credentials;
use parlor_store::logins::NewLogin;
use parlor_wire::Dialect;

use crate::clock::new_id;
use crate::{App, Error, Hidden, passwords, rates};

/// Bytes of a login name that are looked up; a longer one is nobody's.
const LOGIN_BYTES_MAX: usize = 512;

/// What somebody who signs in says.
#[derive(Debug, Clone)]
pub struct Login {
    /// The username or the mail address.
    pub login: Hidden,
    /// The password.
    pub password: Hidden,
    /// What to call the device.
    pub device_name: Option<String>,
    /// What the device calls itself (`User-Agent`); used when it has no name.
    pub agent: Option<String>,
    /// Where the request comes from.
    pub address: IpAddr,
    /// The façade that it comes by; refresh tokens of façades stay the same.
    pub dialect: Option<Dialect>,
}

/// A sign-in, with its proofs.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The short-lived proof.
    pub access_token: Hidden,
    /// Seconds for which it is good.
    pub expires_in: i64,
    /// What buys the next one: once, or in a façade as long as the login lives.
    pub refresh_token: Hidden,
    /// The proof for browsers; only when the login is new.
    pub cookie: Option<Hidden>,
    /// The device that signed in.
    pub device: DeviceId,
    /// Who.
    pub user: User,
}

impl App {
    /// Signs in. An unknown login, a wrong password and an account that is not usable yet are told
    /// apart neither by the answer nor by the time that it takes.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] for all of these; [`parlor_domain::Denied::SlowDown`] after too
    /// many tries from one address.
    pub async fn login(&self, asked: Login) -> Result<SignedIn, Error> {
        let now = self.clock.now();
        let device_name = device_name(&asked, &self.limits)?;
        let account = self.check_password(&asked, now).await?;
        self.begin_login(account.user, device_name, asked.dialect, now).await
    }

    /// Begins a login of somebody who has proved who they are.
    pub(crate) async fn begin_login(
        &self,
        user: UserId,
        device_name: String,
        dialect: Option<Dialect>,
        now: Time,
    ) -> Result<SignedIn, Error> {
        let (id, device) = (LoginId(new_id(now)), DeviceId(new_id(now)));
        let (refresh_token, refresh_hash) = self.first_refresh(dialect, id)?;
        let cookie = self.tokens.cookie(id)?;
        let new = NewLogin {
            id,
            user,
            device,
            device_name,
            refresh_hash,
            cookie_hash: cookie.hash,
            expires: now + self.settings.refresh_ttl,
            dialect: dialect.map(Dialect::as_str),
            alone: dialect == Some(Dialect::Rei),
        };
        let login = self.store.create_login(new, now).await?;
        tracing::info!(user = %login.user, login = %login.id, "signed in");
        let refresh_token = match refresh_token {
            Some(token) => token,
            None => self.signed_refresh(&login, now)?,
        };
        self.signed_in(&login, refresh_token, Some(cookie.token), now).await
    }

    /// The account that these credentials are right for.
    async fn check_password(&self, asked: &Login, now: Time) -> Result<Credentials, Error> {
        passwords::bounded("password", &asked.password, &self.limits)?;
        let login = asked.login.expose().trim();
        let from = rates::network(asked.address);
        let pair = self.guess_key(login, from);
        self.rates.guesses.take(pair, now)?;
        self.rates.wrong_from.take(from, now)?;
        let account = if login.len() <= LOGIN_BYTES_MAX {
            self.store.credentials(login.to_owned()).await?
        } else {
            None
        };
        // Whoever has no password has none that is right.
        let hash = account.as_ref().map(|a| a.password_hash.clone());
        let hash = hash.filter(|hash| !hash.is_empty());
        let right = self.passwords.verify(&asked.password, hash).await?;
        let account = account.filter(|a| right && a.usable);
        let account = account.ok_or(Error::WrongPassword)?;
        self.rates.guesses.give_back(&pair);
        self.rates.wrong_from.give_back(&from);
        Ok(account)
    }

    fn guess_key(&self, login: &str, from: IpAddr) -> [u8; 16] {
        let account =
            if login.len() <= LOGIN_BYTES_MAX { username_key(login) } else { String::new() };
        let from = from.to_string();
        self.digests.of("guesses", &[account.as_bytes(), from.as_bytes()])
    }

    pub(crate) async fn signed_in(
        &self,
        login: &parlor_store::logins::Login,
        refresh_token: Hidden,
        cookie: Option<Hidden>,
        now: Time,
    ) -> Result<SignedIn, Error> {
        let user = self.store.user(login.user).await?;
        let ttl = self.settings.access_token_ttl.as_secs();
        Ok(SignedIn {
            access_token: self.tokens.access(login, now)?,
            expires_in: i64::try_from(ttl).unwrap_or(i64::MAX),
            refresh_token,
            cookie,
            device: login.device,
            user: user.ok_or(Error::Unauthorized)?,
        })
    }
}

/// What to call the device: as asked, or by what it says of itself.
fn device_name(asked: &Login, limits: &Limits) -> Result<String, Error> {
    match asked.device_name.as_deref() {
        Some(text) if !text.trim().is_empty() => Ok(name::line("device_name", text, limits)?),
        _ => Ok(guessed_name(asked.agent.as_deref().unwrap_or_default())),
    }
}

/// "Firefox on Linux", or the first word of a program that is no browser.
fn guessed_name(agent: &str) -> String {
    // The order matters: most browsers also claim to be the ones below them.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ];
    let systems = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let found = |table: &[(&str, &'static str)]| {
        let row = table.iter().find(|(mark, _)| agent.contains(mark));
        row.map(|(_, name)| *name)
    };
    match (found(&browsers), found(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => first_word(agent),
    }
}

fn first_word(agent: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let word: String = agent.chars().take_while(plain).take(40).collect();
    if word.is_empty() { "a device".into() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_by_what_it_says_of_itself() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(guessed_name(firefox), "Firefox on Linux");
        assert_eq!(guessed_name(edge), "Edge on Windows");
        assert_eq!(guessed_name("curl/8.5.0"), "curl");
        assert_eq!(guessed_name("\u{202e}<script>"), "a device");
        assert_eq!(guessed_name(""), "a device");
    }
}
