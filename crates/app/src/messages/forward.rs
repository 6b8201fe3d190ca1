//! Passing on what was said elsewhere.

use parlor_domain::saying::SendMessage;

use crate::{Actor, App, Error};

impl App {
    /// The same message with the words that it passes on, if it does.
    ///
    /// # Errors
    /// [`parlor_domain::Denied`] when the actor cannot see them, or has words of their own beside.
    pub(crate) async fn looked_up(
        &self,
        actor: &Actor,
        cmd: SendMessage,
    ) -> Result<SendMessage, Error> {
        let Some(source) = cmd.forward else {
            return Ok(cmd);
        };
        let source = self.message(actor, source).await?;
        let there = self.fresh_view(actor.user, source.session).await?;
        let ends = there.ending.filter(|_| source.session != cmd.session).map(|ending| ending.at);
        let kept = there.retention.map(|kept| kept.after(source.sent_at));
        Ok(cmd.passing_on(source, [ends, kept].into_iter().flatten().min())?)
    }
}
