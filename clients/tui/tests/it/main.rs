//! The terminal client: its keys, its screens drawn into memory, and the program itself in a
//! terminal of its own, against the server that `PARLOR_BIN` names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod keys;
#[path = "../../../sdk/tests/it/kit.rs"]
#[expect(dead_code, reason = "the kit is that of the SDK's tests, which need more of it")]
mod kit;
mod program;
#[expect(dead_code, reason = "the proxy is that of the SDK's tests, which need more of it")]
#[path = "../../../sdk/tests/it/proxy.rs"]
mod proxy;
mod screens;
mod terminal;
