//! Notes that the binary holds the web client, and says so when there is none.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
    println!("cargo:rerun-if-env-changed=PARLOR_REQUIRE_WEB");
    if Path::new("../../web/dist/index.html").exists() {
        return;
    }
    let required = std::env::var_os("PARLOR_REQUIRE_WEB").is_some();
    assert!(!required, "web/dist is missing: run `cargo xtask web`");
    println!("cargo:warning=web/dist is missing: the binary will say how to build the client");
}
