//! What a file is: its hash, its type by its content, and, of a picture, what is left of it when
//! its secrets are taken out.

use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom, Write};

use futures_util::StreamExt as _;
use parlor_blobs::{hash_of, local};
use parlor_domain::Denied;
use parlor_media::{Kind, Picture, Refused};
use parlor_store::files::{Blob, Made, Upload};
use sha2::{Digest as _, Sha256};

use super::{signed, unsigned};
use crate::{App, Error};

/// What an upload will come to, and the bytes that it shall have, where they are not its own.
pub(super) struct Looked {
    pub(super) made: Made,
    pub(super) instead: Option<std::fs::File>,
}

/// What an encrypted file is to us.
const OPAQUE: &str = "application/octet-stream";

impl App {
    /// Looks at an upload that is complete.
    ///
    /// # Errors
    /// [`Denied::Conflict`] when it is not what was announced, [`Denied::Invalid`] when it is a
    /// picture that is damaged or too large.
    pub(super) async fn look(&self, upload: &Upload) -> Result<Looked, Error> {
        let (media_type, kind) = match upload.encrypted {
            true => (OPAQUE, None),
            false => parlor_media::kind(&self.head(upload).await?),
        };
        let media_type = media_type.to_owned();
        let Some(kind) = kind else {
            let hash = self.checked_hash(upload).await?;
            let blob = Blob { hash, size: upload.length };
            return Ok(Looked { made: Made { blob, media_type, pixels: None }, instead: None });
        };
        if upload.sha256.is_some() {
            self.checked_hash(upload).await?;
        }
        let (file, blob, picture) = self.clean(upload, kind).await?;
        let pixels = Some((i64::from(picture.width), i64::from(picture.height)));
        Ok(Looked { made: Made { blob, media_type, pixels }, instead: Some(file) })
    }

    async fn head(&self, upload: &Upload) -> Result<Vec<u8>, Error> {
        let length = unsigned(upload.length).min(parlor_media::HEAD as u64);
        let mut pieces = self.blobs.read_upload(upload.id.0, 0, length).await?;
        let mut head = Vec::new();
        while let Some(piece) = pieces.next().await {
            head.extend_from_slice(&piece?);
        }
        Ok(head)
    }

    /// The upload's hash; its SHA-256 must be the one that was announced, if one was.
    async fn checked_hash(&self, upload: &Upload) -> Result<[u8; 32], Error> {
        let mut sha256 = upload.sha256.map(|announced| (announced, Sha256::new()));
        let also = |piece: &[u8]| {
            if let Some((_, hasher)) = &mut sha256 {
                hasher.update(piece);
            }
        };
        let hash = hash_of(&*self.blobs, upload.id.0, unsigned(upload.length), also).await?;
        let wrong = sha256.is_some_and(|(announced, of)| of.finalize()[..] != announced);
        if wrong {
            return Err(Denied::Conflict("the file is not the one that was announced").into());
        }
        Ok(hash)
    }

    /// A picture without its secrets, in a file without a name. Few are looked into at once.
    async fn clean(
        &self,
        upload: &Upload,
        kind: Kind,
    ) -> Result<(std::fs::File, Blob, Picture), Error> {
        let pieces = self.blobs.read_upload(upload.id.0, 0, unsigned(upload.length)).await?;
        let (file, scratch) = (local(&*self.blobs, pieces).await?, self.blobs.scratch()?);
        self.draw(move |limits| {
            let mut to =
                Hashed { file: BufWriter::new(scratch), size: 0, hasher: blake3::Hasher::new() };
            let picture = parlor_media::clean(kind, &mut BufReader::new(file), &mut to, limits)?;
            let blob = Blob { hash: *to.hasher.finalize().as_bytes(), size: signed(to.size) };
            let mut file = to.file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(0))?;
            Ok((file, blob, picture))
        })
        .await
    }

    /// The limits of looking into a picture.
    pub(super) fn drawing_limits(&self) -> parlor_media::Limits {
        parlor_media::Limits {
            pixels_max: self.limits.image_pixels_max,
            frames_max: self.limits.image_frames_max,
            memory_max: self.limits.image_memory_bytes_max,
        }
    }
}

/// A picture's refusal in our words.
pub(super) fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Damaged => Denied::invalid("file", "it is a picture that is damaged").into(),
        Refused::TooLarge => Denied::invalid("file", "it is a picture that is too large").into(),
        Refused::Failed(error) => parlor_blobs::BlobError::from(error).into(),
    }
}

/// A file that is hashed and counted as it is written.
struct Hashed {
    file: BufWriter<std::fs::File>,
    size: u64,
    hasher: blake3::Hasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
