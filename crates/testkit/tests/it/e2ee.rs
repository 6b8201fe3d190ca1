//! Keys and encrypted sessions over the wire: by devices whose keys are real and whose ciphertext
//! is not, since the server could not tell.

mod members;

use std::pin::pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use parlor_testkit::http::Answer;
use parlor_testkit::person::{Refused, fresh_id};
use parlor_testkit::socket::{Heard, Socket};
use parlor_testkit::stream::{EventStream, Told};
use parlor_testkit::{Person, TestServer, soon};
use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use serde_json::{Value, json};

/// A device of somebody's.
struct Device<'a> {
    person: &'a Person,
    key: SigningKey,
    user: String,
}

impl<'a> Device<'a> {
    /// One that has published its keys and some one-time keys.
    async fn new(person: &'a Person, one_time: usize) -> Self {
        let identity = called(person, "GET", "/e2ee", None).await.json();
        assert_eq!(identity["device_id"], person.device.as_str());
        let seed = *blake3::hash(person.device.as_bytes()).as_bytes();
        let user = identity["user_id"].as_str().unwrap().to_owned();
        let device = Self { person, key: SigningKey::from_bytes(&seed), user };
        let keys: Value = (0..one_time).map(|n| device.one_time(&format!("AAA{n}"))).collect();
        let fallback: Value = std::iter::once(device.one_time("fallback")).collect();
        let body = json!({
            "device_keys": device.keys(),
            "one_time_keys": keys,
            "fallback_keys": fallback,
        });
        let answer = device.call("POST", "/e2ee/keys/upload", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["one_time_key_counts"]["signed_curve25519"], one_time);
        device
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        called(self.person, method, path, Some(body)).await
    }

    fn public(&self) -> String {
        BASE64.encode(self.key.verifying_key().as_bytes())
    }

    fn keys(&self) -> Value {
        let id = &self.person.device;
        self.signed(json!({
            "user_id": self.user,
            "device_id": id,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": { format!("ed25519:{id}"): self.public(), format!("curve25519:{id}"): "c" },
        }))
    }

    fn one_time(&self, name: &str) -> (String, Value) {
        (format!("signed_curve25519:{name}"), self.signed(json!({ "key": name })))
    }

    /// The object with the device's signature. (Keys of a `Value` come in order.)
    fn signed(&self, object: Value) -> Value {
        let id = self.person.device.clone();
        signed_by(&self.key, &self.user, &id, object)
    }

    async fn news(&self, after: i64) -> v1::E2ee {
        self.person.get(&format!("/e2ee/sync?after={after}")).await.unwrap()
    }
}

fn signed_by(key: &SigningKey, user: &str, id: &str, mut object: Value) -> Value {
    let signature = BASE64.encode(key.sign(object.to_string().as_bytes()).to_bytes());
    object["signatures"] = json!({ user: { format!("ed25519:{id}"): signature } });
    object
}

async fn called(person: &Person, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = person.request(method, path);
    if let Some(body) = body {
        request = request.json(&body.to_string());
    }
    person.send(request).await
}

/// A direct room whose session is encrypted.
async fn direct(ana: &Person, bo: &Person) -> (String, v1::Session) {
    let asked = v1::CreateRoomRequest {
        kind: Some("direct".to_owned()),
        members: vec![bo.id.clone()],
        encryption: Some(v1::Encryption {
            algorithm: "m.megolm.v1.aes-sha2".to_owned(),
            ..v1::Encryption::default()
        }),
        ..v1::CreateRoomRequest::default()
    };
    let room = ana.make_room(&asked).await.unwrap();
    let session = ana.get(&format!("/sessions/{}", room.main_session_id)).await.unwrap();
    (room.id, session)
}

fn sealed(text: &str) -> Box<v1::Encrypted> {
    Box::new(v1::Encrypted {
        algorithm: "m.megolm.v1.aes-sha2".to_owned(),
        ciphertext: text.to_owned(),
        session_id: "key".to_owned(),
        sender_key: "sender".to_owned(),
        device_id: "device".to_owned(),
    })
}

async fn send(
    who: &Person,
    session: &str,
    text: &str,
    version: i64,
) -> Result<v1::Message, Refused> {
    let asked = v1::SendRequest {
        client_id: fresh_id(),
        encrypted: Some(sealed(text)),
        membership_version: Some(version),
        ..v1::SendRequest::default()
    };
    who.call("POST", &format!("/sessions/{session}/messages"), Some(&asked)).await
}

fn refused(status: u16, code: &str) -> Refused {
    Refused { status, code: code.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_find_each_others_keys_and_take_one_each() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 1).await, Device::new(&bo, 0).await);
    let asked = json!({ "device_keys": { &phone.user: [], "@nobody:elsewhere.org": [] } });
    let found = laptop.call("POST", "/e2ee/keys/query", asked).await.json();
    let device = &found["device_keys"][&phone.user][&ana.device];
    assert_eq!(device["keys"], phone.keys()["keys"]);
    assert_eq!(device["signatures"], phone.keys()["signatures"]);
    let asked = json!({ "one_time_keys": { &phone.user: { &ana.device: "signed_curve25519" } } });
    for wanted in ["AAA0", "fallback", "fallback"] {
        let claimed = laptop.call("POST", "/e2ee/keys/claim", asked.clone()).await.json();
        let key = &claimed["one_time_keys"][&phone.user][&ana.device];
        assert_eq!(key[format!("signed_curve25519:{wanted}")]["key"], wanted);
    }
    let news = phone.news(0).await;
    assert_eq!(news.device_one_time_keys_count["signed_curve25519"], 0);
    assert!(news.device_unused_fallback_key_types.is_empty());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_uses_up_the_keys_that_others_need() {
    let server = TestServer::start().await;
    let (ana, bo, cyn) =
        (server.person("ana").await, server.person("bo").await, server.person("cyn").await);
    let phone = Device::new(&ana, 25).await;
    let (laptop, tablet) = (Device::new(&bo, 0).await, Device::new(&cyn, 0).await);
    let asked = json!({ "one_time_keys": { &phone.user: { &ana.device: "signed_curve25519" } } });
    let claim = async |by: &Device<'_>| {
        let claimed = by.call("POST", "/e2ee/keys/claim", asked.clone()).await.json();
        let key = &claimed["one_time_keys"][&phone.user][&ana.device];
        key.as_object().unwrap().keys().next().unwrap().clone()
    };
    let fallback = "signed_curve25519:fallback";
    for _ in 0..20 {
        assert_ne!(claim(&laptop).await, fallback);
    }
    assert_eq!(claim(&laptop).await, fallback, "bo has had enough of them");
    assert_ne!(claim(&tablet).await, fallback);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_another_or_without_a_signature_are_refused() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 1).await, Device::new(&bo, 0).await);
    let id = &ana.device;
    let mut unsigned = phone.keys();
    unsigned["signatures"] = json!({});
    let mut zeros = phone.keys();
    zeros["keys"][format!("ed25519:{id}")] = "A".repeat(43).into();
    let mut changed = phone.keys();
    changed["algorithms"] = json!(["none"]);
    for bad in [laptop.keys(), unsigned, zeros, changed, json!(7)] {
        let answer = phone.call("POST", "/e2ee/keys/upload", json!({ "device_keys": bad })).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    let (name, key) = phone.one_time("AAA0");
    let again = json!({ "one_time_keys": { &name: key } });
    assert_eq!(phone.call("POST", "/e2ee/keys/upload", again).await.status, 200);
    let other = json!({ "one_time_keys": { name: phone.signed(json!({ "key": "other" })) } });
    assert_eq!(phone.call("POST", "/e2ee/keys/upload", other).await.status, 400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_keys_are_replaced_by_who_knows_the_password() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 0).await, Device::new(&bo, 0).await);
    let (master, selves) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let public = |key: &SigningKey| BASE64.encode(key.verifying_key().as_bytes());
    let signing = |key: &SigningKey, usage: &str| {
        let public = public(key);
        json!({
            "user_id": phone.user, "usage": [usage],
            "keys": { format!("ed25519:{public}"): public },
        })
    };
    let of_master = |key: &SigningKey, by: &SigningKey| {
        signed_by(by, &phone.user, &public(by), signing(key, "self_signing"))
    };
    let path = "/e2ee/keys/device_signing/upload";
    let body = json!({
        "master_key": signing(&master, "master"),
        "self_signing_key": of_master(&selves, &selves),
    });
    assert_eq!(phone.call("POST", path, body).await.status, 400, "not signed by the master key");
    let body = json!({
        "master_key": signing(&master, "master"),
        "self_signing_key": of_master(&selves, &master),
    });
    assert_eq!(phone.call("POST", path, body.clone()).await.status, 200);
    assert_eq!(phone.call("POST", path, body).await.status, 200, "the same again");
    let other = SigningKey::from_bytes(&[3; 32]);
    let mut body = json!({ "master_key": signing(&other, "master") });
    assert_eq!(phone.call("POST", path, body.clone()).await.status, 403);
    body["auth"] = json!({ "password": "a wrong one" });
    assert_eq!(phone.call("POST", path, body.clone()).await.status, 403);
    // The owner's signature of a device is seen by others; one that is none is not taken.
    let device = signed_by(&selves, &phone.user, &public(&selves), unsigned(phone.keys()));
    let mut forged = device.clone();
    forged["signatures"][&phone.user][format!("ed25519:{}", public(&selves))] =
        "A".repeat(86).into();
    let path = "/e2ee/keys/signatures/upload";
    let sign = |object: Value| json!({ &phone.user: { &ana.device: object } });
    let failed = phone.call("POST", path, sign(forged)).await.json();
    assert!(failed["failures"][&phone.user][&ana.device].is_object(), "{failed}");
    let done = phone.call("POST", path, sign(device)).await.json();
    assert_eq!(done["failures"], json!({}));
    let asked = json!({ "device_keys": { &phone.user: [] } });
    let found = laptop.call("POST", "/e2ee/keys/query", asked).await.json();
    let signatures = &found["device_keys"][&phone.user][&ana.device]["signatures"][&phone.user];
    assert_eq!(signatures.as_object().unwrap().len(), 2, "{found}");
    assert!(found["master_keys"][&phone.user].is_object());
    assert_eq!(found["user_signing_keys"], json!({}));
    server.stop().await;
}

/// What a signature is over.
fn unsigned(mut object: Value) -> Value {
    object.as_object_mut().unwrap().remove("signatures");
    object
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_from_device_to_device_waits_and_wakes() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 0).await, Device::new(&bo, 0).await);
    let at = laptop.news(0).await.pos;
    let path = format!("/e2ee/sync?after={at}&wait_ms=20000");
    let mut waiting = pin!(bo.get::<v1::E2ee>(&path));
    // Other requests are answered meanwhile, and this one is not: there is nothing to say yet.
    let others = async {
        for _ in 0..100 {
            called(&bo, "GET", "/e2ee", None).await;
        }
    };
    tokio::select! {
        news = &mut waiting => panic!("it does not wait: {news:?}"),
        () = others => {}
    }
    let body = json!({ "messages": { &laptop.user: { "*": { "b": [1, {"a": 2}], "a": "x" } } } });
    let sending = async {
        for _ in 0..2 {
            let path = "/e2ee/send_to_device/m.room.encrypted/one";
            assert_eq!(phone.call("PUT", path, body.clone()).await.status, 200);
        }
    };
    let (news, ()) = tokio::join!(waiting, sending);
    let sent = news.unwrap().to_device.unwrap().events;
    assert_eq!(sent.len(), 1, "the same request again does nothing");
    assert_eq!((sent[0].r#type.as_str(), &sent[0].sender), ("m.room.encrypted", &phone.user));
    let content: Value = serde_json::from_str(&sent[0].content).unwrap();
    assert_eq!(content, json!({ "a": "x", "b": [1, { "a": 2 }] }));
    server.stop().await;
}

/// A letter from one device to another.
async fn letter(from: &Device<'_>, to: &Device<'_>, txn_id: &str) {
    let body = json!({ "messages": { &to.user: { &to.person.device: { "key": "k" } } } });
    let path = format!("/e2ee/send_to_device/m.room.encrypted/{txn_id}");
    assert_eq!(from.call("PUT", &path, body).await.status, 200);
}

/// The next news about keys on an event stream.
async fn told_by(stream: &mut EventStream) -> v1::E2ee {
    loop {
        match stream.next().await {
            Told::Frame(Frame::E2ee(news)) => return news,
            Told::Frame(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The next news about keys on a socket.
async fn told(socket: &mut Socket) -> v1::E2ee {
    let next = async {
        loop {
            match socket.next().await {
                Heard::Frame(Frame::E2ee(news)) => return news,
                Heard::Frame(_) => {}
                Heard::Closed(code) => panic!("closed: {code}"),
            }
        }
    };
    soon("news about keys", next).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_tells_keys_before_what_they_open_until_they_are_taken() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 0).await, Device::new(&bo, 3).await);
    let (_, session) = direct(&ana, &bo).await;
    for codec in [Codec::Json, Codec::Proto] {
        let mut socket = Socket::open(&bo, codec).await;
        socket.subscribe(&session.id, None, &mut vec![]).await.unwrap();
        socket.tell(Command::E2eeAck(v1::E2eeAck { pos: 0 })).await.unwrap();
        let mut news = told(&mut socket).await;
        assert_eq!(news.device_one_time_keys_count["signed_curve25519"], 3);
        socket.tell(Command::E2eeAck(v1::E2eeAck { pos: news.pos })).await.unwrap();
        letter(&phone, &laptop, &fresh_id()).await;
        send(&ana, &session.id, "hidden", session.membership_version).await.unwrap();
        let mut keys = 0;
        let said = loop {
            match soon("what was said", socket.next()).await {
                Heard::Frame(Frame::E2ee(next)) => {
                    keys += next.to_device.as_ref().map_or(0, |sent| sent.events.len());
                    news = next;
                    let ack = v1::E2eeAck { pos: news.pos };
                    socket.tell(Command::E2eeAck(ack)).await.unwrap();
                }
                Heard::Frame(Frame::Event(event)) => break event,
                Heard::Frame(_) => {}
                Heard::Closed(code) => panic!("closed: {code}"),
            }
        };
        assert_eq!(keys, 1, "the key came first");
        let Some(v1::event::Kind::Posted(said)) = said.kind else { panic!("{said:?}") };
        assert_eq!((said.content.as_str(), said.encrypted), ("", Some(sealed("hidden"))));
        socket.close().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_has_all_news_about_keys_is_told_nothing_again() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 0).await, Device::new(&bo, 3).await);
    let (_, session) = direct(&ana, &bo).await;
    let plain = Socket::open(&bo, Codec::Json).await;
    let io = Socket::open_io(&bo, None, std::iter::empty()).await.unwrap();
    for mut socket in [plain, io] {
        socket.tell(Command::E2eeAck(v1::E2eeAck { pos: 0 })).await.unwrap();
        let mut pos = told(&mut socket).await.pos;
        letter(&phone, &laptop, &fresh_id()).await;
        for _ in 0..2 {
            // The letter, once: the first news may have had it already.
            socket.tell(Command::E2eeAck(v1::E2eeAck { pos })).await.unwrap();
            let mut told = vec![];
            // Whatever an answer would bring comes before that of the second command.
            for _ in 0..2 {
                socket.subscribe(&session.id, None, &mut told).await.unwrap();
            }
            let news = told.into_iter().filter_map(|heard| match heard {
                Heard::Frame(Frame::E2ee(news)) => Some(news),
                _ => None,
            });
            for news in news {
                assert!(news.pos > pos, "{news:?} was known");
                pos = news.pos;
            }
        }
        socket.close().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_hears_the_keys_before_what_was_said_meanwhile() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 0).await, Device::new(&bo, 0).await);
    let (_, session) = direct(&ana, &bo).await;
    for n in 0..150 {
        letter(&phone, &laptop, &format!("{n}")).await;
    }
    send(&ana, &session.id, "hidden", session.membership_version).await.unwrap();
    let plain = Socket::open(&bo, Codec::Json).await;
    let io = Socket::open_io(&bo, None, std::iter::empty()).await.unwrap();
    // The first takes a hundred, which the second is not told again.
    for (mut socket, wanted) in [(plain, 150), (io, 50)] {
        let r#ref = socket.reference();
        let (session_id, after) = (session.id.clone(), Some(0));
        let subscribe = v1::Subscribe { r#ref, session_id, after, ..v1::Subscribe::default() };
        let ack = Command::E2eeAck(v1::E2eeAck { pos: 0 });
        socket.tell_at_once([ack, Command::Subscribe(subscribe)]).await.unwrap();
        let (mut keys, mut told) = (0, 0);
        while told == 0 {
            match soon("keys, then events", socket.next()).await {
                Heard::Frame(Frame::E2ee(news)) => {
                    keys += news.to_device.map_or(0, |sent| sent.events.len());
                    if news.more {
                        assert_eq!(keys, 100);
                        let pos = news.pos;
                        socket.tell(Command::E2eeAck(v1::E2eeAck { pos })).await.unwrap();
                    }
                }
                Heard::Frame(Frame::Event(event)) => told = event.seq.unwrap_or_default(),
                Heard::Frame(_) => {}
                Heard::Closed(code) => panic!("closed: {code}"),
            }
        }
        assert_eq!(keys, wanted, "all keys came before event {told}");
        socket.close().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_stream_tells_of_keys_until_the_device_has_them() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (phone, laptop) = (Device::new(&ana, 0).await, Device::new(&bo, 2).await);
    let (_, session) = direct(&ana, &bo).await;
    let query = format!("session={}:0&keys=true", session.id);
    let mut stream = EventStream::open_by(&bo, &query, None).await.unwrap();
    let news = told_by(&mut stream).await;
    assert_eq!(news.device_one_time_keys_count["signed_curve25519"], 2);
    letter(&phone, &laptop, "one").await;
    let mut news = told_by(&mut stream).await;
    while news.to_device.as_ref().is_none_or(|sent| sent.events.is_empty()) {
        news = told_by(&mut stream).await;
    }
    let mut again = EventStream::open_by(&bo, "keys=true", None).await.unwrap();
    assert_eq!(told_by(&mut again).await, news, "what it has not said that it has comes again");
    assert!(laptop.news(news.pos).await.to_device.unwrap().events.is_empty());
    let mut after = EventStream::open_by(&bo, "keys=true", None).await.unwrap();
    assert!(told_by(&mut after).await.to_device.unwrap().events.is_empty());
    let refused = EventStream::open_by(&bo, "keys=perhaps", None).await.map(drop);
    assert_eq!(refused.unwrap_err().status, 422);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_session_takes_nothing_in_plain() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let (room, session) = direct(&ana, &bo).await;
    let how = session.encryption.clone().unwrap();
    assert_eq!((how.rotation_period_msgs, how.verified_only), (Some(100), Some(false)));
    let id = &session.id;
    let no = refused(403, "session_encrypted");
    assert_eq!(ana.say(id, "plain").await.unwrap_err(), no);
    let said = send(&ana, id, "hidden", session.membership_version).await.unwrap();
    assert_eq!((said.content.as_str(), &said.encrypted), ("", &Some(sealed("hidden"))));
    let read: v1::Message = bo.get(&format!("/messages/{}", said.id)).await.unwrap();
    assert_eq!(read, said);
    let plain = v1::EditRequest { content: "plain".to_owned(), ..v1::EditRequest::default() };
    let path = format!("/messages/{}", said.id);
    let edited = ana.call::<v1::Message>("PATCH", &path, Some(&plain)).await;
    assert_eq!(edited.unwrap_err(), no);
    let edit = v1::EditRequest {
        encrypted: Some(sealed("other")),
        membership_version: Some(session.membership_version),
        ..v1::EditRequest::default()
    };
    let edited: v1::Message = ana.call("PATCH", &path, Some(&edit)).await.unwrap();
    assert_eq!(edited.encrypted, Some(sealed("other")));
    let before: v1::RevisionList = bo.get(&format!("{path}/revisions")).await.unwrap();
    assert_eq!(before.revisions[0].encrypted, Some(sealed("hidden")));
    assert_eq!(bo.done("PUT", &format!("{path}/reactions/%F0%9F%91%8D")).await.unwrap_err(), no);
    let draft = v1::DraftRequest { content: "so far".to_owned(), ..v1::DraftRequest::default() };
    let kept = ana.call::<v1::Ping>("PUT", &format!("/sessions/{id}/draft"), Some(&draft)).await;
    assert_eq!(kept.unwrap_err(), no);
    let forward = v1::SendRequest {
        client_id: fresh_id(),
        forward: Some(said.id.clone()),
        ..v1::SendRequest::default()
    };
    let elsewhere = ana.room("private", "elsewhere", &[]).await;
    let path = format!("/sessions/{}/messages", elsewhere.main_session_id);
    let passed = ana.call::<v1::Message>("POST", &path, Some(&forward)).await;
    assert_eq!(passed.unwrap_err(), no);
    let sealed_there = send(&ana, &elsewhere.main_session_id, "x", 1).await;
    assert_eq!(sealed_there.unwrap_err(), refused(422, "invalid"));
    // It is the same direct room when somebody asks for it without encryption.
    let again = bo.room("direct", "", &[&ana]).await;
    assert_eq!(again.id, room);
    let still: v1::Session = bo.get(&format!("/sessions/{id}")).await.unwrap();
    assert_eq!(still.encryption, session.encryption);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_encrypted_for_others_than_are_there_is_refused_until_it_is_done_anew() {
    let server = TestServer::start().await;
    let (ana, bo, cyn) =
        (server.person("ana").await, server.person("bo").await, server.person("cyn").await);
    let room = ana.room("private", "den", &[&bo, &cyn]).await;
    let asked = v1::CreateSessionRequest {
        name: "corner".to_owned(),
        members: vec![bo.id.clone()],
        encryption: Some(v1::Encryption {
            algorithm: "m.megolm.v1.aes-sha2".to_owned(),
            verified_only: Some(true),
            ..v1::Encryption::default()
        }),
        message_ttl_s: None,
        end: None,
    };
    let path = format!("/rooms/{}/sessions", room.id);
    let session: v1::Session = ana.call("POST", &path, Some(&asked)).await.unwrap();
    let seen: v1::Session = bo.get(&format!("/sessions/{}", session.id)).await.unwrap();
    assert_eq!(seen.encryption, session.encryption);
    assert_eq!(seen.encryption.unwrap().verified_only, Some(true));
    let version = session.membership_version;
    send(&ana, &session.id, "for two", version).await.unwrap();
    let added = v1::AddMembersRequest { users: vec![cyn.id.clone()] };
    let path = format!("/sessions/{}/members", session.id);
    let now: v1::Session = ana.call("POST", &path, Some(&added)).await.unwrap();
    assert!(now.membership_version > version);
    let list: v1::MemberList = cyn.get(&path).await.unwrap();
    assert_eq!(list.membership_version, Some(now.membership_version));
    let stale = refused(409, "stale_membership");
    assert_eq!(send(&ana, &session.id, "for two", version).await.unwrap_err(), stale);
    send(&ana, &session.id, "for three", now.membership_version).await.unwrap();
    ana.done("DELETE", &format!("{path}/{}", bo.id)).await.unwrap();
    let gone = send(&ana, &session.id, "for three", now.membership_version).await;
    assert_eq!(gone.unwrap_err(), stale);
    let left: v1::Session = cyn.get(&format!("/sessions/{}", session.id)).await.unwrap();
    send(&cyn, &session.id, "for two", left.membership_version).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_room_is_not_encrypted() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    for (kind, algorithm) in [("public", "m.megolm.v1.aes-sha2"), ("private", "rot13")] {
        let asked = v1::CreateRoomRequest {
            name: "den".to_owned(),
            kind: Some(kind.to_owned()),
            encryption: Some(v1::Encryption {
                algorithm: algorithm.to_owned(),
                ..v1::Encryption::default()
            }),
            ..v1::CreateRoomRequest::default()
        };
        assert_eq!(ana.make_room(&asked).await.unwrap_err(), refused(422, "invalid"));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_keys_is_written_at_its_newest_version_only() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let phone = Device::new(&ana, 0).await;
    let name = phone.user.split_once(':').unwrap().1.to_owned();
    let room = format!("!{}:{name}", fresh_id());
    let begin = json!({
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": { "public_key": "p", "signatures": {} },
    });
    let begun = phone.call("POST", "/e2ee/room_keys/version", begin.clone()).await.json();
    assert_eq!(begun["version"], "1");
    let key = |first: i64| {
        json!({
            "first_message_index": first, "forwarded_count": 0, "is_verified": true,
            "session_data": { "ephemeral": "e", "ciphertext": "c", "mac": "m" },
        })
    };
    let all = json!({ "rooms": { &room: { "sessions": { "k": key(4) } } } });
    let put = phone.call("PUT", "/e2ee/room_keys/keys?version=1", all.clone()).await.json();
    assert_eq!(put, json!({ "count": 1, "etag": "1" }));
    let one = format!("/e2ee/room_keys/keys/{room}/k?version=1");
    phone.call("PUT", &one, key(2)).await;
    phone.call("PUT", &one, key(9)).await;
    assert_eq!(called(&ana, "GET", &one, None).await.json(), key(2));
    let kept = called(&ana, "GET", "/e2ee/room_keys/keys?version=1", None).await.json();
    assert_eq!(kept, json!({ "rooms": { &room: { "sessions": { "k": key(2) } } } }));
    phone.call("POST", "/e2ee/room_keys/version", begin).await;
    let old = phone.call("PUT", "/e2ee/room_keys/keys?version=1", all).await;
    assert_eq!(old.status, 403, "{}", old.text());
    let newest = called(&ana, "GET", "/e2ee/room_keys/version", None).await.json();
    assert_eq!((&newest["version"], &newest["count"]), (&json!("2"), &json!(0)));
    assert_eq!(called(&ana, "DELETE", "/e2ee/room_keys/version/2", None).await.status, 204);
    let note = json!({ "encrypted": { "x": 1 } });
    let path = "/e2ee/account_data/m.cross_signing.master";
    assert_eq!(called(&ana, "GET", path, None).await.status, 404);
    assert_eq!(phone.call("PUT", path, note.clone()).await.status, 204);
    assert_eq!(called(&ana, "GET", path, None).await.json(), note);
    server.stop().await;
}
