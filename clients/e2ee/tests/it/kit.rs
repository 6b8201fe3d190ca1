//! People with devices, and what they do.

use jiff::Timestamp;
use parlor_e2ee::{
    Account, Arrived, Distrust, Machine, Members, OpenError, Opened, Payload, Received, Sealed,
    Settings,
};

use crate::relay::{Line, Relay};

pub(crate) const SESSION: &str = "0190d7a0-0000-7000-8000-000000000001";
pub(crate) const OTHER_SESSION: &str = "0190d7a0-0000-7000-8000-000000000002";
pub(crate) const SERVER: &str = "parlor.test";

/// One device of somebody.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) user: String,
    pub(crate) machine: Machine,
    pub(crate) line: Line,
}

/// A message on the server.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) session: String,
    pub(crate) id: String,
    pub(crate) sender: String,
    pub(crate) sealed: Sealed,
}

pub(crate) fn account(user: &str, device: &str) -> Account {
    Account {
        server_name: SERVER.to_owned(),
        user_id: user.to_owned(),
        device_id: device.to_owned(),
    }
}

pub(crate) fn ids(users: &[&str]) -> Vec<String> {
    users.iter().map(|user| (*user).to_owned()).collect()
}

/// These people are in a session, in a state of it that nobody counts.
pub(crate) fn members(users: &[&str]) -> Members {
    at(users, 0)
}

/// These people are in a session, in this state of it.
pub(crate) fn at(users: &[&str], version: i64) -> Members {
    Members { user_ids: ids(users), version }
}

pub(crate) fn say(text: &str) -> Payload {
    Payload::say(text, Timestamp::UNIX_EPOCH)
}

impl Device {
    /// A device that is new to its owner's account.
    pub(crate) async fn new(relay: &Relay, user: &str, device: &str) -> Self {
        let machine = Machine::in_memory(account(user, device)).await.unwrap();
        Self::with(relay, user, device, machine).await
    }

    pub(crate) async fn with(relay: &Relay, user: &str, device: &str, machine: Machine) -> Self {
        let line = relay.line(&format!("@{user}:{SERVER}"), device);
        let device = Self { user: user.to_owned(), machine, line };
        device.machine.flush(&device.line).await.unwrap();
        device.sync().await;
        device
    }

    /// Takes in whatever the server has, and does what is due.
    pub(crate) async fn sync(&self) -> Received {
        let mut all = Received::default();
        loop {
            let after = self.machine.position().await.unwrap();
            let delta = self.line.sync(after);
            self.machine.look_up_senders(&self.line, &delta).await.unwrap();
            let received = self.machine.receive(&delta).await.unwrap();
            all.sessions.extend(received.sessions);
            all.asked.extend(received.asked);
            self.machine.flush(&self.line).await.unwrap();
            if !delta.more {
                return all;
            }
        }
    }

    pub(crate) async fn seal(
        &self,
        members: &[&str],
        text: &str,
    ) -> Result<Sealed, parlor_e2ee::Error> {
        self.seal_at(&crate::kit::members(members), text).await
    }

    async fn seal_at(&self, members: &Members, text: &str) -> Result<Sealed, parlor_e2ee::Error> {
        let settings = Settings::default();
        self.machine.seal(&self.line, SESSION, members, &settings, &say(text)).await
    }

    /// Says something to these members.
    pub(crate) async fn say(&self, members: &[&str], text: &str) -> Posted {
        self.say_at(&crate::kit::members(members), text).await
    }

    /// Says something to the members of a session in some state of it.
    pub(crate) async fn say_at(&self, members: &Members, text: &str) -> Posted {
        let sealed = self.seal_at(members, text).await.unwrap();
        Posted {
            session: SESSION.to_owned(),
            id: format!("{}-{text}", self.machine.account().device_id).replace(' ', "-"),
            sender: self.user.clone(),
            sealed,
        }
    }

    /// Lets somebody in, in this state of the session.
    pub(crate) async fn lets_in(&self, user: &str, version: i64) {
        self.machine.let_in(&self.line, SESSION, &ids(&[user]), version).await.unwrap();
    }

    /// Who of these members is unvouched.
    pub(crate) async fn unvouched(&self, members: &Members) -> Vec<String> {
        self.machine.unvouched(&self.line, SESSION, members).await.unwrap()
    }

    /// Syncs, then opens a message; if its device is not known, looks it up first.
    pub(crate) async fn read(&self, posted: &Posted) -> Result<Opened, OpenError> {
        self.sync().await;
        match self.machine.open_message(posted.arrived()).await {
            Err(OpenError::NotTrusted(Distrust::UnknownDevice | Distrust::UnsignedDevice)) => {
                self.sync().await;
                self.machine.open_message(posted.arrived()).await
            }
            opened => opened,
        }
    }

    /// Whether a message can be read here, and says this.
    pub(crate) async fn hears(&self, posted: &Posted, text: &str) -> bool {
        matches!(self.read(posted).await, Ok(opened) if opened.payload.body == text)
    }
}

impl Posted {
    pub(crate) fn arrived(&self) -> Arrived<'_> {
        Arrived {
            session_id: &self.session,
            message_id: &self.id,
            sender_id: &self.sender,
            sealed: &self.sealed,
        }
    }
}

/// Ana, Bo and Cy, each with two devices: the second one recovered from the first one's key.
pub(crate) struct Company {
    pub(crate) relay: Relay,
    pub(crate) ana: [Device; 2],
    pub(crate) bo: [Device; 2],
    pub(crate) cy: [Device; 2],
}

impl Company {
    pub(crate) async fn meet() -> Self {
        let relay = Relay::default();
        let ana = two_devices(&relay, "ana").await;
        let bo = two_devices(&relay, "bo").await;
        let cy = two_devices(&relay, "cy").await;
        let company = Self { relay, ana, bo, cy };
        company.sync().await;
        company
    }

    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.ana.iter().chain(&self.bo).chain(&self.cy)
    }

    pub(crate) async fn sync(&self) {
        for device in self.devices() {
            device.machine.follow(&ids(&["ana", "bo", "cy"])).await.unwrap();
            device.sync().await;
        }
    }
}

/// Somebody's first device, with an identity.
pub(crate) async fn first_device(relay: &Relay, user: &str) -> Device {
    let device = Device::new(relay, user, &format!("{user}-1")).await;
    device.machine.set_up_identity(&device.line).await.unwrap();
    device
}

async fn two_devices(relay: &Relay, user: &str) -> [Device; 2] {
    let first = first_device(relay, user).await;
    let key = first.machine.set_up_recovery(&first.line).await.unwrap();
    let second = Device::new(relay, user, &format!("{user}-2")).await;
    second.machine.recover(&second.line, &key.text()).await.unwrap();
    [first, second]
}
