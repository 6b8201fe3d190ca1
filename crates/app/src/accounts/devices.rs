//! The devices that are signed in.

use parlor_domain::{Denied, Device, DeviceId};
use parlor_store::logins::Which;

use crate::{Actor, App, Error};

impl App {
    /// The actor's devices, the last used first.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn devices(&self, actor: &Actor) -> Result<Vec<Device>, Error> {
        Ok(self.store.devices(actor.user, self.clock.now()).await?)
    }

    /// Signs a device of the actor's out.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when it is not theirs or not signed in.
    pub async fn revoke_device(&self, actor: &Actor, device: DeviceId) -> Result<(), Error> {
        self.admit(actor)?;
        match self.revoke(Which::Device(actor.user, device)).await? {
            0 => Err(Denied::NotFound.into()),
            _ => Ok(()),
        }
    }
}
