//! Pictures that are meant to do harm.

use parlor_testkit::TestServer;
use parlor_wire::v1;

use super::{fetch, inventory, send, sending, small, ticket};

/// A PNG of one grey pixel, said to be of this size, with these chunks behind its head.
fn png(width: u32, height: u32, more: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut head = Vec::new();
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    head.extend([8, 0, 0, 0, 0]);
    let pixels = b"\x78\x01\x01\x02\0\xfd\xff\0\x80\0\x82\0\x81";
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let last: [(&[u8; 4], &[u8]); 2] = [(b"IDAT", pixels), (b"IEND", b"")];
    let head: (&[u8; 4], &[u8]) = (b"IHDR", &head);
    for (name, data) in [head].iter().chain(more).chain(&last) {
        file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        file.extend(*name);
        file.extend(*data);
        file.extend(sum(&[&name[..], data].concat()).to_be_bytes());
    }
    file
}

/// CRC-32, as PNG has it.
fn sum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
    })
}

#[tokio::test]
async fn a_picture_that_is_damaged_or_too_large_is_refused() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let gif = b"GIF89a\x01\0\x01\0\0\0\0";
    let frame = b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0";
    for (name, bytes) in [
        ("a flood of pixels", png(100_000, 100_000, &[])),
        ("no pixels at all", png(0, 0, &[])),
        ("an animation without end", [&gif[..], &frame.repeat(10_000), b";"].concat()),
        ("half a GIF", [&gif[..], frame].concat()),
        ("half a PNG", png(1, 1, &[])[..40].to_vec()),
        ("a JPEG without a picture", b"\xff\xd8\xff\xd9".to_vec()),
        ("a JPEG that lies about a length", b"\xff\xd8\xff\xe0\xff\xff\0".to_vec()),
        (
            "a WebP that lies about a length",
            b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff".to_vec(),
        ),
    ] {
        let answer = ana.send(sending(&ana, "x", &bytes)).await;
        assert_eq!((answer.status, &*answer.code()), (422, "invalid"), "{name}");
    }
    let found = inventory(server.data_dir()).await;
    assert!(found.blobs.is_empty() && found.uploads.is_empty() && found.unfinished == 0);
    server.stop().await;
}

#[tokio::test]
async fn where_a_picture_was_taken_is_not_given_out() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let place = b"52.5200N 13.4050E";
    let bytes = png(1, 1, &[(b"tEXt", place), (b"iTXt", place)]);
    let file = send(&ana, "here.png", &bytes).await;
    assert_eq!((file.width, file.height), (Some(1), Some(1)));
    assert_eq!(&*file.media_type, "image/png");
    let got = fetch(&ana, &file.id, &ticket(&ana).await, &[]).await;
    assert_eq!(got.body, png(1, 1, &[]));
    let drawn = small(&ana, &file.id, &ticket(&ana).await).await;
    let mut kept = [got.body, drawn.body].map(|bytes| *blake3::hash(&bytes).as_bytes());
    kept.sort_unstable();
    assert_eq!(inventory(server.data_dir()).await.blobs, kept, "nor kept");
    server.stop().await;
}

#[tokio::test]
async fn what_is_encrypted_is_not_looked_into() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let bytes = png(100_000, 100_000, &[]);
    let request = ana.request("POST", "/files?name=x&encrypted=true");
    let answer = ana.send(request.body("application/octet-stream", bytes.clone())).await;
    let file: v1::File = serde_json::from_slice(&answer.body).unwrap();
    assert!(file.encrypted && file.width.is_none() && !file.thumbnail);
    assert_eq!(small(&ana, &file.id, &ticket(&ana).await).await.status, 404);
    assert_eq!(&*file.media_type, "application/octet-stream");
    let got = fetch(&ana, &file.id, &ticket(&ana).await, &[]).await;
    assert_eq!(got.body, bytes);
    assert!(got.header("content-disposition").unwrap().starts_with("attachment"));
    server.stop().await;
}
