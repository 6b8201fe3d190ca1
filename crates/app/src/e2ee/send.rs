//! What one device says to others: kept for each until it has it.

use parlor_bus::Word;
use parlor_domain::{DeviceId, UserId};
use parlor_store::e2ee::Sending;

use super::{Object, malformed, object, object_in};
use crate::{Actor, App, Error};

/// What the id of a request, and a kind of message, may be.
const NAME_BYTES_MAX: usize = 255;

impl App {
    /// Sends messages to devices, all or none; the same request again does nothing. Only people who
    /// share a session with the actor get any.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::Malformed`] for another shape, or what is too long.
    pub async fn send_to_devices(
        &self,
        actor: &Actor,
        kind: &str,
        txn_id: &str,
        body: &Object,
    ) -> Result<(), Error> {
        let now = self.admit(actor)?;
        if kind.len() > NAME_BYTES_MAX || txn_id.len() > NAME_BYTES_MAX || kind.is_empty() {
            return Err(malformed("the kind or the id is too long").into());
        }
        let names = self.names().await?;
        let mut messages: Vec<(UserId, Option<DeviceId>, String)> = Vec::new();
        for (user, devices) in object_in(body, "messages")?.ok_or(malformed("messages"))? {
            let Some(user) = names.read_user(user) else { continue };
            for (device, content) in object(devices, "messages")? {
                let device = match device.as_str() {
                    "*" => None,
                    device => match device.parse() {
                        Ok(device) => Some(device),
                        // A device that there is not has no queue.
                        Err(_) => continue,
                    },
                };
                object(content, "a message is an object")?;
                let content = content.to_string();
                if content.len() as u64 > self.limits.to_device_bytes_max {
                    return Err(malformed("a message is too long").into());
                }
                messages.push((user, device, content));
            }
        }
        let sending = Sending {
            user: actor.user,
            device: actor.device,
            txn_id: txn_id.to_owned(),
            kind: kind.to_owned(),
            messages,
            waiting_max: self.limits.to_device_queue_max,
        };
        let woken = self.store.send_to_devices(sending, now).await?;
        self.ring_queues(woken);
        Ok(())
    }

    /// Tells everybody who shares an encrypted session with somebody that their keys have changed.
    pub(super) async fn tell_sharers(&self, user: UserId) -> Result<(), Error> {
        let sharers = self.store.key_sharers(user).await?;
        self.ring_queues(sharers);
        Ok(())
    }

    /// Wakes the devices of people, on all nodes: there may be something in their queues.
    pub(super) fn ring_queues(&self, users: Vec<UserId>) {
        for user in users {
            self.hub.ring_queue(user);
            self.bus.say(Word::Queue(user));
        }
    }
}
