//! Every script of `tests/conversations`, through every door that can express it.

use std::path::Path;

use parlor_testkit::conversation::{self, Door};

include!(concat!(env!("OUT_DIR"), "/conversations.rs"));

async fn play(script: &str, door: Door) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conversations");
    conversation::play(&scripts.join(script), door).await;
}
