//! The machine: one device's keys, and the loop that keeps them in step with the server.
//!
//! Owns the store, the queue of what is due, and the order in which things are done: one thing at a
//! time on the way to the server, and one send at a time in each session.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use matrix_sdk_crypto::OlmMachine;
use matrix_sdk_sqlite::{OpenStoreError, SqliteCryptoStore};
use parking_lot::Mutex;
use serde_json::Value;

use crate::ledger::Ledger;
use crate::request::{Carrier, CarryError, Kind, Request};
use crate::settled::Settled;
use crate::store::AtOnce;
use crate::{Account, Error};

/// How often the answers to what was due may make new things due before something is wrong.
const ROUNDS_MAX: usize = 64;

/// The encryption of one device. Clones are the same machine.
#[derive(Clone)]
pub struct Machine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) account: Account,
    pub(crate) olm: OlmMachine,
    pub(crate) ledger: Ledger,
    /// What the library does not remember to be due.
    queue: Mutex<VecDeque<Request>>,
    /// One round of questions and answers at a time: two would claim the same keys twice.
    road: tokio::sync::Mutex<()>,
    /// One send at a time in each session.
    sessions: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// What the last send in each session has made sure of.
    pub(crate) settled: Mutex<HashMap<String, Settled>>,
    /// One code of a verification at a time: a second one would end it.
    pub(crate) codes: tokio::sync::Mutex<()>,
    /// How often anything has changed about anybody's devices or identity, or may have.
    stirs: AtomicU64,
}

impl Machine {
    /// Opens the store in this folder, or makes it; everything in it is encrypted by the
    /// passphrase.
    ///
    /// # Errors
    /// [`Error::Passphrase`], [`Error::OtherDevice`] or [`Error::Store`].
    pub async fn open(account: Account, folder: &Path, passphrase: &str) -> Result<Self, Error> {
        let store = SqliteCryptoStore::open(folder, Some(passphrase)).await.map_err(opening)?;
        let (user, device) = (account.own()?, account.device());
        let olm = OlmMachine::with_store(&user, &device, AtOnce(store), None).await?;
        Ok(Self::with(account, olm, Ledger::open(folder)?))
    }

    /// A machine that is forgotten with the program.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the account's ids are none.
    pub async fn in_memory(account: Account) -> Result<Self, Error> {
        let olm = OlmMachine::new(&account.own()?, &account.device()).await;
        Ok(Self::with(account, olm, Ledger::in_memory()?))
    }

    fn with(account: Account, olm: OlmMachine, ledger: Ledger) -> Self {
        Self(Arc::new(Inner {
            account,
            olm,
            ledger,
            queue: Mutex::default(),
            road: tokio::sync::Mutex::default(),
            sessions: Mutex::default(),
            settled: Mutex::default(),
            codes: tokio::sync::Mutex::default(),
            stirs: AtomicU64::default(),
        }))
    }

    /// Who this device is.
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// This device's own signing key, for people to compare.
    pub fn fingerprint(&self) -> String {
        self.0.olm.identity_keys().ed25519.to_base64()
    }

    /// What is due. Each is to be carried and then told to [`Self::mark_sent`]; what is not told is
    /// due again.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn outgoing(&self) -> Result<Vec<Request>, Error> {
        // What was queued here was said before what the library says in answer to something else:
        // the other side of a verification hears it in this order.
        let mut due: Vec<Request> = self.0.queue.lock().iter().cloned().collect();
        for request in self.0.olm.outgoing_requests().await? {
            due.push(Request::of(&request)?);
        }
        if let Some((id, request)) = self.0.olm.backup_machine().backup().await? {
            due.push(Request::backup(&id, &request));
        }
        Ok(due)
    }

    /// Tells what was answered to a request.
    ///
    /// # Errors
    /// [`Error::Malformed`] when that is no answer to it.
    pub async fn mark_sent(&self, request: &Request, answer: &Value) -> Result<(), Error> {
        self.mark(request, answer).await?;
        self.0.queue.lock().retain(|queued| queued.id != request.id);
        Ok(())
    }

    /// Carries everything that is due, and what becomes due by the answers.
    ///
    /// # Errors
    /// [`Error::Carry`] at the first request that was not carried; the rest stays due.
    pub async fn flush(&self, carrier: &impl Carrier) -> Result<(), Error> {
        let _one_at_a_time = self.0.road.lock().await;
        for _ in 0..ROUNDS_MAX {
            let due = self.outgoing().await?;
            if due.is_empty() {
                return Ok(());
            }
            for request in due {
                self.carry(carrier, &request).await?;
            }
        }
        Err(Error::library("the key service answers without end"))
    }

    async fn carry(&self, carrier: &impl Carrier, request: &Request) -> Result<(), Error> {
        match carrier.carry(request).await {
            Ok(answer) => self.mark_sent(request, &answer).await,
            // Another device has begun another backup: this one is not written to any more.
            Err(refused) if request.kind == Kind::Backup && !refused.temporary => {
                tracing::warn!(status = refused.status, "the key backup is off: it was refused");
                Ok(self.0.olm.backup_machine().disable_backup().await?)
            }
            Err(refused) => {
                self.forget_if_hopeless(request, &refused);
                Err(refused.into())
            }
        }
    }

    /// What was queued here and will never be taken must not stand in the way of everything else.
    fn forget_if_hopeless(&self, request: &Request, refused: &CarryError) {
        if !refused.temporary {
            self.0.queue.lock().retain(|queued| queued.id != request.id);
        }
    }

    /// Carries one request that is not queued, between two rounds.
    pub(crate) async fn carry_now(
        &self,
        carrier: &impl Carrier,
        request: &Request,
    ) -> Result<Value, Error> {
        let answer = carrier.carry(request).await?;
        self.mark(request, &answer).await?;
        Ok(answer)
    }

    async fn mark(&self, request: &Request, answer: &Value) -> Result<(), Error> {
        request.mark(&self.0.olm, answer).await?;
        if request.kind.tells_of_people() {
            self.stir();
        }
        Ok(())
    }

    /// Something has changed about somebody, or may have: the next send of each session looks at
    /// everybody again.
    pub(crate) fn stir(&self) {
        self.0.stirs.fetch_add(1, Ordering::SeqCst);
    }

    /// How often something has.
    pub(crate) fn stirs(&self) -> u64 {
        self.0.stirs.load(Ordering::SeqCst)
    }

    /// Makes something due.
    pub(crate) fn queue(&self, request: Request) {
        self.0.queue.lock().push_back(request);
    }

    /// The lock of everything that asks the server and marks the answers.
    pub(crate) fn road(&self) -> &tokio::sync::Mutex<()> {
        &self.0.road
    }

    /// The lock of a session's sends.
    pub(crate) fn session_lock(&self, session_id: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.0.sessions.lock().entry(session_id.to_owned()).or_default())
    }
}

fn opening(error: OpenStoreError) -> Error {
    match error {
        OpenStoreError::InitCipher(_) => Error::Passphrase,
        other => Error::Store(other.to_string()),
    }
}
