//! Encryption, as far as a program has to do with it: setting it up, verifying people, recovering.

use std::path::PathBuf;

use parlor_e2ee::{
    Account, Carrier, CarryError, DeviceInfo, Machine, RecoveryKey, Request, Restored, Standing,
    SyncDelta, Verification,
};
use serde_json::Value;

use crate::cache::Cache;
use crate::http::Body;
use crate::login::Api;
use crate::{Client, Error, Update, apply, load};

/// The folder of the keys, inside the client's own.
const FOLDER: &str = "keys";

/// The encryption of a client.
pub struct Encryption<'a> {
    client: &'a Client,
    machine: &'a Machine,
}

/// Opens the machine, if there is a folder and a passphrase for it and the server has a key
/// service.
pub(crate) async fn open(
    api: &Api,
    cache: &Cache,
    folder: Option<PathBuf>,
    passphrase: Option<&str>,
) -> Result<Option<Machine>, Error> {
    let (Some(folder), Some(passphrase)) = (folder, passphrase) else { return Ok(None) };
    let account = match cache.note::<Account>("account")? {
        Some(account) if account.device_id == api.login().device_id => Some(account),
        _ => ask_account(api, cache).await?,
    };
    let Some(account) = account else { return Ok(None) };
    // Each login is a device of its own, with keys of its own.
    let folder = folder.join(FOLDER).join(&account.device_id);
    Ok(Some(Machine::open(account, &folder, passphrase).await?))
}

async fn ask_account(api: &Api, cache: &Cache) -> Result<Option<Account>, Error> {
    match api.call::<Value>(cache, "GET", "/e2ee", None).await {
        Ok(answer) => {
            let account = Account::from_answer(&answer)?;
            cache.keep("account", &account)?;
            Ok(Some(account))
        }
        Err(Error::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Carrier for Client {
    async fn carry(&self, request: &Request) -> Result<Value, CarryError> {
        let body = || match &request.body {
            Value::Null => Body::Nothing,
            body => Body::Json(body),
        };
        let answer = self.0.api.ask(&self.0.cache, request.method, &request.path, body).await;
        answer.map_err(|error| CarryError {
            status: match &error {
                Error::Refused { status, .. } => *status,
                _ => 0,
            },
            message: error.to_string(),
            temporary: error.is_temporary(),
        })
    }
}

/// Takes in what the socket says of keys, and gives the position to acknowledge.
pub(crate) async fn take(client: &Client, frame: &Value) -> Result<i64, Error> {
    let delta: SyncDelta = serde_json::from_value(frame.clone())?;
    take_delta(client, &delta).await?;
    settle_behind(client);
    Ok(delta.pos)
}

/// Takes the keys that still wait for this device, and puts them where one's other devices find
/// them: due before it is signed out, for the sender may not have known of another device.
pub(crate) async fn take_the_last(client: &Client) -> Result<(), Error> {
    let Some(machine) = &client.0.machine else { return Ok(()) };
    loop {
        let path = format!("/e2ee/sync?after={}", machine.position().await?);
        let delta: SyncDelta = client.call("GET", &path, None).await?;
        take_delta(client, &delta).await?;
        if !delta.more {
            return Ok(machine.flush(client).await?);
        }
    }
}

async fn take_delta(client: &Client, delta: &SyncDelta) -> Result<(), Error> {
    let machine = client.0.machine.as_ref().ok_or(Error::NoEncryption)?;
    machine.look_up_senders(client, delta).await?;
    let received = machine.receive(delta).await?;
    for session_id in &received.sessions {
        apply::open_locked(client, Some(session_id)).await?;
    }
    for (user_id, name) in received.asked {
        client.tell(Update::Verification { user_id, name });
    }
    Ok(())
}

/// Does what is due beside everything else: the events that follow do not wait for it.
pub(crate) fn settle_behind(client: &Client) {
    client.in_turn(
        |client| &client.0.settling,
        async |client| {
            if let Err(error) = settle(&client).await {
                tracing::debug!(%error, "the keys are not in step yet");
            }
            client.tell(Update::Keys);
        },
    );
}

/// Does what is due, and opens what that has made credible.
async fn settle(client: &Client) -> Result<(), Error> {
    let Some(machine) = &client.0.machine else { return Ok(()) };
    machine.flush(client).await?;
    apply::open_locked(client, None).await
}

impl<'a> Encryption<'a> {
    pub(crate) fn new(client: &'a Client, machine: &'a Machine) -> Self {
        Self { client, machine }
    }

    /// How far this device has come.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn standing(&self) -> Result<Standing, Error> {
        Ok(self.machine.standing().await?)
    }

    /// This device's own key, for people to compare.
    pub fn fingerprint(&self) -> String {
        self.machine.fingerprint()
    }

    /// Gives the account its identity, on its first device. On any other one: [`Self::recover`], or
    /// verify this device from one that has it.
    ///
    /// # Errors
    /// [`Error::Encryption`] holding `AlreadySetUp` when another device has done so.
    pub async fn set_up(&self) -> Result<(), Error> {
        Ok(self.machine.set_up_identity(self.client).await?)
    }

    /// Gives the account another identity: everybody is shown that it changed.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn replace_identity(&self, password: &str) -> Result<(), Error> {
        Ok(self.machine.replace_identity(self.client, password).await?)
    }

    /// Sets recovery up; the key is to be shown once and written down.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn set_up_recovery(&self) -> Result<RecoveryKey, Error> {
        Ok(self.machine.set_up_recovery(self.client).await?)
    }

    /// Restores this device by the recovery key, and opens what that makes readable.
    ///
    /// # Errors
    /// [`Error::Encryption`] holding `RecoveryKey` when it is another one.
    pub async fn recover(&self, recovery_key: &str) -> Result<Restored, Error> {
        let restored = self.machine.recover(self.client, recovery_key).await?;
        apply::open_locked(self.client, None).await?;
        Ok(restored)
    }

    /// The devices of somebody, whom one shares a session with.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn devices(&self, user_id: &str) -> Result<Vec<DeviceInfo>, Error> {
        self.machine.follow(&[user_id.to_owned()]).await?;
        self.machine.flush(self.client).await?;
        Ok(self.machine.devices(user_id).await?)
    }

    /// Whether somebody is verified.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn is_verified(&self, user_id: &str) -> Result<bool, Error> {
        Ok(self.machine.is_verified(user_id).await?)
    }

    /// Who of these people has another identity than was known, with nobody having looked yet.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn changed_identities(&self, user_ids: &[String]) -> Result<Vec<String>, Error> {
        Ok(self.machine.changed_identities(user_ids).await?)
    }

    /// Takes somebody's new identity, after somebody has looked at it.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn accept_identity(&self, user_id: &str) -> Result<(), Error> {
        self.machine.accept_identity(user_id).await?;
        apply::open_locked(self.client, None).await
    }

    /// Who is in a session, as far as its members are known, without anybody who is let in having
    /// let them in: by the server's word alone. They are **unvouched**, and given no keys, so that
    /// they read nothing of what is said from here. Empty where nothing is encrypted.
    ///
    /// Whoever is there when a client sees a session first is let in, as is whom one named when
    /// one made it, and whom [`SessionHandle::add_members`](crate::SessionHandle::add_members)
    /// added.
    ///
    /// # Errors
    /// [`Error::Encryption`], [`Error::Refused`], [`Error::Unreachable`].
    pub async fn unvouched(&self, session_id: &str) -> Result<Vec<String>, Error> {
        let session = self.client.session(session_id).info()?;
        if self.client.settings_of(&session).await?.is_none() {
            return Ok(Vec::new());
        }
        let members = load::members(self.client, session_id, false).await?.to_members();
        Ok(self.machine.unvouched(self.client, session_id, &members).await?)
    }

    /// Lets a member in who is unvouched, having looked at them: signs that one does, so that this
    /// client and those of everybody else give them keys from their next message on.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they are not in the session, [`Error::Encryption`] when this device
    /// is not signed.
    pub async fn let_in(&self, session_id: &str, user_id: &str) -> Result<(), Error> {
        let members = load::members(self.client, session_id, true).await?.to_members();
        let user_ids = [user_id.to_owned()];
        if !members.user_ids.contains(&user_ids[0]) {
            return Err(Error::NotFound);
        }
        self.machine.let_in(self.client, session_id, &user_ids, members.version).await?;
        self.client.tell(Update::Keys);
        Ok(())
    }

    /// Signs that people are let into a session who are about to be added to it.
    pub(crate) async fn let_in_before(
        &self,
        session_id: &str,
        user_ids: &[String],
    ) -> Result<(), Error> {
        let version = load::members(self.client, session_id, true).await?.version;
        Ok(self.machine.let_in(self.client, session_id, user_ids, version).await?)
    }

    /// Asks a device to verify; [`Self::flush`] after every step of it. When both are willing
    /// ([`Stage::Ready`](crate::Stage::Ready)), either begins to compare emoji, or one of the two
    /// shows a code ([`Verification::show_code`]) and the other takes it
    /// ([`Verification::take_code`]).
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn ask_to_verify(
        &self,
        user_id: &str,
        device_id: &str,
    ) -> Result<Verification, Error> {
        let asked = self.machine.ask_to_verify(user_id, device_id).await?;
        self.flush().await?;
        Ok(asked)
    }

    /// The same by a code and not by emoji, so that there is nothing to choose.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn ask_to_verify_by_code(
        &self,
        user_id: &str,
        device_id: &str,
    ) -> Result<Verification, Error> {
        let asked = self.machine.ask_to_verify_by_code(user_id, device_id).await?;
        self.flush().await?;
        Ok(asked)
    }

    /// A verification that goes on, as [`Update::Verification`] names it.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub fn verification(&self, user_id: &str, name: &str) -> Result<Verification, Error> {
        Ok(self.machine.verification(user_id, name)?)
    }

    /// Sends what is due, such as the steps of a verification.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub async fn flush(&self) -> Result<(), Error> {
        Ok(self.machine.flush(self.client).await?)
    }
}
