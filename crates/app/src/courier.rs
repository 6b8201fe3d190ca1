//! Writes letters and mails them, behind the answer: a request for one takes as long, and says as
//! much, whether or not there is an account.

use std::sync::Arc;
use std::time::Duration;

use parlor_domain::UserId;
use parlor_store::Store;
use parlor_store::accounts::{Credentials, Purpose};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::mail::Letter;
use crate::{Clock, Error, Hidden, Mail, Parts, Secret};

/// Letters that may wait; one more is not written.
const WAITING_MAX: usize = 256;

/// Letters that are handed over at the same time.
const SENDING_MAX: usize = 4;

/// What a letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// A code, if an account has the address.
    Code(Purpose),
    /// A code for this new account; or, when the address is another's, word to its owner.
    Welcome(UserId),
}

pub(crate) struct Courier {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    mail: Option<Arc<dyn Mail>>,
    codes: Codes,
    code_ttl: Duration,
    public_url: String,
    server_name: String,
    waiting: Arc<Semaphore>,
    sending: Semaphore,
}

impl Courier {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self {
            store: parts.store.clone(),
            clock: parts.clock.clone(),
            mail: parts.mail.clone(),
            codes: Codes::new(&parts.secret),
            code_ttl: parts.settings.code_ttl,
            public_url: parts.settings.public_url.clone(),
            server_name: parts.settings.server_name.clone(),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            sending: Semaphore::new(SENDING_MAX),
        }
    }

    /// How codes are hashed.
    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// Whether letters go out at all.
    pub(crate) fn works(&self) -> bool {
        self.mail.is_some()
    }

    /// Mails a letter to whoever has this address, later; nothing when nobody has.
    pub(crate) fn dispatch(self: &Arc<Self>, tasks: &TaskTracker, email: String, errand: Errand) {
        if !self.works() {
            return;
        }
        let Ok(place) = self.waiting.clone().try_acquire_owned() else {
            tracing::warn!("too many letters wait: one was not written");
            return;
        };
        let courier = self.clone();
        tasks.spawn(async move {
            let _place = place;
            courier.run(email, errand).await;
        });
    }

    async fn run(&self, email: String, errand: Errand) {
        let Ok(_turn) = self.sending.acquire().await else {
            return;
        };
        match self.store.credentials(email).await {
            Ok(None) => {}
            Ok(Some(account)) => {
                let user = account.user;
                let served = match errand {
                    Errand::Code(purpose) => self.serve(account, purpose).await,
                    Errand::Welcome(new) if new == user => {
                        self.serve(account, Purpose::Verify).await
                    }
                    Errand::Welcome(_) => self.warn(account).await,
                };
                if let Err(error) = served {
                    tracing::error!(%user, %error, "a letter was not mailed");
                }
            }
            Err(error) => tracing::error!(%error, "a letter was not mailed"),
        }
    }

    async fn serve(&self, account: Credentials, purpose: Purpose) -> Result<(), Error> {
        let Some(email) = account.email else {
            return Ok(());
        };
        if purpose == Purpose::Verify {
            let profile = self.store.profile(account.user).await?;
            if profile.is_none_or(|me| me.email_verified) {
                return Ok(());
            }
        }
        let code = Codes::fresh()?;
        let hash = self.codes.hash(purpose, &email, &code);
        let expires = self.clock.now() + self.code_ttl;
        self.store.put_code(account.user, purpose, hash, expires).await?;
        self.send(self.letter(email, purpose, &code)).await
    }

    async fn send(&self, letter: Letter) -> Result<(), Error> {
        let Some(mail) = &self.mail else {
            return Ok(());
        };
        mail.send(letter).await.map_err(|e| Error::Internal(e.to_string()))
    }

    /// Tells an owner that somebody wanted to make another account with their address. There is
    /// no code in it: it would prove the address for whoever asked, if that is how it was taken.
    async fn warn(&self, account: Credentials) -> Result<(), Error> {
        let owner = self.store.user(account.user).await?;
        let (Some(email), Some(owner)) = (account.email, owner) else {
            return Ok(());
        };
        let (server, url, username) = (&self.server_name, &self.public_url, owner.username);
        let text = format!(
            "Somebody, probably you, wants to make an account on {server} with this mail address, \
             which has an account, {username}. To sign in, go to\n\n{url}/app/login\n\n\
             and if you do not know the password any more, set a new one at\n\n\
             {url}/app/forgot\n\n\
             If it was not you, do nothing: they were not told that you have an account.\n"
        );
        let subject = format!("{server}: You have an account");
        self.send(Letter { to: email, subject, text }).await
    }

    fn letter(&self, email: String, purpose: Purpose, code: &Hidden) -> Letter {
        let (subject, page, what) = match purpose {
            Purpose::Verify => ("Confirm your mail address", "verify", "confirm the address"),
            Purpose::Reset => ("Set a new password", "reset", "set a new password"),
        };
        let server = &self.server_name;
        let code = code.expose();
        let link =
            format!("{}/app/{page}?email={}&code={code}", self.public_url, percent_encoded(&email));
        let minutes = self.code_ttl.as_secs().div_ceil(60);
        let text = format!(
            "Somebody, probably you, wants to {what} on {server}.\n\n\
             The code is {code}. Or open this link:\n\n{link}\n\n\
             Both are good for {minutes} minutes, once. If it was not you, do nothing.\n"
        );
        Letter { to: email, subject: format!("{server}: {subject}"), text }
    }
}

/// Six-digit codes. Only their keyed hashes are stored: without the key, a million hashes would
/// give every code away.
pub(crate) struct Codes([u8; 32]);

impl Codes {
    fn new(secret: &Secret) -> Self {
        Self(secret.derive("parlor v1 mailed code"))
    }

    fn fresh() -> Result<Hidden, Error> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|e| Error::Internal(format!("get random bytes: {e}")))?;
        let digits = u64::from_le_bytes(random) % 1_000_000;
        Ok(Hidden::new(format!("{digits:06}")))
    }

    /// What is stored of a code.
    pub(crate) fn hash(&self, purpose: Purpose, email: &str, code: &Hidden) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in [purpose.as_str(), email, code.expose().trim()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// A text as a query's value.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits() {
        for _ in 0..100 {
            let code = Codes::fresh().unwrap();
            assert_eq!(code.expose().len(), 6);
            assert!(code.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }

    #[test]
    fn a_code_is_for_one_purpose_and_one_address() {
        let codes = Codes::new(&Secret::new(vec![1; 32]).unwrap());
        let code = Hidden::new("123456");
        let hash = codes.hash(Purpose::Verify, "ana@b.org", &code);
        assert_eq!(hash, codes.hash(Purpose::Verify, "ana@b.org", &Hidden::new(" 123456 ")));
        assert_ne!(hash, codes.hash(Purpose::Reset, "ana@b.org", &code));
        assert_ne!(hash, codes.hash(Purpose::Verify, "bo@b.org", &code));
    }

    #[test]
    fn a_link_keeps_a_strange_address_together() {
        assert_eq!(percent_encoded("a+b&c@d.org"), "a%2Bb%26c%40d.org");
    }
}
