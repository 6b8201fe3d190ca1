//! What the server says has changed for this device, and taking it in.
//!
//! Owns the order: the state is stored together with the position, so that the position may be
//! acknowledged afterwards and nothing is lost in between. Refuses nothing that is meant for this
//! device: what cannot be opened is passed over, as a lost or doubled delivery must be.

use std::collections::{BTreeMap, BTreeSet};

use matrix_sdk_crypto::EncryptionSyncChanges;
use ruma::api::client::sync::sync_events::DeviceLists;
use ruma::serde::Raw;
use ruma::{OneTimeKeyAlgorithm, UInt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::open::TRUST;
use crate::request::Carrier;
use crate::store::at_once;
use crate::{Error, Machine};

/// What happened since the position before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncDelta {
    /// The position after it.
    pub pos: i64,
    /// What other devices sent to this one.
    pub to_device: EventList,
    /// Whose devices changed.
    pub device_lists: Changed,
    /// How many one-time keys the server has of this device.
    pub device_one_time_keys_count: BTreeMap<String, u64>,
    /// Which fallback keys were not used yet.
    pub device_unused_fallback_key_types: Vec<String>,
    /// Whether there is more already.
    pub more: bool,
}

impl SyncDelta {
    /// Whether after it something may be otherwise about somebody: keys that come do not say so.
    fn stirs(&self) -> bool {
        let Changed { changed, left } = &self.device_lists;
        !(changed.is_empty() && left.is_empty() && self.to_device.events.iter().all(sealed))
    }
}

/// Whether nobody but the device that it is for can read it.
fn sealed(event: &ToDevice) -> bool {
    event.r#type == "m.room.encrypted"
}

/// Events to a device, in their order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EventList {
    /// The events.
    pub events: Vec<ToDevice>,
}

/// An event to a device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToDevice {
    /// What it is.
    pub r#type: String,
    /// Who sent it, by the server's word.
    pub sender: String,
    /// What it says.
    pub content: Value,
}

/// Whose devices changed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Changed {
    /// These are to be looked up again.
    pub changed: Vec<String>,
    /// With these no session is shared any more.
    pub left: Vec<String>,
}

/// What a delta brought.
#[derive(Debug, Default)]
pub struct Received {
    /// Sessions for which keys came: what was locked there may open now.
    pub sessions: BTreeSet<String>,
    /// Who asks to verify: the user, and the name of the verification.
    pub asked: Vec<(String, String)>,
}

impl Machine {
    /// Looks up those who send something sealed and whose identity is not known here: due before
    /// [`Self::receive`]. The library judges a key when it comes. Of a device that was signed out
    /// by the time its owner is looked up it would never learn that it was signed.
    ///
    /// # Errors
    /// Those of asking; the delta is then to be asked for again.
    pub async fn look_up_senders(
        &self,
        carrier: &impl Carrier,
        delta: &SyncDelta,
    ) -> Result<(), Error> {
        let mut strangers = BTreeSet::new();
        for event in delta.to_device.events.iter().filter(|event| sealed(event)) {
            let Ok(user) = ruma::UserId::parse(&*event.sender) else { continue };
            if self.0.olm.get_identity(&user, None).await?.is_none() {
                strangers.insert(user);
            }
        }
        self.look_up(carrier, &strangers.into_iter().collect::<Vec<_>>()).await
    }

    /// Takes a delta in and stores its position with it: whenever the program is ended, all of it
    /// is stored or nothing, provided that nobody was sent something meanwhile by a session that a
    /// letter of it began. Once this was dropped half-way the machine is to be opened anew.
    /// Afterwards the position may be acknowledged, and [`Self::flush`] is due. Session events that
    /// came after the delta are opened after it.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Store`]; the delta is then to be asked for again.
    pub async fn receive(&self, delta: &SyncDelta) -> Result<Received, Error> {
        let lists = device_lists(&delta.device_lists)?;
        let counts: BTreeMap<OneTimeKeyAlgorithm, UInt> = delta
            .device_one_time_keys_count
            .iter()
            .map(|(kind, count)| (kind.as_str().into(), UInt::new_saturating(*count)))
            .chain(missing_count(delta))
            .collect();
        let unused: Vec<OneTimeKeyAlgorithm> = delta
            .device_unused_fallback_key_types
            .iter()
            .map(|kind| kind.as_str().into())
            .collect();
        let events: Result<Vec<_>, _> = delta
            .to_device
            .events
            .iter()
            .map(|event| Raw::new(event).map(Raw::cast_unchecked))
            .collect();
        let changes = EncryptionSyncChanges {
            to_device_events: events.map_err(|_| Error::malformed("an event to a device"))?,
            changed_devices: &lists,
            one_time_keys_counts: &counts,
            unused_fallback_keys: Some(&unused),
            next_batch_token: Some(delta.pos.to_string()),
        };
        let asked = self.asked(delta);
        for (user, _) in &asked {
            self.end_failed(user);
        }
        let (_, keys) = at_once(self.0.olm.receive_sync_changes(changes, &TRUST)).await?;
        if delta.stirs() {
            self.stir();
        }
        let mut received = Received { asked, ..Received::default() };
        for key in keys {
            received.sessions.extend(self.account().session_of(&key.room_id));
        }
        Ok(received)
    }

    /// The position up to which deltas were taken in; 0 before the first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn position(&self) -> Result<i64, Error> {
        let token = self.0.olm.store().next_batch_token().await?;
        Ok(token.and_then(|token| token.parse().ok()).unwrap_or_default())
    }

    fn asked(&self, delta: &SyncDelta) -> Vec<(String, String)> {
        let requests = delta.to_device.events.iter();
        let requests = requests.filter(|event| event.r#type == "m.key.verification.request");
        requests
            .filter_map(|event| {
                let user = ruma::UserId::parse(&*event.sender).ok()?;
                let flow = event.content["transaction_id"].as_str()?;
                Some((self.account().user_of(&user).ok()?, flow.to_owned()))
            })
            .collect()
    }
}

/// A server that has none left may say nothing of them; the library takes that for "unchanged" and
/// would never make more.
fn missing_count(delta: &SyncDelta) -> Option<(OneTimeKeyAlgorithm, UInt)> {
    let kind = OneTimeKeyAlgorithm::SignedCurve25519;
    let missing = !delta.device_one_time_keys_count.contains_key(kind.as_str());
    missing.then_some((kind, UInt::MIN))
}

fn device_lists(changed: &Changed) -> Result<DeviceLists, Error> {
    let users = |ids: &[String]| -> Result<Vec<_>, Error> {
        let users = ids.iter().map(|id| ruma::UserId::parse(&**id));
        users.collect::<Result<_, _>>().map_err(|_| Error::malformed("a user's id"))
    };
    let mut lists = DeviceLists::new();
    lists.changed = users(&changed.changed)?;
    lists.left = users(&changed.left)?;
    Ok(lists)
}
