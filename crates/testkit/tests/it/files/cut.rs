//! A file whose connection is cut again and again.

use std::time::Duration;

use parlor_testkit::{Fault, FaultProxy, ServerProcess, TestServer, soon};

use super::{begin, inventory, noise, number, piece, tus};
use crate::simulation::number as asked;

/// Cuts, unless `PARLOR_UPLOAD_CUTS` says otherwise.
const CUTS: u64 = 20;

/// Bytes, unless `PARLOR_UPLOAD_BYTES` says otherwise.
const BYTES: u64 = 40 << 20;

/// Bytes of memory that the server may take above idle, when it is asked to be measured: an
/// unoptimised build tells nothing.
const MEMORY_KIB_MAX: u64 = 20 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_cut_twenty_times_resumes_and_is_right() {
    let cuts = asked("PARLOR_UPLOAD_CUTS").unwrap_or(CUTS);
    let length = asked("PARLOR_UPLOAD_BYTES").unwrap_or(BYTES);
    let settings = TestServer::builder().set("public_url", "http://parlor.test");
    let process = ServerProcess::start_with(env!("CARGO_BIN_EXE_parlor-tested"), &settings);
    let proxy = FaultProxy::transparent(process.address()).await;
    let ana = process.person("ana").await;
    let bytes = noise(usize::try_from(length).unwrap(), 1);
    let path = begin(&ana, length, "x").await;
    let idle = process.memory_kib();
    let (mut at, mut done, mut most) = (0, 0, idle);
    let mut look = tokio::time::interval(Duration::from_millis(5));
    while at < length {
        let from = usize::try_from(at).unwrap();
        let request = piece(&ana, &path, at, &bytes[from..]).bytes();
        let sending = super::cut::send(proxy.address(), &request);
        tokio::pin!(sending);
        // So many cuts, spread over the whole length: each comes when its share has been taken.
        let share = length / (cuts + 1) * (done + 1);
        let answered = loop {
            tokio::select! {
                answered = &mut sending => break answered,
                _ = look.tick() => {}
            }
            most = most.max(process.memory_kib());
            if done < cuts && process.upload_bytes() >= share {
                proxy.strike(Fault::Reset);
            }
        };
        if !answered {
            done += 1;
        }
        let head = soon("where it is", ana.send(tus(&ana, "HEAD", &path))).await;
        assert_eq!((head.status, number(&head, "upload-length")), (200, length));
        let now = number(&head, "upload-offset");
        assert!(now >= at, "what was acknowledged is kept");
        at = now;
    }
    let hash = *blake3::hash(&bytes).as_bytes();
    let found = inventory(&process.data_dir()).await;
    assert_eq!((found.blobs, found.uploads, found.unfinished), (vec![hash], vec![], 0));
    println!("{length} bytes, {done} cuts: hash right, {} KiB above idle", most - idle);
    assert_eq!(done, cuts);
    if asked("PARLOR_UPLOAD_MEASURED").is_some() {
        assert!(most - idle <= MEMORY_KIB_MAX, "{} KiB above idle", most - idle);
    }
}

/// Sends a request; whether it was answered and not cut.
async fn send(to: std::net::SocketAddr, request: &[u8]) -> bool {
    let Ok(mut wire) = parlor_testkit::http::Wire::connect(to).await else { return false };
    wire.exchange_long(request).await.is_ok_and(|answer| answer.status == 204)
}
