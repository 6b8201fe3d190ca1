//! One test for each script and each door that it can be played through.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const DOORS: [(&str, &str, &str); 6] = [
    ("rest", "over_rest", "Rest"),
    ("rest-protobuf", "over_rest_in_protobuf", "RestProtobuf"),
    ("socket", "over_a_socket", "Socket"),
    ("socket-protobuf", "over_a_socket_in_protobuf", "SocketProtobuf"),
    ("socketio", "over_socketio", "SocketIo"),
    ("stream", "over_an_event_stream", "Stream"),
];

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    let scripts = Path::new(&root).join("../../tests/conversations");
    println!("cargo:rerun-if-changed={}", scripts.display());
    let mut paths: Vec<PathBuf> = match std::fs::read_dir(&scripts) {
        Ok(files) => files.flatten().map(|file| file.path()).collect(),
        Err(_) => Vec::new(),
    };
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "chat"));
    paths.sort();
    let mut tests = String::new();
    for path in &paths {
        write_tests(&mut tests, path);
    }
    let to = std::env::var("OUT_DIR").expect("cargo says where to write");
    std::fs::write(Path::new(&to).join("conversations.rs"), tests).expect("it can be written");
}

fn write_tests(tests: &mut String, path: &Path) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // A script that says `doors …` is for these only.
    let line = text.lines().find_map(|line| line.strip_prefix("doors "));
    let only: Option<Vec<_>> = line.map(|line| line.split_whitespace().collect());
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let _ = writeln!(tests, "mod {name} {{");
    for (word, test, door) in DOORS {
        if only.as_ref().is_some_and(|only| !only.contains(&word)) {
            continue;
        }
        let _ = writeln!(
            tests,
            "    #[tokio::test(flavor = \"multi_thread\", worker_threads = 2)]\n    \
             async fn {test}() {{ super::play({file:?}, super::Door::{door}).await }}"
        );
    }
    let _ = writeln!(tests, "}}");
}
