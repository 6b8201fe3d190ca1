//! Conversations: scripts in plain words ("ana says "hi" in "Garden"; bo hears …"), played against
//! a server through one door at a time. `docs` of the language: `tests/conversations/README.md`.

mod actions;
mod cast;
mod checks;
mod deals;
mod ear;
mod hearing;
mod script;

use std::path::Path;

use crate::TestServer;
use crate::server::Builder;

use cast::Cast;
use script::Line;

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// REST in JSON; events are asked for.
    Rest,
    /// REST in protobuf; events are asked for.
    RestProtobuf,
    /// A WebSocket in JSON.
    Socket,
    /// A WebSocket in protobuf.
    SocketProtobuf,
    /// Socket.IO over a WebSocket.
    SocketIo,
    /// An event stream, with commands by REST.
    Stream,
}

/// Plays a script through a door.
///
/// # Panics
/// When anything goes otherwise than the script says.
pub async fn play(path: &Path, door: Door) {
    let text = std::fs::read_to_string(path).expect("the script can be read");
    let lines = script::read(&text);
    let server = lines.iter().fold(TestServer::builder(), settings).start().await;
    let mut cast = Cast::new(&server, door);
    for line in &lines {
        // Shown with a failure: how far the conversation had come.
        eprintln!("{:>3}  {}", line.number, line.text);
        cast.perform(line).await;
    }
    cast.go_home().await;
    server.stop().await;
}

/// The lines that say how the server is set up.
fn settings(builder: Builder, line: &Line) -> Builder {
    match line.text.split(' ').collect::<Vec<_>>()[..] {
        ["limits", "on"] => builder.limits_on(),
        ["limit", name, value] => builder.limit(name, value.parse().expect("a number")),
        _ => builder,
    }
}
