//! Verifying by comparing seven emoji: the same on both screens means that nobody stands in
//! between. Or by a code, of which there is more in `code.rs`.
//!
//! Owns one verification, from asking to done. Refuses every method but these two; what it sends is
//! due ([`Machine::outgoing`]) and not sent by itself.

use std::sync::Arc;

use matrix_sdk_crypto::types::requests::OutgoingVerificationRequest;
use matrix_sdk_crypto::{
    CancelInfo, Sas, SasState, SignatureError, Verification as Flow, VerificationRequest,
    VerificationRequestState,
};
use parking_lot::Mutex;
use ruma::events::key::verification::VerificationMethod;
use ruma::events::key::verification::cancel::CancelCode;

use crate::code;
use crate::request::Request;
use crate::{CodeError, Error, Machine};

/// What this side can do: emoji first; a code, by showing it and by taking it.
const METHODS: [VerificationMethod; 4] = [
    VerificationMethod::SasV1,
    VerificationMethod::QrCodeShowV1,
    VerificationMethod::QrCodeScanV1,
    VerificationMethod::ReciprocateV1,
];

/// The same without emoji, by which the other side knows that it is to be a code.
const BY_CODE: [VerificationMethod; 3] = [
    VerificationMethod::QrCodeShowV1,
    VerificationMethod::QrCodeScanV1,
    VerificationMethod::ReciprocateV1,
];

/// Why one is off that the other side calls done.
const UNPROVEN: &str = "The other side said that it is done before it was.";

/// How far a verification is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The other side asks: [`Verification::accept`].
    Asked,
    /// The other side is to say something.
    Waiting,
    /// Both are willing: [`Verification::begin`], or a code, by [`Verification::show_code`] on one
    /// side and [`Verification::take_code`] on the other.
    Ready,
    /// This code is for the other side to take; both may still begin with the emoji, or this side
    /// take the code of the other.
    Showing(String),
    /// The other side has taken the code of this one. Whoever looks at both says whether it worked
    /// there, too: [`Verification::confirm`], or [`Verification::mismatch`].
    Taken,
    /// This side has taken the code of the other, and it is the right one: the other side is to be
    /// told that it worked.
    Matched,
    /// The emoji and their words are the same on both screens, or something is wrong.
    Compare([(&'static str, &'static str); 7]),
    /// This side has said that they are the same, or that it worked; the other one has not yet.
    Confirmed,
    /// Both have.
    Done,
    /// It is off.
    Cancelled {
        /// Why.
        reason: String,
        /// Whether this side called it off.
        by_us: bool,
    },
}

/// One verification.
#[derive(Clone)]
pub struct Verification {
    pub(crate) machine: Machine,
    pub(crate) request: VerificationRequest,
    /// What it came to last. The library forgets what is over.
    last: Arc<Mutex<Option<Flow>>>,
}

impl Machine {
    /// Asks a device to verify. Verifying a device of one's own signs it; verifying somebody's
    /// device verifies the person.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is no such device.
    pub async fn ask_to_verify(
        &self,
        user_id: &str,
        device_id: &str,
    ) -> Result<Verification, Error> {
        self.ask(user_id, device_id, &METHODS).await
    }

    /// The same by a code and not by emoji.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is no such device.
    pub async fn ask_to_verify_by_code(
        &self,
        user_id: &str,
        device_id: &str,
    ) -> Result<Verification, Error> {
        self.ask(user_id, device_id, &BY_CODE).await
    }

    async fn ask(
        &self,
        user_id: &str,
        device_id: &str,
        methods: &[VerificationMethod],
    ) -> Result<Verification, Error> {
        let user = self.account().user(user_id)?;
        let device = self.0.olm.get_device(&user, device_id.into(), None).await?;
        let device = device.ok_or(Error::Unknown("the device"))?;
        self.end_failed(user_id);
        let (request, due) = device.request_verification_with_methods(methods.to_vec());
        self.queue(Request::verification(due)?);
        Ok(Verification::of(self, request))
    }

    /// A verification that goes on, by the name that [`crate::Received::asked`] gave.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is over.
    pub fn verification(&self, user_id: &str, name: &str) -> Result<Verification, Error> {
        let user = self.account().user(user_id)?;
        let request = self.0.olm.get_verification_request(&user, name);
        let request = request.ok_or(Error::Unknown("the verification"))?;
        Ok(Verification::of(self, request))
    }

    /// Every verification with somebody that goes on.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn verifications(&self, user_id: &str) -> Result<Vec<Verification>, Error> {
        let requests = self.0.olm.get_verification_requests(&self.account().user(user_id)?);
        let going = requests.into_iter().filter(|request| !request.is_done());
        Ok(going.map(|request| Verification::of(self, request)).collect())
    }
}

impl Verification {
    fn of(machine: &Machine, request: VerificationRequest) -> Self {
        Self { machine: machine.clone(), request, last: Arc::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.request.flow_id().as_str()
    }

    /// The other side.
    pub fn user_id(&self) -> &str {
        self.request.other_user().localpart()
    }

    /// The other side's device, once it has answered.
    pub fn device_id(&self) -> Option<String> {
        self.request.other_device_id().map(|device| device.to_string())
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        match self.request.state() {
            VerificationRequestState::Created { .. } => Stage::Waiting,
            VerificationRequestState::Requested { .. } => Stage::Asked,
            VerificationRequestState::Ready { .. } => Stage::Ready,
            VerificationRequestState::Transitioned { verification, .. } => {
                let stage = of_flow(&verification);
                *self.last.lock() = Some(verification);
                stage
            }
            VerificationRequestState::Done => self.outcome(),
            VerificationRequestState::Cancelled(info) => cancelled(&info),
        }
    }

    /// What it came to when somebody said that it is done. Whoever passes letters on can say so at
    /// any time, and what was to be verified may have changed meanwhile: then nobody is verified.
    fn outcome(&self) -> Stage {
        let (user, name) = (self.request.other_user(), self.name());
        let kept = self.machine.0.olm.get_verification(user, name);
        let unproven = kept.as_ref().is_some_and(|flow| !flow.is_done());
        match kept.or_else(|| self.last.lock().clone()) {
            Some(flow) if flow.is_cancelled() => of_flow(&flow),
            _ if unproven => Stage::Cancelled { reason: UNPROVEN.to_owned(), by_us: false },
            _ => Stage::Done,
        }
    }

    /// What it has come to: emoji, or a code.
    pub(crate) fn flow(&self) -> Option<Flow> {
        let VerificationRequestState::Transitioned { verification, .. } = self.request.state()
        else {
            return None;
        };
        *self.last.lock() = Some(verification.clone());
        Some(verification)
    }

    /// Is willing: answers a request, or the other side's beginning of the comparison.
    ///
    /// # Errors
    /// [`Error::Library`] when it is not one between two devices.
    pub fn accept(&self) -> Result<(), Error> {
        let due = match self.sas() {
            Some(sas) => sas.accept(),
            None => self.request.accept_with_methods(METHODS.to_vec()),
        };
        self.queue(due)
    }

    /// Begins the comparison. Both may; one of the two beginnings then counts. A code that is shown
    /// is then none any more.
    ///
    /// # Errors
    /// [`Error::Store`], or [`Error::Code`] when a code was taken already or only a code is wanted.
    pub async fn begin(&self) -> Result<(), Error> {
        let _one_at_a_time = self.machine.0.codes.lock().await;
        if self.is_by_code() {
            return Err(CodeError::OnlyCode.into());
        }
        if self.code().is_some_and(|code| !code::is_shown(&code)) {
            return Err(CodeError::NotNow.into());
        }
        let begun = self.request.start_sas().await?;
        self.queue(begun.map(|(_, due)| due))
    }

    /// Whoever compares says that the emoji are the same; or that the other side, which has taken
    /// the code of this one, says that it worked.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is nothing to compare yet, and no code was taken.
    pub async fn confirm(&self) -> Result<(), Error> {
        if let Some(code) = self.code() {
            let due = code.confirm_scanning().ok_or(Error::Unknown("a code that was taken"))?;
            self.machine.stir();
            return self.queue(Some(due));
        }
        let sas = self.sas().ok_or(Error::Unknown("emoji to compare"))?;
        let (due, signatures) = sas.confirm().await?;
        self.machine.stir();
        self.queue(due)?;
        if let Some(signatures) = signatures {
            self.machine.queue(Request::signatures(&signatures));
        }
        Ok(())
    }

    /// Whoever compares says that they differ, or that it did not work at the other side: somebody
    /// stands in between.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is nothing to compare yet, and no code was taken.
    pub fn mismatch(&self) -> Result<(), Error> {
        if let Some(code) = self.code().filter(|code| code.has_been_scanned()) {
            return self.queue(code.cancel_with_code(CancelCode::KeyMismatch));
        }
        let sas = self.sas().ok_or(Error::Unknown("emoji to compare"))?;
        self.queue(sas.cancel_with_code(CancelCode::MismatchedSas))
    }

    /// Calls it off.
    ///
    /// # Errors
    /// [`Error::Library`] when it is not one between two devices.
    pub fn cancel(&self) -> Result<(), Error> {
        self.queue(self.request.cancel())
    }

    fn sas(&self) -> Option<Box<Sas>> {
        self.flow()?.sas_v1()
    }

    pub(crate) fn queue(
        &self,
        due: impl IntoIterator<Item = OutgoingVerificationRequest>,
    ) -> Result<(), Error> {
        for request in due {
            self.machine.queue(Request::verification(request)?);
        }
        Ok(())
    }
}

fn of_flow(flow: &Flow) -> Stage {
    match flow {
        Flow::SasV1(sas) => of_sas(sas),
        Flow::QrV1(code) => code::stage_of(code),
        _ => Stage::Waiting,
    }
}

fn of_sas(sas: &Sas) -> Stage {
    match sas.state() {
        SasState::Started { .. } => Stage::Asked,
        SasState::Created { .. } | SasState::Accepted { .. } => Stage::Waiting,
        SasState::KeysExchanged { emojis: Some(emoji), .. } => {
            Stage::Compare(emoji.emojis.map(|emoji| (emoji.symbol, emoji.description)))
        }
        SasState::KeysExchanged { emojis: None, .. } => Stage::Waiting,
        SasState::Confirmed => Stage::Confirmed,
        SasState::Done { .. } => Stage::Done,
        SasState::Cancelled(info) => cancelled(&info),
    }
}

pub(crate) fn cancelled(info: &CancelInfo) -> Stage {
    Stage::Cancelled { reason: info.reason().to_owned(), by_us: info.cancelled_by_us() }
}

impl From<SignatureError> for Error {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::StoreError(error) => error.into(),
            other => Self::library(other),
        }
    }
}
