//! What is said inside the ciphertext: the envelope, and its padding.
//!
//! Owns the shape that every client of Parlor writes and reads. Refuses what is too long to be
//! padded: a length that nobody else has would tell what is in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The type of the events that are encrypted.
pub const EVENT_TYPE: &str = "parlor.message";

/// The lengths in bytes that a payload's JSON has.
pub const BUCKETS: [usize; 4] = [256, 1024, 4096, 16384];

/// The version of the envelope that is written.
const VERSION: u32 = 1;

/// What somebody said, as it is inside the ciphertext. Unknown fields are ignored, so that a newer
/// client may say more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// The version of the envelope.
    pub v: u32,
    /// Markdown.
    #[serde(default)]
    pub body: String,
    /// When the sender says that it was said. The server's time is the server's word.
    pub sent_at: Timestamp,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The message that began the thread that this is said in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The message that this is the new wording of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<String>,
    /// A reaction, which has no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub react: Option<React>,
    /// The files that come with it, with their keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SealedFile>,
    /// How long it is to live, counted from `sent_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u64>,
}

/// That somebody reacts to a message, or does so no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct React {
    /// To which message.
    pub message_id: String,
    /// By which emoji.
    pub emoji: String,
    /// Whether they do.
    pub on: bool,
}

/// A file that was encrypted before it was uploaded: what it is, and how it is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealedFile {
    /// Its id on the server.
    pub id: String,
    /// What it is called: for people, never a path.
    pub name: String,
    /// What its sender says that it is.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Pixels, of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The key and hash, as [`crate::attachment`] makes them.
    pub key: crate::attachment::FileKey,
}

/// Why a payload cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It does not fit into the longest bucket.
    #[error("write the payload: longer than {max} bytes")]
    TooLong {
        /// The longest bucket.
        max: usize,
    },
    /// It is not a payload of ours.
    #[error("read the payload: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of a version that this client does not know.
    #[error("read the payload: its version {0} is newer than this client")]
    Version(u32),
}

/// The payload with its padding, as it is written.
#[derive(Serialize)]
struct Padded<'a> {
    #[serde(flatten)]
    payload: &'a Payload,
    pad: &'a str,
}

impl Payload {
    /// A message that says this.
    pub fn say(body: impl Into<String>, sent_at: Timestamp) -> Self {
        Self {
            v: VERSION,
            body: body.into(),
            sent_at,
            reply_to: None,
            thread_id: None,
            edits: None,
            react: None,
            files: Vec::new(),
            expires_in_ms: None,
        }
    }

    /// The same, as an answer to a message.
    #[must_use]
    pub fn answering(mut self, message_id: impl Into<String>) -> Self {
        self.reply_to = Some(message_id.into());
        self
    }

    /// A new wording of a message.
    pub fn reword(message_id: impl Into<String>, body: impl Into<String>, at: Timestamp) -> Self {
        Self { edits: Some(message_id.into()), ..Self::say(body, at) }
    }

    /// A reaction to a message, or that it is taken back.
    pub fn react(
        message_id: impl Into<String>,
        emoji: impl Into<String>,
        on: bool,
        at: Timestamp,
    ) -> Self {
        let react = React { message_id: message_id.into(), emoji: emoji.into(), on };
        Self { react: Some(react), ..Self::say("", at) }
    }

    /// The JSON, padded to exactly the length of the next bucket.
    ///
    /// # Errors
    /// [`PayloadError::TooLong`].
    pub fn to_padded_json(&self) -> Result<String, PayloadError> {
        let bare = serde_json::to_string(&Padded { payload: self, pad: "" })?;
        let bucket = BUCKETS.into_iter().find(|bucket| bare.len() <= *bucket);
        let max = BUCKETS[BUCKETS.len() - 1];
        let bucket = bucket.ok_or(PayloadError::TooLong { max })?;
        let pad = " ".repeat(bucket - bare.len());
        Ok(serde_json::to_string(&Padded { payload: self, pad: &pad })?)
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError::Malformed`], and [`PayloadError::Version`] for one of a later version.
    pub fn from_json(json: &str) -> Result<Self, PayloadError> {
        let payload: Self = serde_json::from_str(json)?;
        if payload.v > VERSION {
            return Err(PayloadError::Version(payload.v));
        }
        Ok(payload)
    }

    /// When it is to be gone by its sender's word. The server may have an earlier moment; the
    /// earlier one holds.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let life = jiff::SignedDuration::from_millis(i64::try_from(self.expires_in_ms?).ok()?);
        self.sent_at.checked_add(life).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> Payload {
        Payload::say(body, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn every_length_of_text_has_exactly_the_length_of_a_bucket() {
        let mut seen = std::collections::BTreeSet::new();
        for length in (0..600).chain((600..16_300).step_by(41)) {
            let json = said(&"x".repeat(length)).to_padded_json().unwrap();
            assert!(BUCKETS.contains(&json.len()), "{length} became {}", json.len());
            seen.insert(json.len());
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), BUCKETS);
    }

    #[test]
    fn a_bucket_is_filled_to_its_last_byte_before_the_next_one_is_taken() {
        let bare = said("").to_padded_json().unwrap();
        let spare = bare.len() - bare.trim_end_matches("\"}").trim_end().len() - 2;
        assert_eq!(said(&"x".repeat(spare)).to_padded_json().unwrap().len(), 256);
        assert_eq!(said(&"x".repeat(spare + 1)).to_padded_json().unwrap().len(), 1024);
    }

    #[test]
    fn what_fits_no_bucket_is_refused() {
        let refused = said(&"x".repeat(16_384)).to_padded_json();
        assert!(matches!(refused, Err(PayloadError::TooLong { max: 16_384 })));
    }

    #[test]
    fn a_payload_reads_back_and_unknown_fields_are_ignored() {
        let payload = said("hi \u{1f600}\n\"quoted\"").answering("m1");
        let json = payload.to_padded_json().unwrap();
        assert_eq!(Payload::from_json(&json).unwrap(), payload);
        let more = json.replacen("{\"v\":1", "{\"later\":[1],\"v\":1", 1);
        assert_eq!(Payload::from_json(&more).unwrap(), payload);
    }

    #[test]
    fn a_payload_of_a_later_version_is_not_guessed_at() {
        let json = said("hi").to_padded_json().unwrap().replacen("\"v\":1", "\"v\":2", 1);
        assert!(matches!(Payload::from_json(&json), Err(PayloadError::Version(2))));
    }

    #[test]
    fn the_end_of_its_life_is_counted_from_when_it_was_sent() {
        let payload = Payload { expires_in_ms: Some(1500), ..said("hi") };
        assert_eq!(payload.expires_at().map(|at| at.as_millisecond()), Some(1500));
        assert_eq!(said("hi").expires_at(), None);
    }
}
