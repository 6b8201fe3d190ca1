//! A town whose people talk in one encrypted session, while their devices come and go, are restored
//! and signed out, while they are taken out and let in again, and while the server is killed: in
//! the end everybody who is in it opens everything that was said since they came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parlor_sdk::{Builder, Client, Error, Message, Secrecy, Settings, Update};
use tokio::sync::watch;

use crate::dice::{Dice, number};
use crate::kit::{PASSPHRASE, PASSWORD, PATIENCE, Server, heard, started};
use crate::proxy::Proxy;

/// People and seconds, unless `PARLOR_TOWN_PEOPLE` and `PARLOR_TOWN_SECONDS` say otherwise.
const PEOPLE: u64 = 3;
const SECONDS: u64 = 5;

/// How long a device is away, and how long an old and a new one are there together.
const AWAY_MS: usize = 3_000;

/// Why somebody who was let in does not open what was said while they were out.
const SAID_BEFORE: &str = "it was said before you came";

/// What happened.
#[derive(Debug, Default)]
struct Count {
    said: AtomicU64,
    refused: AtomicU64,
    offline: AtomicU64,
    restored: AtomicU64,
    moved: AtomicU64,
    kills: AtomicU64,
}

/// Where everything happens.
struct Town {
    server_folder: std::path::PathBuf,
    url: String,
    session: String,
    count: Count,
}

/// Somebody with one device, mostly.
struct Resident {
    name: String,
    device: u64,
    client: Client,
    recovery_key: String,
}

impl Town {
    fn device(&self, name: &str, n: u64) -> Builder {
        let folder = self.server_folder.join(format!("{name}-{n}"));
        Client::builder(&self.url).folder(folder).passphrase(PASSPHRASE)
    }
}

/// Adds one to a number.
fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// Lets a random time pass: not a wait for something.
async fn a_while(dice: &mut Dice, most_ms: usize) {
    let time = Duration::from_millis(dice.below(most_ms) as u64);
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// Does something until the server is there to answer.
async fn surely<T>(what: impl AsyncFn() -> Result<T, Error>) -> T {
    let mut pulse = tokio::time::interval(Duration::from_millis(200));
    let trying = async {
        loop {
            pulse.tick().await;
            match what().await {
                Ok(done) => return done,
                Err(error) if error.is_temporary() => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, trying).await.expect("the server answers in time")
}

impl Resident {
    async fn new(server: &Server, url: &str, name: &str) -> Self {
        server.account(name).await;
        let folder = server.folder(&format!("{name}-0"));
        let builder = Client::builder(url).folder(folder).passphrase(PASSPHRASE);
        let client = started(builder.sign_in(name, PASSWORD).await.unwrap()).await;
        let encryption = client.encryption().unwrap();
        encryption.set_up().await.unwrap();
        let recovery_key = encryption.set_up_recovery().await.unwrap().text();
        Self { name: name.to_owned(), device: 0, client, recovery_key }
    }

    /// Lives until it is over.
    async fn live(mut self, town: Arc<Town>, seed: u64, over: watch::Receiver<bool>) -> Self {
        let mut dice = Dice::new(seed);
        while !*over.borrow() {
            match dice.below(12) {
                0 => self.goes_offline(&town, &mut dice).await,
                1 => self.gets_a_new_device(&town, &mut dice).await,
                2..5 => a_while(&mut dice, 500).await,
                _ => self.says_something(&town).await,
            }
        }
        self
    }

    async fn says_something(&self, town: &Town) {
        let session = self.client.session(&town.session);
        let Ok(sending) = session.say(format!("{} says", self.name)) else { return };
        // Who was taken out is refused.
        match sending.delivered().await {
            Ok(_) => one_more(&town.count.said),
            Err(_) => one_more(&town.count.refused),
        }
    }

    async fn goes_offline(&mut self, town: &Town, dice: &mut Dice) {
        self.client.stop().await;
        a_while(dice, AWAY_MS).await;
        let device = town.device(&self.name, self.device);
        // Whoever had the folder is gone before the next one opens it.
        self.client = device.resume().await.unwrap();
        self.client.start();
        one_more(&town.count.offline);
    }

    /// A second device is restored by the recovery key; then the first one is signed out.
    async fn gets_a_new_device(&mut self, town: &Town, dice: &mut Dice) {
        let n = self.device + 1;
        let signing_in = async || town.device(&self.name, n).sign_in(&self.name, PASSWORD).await;
        let new = surely(signing_in).await;
        let encryption = new.encryption().unwrap();
        surely(async || encryption.recover(&self.recovery_key).await).await;
        new.start();
        a_while(dice, AWAY_MS).await;
        let old = self.client.encryption().unwrap();
        surely(async || old.flush().await).await;
        self.client.stop().await;
        surely(async || old.flush().await).await;
        surely(async || self.client.sign_out().await).await;
        // What the old one heard last.
        surely(async || encryption.recover(&self.recovery_key).await).await;
        (self.client, self.device) = (new, n);
        one_more(&town.count.restored);
    }

    /// Everything that was said, as the server has it and as it opens here.
    async fn history(&self, session: &str) -> Vec<Message> {
        let session = self.client.session(session);
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = session.page_after(after, 100).await.unwrap();
            after = page.messages.last().map_or(after, |message| message.number);
            let is_last = !page.more_after || page.messages.is_empty();
            all.extend(page.messages);
            if is_last {
                return all;
            }
        }
    }

    /// What is locked now, by its reason, but for what says that it was said before they came.
    async fn locked(&self, session: &str) -> BTreeMap<String, u64> {
        let mut locked = BTreeMap::new();
        self.client.session(session).members().await.unwrap();
        for message in self.history(session).await {
            if let Secrecy::Locked { reason, .. } = message.secrecy
                && reason != SAID_BEFORE
            {
                *locked.entry(reason).or_insert(0) += 1;
            }
        }
        locked
    }

    /// What stays locked once everything had its time to come.
    async fn cannot_open(&self, session: &str) -> BTreeMap<String, u64> {
        let mut updates = self.client.updates();
        let opening = async {
            while !self.locked(session).await.is_empty() {
                heard(&mut updates, |update| matches!(update, Update::Keys).then_some(())).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE / 2, opening).await;
        let locked = tokio::time::timeout(PATIENCE, self.locked(session)).await;
        locked.expect("a history is read in time")
    }
}

/// Takes people out and lets them in again, and kills the server, until the time is over.
async fn rule(
    town: &Town,
    mayor: &Client,
    people: &[String],
    (server, proxy): (&mut Server, &Proxy),
    dice: &mut Dice,
) {
    let room = mayor.session(&town.session).info().unwrap().room_id;
    loop {
        a_while(dice, 4_000).await;
        if dice.one_in(3) {
            server.kill_and_start();
            proxy.retarget(&server.url);
            one_more(&town.count.kills);
            continue;
        }
        let who = dice.pick(people);
        let out = format!("/rooms/{room}/members/{who}");
        if mayor.request("DELETE", &out, None).await.is_err() {
            let _ = mayor.session(&town.session).add_members(std::slice::from_ref(who)).await;
        }
        one_more(&town.count.moved);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_in_a_session_opens_everything_since_they_came_whatever_happens() {
    let seed = number("PARLOR_SEED").unwrap_or(0x746f_776e);
    let seconds = number("PARLOR_TOWN_SECONDS").unwrap_or(SECONDS);
    let mut server = Server::start();
    let proxy = Proxy::before(&server.url).await;
    let mut residents = Vec::new();
    for n in 0..number("PARLOR_TOWN_PEOPLE").unwrap_or(PEOPLE) {
        residents.push(Resident::new(&server, &proxy.url, &format!("person{n}")).await);
    }
    let people: Vec<String> = residents.iter().map(|person| person.client.user_id()).collect();
    let mayor = Resident::new(&server, &proxy.url, "mayor").await;
    let room = mayor
        .client
        .create_room("town", "private", &people, Some(Settings::default()))
        .await
        .unwrap();
    let town = Arc::new(Town {
        server_folder: server.folder(""),
        url: proxy.url.clone(),
        session: room.main_session_id,
        count: Count::default(),
    });
    let (over, is_over) = watch::channel(false);
    let living = (1..)
        .zip(residents)
        .map(|(n, resident)| resident.live(Arc::clone(&town), seed ^ n, is_over.clone()));
    let ruling = async {
        let mut dice = Dice::new(seed);
        let ruling = rule(&town, &mayor.client, &people, (&mut server, &proxy), &mut dice);
        let _ = tokio::time::timeout(Duration::from_secs(seconds), ruling).await;
        over.send_replace(true);
    };
    let (mut everybody, ()) = tokio::join!(join_all(living), ruling);
    let session = mayor.client.session(&town.session);
    surely(async || session.add_members(&people).await).await;
    everybody.push(mayor);
    let mut locked = Vec::new();
    for resident in &everybody {
        let here = resident.cannot_open(&town.session).await;
        locked.extend((!here.is_empty()).then(|| (resident.name.clone(), here)));
    }
    println!("{} people, {seconds} s: {:?}, cannot open {locked:?}", everybody.len(), town.count);
    assert!(locked.is_empty(), "seed {seed:#x}");
}
