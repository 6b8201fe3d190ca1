//! Files that do harm to who opens them, or unpacks them: here nobody does.

use parlor_testkit::TestServer;

use super::{fetch, inventory, send, ticket};

/// What programs that look for viruses all know. In two parts, lest they find it here.
const EICAR: [&str; 2] =
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}", "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// A ZIP whose one entry has this name, and is said to be as large as can be said.
fn zip(name: &str, link: bool) -> Vec<u8> {
    let huge = u32::MAX.to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let local =
        [&b"PK\x03\x04\x14\0\0\0\x08\0"[..], &[0; 8], &[2, 0, 0, 0], &huge, &length, &[0; 2]];
    let local = [&local.concat(), name.as_bytes(), b"\x03\0"].concat();
    let mode: u32 = if link { 0o120_777 << 16 } else { 0o100_644 << 16 };
    let entry = [
        &b"PK\x01\x02\x14\x03\x14\0\0\0\x08\0"[..],
        &[0; 8],
        &[2, 0, 0, 0],
        &huge,
        &length,
        &[0; 8],
        &mode.to_le_bytes(),
        &[0; 4],
        name.as_bytes(),
    ];
    let entry = entry.concat();
    let many = u16::MAX.to_le_bytes();
    let sizes = [entry.len(), local.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
    [&local, &entry, &b"PK\x05\x06\0\0\0\0"[..], &many, &many, &sizes.concat(), &[0; 2]].concat()
}

#[tokio::test]
async fn u4_an_archive_is_kept_as_it_is_and_never_unpacked() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let ticket = ticket(&ana).await;
    let bomb = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".repeat(4_000), vec![0; 2_000]].concat();
    let mut kept = vec![];
    for (what, bytes) in [
        ("an entry that leads elsewhere", zip("../../../../tmp/parlor-was-here", false)),
        ("a link", zip("link", true)),
        ("something packed over and over", bomb),
    ] {
        let file = send(&ana, "holiday.zip", &bytes).await;
        let got = fetch(&ana, &file.id, &ticket, &[]).await;
        assert_eq!((got.status, &got.body), (200, &bytes), "{what}");
        assert_eq!(got.header("content-type"), Some("application/octet-stream"), "{what}");
        assert!(got.header("content-disposition").unwrap().starts_with("attachment"), "{what}");
        assert!(!file.thumbnail, "{what}");
        kept.push(*blake3::hash(&bytes).as_bytes());
    }
    kept.sort_unstable();
    assert_eq!(inventory(server.data_dir()).await.blobs, kept, "and nothing besides");
    server.stop().await;
}

#[tokio::test]
async fn u9_a_virus_is_kept_as_any_file_and_never_shown_in_place() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let bytes = EICAR.concat().into_bytes();
    for name in ["eicar.com", "cat.png"] {
        let file = send(&ana, name, &bytes).await;
        let got = fetch(&ana, &file.id, &ticket(&ana).await, &[]).await;
        assert_eq!((got.status, &got.body), (200, &bytes), "nobody looks for viruses");
        assert_eq!(got.header("content-type"), Some("application/octet-stream"));
        let disposition = got.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    }
    server.stop().await;
}
