//! Passwords, hashed by Argon2id off the async threads, never more at once than there are cores.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use parlor_domain::{Denied, Limits, name};
use tokio::sync::Semaphore;

use crate::{Error, Hashing, Hidden};

/// How long a hash may wait for its turn before the answer is "try again".
const WAIT: Duration = Duration::from_secs(8);

pub(crate) struct Passwords {
    argon: Argon2<'static>,
    /// The hash of nothing anybody knows, checked where there is no account, so that the answer
    /// takes as long as with one.
    dummy: String,
    turns: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new(hashing: Hashing) -> Self {
        let params = match hashing {
            Hashing::Full => Params::new(19 * 1024, 2, 1, None),
            Hashing::Minimal => Params::new(8, 1, 1, None),
        };
        let params = params.expect("constants within Argon2's bounds");
        // Written, not computed: a server that nobody signs in to needs no memory for it. No
        // password is known to have this hash.
        let (cost, passes) = (params.m_cost(), params.t_cost());
        let (salt, hash) = ("bm9ib2R5J3Mgc2FsdA", "A".repeat(43));
        let dummy = format!("$argon2id$v=19$m={cost},t={passes},p=1${salt}${hash}");
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let cores = available_parallelism().map_or(2, NonZero::get);
        Self { argon, dummy, turns: Arc::new(Semaphore::new(cores)) }
    }

    /// Hashes a password into a PHC string.
    pub(crate) async fn hash(&self, password: &Hidden) -> Result<String, Error> {
        let (argon, password) = (self.argon.clone(), password.clone());
        let hashed = move || argon.hash_password(password.expose().as_bytes());
        let hashed = self.in_turn(hashed).await?;
        let hashed = hashed.map_err(|e| Error::Internal(format!("hash a password: {e}")))?;
        Ok(hashed.to_string())
    }

    /// Whether a password is the hashed one; without a hash it takes as long and is not.
    pub(crate) async fn verify(
        &self,
        password: &Hidden,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        let (argon, password) = (self.argon.clone(), password.clone());
        let right =
            move || argon.verify_password(password.expose().as_bytes(), hash.as_str()).is_ok();
        Ok(self.in_turn(right).await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(WAIT, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| Error::Busy)?;
        let turn = turn.map_err(|_| Error::Unavailable)?;
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|e| Error::Internal(format!("hash a password: {e}")))
    }
}

/// Checks a password that is to become an account's.
pub(crate) fn check_new(
    field: &'static str,
    password: &Hidden,
    limits: &Limits,
) -> Result<(), Denied> {
    bounded(field, password, limits)?;
    name::password(field, password.expose(), limits)
}

/// Refuses what is too long to be hashed, be it right or wrong.
pub(crate) fn bounded(
    field: &'static str,
    password: &Hidden,
    limits: &Limits,
) -> Result<(), Denied> {
    if password.expose().len() as u64 > limits.password_bytes_max {
        return Err(Denied::invalid(field, "too long"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords() -> Passwords {
        Passwords::new(Hashing::Minimal)
    }

    #[tokio::test]
    async fn only_the_right_password_passes_and_nothing_is_cut_off() {
        let passwords = passwords();
        let long = "x".repeat(72);
        let hash = passwords.hash(&Hidden::new(&long)).await.unwrap();
        let tried = async |text: String| {
            let hash = Some(hash.clone());
            passwords.verify(&Hidden::new(text), hash).await.unwrap()
        };
        assert!(tried(long.clone()).await);
        assert!(!tried(format!("{long}y")).await);
        assert!(!tried(String::new()).await);
    }

    #[tokio::test]
    async fn nobody_has_the_dummy_password_but_it_is_checked_like_any_other() {
        let passwords = passwords();
        assert!(!passwords.verify(&Hidden::new(""), None).await.unwrap());
        let real = passwords.hash(&Hidden::new("a")).await.unwrap();
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&passwords.dummy), cost(&real));
        assert_eq!(passwords.dummy.split('$').count(), real.split('$').count());
    }
}
