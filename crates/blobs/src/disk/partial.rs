//! An upload's file, while somebody writes it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;

use super::{blocking, private, sync_folder_of};
use crate::{BlobError, Partial};

/// Opens the file at `at`, alone, and cuts off what lies behind.
pub(super) fn open(path: &Path, at: u64) -> Result<File, BlobError> {
    let is_there = path.is_file();
    if at > 0 && !is_there {
        return Err(BlobError::Missing);
    }
    let mut options = OpenOptions::new();
    private(options.write(true).create(true).truncate(false));
    let mut file = options.open(path)?;
    // Of this very opening: another one in the same process is refused, too. It ends with it.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BlobError::Busy),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    if file.metadata()?.len() < at {
        return Err(BlobError::Missing);
    }
    file.set_len(at)?;
    file.seek(SeekFrom::Start(at))?;
    if !is_there {
        sync_folder_of(path)?;
    }
    Ok(file)
}

/// A file that grows. It is with whoever works on it; where that failed it does not come back.
pub(super) struct Growing {
    file: Option<File>,
    length: u64,
}

impl Growing {
    pub(super) fn new(file: File, length: u64) -> Self {
        Self { file: Some(file), length }
    }

    async fn with(
        &mut self,
        work: impl FnOnce(&mut File) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), BlobError> {
        let Some(mut file) = self.file.take() else {
            return Err(BlobError::Failed("the upload's file was given up".to_owned()));
        };
        let file = blocking(move || {
            work(&mut file)?;
            Ok(file)
        });
        self.file = Some(file.await?);
        Ok(())
    }
}

#[async_trait]
impl Partial for Growing {
    async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        let length = bytes.len() as u64;
        self.with(move |file| file.write_all(&bytes)).await?;
        self.length += length;
        Ok(())
    }

    async fn sync(&mut self) -> Result<u64, BlobError> {
        self.with(|file| file.sync_all()).await?;
        Ok(self.length)
    }
}
