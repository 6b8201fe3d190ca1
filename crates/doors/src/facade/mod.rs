//! What a façade is made with: the ways of other systems, as far as several of them share these.
//!
//! A façade is a crate of its own that answers another system's API by calling the use cases. It
//! gives a [`Facade`]: its name, the paths that it knows, and the routes behind them, which answer
//! exactly as that system does. How façades live together at one root is the front's business
//! (`crates/facades/front`).

pub mod fastapi;
mod proof;
mod request;
mod slash;
mod socket;
mod stream;
mod words;

use axum::Router;
use axum::http::Method;
use parlor_wire::Dialect;

pub use crate::error::{explain, new_request_id};
pub use crate::manner::End;
pub use proof::{bearer, by_login_cookie, clear_cookie, cookie, login_cookie, set_cookie};
pub use request::{body, fresh_id, query_pairs, query_value};
pub use slash::{is_one_of, other_slash};
pub use socket::{Farewell, Heard, Interpreter, Talk, is_upgrade, turn_away, upgrade};
pub use stream::{Reader, follow, one_event};
pub use words::{ENCRYPTED, read, told};

use crate::Doors;

/// Another system's API.
pub struct Facade {
    /// Whose.
    pub dialect: Dialect,
    /// Its paths with their methods, as axum writes them (`/room/{room_id}`), slashes significant.
    /// A WebSocket's method is GET, and its path may stand here twice.
    pub paths: &'static [(Method, &'static str)],
    /// What answers them. Its fallback answers every other path, in the system's own form.
    pub routes: Router<Doors>,
}
