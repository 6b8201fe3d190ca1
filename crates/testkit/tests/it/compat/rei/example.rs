//! The example of the README for JavaScript, as `docs/compat/rei.md` has it, run by Node.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use parlor_testkit::TestServer;
use tokio::sync::mpsc;

use super::{Somebody, ok, post};

/// The first block of JavaScript in a text.
fn example(text: &str) -> &str {
    let (_, rest) = text.split_once("```javascript\n").expect("the page has the example");
    rest.split_once("```").expect("the block has an end").0
}

/// A Node process, which is ended with the test.
struct Node {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    /// Runs a script. Node 20, which Debian has, knows WebSockets when it is asked to; later ones
    /// know them anyway.
    fn run(script: &str) -> Self {
        let mut node = Command::new("node");
        node.arg("--experimental-websocket").arg("--eval").arg(script);
        let mut child = node.stdout(Stdio::piped()).spawn().expect("node is here");
        let out = child.stdout.take().expect("its output is ours");
        let (said, lines) = mpsc::channel(64);
        // It ends with its end of the pipe.
        std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            lines.map_while(|line| said.blocking_send(line).ok()).for_each(drop);
        });
        Self { child, lines }
    }

    /// Reads until a line with this in it, and returns all up to it.
    async fn until(&mut self, what: &str) -> String {
        let read = async {
            let mut said = String::new();
            while let Some(line) = self.lines.recv().await {
                said += &format!("{line}\n");
                if line.contains(what) {
                    return said;
                }
            }
            panic!("node ended without {what:?}: {said}");
        };
        parlor_testkit::soon(what, read).await
    }
}

/// Row: the README's example of a JavaScript client runs unchanged but for its address and token
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readmes_javascript_client_runs_in_node() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compat/rei.md");
    let page = std::fs::read_to_string(page).expect("there is a page");
    let server = TestServer::start().await;
    let ana = Somebody::new(&server, "Ana").await;
    ana.room(&server, "room1").await;
    let mut chat = ana.listen(&server, "room1").await;
    post(&mut chat, "Hello, Node!").await;
    assert_eq!(chat.json().await["message"]["message_id"], 1);
    let script = example(&page);
    assert!(script.contains("yourserver.com") && script.contains("your_access_token"), "{script}");
    let script = script.replace("yourserver.com", &server.address().to_string());
    let script = script.replace("your_access_token", &ana.access);
    let mut node = Node::run(&script);
    assert_eq!(node.until("Connected").await, "Connected\n");
    let said = node.until("type: 'initial_state'").await;
    assert!(said.contains("New message: {"), "{said}");
    assert!(said.contains("last_read_id: 1"), "{said}");
    assert!(said.contains("content: 'Hello, Node!'"), "{said}");
    let gone = ana.ask(&server, "DELETE", "/room/room1", serde_json::json!({})).await;
    assert_eq!(gone, (200, ok()));
    assert!(node.until("Disconnected").await.ends_with("Disconnected\n"));
    server.stop().await;
}

#[test]
fn the_first_block_of_javascript_is_the_example() {
    let text = "a\n```sh\nno\n```\n```javascript\nyes\n```\n```javascript\nno\n```\n";
    assert_eq!(example(text), "yes\n");
}
