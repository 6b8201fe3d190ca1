//! Objects of a store that speaks S3.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use parlor_blobs::{Blobs as _, S3, hash_of, hex};
use uuid::Uuid;

use crate::bucket::Bucket;
use crate::conformance::{noise, suite};

#[tokio::test]
async fn a_bucket_keeps_what_every_store_must() {
    let bucket = Bucket::open().await;
    suite(&bucket.store("").await).await;
    suite(&bucket.store("some/where/").await).await;
}

async fn write(s3: &S3, upload: Uuid, (at, turn): (u64, u64), bytes: &[u8]) -> u64 {
    let mut partial = s3.resume(upload, at, turn).await.unwrap();
    partial.write(Bytes::copy_from_slice(bytes)).await.unwrap();
    partial.sync().await.unwrap()
}

#[tokio::test]
async fn what_an_earlier_turn_still_writes_is_not_seen() {
    let bucket = Bucket::open().await;
    // Two nodes, of which one does not know that its connection hangs.
    let (one, other) = (bucket.store("").await, bucket.store("").await);
    let (bytes, wrong, upload) = (noise(90_000, 1), noise(90_000, 2), Uuid::new_v4());
    let mut hangs = one.resume(upload, 0, 1).await.unwrap();
    hangs.write(Bytes::copy_from_slice(&bytes[..30_000])).await.unwrap();
    assert_eq!(hangs.sync().await.unwrap(), 30_000);
    assert_eq!(write(&other, upload, (30_000, 2), &bytes[30_000..60_000]).await, 60_000);
    hangs.write(Bytes::copy_from_slice(&wrong[30_000..])).await.unwrap();
    hangs.sync().await.unwrap();
    assert_eq!(write(&other, upload, (60_000, 3), &bytes[60_000..]).await, 90_000);
    let hash = hash_of(&one, upload, 90_000, |_| {}).await.unwrap();
    assert_eq!(hash, *blake3::hash(&bytes).as_bytes());
    one.discard(upload).await.unwrap();
    assert!(other.inventory().await.unwrap().uploads.is_empty());
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_any_of_it_can_be_read() {
    let bucket = Bucket::open().await;
    let s3 = bucket.store("").await;
    let (bytes, upload) = (noise((20 << 20) + 1, 3), Uuid::new_v4());
    let length = bytes.len() as u64;
    assert_eq!(write(&s3, upload, (0, 1), &bytes).await, length);
    let hash = hash_of(&s3, upload, length, |_| {}).await.unwrap();
    s3.keep(upload, length, hash).await.unwrap();
    s3.discard(upload).await.unwrap();
    for range in [0..length, length - 1..length, (8 << 20) - 5..(16 << 20) + 5] {
        let pieces = s3.read(hash, range.clone()).await.unwrap();
        let read: Vec<Bytes> = pieces.try_collect().await.unwrap();
        assert!(read.iter().all(|piece| piece.len() <= parlor_blobs::PIECE));
        let (from, to) = (range.start as usize, range.end as usize);
        assert!(read.concat() == bytes[from..to], "{range:?}");
    }
    // As it would be called in a folder, so that one can be copied into the other.
    let name = hex(&hash);
    assert!(bucket.object(&name[..2]).join(&name).is_file());
    s3.delete(hash).await.unwrap();
    assert!(!bucket.object(&name[..2]).join(&name).exists());
}

#[tokio::test]
async fn two_installations_in_one_bucket_do_not_see_each_other() {
    let bucket = Bucket::open().await;
    let (one, other) = (bucket.store("one/").await, bucket.store("other/").await);
    write(&one, Uuid::new_v4(), (0, 1), b"abc").await;
    assert_eq!(one.inventory().await.unwrap().uploads.len(), 1);
    assert!(other.inventory().await.unwrap().uploads.is_empty());
}

#[tokio::test]
async fn a_bucket_that_does_not_let_us_in_is_told_at_once() {
    let bucket = Bucket::open().await;
    let mut wrong = bucket.config("");
    wrong.secret_key = "another one".to_owned();
    let refused = bucket.try_store(wrong).await.unwrap_err().to_string();
    assert!(!refused.contains("another one"), "{refused}");
    let mut missing = bucket.config("");
    missing.bucket = "nobodys".to_owned();
    assert!(bucket.try_store(missing).await.is_err());
}
