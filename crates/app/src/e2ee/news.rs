//! What a device is told next about keys.

use std::future::poll_fn;
use std::time::Duration;

use parlor_hub::{Ear, Key};
use parlor_store::e2ee::News;
use parlor_wire::v1;

use super::names::Names;
use super::publish::SIGNED_CURVE25519;
use crate::{Actor, App, Error};

/// Who waits for news.
pub struct Reader<'a> {
    /// Whose device.
    pub actor: &'a Actor,
    /// Everything up to here is safe on the device.
    pub taken: i64,
    /// How long to wait when there is nothing.
    pub patience: Duration,
}

impl App {
    /// What the actor's device is told next; what it has taken is forgotten.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn key_news(&self, actor: &Actor, taken: i64) -> Result<v1::E2ee, Error> {
        let limit = self.limits.to_device_page_max;
        let news = self.store.key_news(actor.device, taken, limit).await?;
        Ok(written(&self.names().await?, news))
    }

    /// The same; waits a while for something to come.
    ///
    /// # Errors
    /// As [`App::key_news`].
    pub async fn wait_for_key_news(
        &self,
        ear: &mut Ear,
        reader: Reader<'_>,
    ) -> Result<v1::E2ee, Error> {
        let key = Key::Queue(reader.actor.user);
        ear.listen(key);
        ear.live_from(key, 1);
        let end = tokio::time::sleep(reader.patience);
        tokio::pin!(end);
        loop {
            // What rang until now, and beginning to listen rings, is in what the store has to say.
            // Nothing of a queue is kept here, so there is nothing to fall behind of.
            let _ = ear.gather(u64::MAX, |_, _| {});
            let news = self.key_news(reader.actor, reader.taken).await?;
            if news.pos > reader.taken || ear.verdict().is_some() {
                return Ok(news);
            }
            tokio::select! {
                () = poll_fn(|cx| ear.poll_rung(cx)) => {}
                () = &mut end => return Ok(news),
            }
        }
    }
}

fn written(names: &Names, news: News) -> v1::E2ee {
    let user = |id| names.user(id);
    let event = |sent: parlor_store::e2ee::Sent| v1::ToDeviceEvent {
        r#type: sent.kind,
        sender: user(sent.sender),
        content: sent.content,
    };
    let algorithm = || SIGNED_CURVE25519.to_owned();
    v1::E2ee {
        pos: news.pos,
        to_device: Some(v1::ToDevice { events: news.events.into_iter().map(event).collect() }),
        device_lists: Some(v1::DeviceLists {
            changed: news.changed.into_iter().map(user).collect(),
            left: news.left.into_iter().map(user).collect(),
        }),
        device_one_time_keys_count: [(algorithm(), news.keys.one_time)].into(),
        device_unused_fallback_key_types: if news.keys.unused_fallback {
            vec![algorithm()]
        } else {
            vec![]
        },
        more: news.more,
    }
}
