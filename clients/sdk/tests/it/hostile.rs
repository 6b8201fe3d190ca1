//! People of whom some reach the server through somebody in between, and what they are shown.

use parlor_sdk::{Client, Message, Secrecy, Settings, Update};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use crate::kit::{PASSPHRASE, PASSWORD, Server, heard, knows, started};
use crate::middle::Middle;

/// What is said of a message that came in the clear.
pub(crate) const REFUSED: &str = "it came in the clear, where everything is encrypted";

/// Ana and Bo in an encrypted session, one of them behind somebody in between.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) middle: Middle,
    pub(crate) ana: Client,
    pub(crate) bo: Client,
    pub(crate) session: String,
}

impl Scene {
    /// Bo, who reads, hears what somebody in between lets him hear.
    pub(crate) async fn reader_in_between() -> Self {
        Self::open(false).await
    }

    /// Ana, who sends, is told what somebody in between tells her.
    pub(crate) async fn sender_in_between() -> Self {
        Self::open(true).await
    }

    async fn open(sender: bool) -> Self {
        let server = Server::start();
        let middle = Middle::before(&server.url).await;
        let (at_ana, at_bo) =
            if sender { (&middle.url, &server.url) } else { (&server.url, &middle.url) };
        let ana = somebody(&server, at_ana, "ana").await;
        let bo = somebody(&server, at_bo, "bo").await;
        let mut updates = bo.updates();
        let room = ana
            .create_room("den", "private", &[bo.user_id()], Some(Settings::default()))
            .await
            .unwrap();
        let session = room.main_session_id;
        knows(&bo, &mut updates, &session).await;
        Self { server, middle, ana, bo, session }
    }

    /// Somebody else with an identity, who reaches the server itself.
    pub(crate) async fn person(&self, name: &str) -> Client {
        somebody(&self.server, &self.server.url, name).await
    }

    /// A device of somebody who is registered, behind the one in between.
    pub(crate) async fn in_between(&self, name: &str, device: &str) -> Client {
        let builder = Client::builder(&self.middle.url).folder(self.server.folder(device));
        let builder = builder.passphrase(PASSPHRASE);
        started(builder.sign_in(name, PASSWORD).await.unwrap()).await
    }

    /// Somebody else with an identity, behind the one in between.
    pub(crate) async fn in_between_with_identity(&self, name: &str) -> Client {
        somebody(&self.server, &self.middle.url, name).await
    }

    /// Takes somebody into the room, and waits until they and ana know.
    pub(crate) async fn add(&self, person: &Client) {
        let (mut theirs, mut anas) = (person.updates(), self.ana.updates());
        self.ana.session(&self.session).add_members(&[person.user_id()]).await.unwrap();
        knows(person, &mut theirs, &self.session).await;
        joins(&mut anas, &person.user_id()).await;
    }

    /// Has the server put somebody into the room, without a word of anybody who is in it; waits
    /// until they and ana know.
    pub(crate) async fn add_unvouched(&self, person: &Client) {
        let (mut theirs, mut anas) = (person.updates(), self.ana.updates());
        let room = self.ana.session(&self.session).info().unwrap().room_id;
        let body = json!({ "users": [person.user_id()] });
        self.ana.request("POST", &format!("/rooms/{room}/members"), Some(&body)).await.unwrap();
        knows(person, &mut theirs, &self.session).await;
        joins(&mut anas, &person.user_id()).await;
    }

    /// Has ana's client look a person's keys up anew.
    pub(crate) async fn ana_hears_of_new_keys(&self, user: &str) {
        let queries = || {
            let asked = self.middle.asked("/e2ee/keys/query");
            asked.iter().filter(|asked| asked.body["device_keys"].get(user).is_some()).count()
        };
        let (mut updates, before) = (self.ana.updates(), queries());
        let kind = "signed_curve25519";
        let frames = self.middle.frames();
        let pos = frames.iter().rev().find_map(|frame| frame["pos"].as_i64()).unwrap_or_default();
        self.middle.say(json!({"type": "e2ee", "pos": pos, "device_lists": {"changed": [user]},
            "device_one_time_keys_count": {kind: 50}, "device_unused_fallback_key_types": [kind]}));
        while queries() == before {
            heard(&mut updates, |update| matches!(update, Update::Keys).then_some(())).await;
        }
        // Waits for the round that asks it.
        self.ana.encryption().unwrap().flush().await.unwrap();
    }

    /// The devices that a key was sent to since the beginning, as `user device`.
    pub(crate) fn recipients(&self) -> Vec<String> {
        let asked = self.middle.asked("/e2ee/send_to_device/m.room.encrypted");
        let bodies = asked.iter().filter_map(|asked| asked.body["messages"].as_object());
        let pairs = bodies.flatten().flat_map(|(user, devices)| {
            let devices = devices.as_object().into_iter().flatten();
            devices.map(move |(device, _)| format!("{user} {device}"))
        });
        pairs.collect()
    }

    /// How often a message went out.
    pub(crate) fn sent(&self) -> usize {
        let asked = self.middle.asked(&format!("/sessions/{}/messages", self.session));
        asked.iter().filter(|asked| asked.method == "POST").count()
    }
}

/// The id of somebody with the installation's name in it.
pub(crate) async fn full_id(client: &Client) -> String {
    let said = client.request("GET", "/e2ee", None).await.unwrap();
    said["user_id"].as_str().unwrap().to_owned()
}

/// Registers somebody who reaches the server by this address, with an identity.
pub(crate) async fn somebody(server: &Server, url: &str, name: &str) -> Client {
    server.account(name).await;
    let builder = Client::builder(url).folder(server.folder(name)).passphrase(PASSPHRASE);
    let client = started(builder.sign_in(name, PASSWORD).await.unwrap()).await;
    client.encryption().unwrap().set_up().await.unwrap();
    client
}

/// Waits until somebody is told to have come.
pub(crate) async fn joins(updates: &mut Receiver<Update>, who: &str) {
    heard(updates, |update| match update {
        Update::Joined { user_id, .. } if user_id == who => Some(()),
        _ => None,
    })
    .await;
}

/// Waits for what is shown of a message, once nothing is to come any more.
pub(crate) async fn shown(updates: &mut Receiver<Update>, id: &str) -> Message {
    heard(updates, |update| match update {
        Update::Posted(message) | Update::Changed(message) if message.id == id => {
            Some((**message).clone())
        }
        _ => None,
    })
    .await
}

/// The same once it is decided whether it opens: its key may come a moment after it.
pub(crate) async fn decided(updates: &mut Receiver<Update>, id: &str) -> Message {
    loop {
        let message = shown(updates, id).await;
        if !matches!(message.secrecy, Secrecy::Locked { later: true, .. }) {
            return message;
        }
    }
}

/// Why a message is locked, and whether it may open later.
pub(crate) fn locked(message: &Message) -> (String, bool) {
    match &message.secrecy {
        Secrecy::Locked { reason, later } => (reason.clone(), *later),
        other => panic!("{:?} is shown as {other:?}", message.body),
    }
}

/// Says something, which is to be refused; why it was.
pub(crate) async fn refused(client: &Client, session: &str, body: &str) -> String {
    let sending = client.session(session).say(body).unwrap();
    sending.delivered().await.expect_err("it is refused").to_string()
}

/// Every session object in an answer.
pub(crate) fn sessions_in(answer: &mut Value, change: &mut impl FnMut(&mut Value)) {
    if answer.get("encryption").is_some() {
        change(answer);
    }
    match answer {
        Value::Array(values) => values.iter_mut().for_each(|value| sessions_in(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| sessions_in(value, change)),
        _ => {}
    }
}
