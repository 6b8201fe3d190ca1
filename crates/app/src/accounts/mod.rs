//! Accounts and logins: how people come in, prove themselves, and go.

mod authenticate;
mod delete;
mod devices;
mod enroll;
mod guest;
pub(crate) mod live;
mod login;
mod logout;
mod password;
mod refresh;
mod register;
mod renew;
mod resend;
mod reset;
mod revoke;
pub(crate) mod tokens;
mod verify;

pub use authenticate::Unproved;
pub use enroll::Enroll;
pub use login::{Login, SignedIn};
pub use register::{Register, Registered};
pub use renew::NotRenewed;
