//! Verifying by a code that one device shows and the other takes.
//!
//! Owns the text of it: what Matrix has a QR code say, in letters that people can copy. Refuses a
//! text that is none, or is one of another verification, and nothing ends by that.

use matrix_sdk_crypto::matrix_sdk_qrcode::QrVerificationData;
use matrix_sdk_crypto::{
    QrVerification, QrVerificationState, ScanError, Verification as Flow, VerificationRequestState,
};
use ruma::events::key::verification::VerificationMethod;
use ruma::serde::Base64;
use ruma::serde::base64::UrlSafe;

use crate::verify::cancelled;
use crate::{Error, Machine, Stage, Verification};

/// Letters of a code that stand together.
const GROUP: usize = 4;

/// Bytes of the secret that a code ends in, as the library makes it everywhere. Of a code whose
/// secret is shorter or longer something was lost or added, which the other side would take for an
/// attack.
const SECRET_BYTES: usize = 16;

/// Why a code was not shown or not taken. The verification goes on as if nobody had tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The text is no code, or not all of one.
    #[error("this is no code, or not all of it")]
    Malformed,
    /// The code belongs to another verification.
    #[error("this code belongs to another verification")]
    OtherVerification,
    /// The keys in the code are not those that the server tells.
    #[error("this code has other keys: a wrong letter, one's own code, or somebody in between")]
    OtherKeys,
    /// The other device takes no codes.
    #[error("the other device takes no codes")]
    Unsupported,
    /// This device knows no identity to put into a code.
    #[error("this device has no keys to show")]
    NoKeys,
    /// One of the two has left emoji out.
    #[error("only a code is wanted")]
    OnlyCode,
    /// The other side is not willing yet, or both have begun otherwise.
    #[error("it is too early or too late for a code")]
    NotNow,
}

impl Verification {
    /// Whether one of the two has left emoji out, so that it can only come to a code.
    pub fn is_by_code(&self) -> bool {
        let (ours, theirs) =
            (self.request.our_supported_methods(), self.request.their_supported_methods());
        [ours, theirs].iter().flatten().any(|methods| !methods.contains(&VerificationMethod::SasV1))
    }

    /// The code of this side, for the other one to take. It is a secret as long as it is shown: it
    /// is to be passed by another way than through the server. Showing it again shows the same.
    ///
    /// # Errors
    /// [`Error::Code`] when it does not come to a code, by which nothing ends.
    pub async fn show_code(&self) -> Result<String, Error> {
        let _one_at_a_time = self.machine.0.codes.lock().await;
        // Another code for the same verification would end it.
        if let Some(code) = self.code().filter(|code| is_shown(code)) {
            return write(&code);
        }
        if !self.is_open_to_codes() {
            return Err(CodeError::NotNow.into());
        }
        let theirs = self.request.their_supported_methods().unwrap_or_default();
        if !theirs.contains(&VerificationMethod::QrCodeScanV1) {
            return Err(CodeError::Unsupported.into());
        }
        let code = self.request.generate_qr_code().await?;
        write(&code.ok_or(CodeError::NoKeys)?)
    }

    /// Takes the code that the other side shows; blanks in it do not count. When it is the right
    /// one, the other side is to be told so by whoever looks at both ([`Stage::Matched`]).
    ///
    /// # Errors
    /// [`Error::Code`] when it is not taken, by which nothing ends.
    pub async fn take_code(&self, text: &str) -> Result<(), Error> {
        let data = read(text)?;
        if data.flow_id() != self.name() {
            return Err(CodeError::OtherVerification.into());
        }
        // The library would take what somebody else says of "my own other device".
        let own = !matches!(data, QrVerificationData::Verification(_));
        if own != self.request.is_self_verification() {
            return Err(CodeError::Malformed.into());
        }
        let _one_at_a_time = self.machine.0.codes.lock().await;
        if !self.is_open_to_codes() {
            return Err(CodeError::NotNow.into());
        }
        let taken = self.request.scan_qr_code(data).await?.ok_or(CodeError::NotNow)?;
        self.queue(taken.reciprocate())
    }

    /// The code that is shown or was taken, if it has come to one.
    pub(crate) fn code(&self) -> Option<Box<QrVerification>> {
        self.flow()?.qr_v1()
    }

    /// Whether both sides are willing, and neither has gone further than to show a code.
    fn is_open_to_codes(&self) -> bool {
        match self.request.state() {
            VerificationRequestState::Ready { .. } => true,
            VerificationRequestState::Transitioned { verification: Flow::QrV1(code), .. } => {
                is_shown(&code)
            }
            _ => false,
        }
    }
}

impl Machine {
    /// Ends what a wrong answer to a code has ended. The library takes the request for one that
    /// still goes on, and would call off the next one together with it.
    pub(crate) fn end_failed(&self, user_id: &str) {
        let Ok(user) = self.account().user(user_id) else { return };
        for request in self.0.olm.get_verification_requests(&user) {
            if let VerificationRequestState::Transitioned { verification, .. } = request.state()
                && verification.qr_v1().is_some_and(|code| code.is_cancelled())
            {
                // The other side was told when it happened.
                drop(request.cancel());
            }
        }
    }
}

/// Whether a code is shown and was not taken yet.
pub(crate) fn is_shown(code: &QrVerification) -> bool {
    matches!(code.state(), QrVerificationState::Started)
}

/// How far it is with a code.
pub(crate) fn stage_of(code: &QrVerification) -> Stage {
    match code.state() {
        QrVerificationState::Started => write(code).map_or(Stage::Waiting, Stage::Showing),
        QrVerificationState::Scanned => Stage::Taken,
        QrVerificationState::Reciprocated => Stage::Matched,
        QrVerificationState::Confirmed => Stage::Confirmed,
        QrVerificationState::Done { .. } => Stage::Done,
        QrVerificationState::Cancelled(info) => cancelled(&info),
    }
}

fn write(code: &QrVerification) -> Result<String, Error> {
    let bytes = code.to_bytes().map_err(Error::library)?;
    let text = Base64::<UrlSafe, _>::new(bytes).encode();
    let groups: Vec<_> = text.as_bytes().chunks(GROUP).map(String::from_utf8_lossy).collect();
    Ok(groups.join(" "))
}

fn read(text: &str) -> Result<QrVerificationData, CodeError> {
    let letters: String = text.split_whitespace().collect();
    let bytes: Base64<UrlSafe> = Base64::parse(letters).map_err(|_| CodeError::Malformed)?;
    let data = QrVerificationData::from_bytes(bytes.as_bytes());
    let data = data.map_err(|_| CodeError::Malformed)?;
    let whole = data.secret().as_bytes().len() == SECRET_BYTES;
    if whole { Ok(data) } else { Err(CodeError::Malformed) }
}

impl From<ScanError> for Error {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Store(error) => error.into(),
            ScanError::KeyMismatch { .. } => CodeError::OtherKeys.into(),
            ScanError::FlowIdMismatch { .. } => CodeError::OtherVerification.into(),
            other => Self::library(other),
        }
    }
}
