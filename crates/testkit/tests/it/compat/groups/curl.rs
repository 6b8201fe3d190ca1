//! The `curl` lines of the document, as they stand, against the real server on port 8000. Both are
//! in a network of their own, where nobody else can have that port.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use parlor_testkit::{ServerProcess, TestServer};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{group_object, plain};

/// What keeps a `curl` that hears no end from running for ever, and tells the status.
const CURLRC: &str = "silent\nno-buffer\nmax-time = 20\nwrite-out = \"\\n%{http_code}\"\n";

/// The commands of a page: what its blocks of `bash` have, each from its `curl` on.
fn commands(page: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```bash" => inside = true,
            "```" => inside = false,
            _ if !inside || line.starts_with('#') || line.is_empty() => {}
            _ if line.starts_with("curl ") => commands.push(format!("{line}\n")),
            _ => {
                let last = commands.last_mut().expect("a block begins with a command");
                *last += &format!("{line}\n");
            }
        }
    }
    commands
}

/// A network of its own with a server in it, on port 8000.
struct Island {
    server: ServerProcess,
    folder: TempDir,
}

impl Island {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join(".curlrc"), CURLRC).unwrap();
        let apart = if is_root() { "--net" } else { "--net --user --map-root-user" };
        let binary = env!("CARGO_BIN_EXE_parlor-tested");
        let script = format!(
            "#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\nexec unshare {apart} \
             sh -c 'ip link set lo up && exec \"$0\" \"$@\"' '{binary}' \"$@\"\n"
        );
        let path = folder.path().join("parlor-apart");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let settings = TestServer::builder().set("listen", "127.0.0.1:8000");
        let server = ServerProcess::start_with(path.to_str().unwrap(), &settings);
        Self { server, folder }
    }

    /// A shell in the network, which is to run this command.
    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("nsenter");
        shell.arg(format!("--target={}", self.server.id())).arg("--net");
        if !is_root() {
            shell.args(["--user", "--preserve-credentials"]);
        }
        shell.args(["sh", "-c", command]).env("CURL_HOME", self.folder.path());
        shell
    }

    /// Runs a command to its end; the status and the body.
    fn run(&self, command: &str) -> (u16, Value) {
        let Output { stdout, stderr, .. } = self.shell(command).output().unwrap();
        let said = String::from_utf8(stdout).unwrap();
        let errors = String::from_utf8_lossy(&stderr);
        let (body, status) = said.rsplit_once('\n').unwrap_or_else(|| panic!("{said} {errors}"));
        let body = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {body} {errors}"));
        (status.parse().unwrap(), body)
    }

    fn stream(&self, command: &str) -> Stream {
        let mut child = self.shell(command).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Stream { child, lines }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

struct Stream {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Stream {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    /// The next event.
    fn event(&mut self) -> Value {
        let line = self.line();
        assert_eq!(self.line(), "\n");
        let said = line.strip_prefix("data: ").unwrap_or_else(|| panic!("{line:?}"));
        plain(serde_json::from_str(said).unwrap())
    }

    /// Waits until it ends by itself; the status.
    fn end(&mut self) -> String {
        let mut rest = self.line();
        while rest == "\n" {
            rest = self.line();
        }
        assert!(self.child.wait().is_ok());
        rest
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Row: examples: every `curl` line of the document runs against port 8000 as it stands
#[test]
fn the_documents_commands_run_as_they_stand() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compat/groups.md");
    let commands = commands(&std::fs::read_to_string(page).unwrap());
    let [register, login, create, post, page, group_stream, all_stream] = &commands[..] else {
        panic!("the document has seven commands: {commands:?}");
    };
    let mut island = Island::new();

    let (status, said) = island.run(register);
    let uuid = said["user"]["uuid"].clone();
    let user = json!({
        "uuid": uuid, "name": "john_doe", "created_date": "TIME", "updated_at": "TIME",
    });
    let came = |message| json!({"message": message, "access_token": "TOKEN", "user": user});
    assert_eq!((status, plain(said)), (201, came("User created successfully")));

    let (status, said) = island.run(login);
    let token = said["access_token"].as_str().unwrap().to_owned();
    assert_eq!((status, plain(said)), (200, came("Login successful")));

    let signed = |command: &str| command.replace("YOUR_JWT_TOKEN", &token);
    let (status, said) = island.run(&signed(create));
    let group = said["group"]["uuid"].as_str().unwrap().to_owned();
    let made = json!({"message": "Group created successfully", "group": group_object(&group)});
    assert_eq!((status, plain(said)), (201, made));

    let filled = |command: &str| signed(command).replace("GROUP_UUID_HERE", &group);
    let mut one = island.stream(&filled(group_stream));
    assert_eq!(one.event(), json!({"type": "connected", "group_uuid": group}));
    let mut all = island.stream(&filled(all_stream));
    assert_eq!(all.event(), json!({"type": "connected", "groups": [group]}));

    let (status, said) = island.run(&filled(post));
    let message = json!({
        "id": said["data"]["id"], "content": "Hello, world!", "file": null, "group_uuid": group,
        "sender_uuid": uuid, "sender_name": "john_doe", "created_date": "TIME",
        "updated_at": "TIME", "is_deleted": false,
    });
    let sent = json!({"message": "Message sent successfully", "data": message});
    assert_eq!((status, plain(said)), (201, sent));
    let told = json!({"type": "new_message", "data": message});
    assert_eq!((one.event(), all.event()), (told.clone(), told));

    let pagination = json!({
        "page": 1, "per_page": 20, "total": 1, "total_pages": 1, "has_next": false,
        "has_prev": false, "next_page": null, "prev_page": null,
    });
    let (status, said) = island.run(&filled(page));
    let listed = json!({"messages": [message], "pagination": pagination});
    assert_eq!((status, plain(said)), (200, listed));

    // The streams end with the server.
    assert!(island.server.terminate());
    assert_eq!((one.end(), all.end()), ("200".to_owned(), "200".to_owned()));
}

#[test]
fn a_command_ends_where_the_next_one_begins() {
    let page =
        "a\n```bash\n# one\ncurl a \\\n  -b\n\n# two\ncurl c\n```\ncurl no\n```sh\ncurl no\n```\n";
    assert_eq!(commands(page), ["curl a \\\n  -b\n", "curl c\n"]);
}
