//! The examples of the README, run as they stand: each fenced block of `sh` that stands behind a
//! line `<!-- test -->`, all of them in one go, since later ones build on earlier ones.

use std::path::Path;
use std::process::Command;

use parlor_testkit::TestServer;

/// The line that says that the next block is run.
const MARK: &str = "<!-- test -->";

/// The blocks that are to be run, in order.
pub(crate) fn examples(text: &str) -> Result<Vec<String>, String> {
    let mut examples = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        if line.trim() != MARK {
            continue;
        }
        let fence = lines.by_ref().map(|(_, line)| line.trim()).find(|line| !line.is_empty());
        if fence != Some("```sh") {
            return Err(format!("line {}: no block of sh follows the mark", n + 1));
        }
        let mut block = String::new();
        loop {
            match lines.next() {
                Some((_, line)) if line.trim() == "```" => break,
                Some((_, line)) => block += &format!("{line}\n"),
                None => return Err(format!("line {}: the block has no end", n + 1)),
            }
        }
        examples.push(block);
    }
    Ok(examples)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_readme_work() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(&readme).expect("there is a README");
    let examples = examples(&text).expect("every mark has its block");
    assert!(!examples.is_empty(), "the README has no examples to run");
    let server = TestServer::start().await;
    let script = examples.join("\n").replace("http://127.0.0.1:8000", &server.url());
    let script = script.replace("http://localhost:8000", &server.url());
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    let mut bash = Command::new("bash");
    bash.arg("-eu").arg("-o").arg("pipefail").arg("-c").arg(&script);
    bash.current_dir(folder.path()).env("PARLOR_URL", server.url());
    let done = tokio::task::spawn_blocking(move || bash.output()).await.expect("it is waited for");
    let done = done.expect("bash is here");
    let said = format!(
        "{}\n--- out\n{}\n--- err\n{}",
        script,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success(), "the README's examples fail:\n{said}");
    server.stop().await;
}

#[test]
fn a_marked_block_is_found_and_an_unmarked_one_is_not() {
    let text = "a\n```sh\nno\n```\n<!-- test -->\n\n```sh\nyes\nand more\n```\n";
    assert_eq!(examples(text), Ok(vec!["yes\nand more\n".to_owned()]));
    assert!(examples("<!-- test -->\n```json\n{}\n```\n").is_err());
    assert!(examples("<!-- test -->\n```sh\nno end\n").is_err());
    assert!(examples("<!-- test -->\n").is_err());
}
