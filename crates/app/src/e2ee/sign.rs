//! What signs a person's devices, and who signed what.

use parlor_domain::{Denied, UserId};
use parlor_store::e2ee::{Published, Signature, Usage};
use serde_json::{Value, json};

use super::names::Names;
use super::query::public_key;
use super::signed::{canonical, is_signed, signature};
use super::{Object, malformed, object, object_in, text};
use crate::{Actor, App, Error, Hidden, digest, passwords};

const FIELDS: [(&str, Usage); 3] = [
    ("master_key", Usage::Master),
    ("self_signing_key", Usage::SelfSigning),
    ("user_signing_key", Usage::UserSigning),
];

const REPLACES: Denied = Denied::Forbidden("to replace signing keys takes the password");

impl App {
    /// Publishes the keys that sign the actor's devices. The first are taken as they come; to put
    /// others in their place takes the password.
    ///
    /// # Errors
    /// [`Denied::Malformed`] for another shape or what the master key has not signed,
    /// [`Denied::Forbidden`] without the password, or with a wrong one.
    pub async fn publish_signing_keys(&self, actor: &Actor, body: &Object) -> Result<(), Error> {
        self.admit(actor)?;
        let names = self.names().await?;
        let known = self.own_keys(actor).await?;
        let user = names.user(actor.user);
        let mut keys = Vec::new();
        for (field, usage) in FIELDS {
            if let Some(key) = object_in(body, field)? {
                keys.push((usage, signing_key(&user, usage, key)?.clone()));
            }
        }
        check_chain(&user, &keys, &known)?;
        let may_replace = self.is_proved(actor, body).await?;
        let kept: Vec<_> = keys.iter().map(|(usage, key)| (*usage, canonical(key))).collect();
        let asked = kept.clone();
        let decide = Box::new(move |known: &[(Usage, String)]| {
            let replaces = |(usage, key): &(Usage, String)| {
                known.iter().any(|(of, other)| of == usage && other != key)
            };
            if asked.iter().any(replaces) && !may_replace { Err(REPLACES) } else { Ok(()) }
        });
        self.store.set_signing_keys(actor.user, kept, decide).await?;
        self.tell_sharers(actor.user).await
    }

    async fn own_keys(&self, actor: &Actor) -> Result<Published, Error> {
        let published = self.store.published_keys(actor.user, vec![actor.user]).await?;
        Ok(published.into_iter().next().ok_or(Denied::NotFound)?)
    }

    /// Whether the body proves the password.
    async fn is_proved(&self, actor: &Actor, body: &Object) -> Result<bool, Error> {
        let auth = object_in(body, "auth")?;
        let Some(password) = auth.and_then(|auth| auth.get("password")).and_then(Value::as_str)
        else {
            return Ok(false);
        };
        let password = Hidden::new(password.to_owned());
        passwords::bounded("password", &password, &self.limits)?;
        let tries = self.digests.of("old password", &[&digest::ids([actor.user.0])]);
        self.rates.guesses.take(tries, self.clock.now())?;
        let account = self.store.credentials_of(actor.user).await?;
        let hash = account.map(|account| account.password_hash).filter(|hash| !hash.is_empty());
        if !self.passwords.verify(&password, hash).await? {
            return Err(Denied::Forbidden("the password is wrong").into());
        }
        self.rates.guesses.give_back(&tries);
        Ok(true)
    }

    /// Adds signatures of the actor's: of their own devices, and of other people's master keys. One
    /// that is not good is named among the failures and changes nothing.
    ///
    /// # Errors
    /// [`Denied::Malformed`] for another shape.
    pub async fn publish_signatures(&self, actor: &Actor, body: &Object) -> Result<Value, Error> {
        self.admit(actor)?;
        if body.len() as u64 > self.limits.claimed_devices_max {
            return Err(malformed("too many people").into());
        }
        let names = self.names().await?;
        let own = self.own_keys(actor).await?;
        let users: Vec<UserId> = body.keys().filter_map(|user| names.read_user(user)).collect();
        let published = self.store.published_keys(actor.user, users).await?;
        let (mut good, mut failures) = (Vec::new(), Object::new());
        for (user, targets) in body {
            let person = names.read_user(user);
            let person = person.and_then(|id| published.iter().find(|of| of.user == id));
            for (target, value) in object(targets, "signatures")? {
                let value = object(value, "signatures")?;
                match signatures_of(&names, (actor.user, &own), person, target, value) {
                    Some(signatures) => good.extend(signatures),
                    None => {
                        let of_user = failures.entry(user).or_insert_with(|| json!({}));
                        of_user[target] = json!({ "code": "invalid" });
                    }
                }
            }
        }
        if !good.is_empty() {
            self.store.add_signatures(good).await?;
            self.tell_sharers(actor.user).await?;
        }
        Ok(json!({ "failures": failures }))
    }
}

/// Checks that a signing key is the user's and says what it is for.
fn signing_key<'a>(user: &str, usage: Usage, key: &'a Object) -> Result<&'a Object, Denied> {
    let usages = key.get("usage").and_then(Value::as_array);
    let is_for = usages.is_some_and(|of| of.contains(&Value::from(usage.as_str())));
    let keys = object_in(key, "keys")?.is_some_and(|keys| keys.len() == 1);
    if text(key, "user_id")? != user || !is_for || !keys || public_key(key).is_none() {
        return Err(malformed("a signing key"));
    }
    Ok(key)
}

/// The master key must have signed the other two.
fn check_chain(user: &str, keys: &[(Usage, Object)], known: &Published) -> Result<(), Denied> {
    let new = keys.iter().find(|(usage, _)| *usage == Usage::Master);
    let old = known.signing.iter().find(|(usage, _)| *usage == Usage::Master);
    let old: Option<Object> = old.and_then(|(_, key)| serde_json::from_str(key).ok());
    let master = new.map(|(_, key)| key).or(old.as_ref());
    for (_, key) in keys.iter().filter(|(usage, _)| *usage != Usage::Master) {
        let public = master.and_then(public_key).ok_or(malformed("no master key"))?;
        let by_master = signature(key, user, &format!("ed25519:{public}"));
        if !by_master.is_some_and(|it| is_signed(key, public, it)) {
            return Err(malformed("the key is not signed by the master key"));
        }
    }
    Ok(())
}

/// The actor's signatures in a signed object, each good for what is published; `None` when one is
/// not, or there is none.
fn signatures_of(
    names: &Names,
    (actor, own): (UserId, &Published),
    person: Option<&Published>,
    target: &str,
    value: &Object,
) -> Option<Vec<Signature>> {
    let person = person?;
    let object = published_as(person, target)?;
    let by_me = value.get("signatures")?.get(names.user(actor))?.as_object()?;
    let mut all = Vec::with_capacity(by_me.len());
    for (key_id, signature) in by_me {
        let signature = signature.as_str()?;
        if !is_signed(&object, key_of(own, key_id.strip_prefix("ed25519:")?)?.as_str(), signature) {
            return None;
        }
        all.push(Signature {
            user: person.user,
            target: target.to_owned(),
            signer: actor,
            key_id: key_id.clone(),
            signature: signature.to_owned(),
        });
    }
    (!all.is_empty()).then_some(all)
}

/// A device, by its id, or a signing key, by itself, as it was published.
fn published_as(person: &Published, target: &str) -> Option<Object> {
    let device = person.devices.iter().find(|(id, ..)| id.to_string() == target);
    if let Some((_, _, keys)) = device {
        return serde_json::from_str(keys).ok();
    }
    let signing = person.signing.iter().filter_map(|(_, key)| serde_json::from_str(key).ok());
    signing.into_iter().find(|key: &Object| public_key(key) == Some(target))
}

/// The public key of one of the actor's devices or signing keys.
fn key_of(own: &Published, id: &str) -> Option<String> {
    let object = published_as(own, id)?;
    let keys = object.get("keys")?.as_object()?;
    keys.get(&format!("ed25519:{id}"))?.as_str().map(str::to_owned)
}
