//! Who people are: identities, the devices that they sign, and what became of them.
//!
//! Owns setting up one's own identity. Refuses to put a new one in the place of another without the
//! account's password, and to go on as if nothing had happened when somebody's has changed.

use matrix_sdk_crypto::UserIdentity;
use ruma::{OwnedUserId, UserId};

use crate::request::{Carrier, Request};
use crate::{Error, Machine};

/// How far this device has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether the account has an identity.
    pub has_identity: bool,
    /// Whether the identity has signed this device: only then can it send, and do others believe
    /// it.
    pub device_signed: bool,
    /// Whether this device can sign in the identity's name: others devices of the account, and
    /// people.
    pub can_sign: bool,
    /// Whether keys go into a backup.
    pub backup: bool,
}

/// A device of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its id.
    pub device_id: String,
    /// What its owner calls it, by the server's word.
    pub name: Option<String>,
    /// Its signing key, for people to compare.
    pub fingerprint: String,
    /// Whether its owner has signed it: only such devices are given keys.
    pub signed: bool,
    /// Whether the reader has verified its owner, too.
    pub verified: bool,
}

impl Machine {
    /// How far this device has come.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn standing(&self) -> Result<Standing, Error> {
        let olm = &self.0.olm;
        let own = olm.get_identity(olm.user_id(), None).await?;
        let device = olm.get_device(olm.user_id(), olm.device_id(), None).await?;
        let keys = olm.cross_signing_status().await;
        Ok(Standing {
            has_identity: own.is_some(),
            device_signed: device.is_some_and(|device| device.is_cross_signed_by_owner()),
            can_sign: keys.has_self_signing && keys.has_user_signing,
            backup: olm.backup_machine().enabled().await,
        })
    }

    /// Gives the account its identity, which signs this device, if it has none.
    ///
    /// # Errors
    /// [`Error::AlreadySetUp`] when another device has done so: then verify this one, or recover.
    pub async fn set_up_identity(&self, carrier: &impl Carrier) -> Result<(), Error> {
        self.look_at_oneself(carrier).await?;
        let standing = self.standing().await?;
        if standing.has_identity && !standing.can_sign {
            return Err(Error::AlreadySetUp);
        }
        if standing.has_identity && standing.device_signed {
            return Ok(());
        }
        self.bootstrap(carrier, false, None).await
    }

    /// Gives the account a new identity in the place of the one before. Everybody is shown that it
    /// changed, and other devices of the account have to be verified anew.
    ///
    /// # Errors
    /// [`Error::Carry`] with status 401 when the password is wrong.
    pub async fn replace_identity(
        &self,
        carrier: &impl Carrier,
        password: &str,
    ) -> Result<(), Error> {
        self.look_at_oneself(carrier).await?;
        self.bootstrap(carrier, true, Some(password)).await
    }

    async fn bootstrap(
        &self,
        carrier: &impl Carrier,
        reset: bool,
        password: Option<&str>,
    ) -> Result<(), Error> {
        {
            let _one_at_a_time = self.road().lock().await;
            let due = self.0.olm.bootstrap_cross_signing(reset).await?;
            if let Some(keys) = &due.upload_keys_req {
                self.carry_now(carrier, &Request::of(keys)?).await?;
            }
            let identity = Request::signing_keys(&due.upload_signing_keys_req, password);
            self.carry_now(carrier, &identity).await?;
            let signatures = Request::signatures(&due.upload_signatures_req);
            self.carry_now(carrier, &signatures).await?;
        }
        self.look_at_oneself(carrier).await
    }

    /// Looks up one's own identity and devices anew.
    pub(crate) async fn look_at_oneself(&self, carrier: &impl Carrier) -> Result<(), Error> {
        self.flush(carrier).await?;
        let own = self.account().own()?;
        self.look_up(carrier, &[own]).await
    }

    /// Looks up these people anew, whatever is known of them.
    pub(crate) async fn look_up(
        &self,
        carrier: &impl Carrier,
        users: &[OwnedUserId],
    ) -> Result<(), Error> {
        self.0.olm.update_tracked_users(users.iter().map(AsRef::as_ref)).await?;
        self.ask_about(carrier, users).await
    }

    /// The same without following them from now on.
    pub(crate) async fn ask_about(
        &self,
        carrier: &impl Carrier,
        users: &[OwnedUserId],
    ) -> Result<(), Error> {
        if users.is_empty() {
            return Ok(());
        }
        let _one_at_a_time = self.road().lock().await;
        let users = users.iter().map(AsRef::as_ref);
        let (id, query) = self.0.olm.query_keys_for_users(users);
        let request = Request::query(&id, &query);
        self.carry_now(carrier, &request).await.map(drop)
    }

    /// Follows these people's devices from now on; [`Self::flush`] looks them up. A client does so
    /// for the members of every encrypted session that it shows.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Store`].
    pub async fn follow(&self, users: &[String]) -> Result<(), Error> {
        let users = users.iter().map(|user| self.account().user(user));
        let users = users.collect::<Result<Vec<_>, _>>()?;
        Ok(self.0.olm.update_tracked_users(users.iter().map(AsRef::as_ref)).await?)
    }

    /// The devices of somebody, as they are known here.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Store`].
    pub async fn devices(&self, user_id: &str) -> Result<Vec<DeviceInfo>, Error> {
        let user = self.account().user(user_id)?;
        let devices = self.0.olm.get_user_devices(&user, None).await?;
        Ok(devices
            .devices()
            .map(|device| DeviceInfo {
                device_id: device.device_id().to_string(),
                name: device.display_name().map(str::to_owned),
                fingerprint: device.ed25519_key().map(|key| key.to_base64()).unwrap_or_default(),
                signed: device.is_cross_signed_by_owner(),
                verified: device.is_cross_signing_trusted(),
            })
            .collect())
    }

    /// The public key of somebody's identity, for people to compare; none when they have none.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Store`].
    pub async fn identity_of(&self, user_id: &str) -> Result<Option<String>, Error> {
        let key = self.master_key(&self.account().user(user_id)?).await?;
        Ok(key.map(|key| key.to_base64()))
    }

    /// Whether the reader has verified somebody.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Store`].
    pub async fn is_verified(&self, user_id: &str) -> Result<bool, Error> {
        let identity = self.0.olm.get_identity(&self.account().user(user_id)?, None).await?;
        Ok(identity.is_some_and(|identity| identity.is_verified()))
    }

    /// Who of these people has another identity than the one that was known, with nobody having
    /// looked yet: nothing is sent to them until then.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Store`].
    pub async fn changed_identities(&self, users: &[String]) -> Result<Vec<String>, Error> {
        let users = users.iter().map(|user| self.account().user(user));
        self.changed_among(&users.collect::<Result<Vec<_>, _>>()?).await
    }

    pub(crate) async fn changed_among(&self, users: &[OwnedUserId]) -> Result<Vec<String>, Error> {
        let mut changed = Vec::new();
        for user in users {
            if self.is_changed(user).await? {
                changed.push(self.account().user_of(user)?);
            }
        }
        Ok(changed)
    }

    pub(crate) async fn is_changed(&self, user: &UserId) -> Result<bool, Error> {
        Ok(match self.0.olm.get_identity(user, None).await? {
            Some(UserIdentity::Other(other)) => {
                other.identity_needs_user_approval() || other.has_verification_violation()
            }
            _ => false,
        })
    }

    /// The reader has looked at somebody's new identity and takes it, without verifying it.
    ///
    /// # Errors
    /// [`Error::Unknown`] when they have none.
    pub async fn accept_identity(&self, user_id: &str) -> Result<(), Error> {
        let identity = self.0.olm.get_identity(&self.account().user(user_id)?, None).await?;
        let other = identity.and_then(UserIdentity::other).ok_or(Error::Unknown("the identity"))?;
        if other.has_verification_violation() {
            other.withdraw_verification().await?;
        }
        other.pin_current_master_key().await?;
        self.stir();
        Ok(())
    }
}
