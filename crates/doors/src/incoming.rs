//! A file on its way in: the body of a request, poured into an upload as it comes.
//!
//! Refuses the limits of other bodies: a file may be large, and may take long, as long as it moves.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::BodyExt as _;
use parlor_app::files::{Writing, Written};
use parlor_domain::{Limits, Time};
use parlor_wire::Code;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::{Doors, Refusal};

/// The checksums that are known, as tus names them.
pub(crate) const CHECKSUMS: &str = "sha1,sha256";

/// What tus answers to a piece that is not what its checksum says.
const MISMATCH: u16 = 460;

/// Takes a body to its end. What has come of one that is cut is kept.
pub(crate) async fn pour(
    doors: &Doors,
    mut body: Body,
    mut writing: Writing,
    mut checksum: Option<Checksum>,
) -> Result<Written, Refusal> {
    let limits = doors.app.limits();
    let (over, mut pace) = (writing.over(), Pace { began: doors.app.now(), bytes: 0 });
    let stall = Duration::from_millis(limits.upload_stall_ms_max);
    loop {
        let frame = tokio::select! {
            biased;
            () = over.cancelled() => {
                return Err(Refusal::new(Code::Conflict, "it is gone on with elsewhere").closing());
            }
            frame = tokio::time::timeout(stall, body.frame()) => frame.map_err(|_| slow())?,
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| Refusal::new(Code::BadRequest, "the body is broken"));
        let Ok(bytes) = frame.map_err(Refusal::closing)?.into_data() else { continue };
        if let Some(checksum) = &mut checksum {
            checksum.add(&bytes);
        }
        pace.bytes += bytes.len() as u64;
        writing.take(bytes).await.map_err(|error| Refusal::from(error).closing())?;
        if pace.is_slow(doors.app.now(), limits) {
            return Err(slow());
        }
    }
    if checksum.is_some_and(|checksum| !checksum.agrees()) {
        writing.undo();
        let status = StatusCode::from_u16(MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
        return Err(Refusal::http(status, "the piece is not what its checksum says"));
    }
    Ok(writing.end().await?)
}

fn slow() -> Refusal {
    Refusal::http(StatusCode::REQUEST_TIMEOUT, "the file came too slowly").closing()
}

/// How fast a file comes.
struct Pace {
    began: Time,
    bytes: u64,
}

impl Pace {
    /// Whether less has come than should have by now. The beginning may be slow.
    fn is_slow(&self, now: Time, limits: &Limits) -> bool {
        let spent = now.since(self.began);
        let grace = Duration::from_millis(limits.upload_stall_ms_max);
        spent > grace && self.bytes < spent.as_secs().saturating_mul(limits.upload_per_s_min)
    }
}

/// A piece's checksum: as it was said to be, and as it is so far.
pub(crate) struct Checksum {
    said: Vec<u8>,
    hasher: Hasher,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// Reads `sha1 <base64>`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (name, said) = text.trim().split_once(' ')?;
        let hasher = match name {
            "sha1" => Hasher::Sha1(Sha1::new()),
            "sha256" => Hasher::Sha256(Sha256::new()),
            _ => return None,
        };
        Some(Self { said: BASE64.decode(said.trim()).ok()?, hasher })
    }

    fn add(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn agrees(self) -> bool {
        match self.hasher {
            Hasher::Sha1(hasher) => hasher.finalize()[..] == self.said,
            Hasher::Sha256(hasher) => hasher.finalize()[..] == self.said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_of_a_kind_that_is_known() {
        let of = |text: &str| {
            let mut checksum = Checksum::read(text)?;
            checksum.add(b"ab");
            checksum.add(b"c");
            Some(checksum.agrees())
        };
        assert_eq!(of("sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="), Some(true));
        assert_eq!(of("sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J1="), None);
        assert_eq!(of("sha1 AAAA"), Some(false));
        assert_eq!(of("sha256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), Some(true));
        for bad in ["", "sha1", "md5 AAAA", "sha1 *"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_may_begin_slowly_and_must_then_move() {
        let limits = Limits::default();
        let pace = |bytes| Pace { began: Time(0), bytes };
        assert!(!pace(0).is_slow(Time(29_000_000), &limits));
        assert!(pace(0).is_slow(Time(31_000_000), &limits));
        assert!(!pace(31 * 1_024).is_slow(Time(31_000_000), &limits));
    }
}
