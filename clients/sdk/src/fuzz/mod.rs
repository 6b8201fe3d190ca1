//! Frames that no honest server sends, at everything that stands behind the socket.
//!
//! Three people seal messages, rewordings and reactions for a fourth, whose client is given them as
//! frames, and many more that were made of these: with bytes changed, with pieces exchanged between
//! them, with senders, sessions and keys put in each other's place. Nothing may panic, and whatever
//! is shown as somebody's must have been sealed by them.
//!
//! A schedule is repeated by its seed, except for the keys, which are others each time. How many
//! frames there are says `PARLOR_FUZZ_FRAMES`; `PARLOR_SEED`, where chance begins.

mod change;
#[path = "../../tests/it/dice.rs"]
mod dice;
#[path = "../../../e2ee/tests/it/relay.rs"]
#[expect(dead_code, reason = "the machine's own tests use the rest of it")]
mod relay;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dice::{Dice, number};
use world::World;

/// Frames unless `PARLOR_FUZZ_FRAMES` says otherwise.
const FRAMES: u64 = 6_000;

/// Frames of one world: then there are new keys, and nothing is left of the old ones.
const FRAMES_OF_A_WORLD: u64 = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_frame_makes_the_client_panic_or_show_a_wrong_sender() {
    let frames = number("PARLOR_FUZZ_FRAMES").unwrap_or(FRAMES);
    let seed = number("PARLOR_SEED").unwrap_or(0x0066_757a);
    // A panic in a task that nobody waits for is one, too.
    let panics = Arc::new(AtomicU64::new(0));
    let (count, before) = (Arc::clone(&panics), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        count.fetch_add(1, Ordering::Relaxed);
        before(panic);
    }));
    let mut seen = world::Seen::default();
    let mut left = frames;
    while left > 0 {
        let now = left.min(FRAMES_OF_A_WORLD);
        let mut dice = Dice::new(seed ^ left);
        let mut world = World::new(&mut dice).await;
        world.live(&mut dice, now).await;
        seen.add(&world.end().await);
        left -= now;
    }
    assert_eq!(panics.load(Ordering::Relaxed), 0, "seed {seed:#x}");
    assert!(seen.opened > 0 && seen.locked > 0 && seen.keys > 0, "it was a trial: {seen:?}");
    eprintln!("{frames} frames (seed {seed:#x}): {seen:?}");
}
