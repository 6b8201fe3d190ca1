//! Bytes as files: `ab/abcdef…` for a blob, `partial/<id>` for an upload.
//!
//! A file and the folder that names it are synced before anybody is told that it is there. A blob
//! gets its name in one step, so that it is whole or not there.

mod partial;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::{BlobError, Blobs, Hash, Inventory, PIECE, Partial, Pieces, from_hex, hex};

/// The folder of uploads and of what is being made.
const PARTIAL: &str = "partial";

/// The ending of a blob that is being made.
const NEW: &str = "new";

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// Opens a folder, which is made when it is missing. Only its owner may look into it.
    ///
    /// # Errors
    /// [`BlobError`] when it cannot be made.
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        let disk = Self { root: root.to_owned() };
        make_folder(&disk.root)?;
        make_folder(&disk.root.join(PARTIAL))?;
        Ok(disk)
    }

    fn partial(&self, upload: Uuid) -> PathBuf {
        self.root.join(PARTIAL).join(upload.simple().to_string())
    }

    fn blob(&self, hash: &Hash) -> PathBuf {
        let name = hex(hash);
        self.root.join(&name[..2]).join(name)
    }

    /// The path of a blob that is to be made, in a folder that is there.
    fn place(&self, hash: &Hash) -> Result<PathBuf, BlobError> {
        let path = self.blob(hash);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        Ok(path)
    }
}

#[async_trait]
impl Blobs for Disk {
    async fn resume(&self, upload: Uuid, at: u64, _: u64) -> Result<Box<dyn Partial>, BlobError> {
        let path = self.partial(upload);
        let file = blocking(move || partial::open(&path, at)).await?;
        Ok(Box::new(partial::Growing::new(file, at)))
    }

    async fn read_upload(&self, upload: Uuid, from: u64, length: u64) -> Result<Pieces, BlobError> {
        pieces(&self.partial(upload), from..length).await
    }

    async fn keep(&self, upload: Uuid, _: u64, hash: Hash) -> Result<(), BlobError> {
        let (disk, partial) = (self.clone(), self.partial(upload));
        blocking(move || {
            let path = disk.place(&hash)?;
            match fs::hard_link(&partial, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                linked => linked?,
            }
            sync_folder_of(&path)
        })
        .await
    }

    async fn put(&self, mut file: File, hash: Hash) -> Result<(), BlobError> {
        let (disk, id) = (self.clone(), Uuid::new_v4());
        blocking(move || {
            let path = disk.place(&hash)?;
            if path.exists() {
                return sync_folder_of(&path);
            }
            let new = disk.partial(id).with_extension(NEW);
            let mut copy = private(OpenOptions::new().write(true).create_new(true)).open(&new)?;
            io::Seek::rewind(&mut file)?;
            io::copy(&mut file, &mut copy)?;
            copy.sync_all()?;
            fs::rename(&new, &path)?;
            sync_folder_of(&path)
        })
        .await
    }

    async fn read(&self, hash: Hash, range: Range<u64>) -> Result<Pieces, BlobError> {
        pieces(&self.blob(&hash), range).await
    }

    async fn delete(&self, hash: Hash) -> Result<(), BlobError> {
        let path = self.blob(&hash);
        blocking(move || remove(&path)).await
    }

    async fn discard(&self, upload: Uuid) -> Result<(), BlobError> {
        let path = self.partial(upload);
        blocking(move || remove(&path)).await
    }

    fn scratch(&self) -> Result<File, BlobError> {
        Ok(tempfile::tempfile_in(self.root.join(PARTIAL))?)
    }

    async fn tidy(&self, before: SystemTime) -> Result<u64, BlobError> {
        let folder = self.root.join(PARTIAL);
        blocking(move || {
            let mut gone = 0;
            for path in entries(&folder)?.into_iter().filter(|path| is_new(path)) {
                // One that has got its name meanwhile is not there any more.
                if fs::metadata(&path).is_ok_and(|m| m.modified().is_ok_and(|at| at < before)) {
                    remove(&path)?;
                    gone += 1;
                }
            }
            Ok(gone)
        })
        .await
    }

    async fn inventory(&self) -> Result<Inventory, BlobError> {
        let root = self.root.clone();
        blocking(move || {
            let mut found = Inventory::default();
            for folder in entries(&root)? {
                for path in entries(&folder)? {
                    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                    if let Some(hash) = from_hex(name) {
                        found.blobs.push(hash);
                    } else if let Ok(id) = Uuid::try_parse(name) {
                        found.uploads.push(id);
                    } else {
                        found.unfinished += 1;
                    }
                }
            }
            found.blobs.sort_unstable();
            found.uploads.sort_unstable();
            Ok(found)
        })
        .await
    }
}

/// Does what waits for the disk where nobody waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| BlobError::Failed(error.to_string()))?
}

/// A stretch of a file.
async fn pieces(path: &Path, range: Range<u64>) -> Result<Pieces, BlobError> {
    let mut file = tokio::fs::File::open(path).await?;
    if file.metadata().await?.len() < range.end {
        return Err(BlobError::Missing);
    }
    file.seek(io::SeekFrom::Start(range.start)).await?;
    let length = range.end.saturating_sub(range.start);
    if length == 0 {
        return Ok(stream::empty::<Result<Bytes, BlobError>>().boxed());
    }
    let pieces = ReaderStream::with_capacity(file.take(length), PIECE);
    Ok(pieces.map(|piece| piece.map_err(BlobError::from)).boxed())
}

/// Makes a folder, unless it is there, and syncs the one that names it.
fn make_folder(path: &Path) -> Result<(), BlobError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    sync_folder_of(path)
}

/// A file that only its owner may read.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes the name of a file, or its absence, durable.
fn sync_folder_of(path: &Path) -> Result<(), BlobError> {
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), BlobError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => sync_folder_of(path),
    }
}

/// What is in a folder; nothing when there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, BlobError> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        listed => Ok(listed?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?),
    }
}

fn is_new(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == NEW)
}
