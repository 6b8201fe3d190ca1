//! Accounts and logins: how people come in, prove themselves, and go.

mod authenticate;
mod devices;
pub(crate) mod live;
mod login;
mod logout;
mod password;
mod refresh;
mod register;
mod resend;
mod reset;
mod revoke;
pub(crate) mod tokens;
mod verify;

pub use login::{Login, SignedIn};
pub use register::{Register, Registered};
