//! Bytes as objects of a store that speaks S3: `ab/abcdef…` for a blob, as in a folder, and
//! `partial/<id>/…` for the pieces of an upload.
//!
//! An object is there whole or not at all, and durable when the store has answered. Several nodes
//! need nothing else in common.

mod growing;
mod http;
mod pieces;

use std::fs::File;
use std::io::Seek as _;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt as _, PutPayload,
    RetryConfig, WriteMultipart,
};
use rustls::ClientConfig;
use tokio::time::timeout;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::{BlobError, Blobs, Hash, Inventory, PIECE, Partial, Pieces, from_hex, hex};
use pieces::{Piece, plan};

/// The folder of uploads.
const PARTIAL: &str = "partial";

/// Bytes of a piece of an upload, and of a part of a blob, unless there would be too many parts.
const PIECE_BYTES: usize = 8 * 1024 * 1024;

/// Parts that an object may be made of; S3 takes ten thousand.
const PARTS_MAX: u64 = 9_000;

/// Pieces that an upload may have: who sends them a few bytes at a time is not waited for.
const PIECES_MAX: usize = 10_000;

/// Parts that are on their way at once.
const AT_ONCE: usize = 2;

/// Objects that are deleted at once.
const DELETED_AT_ONCE: usize = 8;

/// How long a store may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(30);

/// How often, and for how long, a request is tried again.
const TRIES: usize = 5;
const TRIED: Duration = Duration::from_secs(20);

/// Where the store is, and who we are there.
#[derive(Clone)]
pub struct S3Config {
    /// The store, as `https://host`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// What every name in it begins with; empty, or ending with `/`.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The name of the key.
    pub access_key: String,
    /// The key.
    pub secret_key: String,
}

/// A bucket of blobs.
#[derive(Debug, Clone)]
pub struct S3 {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    scratch: PathBuf,
}

impl S3 {
    /// Opens a bucket, and looks whether it lets us in. What needs a file of this machine for a
    /// moment finds a place in the folder `scratch`.
    ///
    /// # Errors
    /// [`BlobError`] when the bucket is not there, or not ours.
    pub async fn open(
        config: S3Config,
        tls: ClientConfig,
        scratch: PathBuf,
    ) -> Result<Self, BlobError> {
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: TRIES,
            retry_timeout: TRIED,
        };
        let store = AmazonS3Builder::new()
            .with_endpoint(config.endpoint)
            .with_bucket_name(config.bucket)
            .with_region(config.region)
            .with_access_key_id(config.access_key)
            .with_secret_access_key(config.secret_key)
            .with_allow_http(true)
            .with_retry(retry)
            .with_http_connector(http::Http::new(tls))
            // Not every store can delete many at once.
            .with_disable_bulk_delete(true)
            .build()
            .map_err(failed)?;
        let s3 = Self { store: Arc::new(store), prefix: config.prefix, scratch };
        // Whoever may not list cannot tell either whether there is nothing.
        s3.store.list(Some(&s3.path(PARTIAL))).try_next().await.map_err(failed)?;
        Ok(s3)
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}{name}", self.prefix))
    }

    fn blob(&self, hash: &Hash) -> Path {
        let name = hex(hash);
        self.path(&format!("{}/{name}", &name[..2]))
    }

    fn folder(&self, upload: Uuid) -> Path {
        self.path(&format!("{PARTIAL}/{}", upload.simple()))
    }

    /// The pieces of an upload.
    async fn pieces(&self, upload: Uuid) -> Result<Vec<Piece>, BlobError> {
        let mut listed = self.store.list(Some(&self.folder(upload)));
        let mut pieces = Vec::new();
        while let Some(object) = listed.try_next().await.map_err(failed)? {
            let name = object.location.filename().unwrap_or_default();
            pieces.extend(Piece::read(name, object.size));
            if pieces.len() > PIECES_MAX {
                return Err(BlobError::Failed("the upload has too many pieces".to_owned()));
            }
        }
        Ok(pieces)
    }

    /// Where a range of an upload lies.
    async fn plan(
        &self,
        upload: Uuid,
        range: Range<u64>,
    ) -> Result<Vec<(Path, Range<u64>)>, BlobError> {
        let planned = plan(self.pieces(upload).await?, &range).ok_or(BlobError::Missing)?;
        let folder = self.folder(upload);
        let at = |(piece, part): (Piece, Range<u64>)| (folder.clone().join(piece.name()), part);
        Ok(planned.into_iter().map(at).collect())
    }

    /// Reads stretches of objects, one after the other.
    fn stretches(&self, planned: Vec<(Path, Range<u64>)>) -> Pieces {
        let store = Arc::clone(&self.store);
        stream::iter(planned)
            .then(move |(path, range)| {
                let store = Arc::clone(&store);
                async move { stretch(&*store, &path, range).await }
            })
            .try_flatten()
            .boxed()
    }

    /// Whether there is a blob already.
    async fn is_there(&self, path: &Path) -> Result<bool, BlobError> {
        match self.store.head(path).await.map_err(failed) {
            Ok(_) => Ok(true),
            Err(BlobError::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes an object of so many bytes. Until all of them are there it is not there.
    async fn pour(&self, to: &Path, length: u64, mut from: Pieces) -> Result<(), BlobError> {
        if length <= PIECE_BYTES as u64 {
            let bytes: Vec<Bytes> = from.try_collect().await?;
            let put = self.store.put(to, bytes.into_iter().collect::<PutPayload>()).await;
            return put.map(drop).map_err(failed);
        }
        let part = usize::try_from(length / PARTS_MAX).unwrap_or(usize::MAX).max(PIECE_BYTES);
        let upload = self.store.put_multipart(to).await.map_err(failed)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, part);
        let poured = async {
            while let Some(piece) = from.try_next().await? {
                upload.wait_for_capacity(AT_ONCE).await.map_err(failed)?;
                upload.put(piece);
            }
            Ok::<_, BlobError>(())
        };
        if let Err(error) = poured.await {
            // What cannot be taken back either is the store's to forget.
            let _ = upload.abort().await;
            return Err(error);
        }
        upload.finish().await.map(drop).map_err(failed)
    }

    async fn remove(&self, path: &Path) -> Result<(), BlobError> {
        match self.store.delete(path).await.map_err(failed) {
            Err(BlobError::Missing) => Ok(()),
            deleted => deleted,
        }
    }
}

#[async_trait]
impl Blobs for S3 {
    async fn resume(
        &self,
        upload: Uuid,
        at: u64,
        turn: u64,
    ) -> Result<Box<dyn Partial>, BlobError> {
        if at > 0 {
            self.plan(upload, 0..at).await?;
        }
        let (store, folder) = (Arc::clone(&self.store), self.folder(upload));
        Ok(Box::new(growing::Growing::new(store, folder, at, turn)))
    }

    async fn read_upload(&self, upload: Uuid, from: u64, length: u64) -> Result<Pieces, BlobError> {
        Ok(self.stretches(self.plan(upload, from..length).await?))
    }

    async fn keep(&self, upload: Uuid, length: u64, hash: Hash) -> Result<(), BlobError> {
        let to = self.blob(&hash);
        if self.is_there(&to).await? {
            return Ok(());
        }
        let planned = self.plan(upload, 0..length).await?;
        self.pour(&to, length, self.stretches(planned)).await
    }

    async fn put(&self, mut file: File, hash: Hash) -> Result<(), BlobError> {
        let to = self.blob(&hash);
        if self.is_there(&to).await? {
            return Ok(());
        }
        file.rewind()?;
        let length = file.metadata()?.len();
        let file = ReaderStream::with_capacity(tokio::fs::File::from_std(file), PIECE);
        self.pour(&to, length, file.map_err(BlobError::from).boxed()).await
    }

    async fn read(&self, hash: Hash, range: Range<u64>) -> Result<Pieces, BlobError> {
        stretch(&*self.store, &self.blob(&hash), range).await
    }

    async fn delete(&self, hash: Hash) -> Result<(), BlobError> {
        self.remove(&self.blob(&hash)).await
    }

    async fn discard(&self, upload: Uuid) -> Result<(), BlobError> {
        let listed = self.store.list(Some(&self.folder(upload))).map_err(failed);
        listed
            .try_for_each_concurrent(DELETED_AT_ONCE, |object| async move {
                self.remove(&object.location).await
            })
            .await
    }

    fn scratch(&self) -> Result<File, BlobError> {
        Ok(tempfile::tempfile_in(&self.scratch)?)
    }

    /// There is nothing half made that could be seen: what was begun and not ended, the store
    /// forgets by a rule of the bucket.
    async fn tidy(&self, _: SystemTime) -> Result<u64, BlobError> {
        Ok(0)
    }

    async fn inventory(&self) -> Result<Inventory, BlobError> {
        let root = Some(Path::from(self.prefix.as_str())).filter(|root| !root.is_root());
        let mut listed = self.store.list(root.as_ref());
        let mut found = Inventory::default();
        while let Some(object) = listed.try_next().await.map_err(failed)? {
            let parts: Vec<_> = object.location.parts().collect();
            let part = |back: usize| parts.iter().rev().nth(back).map_or("", |part| part.as_ref());
            if let Some(hash) = from_hex(part(0)) {
                found.blobs.push(hash);
            } else if let Ok(id) = Uuid::try_parse(part(1)) {
                found.uploads.push(id);
            } else {
                found.unfinished += 1;
            }
        }
        found.blobs.sort_unstable();
        found.uploads.sort_unstable();
        found.uploads.dedup();
        Ok(found)
    }
}

/// A stretch of an object.
async fn stretch(
    store: &dyn ObjectStore,
    path: &Path,
    range: Range<u64>,
) -> Result<Pieces, BlobError> {
    if range.is_empty() {
        let size = store.head(path).await.map_err(failed)?.size;
        return if size < range.end {
            Err(BlobError::Missing)
        } else {
            Ok(stream::empty().boxed())
        };
    }
    let end = range.end;
    let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
    let found = store.get_opts(path, options).await.map_err(failed)?;
    if found.meta.size < end { Err(BlobError::Missing) } else { Ok(paced(found)) }
}

/// What is found, in pieces of the size that is promised, as long as the store goes on.
fn paced(found: GetResult) -> Pieces {
    let bytes = stream::try_unfold(found.into_stream(), |mut bytes| async move {
        let next = timeout(SILENCE, bytes.try_next()).await;
        let silent = |_| BlobError::Failed("the store has stopped in the middle".to_owned());
        Ok::<_, BlobError>(next.map_err(silent)?.map_err(failed)?.map(|next| (next, bytes)))
    });
    let cut = |mut bytes: Bytes| {
        let pieces = std::iter::from_fn(move || {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            (!piece.is_empty()).then_some(Ok(piece))
        });
        stream::iter(pieces)
    };
    bytes.map_ok(cut).try_flatten().boxed()
}

fn failed(error: object_store::Error) -> BlobError {
    match error {
        object_store::Error::NotFound { .. } => BlobError::Missing,
        error => BlobError::Failed(error.to_string()),
    }
}
