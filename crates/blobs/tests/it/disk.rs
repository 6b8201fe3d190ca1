//! Files.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use parlor_blobs::{BlobError, Blobs as _, Disk, Inventory};
use uuid::Uuid;

use crate::conformance::suite;

#[tokio::test]
async fn a_folder_keeps_what_every_store_must() {
    let home = tempfile::tempdir().unwrap();
    suite(&Disk::open(&home.path().join("blobs")).unwrap()).await;
}

#[tokio::test]
async fn two_do_not_write_one_upload() {
    let home = tempfile::tempdir().unwrap();
    let (disk, upload) = (Disk::open(home.path()).unwrap(), Uuid::new_v4());
    let mut first = disk.resume(upload, 0, 1).await.unwrap();
    first.write(Bytes::from_static(b"abc")).await.unwrap();
    assert!(matches!(disk.resume(upload, 0, 2).await.err(), Some(BlobError::Busy)));
    assert_eq!(first.sync().await.unwrap(), 3);
    drop(first);
    assert!(disk.resume(upload, 3, 2).await.is_ok());
}

#[tokio::test]
async fn nobody_else_on_the_machine_can_read_it() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("blobs");
    let (disk, upload) = (Disk::open(&root).unwrap(), Uuid::new_v4());
    disk.resume(upload, 0, 1).await.unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(root.clone()), 0o700);
    assert_eq!(mode(root.join("partial").join(upload.simple().to_string())), 0o600);
}

#[tokio::test]
async fn what_a_crash_left_half_made_is_found_and_goes() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    std::fs::write(home.path().join("partial").join("0b.new"), b"half").unwrap();
    assert_eq!(disk.inventory().await.unwrap().unfinished, 1);
    assert_eq!(disk.tidy(SystemTime::UNIX_EPOCH).await.unwrap(), 0, "it may still be under way");
    let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33);
    assert_eq!(disk.tidy(later).await.unwrap(), 1);
    assert_eq!(disk.inventory().await.unwrap(), Inventory::default());
}
