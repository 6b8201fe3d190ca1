//! Files: up and down, sealed before they leave where the session is.

use bytes::Bytes;
use parlor_e2ee::attachment::{open_bytes, seal};
use parlor_e2ee::payload::SealedFile;
use parlor_wire::v1;
use serde_json::Value;

use crate::http::Body;
use crate::message::FileInfo;
use crate::session::percent;
use crate::{Client, Error};

/// What a sealed file is called towards the server: its real name is inside the message.
const SEALED_NAME: &str = "sealed";

/// Uploads a file.
pub(crate) async fn upload(
    client: &Client,
    name: &str,
    media_type: &str,
    bytes: Vec<u8>,
    sealed: bool,
) -> Result<FileInfo, Error> {
    let size = bytes.len() as u64;
    if !sealed {
        let path = format!("/files?name={}", percent(name));
        return Ok(FileInfo::of(&put(client, &path, bytes.into()).await?));
    }
    let mut ciphertext = Vec::with_capacity(bytes.len());
    let key = seal(&mut &*bytes, &mut ciphertext).map_err(Error::malformed)?;
    let path = format!("/files?name={SEALED_NAME}&encrypted=true");
    let kept = put(client, &path, ciphertext.into()).await?;
    Ok(FileInfo {
        id: kept.id,
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        size,
        key: Some(key),
    })
}

async fn put(client: &Client, path: &str, bytes: Bytes) -> Result<v1::File, Error> {
    let body = || Body::Octets(bytes.clone());
    let said = client.0.api.ask(&client.0.cache, "POST", path, body).await?;
    Ok(serde_json::from_value(said)?)
}

/// Fetches a file.
pub(crate) async fn download(client: &Client, file: &FileInfo) -> Result<Vec<u8>, Error> {
    let said: Value = client.call("POST", "/media-ticket", None).await?;
    let ticket = said["ticket"].as_str().ok_or_else(|| Error::malformed("the ticket"))?;
    let path = format!("/media/{}/file?ticket={}", file.id, percent(ticket));
    let bytes = client.0.api.http().bytes(&path).await?;
    match &file.key {
        Some(key) => open_bytes(key, &bytes).map_err(Error::malformed),
        None => Ok(bytes.to_vec()),
    }
}

impl FileInfo {
    /// The file as it stands inside a sealed message.
    pub(crate) fn to_sealed(&self) -> Option<SealedFile> {
        Some(SealedFile {
            id: self.id.clone(),
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            size: self.size,
            width: None,
            height: None,
            key: self.key.clone()?,
        })
    }
}
