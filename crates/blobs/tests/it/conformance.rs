//! The suite, run against each store.

use std::io::Write as _;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::StreamExt as _;
use parlor_blobs::{BlobError, Blobs, Hash, Inventory, Pieces, hash_of, local};
use uuid::Uuid;

/// Bytes that are alike nowhere.
pub(crate) fn noise(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

fn hash(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

async fn all(pieces: Result<Pieces, BlobError>) -> Result<Vec<u8>, BlobError> {
    let mut pieces = pieces?;
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

/// Writes `bytes` behind the first `at`, and gives the place up.
async fn add(blobs: &dyn Blobs, upload: Uuid, at: u64, turn: u64, bytes: &[u8]) -> u64 {
    let mut partial = blobs.resume(upload, at, turn).await.unwrap();
    for piece in bytes.chunks(10_000) {
        partial.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    partial.sync().await.unwrap()
}

/// Everything.
pub(crate) async fn suite(blobs: &dyn Blobs) {
    an_upload_that_is_cut_goes_on_where_it_was(blobs).await;
    what_was_not_acknowledged_is_written_over(blobs).await;
    the_same_bytes_are_kept_once(blobs).await;
    a_part_of_a_blob_can_be_read(blobs).await;
    what_is_not_there_is_missing(blobs).await;
    a_file_becomes_a_blob(blobs).await;
    nothing_is_left_in_the_end(blobs).await;
}

async fn an_upload_that_is_cut_goes_on_where_it_was(blobs: &dyn Blobs) {
    let (bytes, upload) = (noise(300_000, 1), Uuid::new_v4());
    let mut at = 0;
    for (turn, piece) in bytes.chunks(15_001).enumerate() {
        at = add(blobs, upload, at, turn as u64, piece).await;
    }
    assert_eq!(at, 300_000);
    let mut seen = Vec::new();
    let found = hash_of(blobs, upload, at, |piece| seen.extend_from_slice(piece)).await.unwrap();
    assert_eq!((found, seen.len()), (hash(&bytes), bytes.len()));
    blobs.keep(upload, at, found).await.unwrap();
    // Whoever was killed in between does it again.
    blobs.keep(upload, at, found).await.unwrap();
    blobs.discard(upload).await.unwrap();
    assert_eq!(all(blobs.read(found, 0..300_000).await).await.unwrap(), bytes);
    blobs.delete(found).await.unwrap();
    blobs.delete(found).await.unwrap();
    assert!(matches!(all(blobs.read(found, 0..1).await).await, Err(BlobError::Missing)));
}

async fn what_was_not_acknowledged_is_written_over(blobs: &dyn Blobs) {
    let (bytes, upload) = (noise(100_000, 2), Uuid::new_v4());
    add(blobs, upload, 0, 1, &bytes[..60_000]).await;
    // The server had answered for 20,000 only.
    add(blobs, upload, 20_000, 2, &bytes[20_000..50_000]).await;
    add(blobs, upload, 50_000, 3, &bytes[50_000..]).await;
    assert_eq!(hash_of(blobs, upload, 100_000, |_| {}).await.unwrap(), hash(&bytes));
    let middle = all(blobs.read_upload(upload, 19_000, 51_000).await).await.unwrap();
    assert_eq!(middle, bytes[19_000..51_000]);
    blobs.discard(upload).await.unwrap();
    assert!(matches!(blobs.resume(upload, 5, 4).await.err(), Some(BlobError::Missing)));
}

async fn the_same_bytes_are_kept_once(blobs: &dyn Blobs) {
    let bytes = noise(50_000, 3);
    let name = hash(&bytes);
    for upload in [Uuid::new_v4(), Uuid::new_v4()] {
        add(blobs, upload, 0, 1, &bytes).await;
        blobs.keep(upload, 50_000, name).await.unwrap();
        blobs.discard(upload).await.unwrap();
    }
    assert_eq!(blobs.inventory().await.unwrap().blobs, [name]);
    blobs.delete(name).await.unwrap();
}

async fn a_part_of_a_blob_can_be_read(blobs: &dyn Blobs) {
    let (bytes, upload) = (noise(200_000, 4), Uuid::new_v4());
    add(blobs, upload, 0, 1, &bytes).await;
    blobs.keep(upload, 200_000, hash(&bytes)).await.unwrap();
    blobs.discard(upload).await.unwrap();
    for range in [0..1, 199_999..200_000, 70_000..140_000, 5..5] {
        let part = all(blobs.read(hash(&bytes), range.clone()).await).await.unwrap();
        let (from, to) = (range.start as usize, range.end as usize);
        assert_eq!(part, bytes[from..to], "{range:?}");
    }
    let beyond = all(blobs.read(hash(&bytes), 0..200_001).await).await;
    assert!(matches!(beyond, Err(BlobError::Missing)));
    blobs.delete(hash(&bytes)).await.unwrap();
}

async fn what_is_not_there_is_missing(blobs: &dyn Blobs) {
    let nobody = Uuid::new_v4();
    assert!(matches!(all(blobs.read([7; 32], 0..1).await).await, Err(BlobError::Missing)));
    assert!(matches!(all(blobs.read_upload(nobody, 0, 1).await).await, Err(BlobError::Missing)));
    assert!(matches!(blobs.resume(nobody, 1, 1).await.err(), Some(BlobError::Missing)));
    assert!(blobs.discard(nobody).await.is_ok());
    add(blobs, nobody, 0, 1, b"abc").await;
    let longer = hash_of(blobs, nobody, 4, |_| {}).await;
    assert!(matches!(longer, Err(BlobError::Missing)));
    blobs.discard(nobody).await.unwrap();
}

async fn a_file_becomes_a_blob(blobs: &dyn Blobs) {
    let bytes = noise(90_000, 5);
    let file = || {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file
    };
    blobs.put(file(), hash(&bytes)).await.unwrap();
    blobs.put(file(), hash(&bytes)).await.unwrap();
    let pieces = blobs.read(hash(&bytes), 0..90_000).await.unwrap();
    let mut copy = Vec::new();
    std::io::Read::read_to_end(&mut local(blobs, pieces).await.unwrap(), &mut copy).unwrap();
    assert_eq!(copy, bytes);
    blobs.delete(hash(&bytes)).await.unwrap();
}

async fn nothing_is_left_in_the_end(blobs: &dyn Blobs) {
    blobs.tidy(SystemTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(blobs.inventory().await.unwrap(), Inventory::default());
}
