//! Verifying by comparing seven emoji: the same on both screens means that nobody stands in
//! between.
//!
//! Owns one verification, from asking to done. Refuses every method but this one; what it sends is
//! due ([`Machine::outgoing`]) and not sent by itself.

use matrix_sdk_crypto::types::requests::OutgoingVerificationRequest;
use matrix_sdk_crypto::{
    CancelInfo, Sas, SasState, SignatureError, Verification as Flow, VerificationRequest,
    VerificationRequestState,
};
use ruma::events::key::verification::VerificationMethod;
use ruma::events::key::verification::cancel::CancelCode;

use crate::request::Request;
use crate::{Error, Machine};

/// How far a verification is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The other side asks: [`Verification::accept`].
    Asked,
    /// The other side is to say something.
    Waiting,
    /// Both are willing: [`Verification::begin`].
    Ready,
    /// The emoji and their words are the same on both screens, or something is wrong.
    Compare([(&'static str, &'static str); 7]),
    /// This side has said that they are the same; the other one has not yet.
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
    machine: Machine,
    request: VerificationRequest,
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
        let user = self.account().user(user_id)?;
        let device = self.0.olm.get_device(&user, device_id.into(), None).await?;
        let device = device.ok_or(Error::Unknown("the device"))?;
        let (request, due) =
            device.request_verification_with_methods(vec![VerificationMethod::SasV1]);
        self.queue(Request::verification(due)?);
        Ok(Verification { machine: self.clone(), request })
    }

    /// A verification that goes on, by the name that [`crate::Received::asked`] gave.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is over.
    pub fn verification(&self, user_id: &str, name: &str) -> Result<Verification, Error> {
        let user = self.account().user(user_id)?;
        let request = self.0.olm.get_verification_request(&user, name);
        let request = request.ok_or(Error::Unknown("the verification"))?;
        Ok(Verification { machine: self.clone(), request })
    }

    /// Every verification with somebody that goes on.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn verifications(&self, user_id: &str) -> Result<Vec<Verification>, Error> {
        let requests = self.0.olm.get_verification_requests(&self.account().user(user_id)?);
        let going = requests.into_iter().filter(|request| !request.is_done());
        Ok(going.map(|request| Verification { machine: self.clone(), request }).collect())
    }
}

impl Verification {
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
            VerificationRequestState::Transitioned { verification, .. } => of_flow(&verification),
            VerificationRequestState::Done => Stage::Done,
            VerificationRequestState::Cancelled(info) => cancelled(&info),
        }
    }

    /// Is willing: answers a request, or the other side's beginning of the comparison.
    ///
    /// # Errors
    /// [`Error::Library`] when it is not one between two devices.
    pub fn accept(&self) -> Result<(), Error> {
        let methods = vec![VerificationMethod::SasV1];
        let due = match self.sas() {
            Some(sas) => sas.accept(),
            None => self.request.accept_with_methods(methods),
        };
        self.queue(due)
    }

    /// Begins the comparison. Both may; one of the two beginnings then counts.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn begin(&self) -> Result<(), Error> {
        let begun = self.request.start_sas().await?;
        self.queue(begun.map(|(_, due)| due))
    }

    /// Whoever compares says that the emoji are the same.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is nothing to compare yet.
    pub async fn confirm(&self) -> Result<(), Error> {
        let sas = self.sas().ok_or(Error::Unknown("emoji to compare"))?;
        let (due, signatures) = sas.confirm().await?;
        self.machine.stir();
        self.queue(due)?;
        if let Some(signatures) = signatures {
            self.machine.queue(Request::signatures(&signatures));
        }
        Ok(())
    }

    /// Whoever compares says that they differ: somebody stands in between.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is nothing to compare yet.
    pub fn mismatch(&self) -> Result<(), Error> {
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
        match self.request.state() {
            VerificationRequestState::Transitioned { verification, .. } => verification.sas_v1(),
            _ => None,
        }
    }

    fn queue(
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
    let Flow::SasV1(sas) = flow else { return Stage::Waiting };
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

fn cancelled(info: &CancelInfo) -> Stage {
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
