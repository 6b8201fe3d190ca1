//! How many devices a new encrypted session may have.

use parlor_domain::{UserId, encryption};
use parlor_store::e2ee::Crowd;

use crate::{Actor, App, Error};

impl App {
    /// Decides whether the actor may begin an encrypted session with these people.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Conflict`] when they have too many devices together.
    pub(crate) async fn admit_crowd(&self, actor: &Actor, people: &[UserId]) -> Result<(), Error> {
        let everybody = people.iter().copied().chain([actor.user]).collect();
        let devices = self.store.count_devices(Crowd::New, everybody).await?;
        Ok(encryption::admit_devices(devices, &self.limits)?)
    }
}
