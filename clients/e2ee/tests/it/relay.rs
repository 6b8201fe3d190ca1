//! A key service in memory: it stores and hands on, and can be told to misbehave.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use parlor_e2ee::{Carrier, CarryError, Request, SyncDelta};
use serde_json::{Map, Value, json};

/// The password of every account.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Events of one delta.
const EVENTS_MAX: usize = 100;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) devices: BTreeMap<(String, String), Kept>,
    masters: BTreeMap<String, Value>,
    self_signing: BTreeMap<String, Value>,
    user_signing: BTreeMap<String, Value>,
    pub(crate) account_data: BTreeMap<(String, String), Value>,
    backups: BTreeMap<String, Vec<Backup>>,
    txns: BTreeSet<String>,
    /// The statements of each session.
    pub(crate) statements: BTreeMap<String, Vec<Value>>,
    /// Every body that went to the server.
    pub(crate) seen: String,
    /// Devices that one-time keys were claimed for, in order.
    pub(crate) claimed: Vec<String>,
    /// Requests that are refused, by the beginning of their path.
    pub(crate) broken: Option<(&'static str, u16)>,
}

/// What is kept of a device.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) keys: Value,
    pub(crate) one_time: VecDeque<(String, Value)>,
    fallback: Option<(String, Value)>,
    fallback_used: bool,
    queue: VecDeque<(i64, Value)>,
    changed: BTreeMap<String, i64>,
    pos: i64,
}

#[derive(Default)]
struct Backup {
    info: Value,
    rooms: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The service.
#[derive(Clone, Default)]
pub(crate) struct Relay(Arc<Mutex<State>>);

/// One device's way to it.
#[derive(Clone)]
pub(crate) struct Line {
    relay: Relay,
    user: String,
    device: String,
}

impl Relay {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Shows one user the backup of another as their own.
    pub(crate) fn swap_backup(&self, user: &str, other: &str) {
        let mut state = self.state();
        let info = state.backups[other].last().unwrap().info.clone();
        state.backups.get_mut(user).unwrap().last_mut().unwrap().info = info;
    }

    /// The way for a device, whose user is named in full.
    pub(crate) fn line(&self, user: &str, device: &str) -> Line {
        let key = (user.to_owned(), device.to_owned());
        self.state().devices.entry(key).or_default();
        Line { relay: self.clone(), user: user.to_owned(), device: device.to_owned() }
    }
}

impl Line {
    /// What has happened since `after`, which is thereby acknowledged.
    pub(crate) fn sync(&self, after: i64) -> SyncDelta {
        let mut state = self.relay.state();
        let kept = state.devices.get_mut(&self.key()).unwrap();
        kept.queue.retain(|(pos, _)| *pos > after);
        kept.changed.retain(|_, pos| *pos > after);
        kept.pos += 1;
        let events: Vec<_> = kept.queue.iter().take(EVENTS_MAX).map(|(_, e)| e.clone()).collect();
        let more = kept.queue.len() > events.len();
        let last = kept.queue.iter().take(EVENTS_MAX).next_back().map(|(pos, _)| *pos);
        let pos = if more { last.unwrap_or(kept.pos) } else { kept.pos };
        let unused: &[&str] = match (&kept.fallback, kept.fallback_used) {
            (Some(_), false) => &["signed_curve25519"],
            _ => &[],
        };
        serde_json::from_value(json!({
            "pos": pos,
            "to_device": { "events": events },
            "device_lists": { "changed": kept.changed.keys().collect::<Vec<_>>(), "left": [] },
            "device_one_time_keys_count": { "signed_curve25519": kept.one_time.len() },
            "device_unused_fallback_key_types": unused,
            "more": more,
        }))
        .unwrap()
    }

    fn key(&self) -> (String, String) {
        (self.user.clone(), self.device.clone())
    }

    fn answer(&self, request: &Request) -> Result<Value, CarryError> {
        let mut state = self.relay.state();
        state.seen.push_str(&request.body.to_string());
        if let Some((path, status)) = state.broken
            && request.path.starts_with(path)
        {
            return Err(refused(status));
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/e2ee/").split('/').collect();
        match (request.method, parts.as_slice()) {
            ("POST", ["keys", "upload"]) => self.upload(&mut state, &request.body),
            ("POST", ["keys", "query"]) => Ok(self.query(&state, &request.body)),
            ("POST", ["keys", "claim"]) => Ok(claim(&mut state, &request.body)),
            ("POST", ["keys", "device_signing", "upload"]) => self.sign(&mut state, &request.body),
            ("POST", ["keys", "signatures", "upload"]) => {
                merge(&mut state, &request.body);
                Ok(json!({"failures": {}}))
            }
            ("PUT", ["send_to_device", kind, txn]) => {
                self.send(&mut state, kind, txn, &request.body);
                Ok(json!({}))
            }
            ("PUT", ["account_data", kind]) => {
                let key = (self.user.clone(), (*kind).to_owned());
                state.account_data.insert(key, request.body.clone());
                Ok(json!({}))
            }
            ("GET", ["account_data", kind]) => {
                let key = (self.user.clone(), (*kind).to_owned());
                state.account_data.get(&key).cloned().ok_or_else(|| refused(404))
            }
            ("POST", ["statements", session]) => {
                let kept = state.statements.entry((*session).to_owned()).or_default();
                kept.extend(request.body["statements"].as_array().unwrap().iter().cloned());
                Ok(json!({}))
            }
            ("GET", ["statements", session]) => Ok(statements(&state, session, query)),
            (method, ["room_keys", rest @ ..]) => {
                self.backup(&mut state, method, rest, query, &request.body)
            }
            other => panic!("there is no route {other:?}"),
        }
    }

    fn upload(&self, state: &mut State, body: &Value) -> Result<Value, CarryError> {
        let mut announced = false;
        let kept = state.devices.get_mut(&self.key()).unwrap();
        if let Some(keys) = body.get("device_keys") {
            announced = kept.keys != *keys;
            if !kept.keys.is_null() && kept.keys["keys"] != keys["keys"] {
                return Err(refused(400));
            }
            kept.keys = keys.clone();
        }
        for (id, key) in body["one_time_keys"].as_object().into_iter().flatten() {
            kept.one_time.push_back((id.clone(), key.clone()));
        }
        for (id, key) in body["fallback_keys"].as_object().into_iter().flatten() {
            kept.fallback = Some((id.clone(), key.clone()));
            kept.fallback_used = false;
        }
        let count = kept.one_time.len();
        if announced {
            announce(state, &self.user);
        }
        Ok(json!({"one_time_key_counts": {"signed_curve25519": count}}))
    }

    fn query(&self, state: &State, body: &Value) -> Value {
        let mut answer = json!({"device_keys": {}, "master_keys": {}, "self_signing_keys": {},
            "user_signing_keys": {}, "failures": {}});
        for user in body["device_keys"].as_object().into_iter().flat_map(Map::keys) {
            let own = state
                .devices
                .iter()
                .filter(|((owner, _), kept)| owner == user && !kept.keys.is_null());
            let devices: Map<_, _> =
                own.map(|((_, device), kept)| (device.clone(), kept.keys.clone())).collect();
            answer["device_keys"][user] = Value::Object(devices);
            let identity =
                [("master_keys", &state.masters), ("self_signing_keys", &state.self_signing)];
            for (name, keys) in identity {
                if let Some(key) = keys.get(user) {
                    answer[name][user] = key.clone();
                }
            }
            if *user == self.user
                && let Some(key) = state.user_signing.get(user)
            {
                answer["user_signing_keys"][user] = key.clone();
            }
        }
        answer
    }

    fn sign(&self, state: &mut State, body: &Value) -> Result<Value, CarryError> {
        let replaced = state.masters.get(&self.user);
        let replaces = replaced.is_some_and(|old| old["keys"] != body["master_key"]["keys"]);
        if replaces && body["auth"]["password"] != PASSWORD {
            return Err(refused(401));
        }
        state.masters.insert(self.user.clone(), body["master_key"].clone());
        state.self_signing.insert(self.user.clone(), body["self_signing_key"].clone());
        state.user_signing.insert(self.user.clone(), body["user_signing_key"].clone());
        announce(state, &self.user);
        Ok(json!({}))
    }

    fn send(&self, state: &mut State, kind: &str, txn: &str, body: &Value) {
        if !state.txns.insert(format!("{} {txn}", self.device)) {
            return;
        }
        for (user, devices) in body["messages"].as_object().unwrap() {
            for (device, content) in devices.as_object().unwrap() {
                let event = json!({"type": kind, "sender": self.user, "content": content});
                let to = state
                    .devices
                    .iter_mut()
                    .filter(|((owner, id), _)| owner == user && (device == "*" || id == device));
                for (_, kept) in to {
                    kept.pos += 1;
                    kept.queue.push_back((kept.pos, event.clone()));
                }
            }
        }
    }

    fn backup(
        &self,
        state: &mut State,
        method: &str,
        path: &[&str],
        query: &str,
        body: &Value,
    ) -> Result<Value, CarryError> {
        let backups = state.backups.entry(self.user.clone()).or_default();
        let newest = backups.len();
        match (method, path) {
            ("POST", ["version"]) => {
                backups.push(Backup { info: body.clone(), ..Backup::default() });
                Ok(json!({"version": backups.len().to_string()}))
            }
            ("GET", ["version"]) => {
                let mut info = backups.last().ok_or_else(|| refused(404))?.info.clone();
                info["version"] = json!(newest.to_string());
                Ok(info)
            }
            (_, ["keys"]) if query != format!("version={newest}") => Err(refused(403)),
            ("PUT", ["keys"]) => {
                let rooms = &mut backups[newest - 1].rooms;
                for (room, keys) in body["rooms"].as_object().unwrap() {
                    for (session, key) in keys["sessions"].as_object().unwrap() {
                        let room = rooms.entry(room.clone()).or_default();
                        room.insert(session.clone(), key.clone());
                    }
                }
                Ok(json!({"etag": "1", "count": 1}))
            }
            ("GET", ["keys"]) => {
                let rooms = backups[newest - 1].rooms.iter();
                let rooms: Map<_, _> =
                    rooms.map(|(room, keys)| (room.clone(), json!({"sessions": keys}))).collect();
                Ok(json!({ "rooms": rooms }))
            }
            other => panic!("there is no route {other:?}"),
        }
    }
}

impl Carrier for Line {
    async fn carry(&self, request: &Request) -> Result<Value, CarryError> {
        self.answer(request)
    }
}

fn refused(status: u16) -> CarryError {
    CarryError { status, message: format!("status {status}"), temporary: status >= 500 }
}

/// The statements of a session after a number, two on a page.
fn statements(state: &State, session: &str, query: &str) -> Value {
    let after: usize = query.strip_prefix("after=").unwrap().parse().unwrap();
    let kept = state.statements.get(session).into_iter().flatten().skip(after);
    let page = (after + 1..).zip(kept.clone()).take(2).map(|(number, statement)| {
        let mut statement = statement.clone();
        statement["number"] = json!(number);
        statement
    });
    json!({"statements": page.collect::<Vec<_>>(), "more": kept.count() > 2})
}

/// Everybody shares a session with everybody here.
fn announce(state: &mut State, user: &str) {
    for kept in state.devices.values_mut() {
        kept.pos += 1;
        kept.changed.insert(user.to_owned(), kept.pos);
    }
}

fn claim(state: &mut State, body: &Value) -> Value {
    let mut answer = json!({"one_time_keys": {}, "failures": {}});
    for (user, devices) in body["one_time_keys"].as_object().unwrap() {
        for device in devices.as_object().unwrap().keys() {
            let Some(kept) = state.devices.get_mut(&(user.clone(), device.clone())) else {
                continue;
            };
            let key = kept.one_time.pop_front().or_else(|| {
                kept.fallback_used = true;
                kept.fallback.clone()
            });
            if let Some((id, key)) = key {
                answer["one_time_keys"][user][device] = json!({ id: key });
            }
            state.claimed.push(device.clone());
        }
    }
    answer
}

/// Signatures are added, never taken away.
fn merge(state: &mut State, body: &Value) {
    for (user, objects) in body.as_object().unwrap() {
        for (name, signed) in objects.as_object().unwrap() {
            let device = state.devices.get_mut(&(user.clone(), name.clone()));
            let of_master = |key: &&mut Value| {
                key["keys"].as_object().is_some_and(|keys| keys.values().any(|key| key == name))
            };
            let kept = device.map(|kept| &mut kept.keys);
            let kept = kept.or_else(|| state.masters.get_mut(user).filter(of_master));
            let Some(kept) = kept else { continue };
            for (signer, signatures) in signed["signatures"].as_object().unwrap() {
                for (key, signature) in signatures.as_object().unwrap() {
                    kept["signatures"][signer][key] = signature.clone();
                }
            }
        }
        announce(state, user);
    }
}
