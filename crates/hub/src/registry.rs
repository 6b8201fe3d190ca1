//! Every open connection of this node: counted against the limits, found by its login.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::{DeviceId, Limits, LoginId, UserId};

use crate::Who;
use crate::bell::Bell;

/// How a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cut {
    /// The server is going down.
    Draining = 1,
    /// The login is revoked.
    Revoked = 2,
}

impl Cut {
    pub(crate) fn from_u8(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::Draining),
            2 => Some(Self::Revoked),
            _ => None,
        }
    }
}

/// As many connections are open as the limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// Of this device.
    #[error("too many connections of this device")]
    Device,
    /// Of this user.
    #[error("too many connections of this user")]
    User,
    /// Of this address.
    #[error("too many connections of this address")]
    Address,
    /// In all.
    #[error("too many connections")]
    All,
}

#[derive(Default)]
pub(crate) struct Registry(Mutex<Open>);

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, (LoginId, Arc<Bell>)>,
    logins: HashMap<LoginId, Vec<u64>>,
    devices: HashMap<DeviceId, u64>,
    users: HashMap<UserId, u64>,
    addresses: HashMap<IpAddr, u64>,
}

impl Registry {
    /// Counts a connection in; says whether it is its user's first.
    pub(crate) fn enter(
        &self,
        who: Who,
        limits: &Limits,
    ) -> Result<(u64, Arc<Bell>, bool), TooMany> {
        let mut open = self.0.lock();
        let has = |count: Option<&u64>| count.copied().unwrap_or(0);
        if open.connections.len() as u64 >= limits.connections_max {
            return Err(TooMany::All);
        }
        if has(open.devices.get(&who.device)) >= limits.connections_per_device_max {
            return Err(TooMany::Device);
        }
        if has(open.users.get(&who.user)) >= limits.connections_per_user_max {
            return Err(TooMany::User);
        }
        if has(open.addresses.get(&who.address)) >= limits.connections_per_address_max {
            return Err(TooMany::Address);
        }
        let number = open.next;
        open.next += 1;
        let bell = Arc::new(Bell::default());
        open.connections.insert(number, (who.login, Arc::clone(&bell)));
        open.logins.entry(who.login).or_default().push(number);
        *open.devices.entry(who.device).or_default() += 1;
        *open.addresses.entry(who.address).or_default() += 1;
        let of_user = open.users.entry(who.user).or_default();
        *of_user += 1;
        let first = *of_user == 1;
        Ok((number, bell, first))
    }

    /// Counts a connection out; says whether it was its user's last.
    pub(crate) fn leave(&self, number: u64, who: &Who) -> bool {
        let mut open = self.0.lock();
        open.connections.remove(&number);
        if let Some(numbers) = open.logins.get_mut(&who.login) {
            numbers.retain(|&n| n != number);
            if numbers.is_empty() {
                open.logins.remove(&who.login);
            }
        }
        count_down(&mut open.devices, &who.device);
        count_down(&mut open.addresses, &who.address);
        count_down(&mut open.users, &who.user)
    }

    pub(crate) fn cut(&self, logins: &[LoginId], cut: Cut) {
        let open = self.0.lock();
        for number in logins.iter().filter_map(|login| open.logins.get(login)).flatten() {
            if let Some((_, bell)) = open.connections.get(number) {
                bell.cut(cut);
            }
        }
    }

    pub(crate) fn cut_all(&self, cut: Cut) {
        self.0.lock().connections.values().for_each(|(_, bell)| bell.cut(cut));
    }

    pub(crate) fn is_online(&self, user: UserId) -> bool {
        self.0.lock().users.contains_key(&user)
    }

    /// The users who are connected, each once.
    pub(crate) fn users(&self) -> Vec<UserId> {
        self.0.lock().users.keys().copied().collect()
    }

    /// The logins that are connected, each once.
    pub(crate) fn logins(&self) -> Vec<LoginId> {
        self.0.lock().logins.keys().copied().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().connections.len()
    }
}

/// Counts one down; true when none is left.
pub(crate) fn count_down<K: Hash + Eq>(counts: &mut HashMap<K, u64>, key: &K) -> bool {
    let Some(count) = counts.get_mut(key) else {
        return false;
    };
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
        return true;
    }
    false
}
