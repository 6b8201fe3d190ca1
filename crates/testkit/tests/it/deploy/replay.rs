//! Replays a Dockerfile in a plain folder. The last stage is made exactly as an engine would make
//! it; for the images that the others begin with this machine stands in, whose compilers are used.
//!
//! Compiling takes minutes, so `cargo xtask image` does that; otherwise the program of these tests
//! is put where the compiled one would be, and everything else is done all the same.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::dockerfile::{Stage, Step};
use super::root;

/// What the Dockerfile makes.
#[derive(Default)]
pub(super) struct Image {
    /// The folder with everything that is in it.
    pub(super) root: PathBuf,
    pub(super) workdir: String,
    pub(super) user: u32,
    pub(super) env: Vec<(String, String)>,
    pub(super) volumes: Vec<String>,
    pub(super) ports: Vec<u16>,
    pub(super) stop_signal: String,
    pub(super) health: Vec<String>,
    pub(super) command: Vec<String>,
    _folder: Option<TempDir>,
}

/// Whether everything is compiled as the Dockerfile says.
pub(super) fn compiles() -> bool {
    std::env::var_os("PARLOR_IMAGE").is_some()
}

/// Whether files may be given to somebody else, and programs be run as somebody else.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Replays every stage; the last one is the image.
pub(super) fn replay(stages: &[Stage]) -> Image {
    let folder = TempDir::new().expect("a temporary folder can be made");
    // Somebody else walks through it.
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), open).expect("the folder is ours");
    let mut image = Image::default();
    for (n, stage) in stages.iter().enumerate() {
        let name = if stage.name.is_empty() { n.to_string() } else { stage.name.clone() };
        image = Image { root: folder.path().join(name), workdir: "/".into(), ..Image::default() };
        fs::create_dir_all(&image.root).expect("a stage has a folder");
        for step in &stage.steps {
            image.take(step, stage, folder.path());
        }
    }
    image._folder = Some(folder);
    image
}

impl Image {
    fn take(&mut self, step: &Step, stage: &Stage, stages: &Path) {
        match step {
            Step::Workdir(path) => {
                self.workdir.clone_from(path);
                fs::create_dir_all(self.at(path)).expect("a folder to work in");
            }
            Step::Copy { from, owner, sources, to } => {
                let from = from.as_ref().map(|name| stages.join(name));
                self.copy(from.as_deref(), *owner, sources, to);
            }
            Step::Run(command) => {
                assert_ne!(stage.base, "scratch", "there is nothing to run `{command}` with");
                self.run(command);
            }
            Step::User(id) => self.user = *id,
            Step::Env(pairs) => self.env.extend(pairs.iter().cloned()),
            Step::Volume(path) => self.volumes.push(path.clone()),
            Step::Expose(port) => self.ports.push(*port),
            Step::StopSignal(signal) => self.stop_signal.clone_from(signal),
            Step::Health(command) => self.health.clone_from(command),
            Step::Entrypoint(words) => self.command.clone_from(words),
            Step::Cmd(words) => self.command.extend(words.iter().cloned()),
        }
    }

    /// Where a path of the stage is on this machine.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        let absolute = Path::new(&self.workdir).join(path);
        self.root.join(absolute.strip_prefix("/").expect("it begins at the root"))
    }

    fn copy(&self, from: Option<&Path>, owner: Option<u32>, sources: &[String], to: &str) {
        let into = self.at(to);
        for source in sources {
            let ignored = if from.is_none() { ignored() } else { vec![] };
            let base = from.map_or_else(root, Path::to_path_buf);
            let path = base.join(source.trim_start_matches('/'));
            let target = if path.is_dir() || !to.ends_with('/') {
                into.clone()
            } else {
                into.join(path.file_name().expect("a file has a name"))
            };
            copy_all(&path, &target, &base, &ignored);
        }
        if let Some(id) = owner.filter(|_| is_root()) {
            chown(&into, Some(id), Some(id)).expect("root gives files away");
        }
    }

    fn run(&self, command: &str) {
        if !compiles() && self.stand_in(command) {
            return;
        }
        let mut shell = Command::new("sh");
        shell.args(["-ec", command]).current_dir(self.at("."));
        // Where this machine's cargo puts things is not where the image's would.
        shell.env_remove("CARGO_TARGET_DIR");
        let status = shell.status().expect("there is a shell");
        assert!(status.success(), "RUN {command}: {status}");
    }

    /// Puts what compiling would have made where it would have put it.
    fn stand_in(&self, command: &str) -> bool {
        if command.contains("cargo build") {
            let made = self.at("target/release/parlor");
            copy_all(Path::new(env!("CARGO_BIN_EXE_parlor-tested")), &made, Path::new("/"), &[]);
        } else if command == "npm run build" {
            fs::create_dir_all(self.at("dist")).expect("a folder for the web client");
        } else {
            return command.starts_with("npm ");
        }
        true
    }
}

/// The patterns of `.dockerignore`.
fn ignored() -> Vec<String> {
    let text = super::text_of(".dockerignore");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Copies a file, or what is in a folder, as `COPY` does.
fn copy_all(from: &Path, to: &Path, base: &Path, ignored: &[String]) {
    let place = from.strip_prefix(base).unwrap_or(from);
    if ignored.iter().any(|pattern| fits(pattern, place)) {
        return;
    }
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder can be made");
        for entry in fs::read_dir(from).expect("a folder can be read") {
            let entry = entry.expect("a folder can be read");
            copy_all(&entry.path(), &to.join(entry.file_name()), base, ignored);
        }
    } else {
        fs::create_dir_all(to.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::copy(from, to).unwrap_or_else(|error| panic!("COPY {}: {error}", from.display()));
    }
}

/// Whether a path is what a pattern means: the same names, with `*` for any one of them.
fn fits(pattern: &str, path: &Path) -> bool {
    let (mut wanted, mut found) = (Path::new(pattern).iter(), path.iter());
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return !pattern.is_empty(),
            (Some(want), Some(name)) if want == "*" || want == name => {}
            _ => return false,
        }
    }
}

#[test]
fn what_is_ignored_is_what_a_pattern_says_at_its_place() {
    assert!(fits("target", Path::new("target")));
    assert!(!fits("target", Path::new("crates/target")));
    assert!(fits("bench/peers/*/node_modules", Path::new("bench/peers/socketio/node_modules")));
    assert!(!fits("bench/peers/*", Path::new("bench/peers")));
}
