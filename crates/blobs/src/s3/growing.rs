//! An upload while somebody writes it: bytes are gathered, and put away as a piece when there are
//! enough of them, or when they are to be durable.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayloadMut};

use super::pieces::Piece;
use super::{PIECE_BYTES, failed};
use crate::{BlobError, Partial};

/// An upload that grows.
pub(super) struct Growing {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    turn: u64,
    /// Bytes that are put away.
    at: u64,
    /// The next ones; none any more where they could not be put away.
    waiting: Option<PutPayloadMut>,
}

impl Growing {
    pub(super) fn new(store: Arc<dyn ObjectStore>, folder: Path, at: u64, turn: u64) -> Self {
        Self { store, folder, turn, at, waiting: Some(PutPayloadMut::new()) }
    }

    /// Puts away what waits.
    async fn put(&mut self) -> Result<(), BlobError> {
        let waiting = self.waiting.take().ok_or_else(given_up)?;
        let length = waiting.content_length() as u64;
        if length > 0 {
            let piece = Piece { at: self.at, turn: self.turn, length };
            let path = self.folder.clone().join(piece.name());
            self.store.put(&path, waiting.freeze()).await.map_err(failed)?;
            self.at += length;
        }
        self.waiting = Some(PutPayloadMut::new());
        Ok(())
    }
}

#[async_trait]
impl Partial for Growing {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), BlobError> {
        while !bytes.is_empty() {
            let waiting = self.waiting.as_mut().ok_or_else(given_up)?;
            let room = PIECE_BYTES - waiting.content_length();
            waiting.push(bytes.split_to(bytes.len().min(room)));
            if waiting.content_length() == PIECE_BYTES {
                self.put().await?;
            }
        }
        Ok(())
    }

    async fn sync(&mut self) -> Result<u64, BlobError> {
        self.put().await?;
        Ok(self.at)
    }
}

fn given_up() -> BlobError {
    BlobError::Failed("the upload was given up".to_owned())
}
