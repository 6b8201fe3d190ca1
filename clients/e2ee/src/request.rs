//! What is due, as plain requests; who carries them; and what their answers mean.
//!
//! Owns the mapping between the library's requests and the key service's routes. Refuses nothing:
//! it decides nothing.

use std::collections::BTreeMap;
use std::future::Future;

use matrix_sdk_crypto::OlmMachine;
use matrix_sdk_crypto::types::requests::{
    AnyIncomingResponse, AnyOutgoingRequest, KeysBackupRequest, KeysQueryRequest, OutgoingRequest,
    OutgoingVerificationRequest, ToDeviceRequest, UploadSigningKeysRequest,
};
use ruma::TransactionId;
use ruma::api::client::backup::add_backup_keys::v3::Response as BackupAnswer;
use ruma::api::client::keys::claim_keys::v3::{Request as Claim, Response as ClaimAnswer};
use ruma::api::client::keys::get_keys::v3::Response as QueryAnswer;
use ruma::api::client::keys::upload_keys::v3::Response as UploadAnswer;
use ruma::api::client::keys::upload_signatures::v3::{
    Request as Signatures, Response as SignaturesAnswer,
};
use ruma::api::client::keys::upload_signing_keys::v3::Response as SigningKeysAnswer;
use ruma::api::client::to_device::send_event_to_device::v3::Response as ToDeviceAnswer;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Error;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// This device's own keys.
    KeysUpload,
    /// Which devices and identities people have.
    KeysQuery,
    /// One key of each device, to talk to it by.
    KeysClaim,
    /// Something for other devices, sealed for each.
    ToDevice,
    /// This account's identity.
    SigningKeys,
    /// That somebody trusts a key.
    Signatures,
    /// Keys for the backup.
    Backup,
    /// What needs no marking: reading and writing of secrets and of the backup's description.
    Plain,
}

impl Kind {
    /// Whether after the answer something may be otherwise about somebody's devices or identity.
    pub(crate) fn tells_of_people(self) -> bool {
        matches!(self, Self::KeysQuery | Self::SigningKeys | Self::Signatures)
    }
}

/// A request that is due.
#[derive(Debug, Clone)]
pub struct Request {
    /// Names it; carrying it twice under this id does it once.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below `/api/v1`, with its query.
    pub path: String,
    /// The JSON body; null for none.
    pub body: Value,
}

/// Why a request was not carried.
#[derive(Debug, Clone, thiserror::Error)]
#[error("reach the key service: {message}")]
pub struct CarryError {
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// What went wrong.
    pub message: String,
    /// Whether the same may succeed later.
    pub temporary: bool,
}

/// Takes requests to the server and brings the answers' JSON.
pub trait Carrier: Sync {
    /// Carries one request. A refusal is an error, with its status.
    fn carry(&self, request: &Request) -> impl Future<Output = Result<Value, CarryError>> + Send;
}

impl Request {
    pub(crate) fn plain(method: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self {
            id: TransactionId::new().to_string(),
            kind: Kind::Plain,
            method,
            path: path.into(),
            body,
        }
    }

    fn post(id: &TransactionId, kind: Kind, path: &str, body: Value) -> Self {
        Self { id: id.to_string(), kind, method: "POST", path: path.to_owned(), body }
    }

    pub(crate) fn to_device(request: &ToDeviceRequest) -> Self {
        Self {
            id: request.txn_id.to_string(),
            kind: Kind::ToDevice,
            method: "PUT",
            path: format!("/e2ee/send_to_device/{}/{}", request.event_type, request.txn_id),
            body: json!({ "messages": request.messages }),
        }
    }

    pub(crate) fn claim(id: &TransactionId, request: &Claim) -> Self {
        let body = json!({ "one_time_keys": request.one_time_keys });
        Self::post(id, Kind::KeysClaim, "/e2ee/keys/claim", body)
    }

    pub(crate) fn query(id: &TransactionId, request: &KeysQueryRequest) -> Self {
        let body = json!({ "device_keys": request.device_keys });
        Self::post(id, Kind::KeysQuery, "/e2ee/keys/query", body)
    }

    pub(crate) fn signatures(request: &Signatures) -> Self {
        let body = json!(request.signed_keys);
        Self::post(&TransactionId::new(), Kind::Signatures, "/e2ee/keys/signatures/upload", body)
    }

    /// The account's identity; the password proves that one may replace the one before.
    pub(crate) fn signing_keys(request: &UploadSigningKeysRequest, password: Option<&str>) -> Self {
        let mut body = json!({});
        let keys = [
            ("master_key", &request.master_key),
            ("self_signing_key", &request.self_signing_key),
            ("user_signing_key", &request.user_signing_key),
        ];
        for (name, key) in keys {
            if let Some(key) = key {
                body[name] = json!(key);
            }
        }
        if let Some(password) = password {
            body["auth"] = json!({ "password": password });
        }
        let path = "/e2ee/keys/device_signing/upload";
        Self::post(&TransactionId::new(), Kind::SigningKeys, path, body)
    }

    pub(crate) fn backup(id: &TransactionId, request: &KeysBackupRequest) -> Self {
        let rooms: BTreeMap<_, _> = request
            .rooms
            .iter()
            .map(|(room, keys)| (room, json!({ "sessions": keys.sessions })))
            .collect();
        Self {
            id: id.to_string(),
            kind: Kind::Backup,
            method: "PUT",
            path: format!("/e2ee/room_keys/keys?version={}", request.version),
            body: json!({ "rooms": rooms }),
        }
    }

    pub(crate) fn verification(request: OutgoingVerificationRequest) -> Result<Self, Error> {
        match request {
            OutgoingVerificationRequest::ToDevice(request) => Ok(Self::to_device(&request)),
            OutgoingVerificationRequest::InRoom(_) => Err(Error::library("not to a device")),
        }
    }

    pub(crate) fn of(request: &OutgoingRequest) -> Result<Self, Error> {
        let id = request.request_id();
        Ok(match request.request() {
            AnyOutgoingRequest::KeysUpload(keys) => {
                let mut body = json!({
                    "one_time_keys": keys.one_time_keys,
                    "fallback_keys": keys.fallback_keys,
                });
                if let Some(device_keys) = &keys.device_keys {
                    body["device_keys"] = json!(device_keys);
                }
                Self::post(id, Kind::KeysUpload, "/e2ee/keys/upload", body)
            }
            AnyOutgoingRequest::KeysQuery(query) => Self::query(id, query),
            AnyOutgoingRequest::KeysClaim(claim) => Self::claim(id, claim),
            AnyOutgoingRequest::ToDeviceRequest(request) => {
                Self { id: id.to_string(), ..Self::to_device(request) }
            }
            AnyOutgoingRequest::SignatureUpload(request) => {
                Self { id: id.to_string(), ..Self::signatures(request) }
            }
            AnyOutgoingRequest::RoomMessage(_) => return Err(Error::library("not to a device")),
        })
    }

    /// Tells the library what was answered.
    pub(crate) async fn mark(&self, olm: &OlmMachine, answer: &Value) -> Result<(), Error> {
        let id: &TransactionId = self.id.as_str().into();
        match self.kind {
            Kind::KeysUpload => {
                let counts = field(answer, "one_time_key_counts")?;
                olm.mark_request_as_sent(id, &UploadAnswer::new(counts)).await?;
            }
            Kind::KeysQuery => olm.mark_request_as_sent(id, &query_answer(answer)?).await?,
            Kind::KeysClaim => {
                let keys = ClaimAnswer::new(field(answer, "one_time_keys")?);
                olm.mark_request_as_sent(id, &keys).await?;
            }
            Kind::ToDevice => olm.mark_request_as_sent(id, &ToDeviceAnswer::new()).await?,
            Kind::SigningKeys => {
                let answer = SigningKeysAnswer::new();
                let answer = AnyIncomingResponse::SigningKeysUpload(&answer);
                olm.mark_request_as_sent(id, answer).await?;
            }
            Kind::Signatures => olm.mark_request_as_sent(id, &SignaturesAnswer::new()).await?,
            Kind::Backup => {
                let etag = field(answer, "etag").unwrap_or_default();
                let count = field(answer, "count").unwrap_or_default();
                olm.mark_request_as_sent(id, &BackupAnswer::new(etag, count)).await?;
            }
            Kind::Plain => {}
        }
        Ok(())
    }
}

fn query_answer(answer: &Value) -> Result<QueryAnswer, Error> {
    let mut said = QueryAnswer::new();
    said.device_keys = field(answer, "device_keys")?;
    said.master_keys = field(answer, "master_keys")?;
    said.self_signing_keys = field(answer, "self_signing_keys")?;
    said.user_signing_keys = field(answer, "user_signing_keys")?;
    Ok(said)
}

/// A field of an answer; one that is not there is empty.
pub(crate) fn field<T: DeserializeOwned + Default>(answer: &Value, name: &str) -> Result<T, Error> {
    match &answer[name] {
        Value::Null => Ok(T::default()),
        value => serde_json::from_value(value.clone()).map_err(|_| Error::malformed(name)),
    }
}
