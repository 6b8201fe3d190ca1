//! Ending logins, so that it holds at once and whatever happens to who asked for it.

use std::future::Future;

use parlor_bus::Word;
use parlor_domain::LoginId;
use parlor_store::StoreError;

use crate::{App, Error};

impl App {
    /// Runs `work`, which may revoke logins; those that `ended` finds in its result are forgotten
    /// and their connections cut, on every node. All of it happens in a task of its own: somebody
    /// who hangs up in the middle must not leave a login that is revoked in the store and alive in
    /// memory.
    pub(crate) async fn revoking<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
        ended: fn(&T) -> &[LoginId],
    ) -> Result<T, Error> {
        let (live, hub, bus) = (self.live.clone(), self.hub.clone(), self.bus.clone());
        let task = self.tasks.spawn(async move {
            let result = work.await?;
            let logins = ended(&result);
            if !logins.is_empty() {
                live.forget(logins);
                hub.cut(logins);
                bus.say(Word::Revoked(logins.to_vec()));
            }
            Ok::<_, StoreError>(result)
        });
        let result = task.await;
        Ok(result.map_err(|e| Error::Internal(format!("revoke logins: {e}")))??)
    }
}
