//! Letting people in: signing that somebody is let into a session, hearing what others signed, and
//! keeping the roll by it.
//!
//! Owns every look at the members of a session. Refuses to say anything from a device that nobody
//! believes.

use std::collections::{BTreeMap, BTreeSet};

use matrix_sdk_crypto::UserIdentity;
use matrix_sdk_crypto::vodozemac::Ed25519PublicKey;
use ruma::{OwnedUserId, UserId};
use serde_json::{Value, json};

use crate::request::{Carrier, Request};
use crate::roll::{Members, Roll};
use crate::statement::{Keys, Page, Statement};
use crate::{Error, Machine};

/// Statements in one request.
const STATEMENTS_MAX: usize = 100;

/// Pages that are read in one look: a server whose pages have no end does not hold it up.
const PAGES_MAX: usize = 1_000;

/// The name under which the roll of a session is kept.
fn name(session_id: &str) -> String {
    format!("parlor.roll.{session_id}")
}

fn path(session_id: &str) -> String {
    format!("/e2ee/statements/{session_id}")
}

impl Machine {
    /// Lets people into a session: signs a statement about each and posts them, before they are
    /// added or afterwards. `membership_version` is that of the list of members as it is now.
    ///
    /// # Errors
    /// [`Error::NotSetUp`], [`Error::DeviceUnverified`], or [`Error::Carry`].
    pub async fn let_in(
        &self,
        carrier: &impl Carrier,
        session_id: &str,
        user_ids: &[String],
        membership_version: i64,
    ) -> Result<(), Error> {
        self.flush(carrier).await?;
        let standing = self.standing().await?;
        match (standing.has_identity, standing.device_signed) {
            (false, _) => return Err(Error::NotSetUp),
            (_, false) => return Err(Error::DeviceUnverified),
            _ => {}
        }
        for batch in user_ids.chunks(STATEMENTS_MAX) {
            let users = batch.iter().map(|user| self.account().user(user));
            self.ask_about(carrier, &users.collect::<Result<Vec<_>, _>>()?).await?;
            let mut statements = Vec::with_capacity(batch.len());
            for user_id in batch {
                statements.push(self.state(session_id, user_id, membership_version).await?);
            }
            let body = json!({ "statements": statements });
            carrier.carry(&Request::plain("POST", path(session_id), body)).await?;
        }
        Ok(())
    }

    /// A signed statement, as the server takes it.
    async fn state(&self, session_id: &str, user_id: &str, version: i64) -> Result<Value, Error> {
        let whom = (user_id, &*self.account().user_id);
        let identity = self.identity_of(user_id).await?;
        let statement = Statement::new(session_id, whom, version, identity);
        let text = serde_json::to_string(&statement).map_err(Error::library)?;
        let signed = self.0.olm.sign(&text).await?;
        let signatures: BTreeMap<_, _> = signed
            .get(self.0.olm.user_id())
            .into_iter()
            .flatten()
            .filter_map(|(key, signature)| Some((key, signature.as_ref().ok()?.to_base64())))
            .collect();
        Ok(json!({ "text": text, "signatures": signatures }))
    }

    /// Begins the roll of a session that was just made, in which these people were named: anybody
    /// else who is in it was put there by the server. What is known of one that is there already
    /// is kept: the server may name an old session.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn begin_roll(&self, session_id: &str, named: &[String]) -> Result<(), Error> {
        let lock = self.session_lock(session_id);
        let _one_at_a_time = lock.lock().await;
        let named = self.others(named);
        let roll = match self.kept_roll(session_id).await? {
            Some(kept) => kept.only(&named),
            None => Roll::of_ones_own(named),
        };
        self.keep_roll(session_id, &roll).await
    }

    /// Sees a session: if it is for the first time, everybody who is in it is let in. The sooner
    /// that is, the fewer can have been put there.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn see(&self, session_id: &str, members: &Members) -> Result<(), Error> {
        // A send, which may take long, has seen it: that is not waited for.
        if self.kept_roll(session_id).await?.is_some() {
            return Ok(());
        }
        let lock = self.session_lock(session_id);
        let _one_at_a_time = lock.lock().await;
        if self.kept_roll(session_id).await?.is_none() {
            let roll = Roll::at_first_sight(&self.others(&members.user_ids), members.version);
            self.keep_roll(session_id, &roll).await?;
        }
        Ok(())
    }

    async fn kept_roll(&self, session_id: &str) -> Result<Option<Roll>, Error> {
        Ok(self.0.olm.store().get_value(&name(session_id)).await?)
    }

    async fn keep_roll(&self, session_id: &str, roll: &Roll) -> Result<(), Error> {
        Ok(self.0.olm.store().set_value(&name(session_id), roll).await?)
    }

    /// Who of a session's members is unvouched: nobody who is let in has let them in, so they are
    /// given no keys.
    ///
    /// # Errors
    /// [`Error::Store`], or whatever kept the key service from answering.
    pub async fn unvouched(
        &self,
        carrier: &impl Carrier,
        session_id: &str,
        members: &Members,
    ) -> Result<Vec<String>, Error> {
        let lock = self.session_lock(session_id);
        let _one_at_a_time = lock.lock().await;
        let let_in: BTreeSet<_> =
            self.call_roll(carrier, session_id, members).await?.into_iter().collect();
        Ok(self.others(&members.user_ids).difference(&let_in).cloned().collect())
    }

    /// Brings the roll of a session up to its members, and gives who of them is let in, without
    /// oneself. The session's lock is held meanwhile.
    pub(crate) async fn call_roll(
        &self,
        carrier: &impl Carrier,
        session_id: &str,
        members: &Members,
    ) -> Result<Vec<String>, Error> {
        let others = self.others(&members.user_ids);
        let kept = self.kept_roll(session_id).await?;
        let at_first_sight = || Roll::at_first_sight(&others, members.version);
        let mut roll = kept.clone().unwrap_or_else(at_first_sight);
        let before = roll.strike_out(&others, members.version);
        if roll.misses(&others) {
            self.follow(&members.user_ids).await?;
            self.flush(carrier).await?;
            self.hear(carrier, session_id, &mut roll, (&others, &before)).await?;
        }
        let let_in = roll.settle(&others).iter().cloned().collect();
        if kept.as_ref() != Some(&roll) {
            self.keep_roll(session_id, &roll).await?;
        }
        Ok(let_in)
    }

    /// Takes in the statements that were not read yet.
    async fn hear(
        &self,
        carrier: &impl Carrier,
        session_id: &str,
        roll: &mut Roll,
        (others, before): (&BTreeSet<String>, &BTreeSet<String>),
    ) -> Result<(), Error> {
        for _ in 0..PAGES_MAX {
            let path = format!("{}?after={}", path(session_id), roll.read);
            let answer = carrier.carry(&Request::plain("GET", path, Value::Null)).await?;
            let mut page = Page::read(&answer, session_id);
            let Some(last) = page.last.filter(|last| *last > roll.read) else { break };
            page.statements.retain(|(_, said)| roll.is_current(said));
            self.look_up_strangers(carrier, &page, others).await?;
            for (signed, said) in &page.statements {
                let (by, user) =
                    (self.keys_of(&said.by).await?, self.keys_of(&said.user_id).await?);
                if signed.holds(said, &by, &user) {
                    roll.take(said, before, &self.account().user_id);
                }
            }
            roll.read = last;
            if !page.more {
                break;
            }
        }
        Ok(())
    }

    /// Looks up who is named in statements and is in the session no more, or not yet. They are not
    /// followed: of whom one shares no session with, one does not hear what changes.
    async fn look_up_strangers(
        &self,
        carrier: &impl Carrier,
        page: &Page,
        others: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let named = page.statements.iter().flat_map(|(_, said)| [&said.by, &said.user_id]);
        let own = &self.account().user_id;
        let strangers = named.filter(|user| *user != own && !others.contains(*user));
        let strangers: BTreeSet<OwnedUserId> =
            strangers.filter_map(|user| self.account().user(user).ok()).collect();
        self.ask_about(carrier, &Vec::from_iter(strangers)).await
    }

    /// What is known of somebody, who may be nobody.
    async fn keys_of(&self, user_id: &str) -> Result<Keys, Error> {
        let Ok(user) = self.account().user(user_id) else { return Ok(Keys::default()) };
        let devices = self.0.olm.get_user_devices(&user, None).await?;
        let signed = devices.devices().filter(|device| device.is_cross_signed_by_owner());
        Ok(Keys {
            master: self.master_key(&user).await?,
            devices: signed
                .filter_map(|device| Some((device.device_id().to_string(), device.ed25519_key()?)))
                .collect(),
            changed: self.is_changed(&user).await?,
        })
    }

    /// The public key of somebody's identity.
    pub(crate) async fn master_key(
        &self,
        user: &UserId,
    ) -> Result<Option<Ed25519PublicKey>, Error> {
        let identity = self.0.olm.get_identity(user, None).await?;
        Ok(identity.and_then(|identity| match identity {
            UserIdentity::Own(own) => own.master_key().get_first_key(),
            UserIdentity::Other(other) => other.master_key().get_first_key(),
        }))
    }

    /// These people without oneself.
    fn others(&self, user_ids: &[String]) -> BTreeSet<String> {
        let own = &self.account().user_id;
        user_ids.iter().filter(|user| *user != own).cloned().collect()
    }
}
