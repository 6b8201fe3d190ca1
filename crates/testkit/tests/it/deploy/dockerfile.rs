//! Reads a Dockerfile: its stages, and the steps of each. Knows the instructions that ours uses,
//! and refuses any other.

/// One stage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    /// What later stages copy from it by; empty for the last.
    pub(super) name: String,
    /// The image that it begins with.
    pub(super) base: String,
    pub(super) steps: Vec<Step>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Workdir(String),
    Copy {
        from: Option<String>,
        owner: Option<u32>,
        sources: Vec<String>,
        to: String,
    },
    Run(String),
    User(u32),
    Env(Vec<(String, String)>),
    Volume(String),
    Expose(u16),
    StopSignal(String),
    /// The command of the health check.
    Health(Vec<String>),
    Entrypoint(Vec<String>),
    Cmd(Vec<String>),
}

/// The stages, in order.
///
/// # Panics
/// When there is something that this does not know.
pub(super) fn stages(text: &str) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for line in logical_lines(text) {
        let (verb, rest) = line.split_once(' ').expect("an instruction says something");
        if verb == "FROM" {
            let (base, name) = rest.split_once(" AS ").unwrap_or((rest, ""));
            stages.push(Stage { name: name.to_owned(), base: base.to_owned(), steps: vec![] });
        } else {
            let stage = stages.last_mut().expect("the first instruction is FROM");
            stage.steps.push(step(verb, rest.trim()));
        }
    }
    stages
}

/// Lines without comments, those that go on joined to one.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        match line.strip_suffix('\\') {
            Some(more) => open += more,
            None => lines.push(std::mem::take(&mut open) + line),
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

fn step(verb: &str, rest: &str) -> Step {
    match verb {
        "WORKDIR" => Step::Workdir(rest.to_owned()),
        "COPY" => copy(rest),
        "RUN" => Step::Run(rest.to_owned()),
        "USER" => Step::User(first_number(rest)),
        "ENV" => Step::Env(rest.split_whitespace().map(pair).collect()),
        "VOLUME" => Step::Volume(rest.to_owned()),
        "EXPOSE" => Step::Expose(rest.parse().expect("a port")),
        "STOPSIGNAL" => Step::StopSignal(rest.to_owned()),
        "HEALTHCHECK" => Step::Health(words(rest.split_once("CMD ").expect("a command").1)),
        "ENTRYPOINT" => Step::Entrypoint(words(rest)),
        "CMD" => Step::Cmd(words(rest)),
        other => panic!("the replay does not know {other}"),
    }
}

fn copy(rest: &str) -> Step {
    let (mut from, mut owner, mut paths) = (None, None, Vec::new());
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            Some(("--from", name)) => from = Some(name.to_owned()),
            Some(("--chown", ids)) => owner = Some(first_number(ids)),
            _ => paths.push(word.to_owned()),
        }
    }
    let to = paths.pop().expect("COPY has a place to copy to");
    assert!(!paths.is_empty(), "COPY {rest}: nothing to copy");
    Step::Copy { from, owner, sources: paths, to }
}

/// The number of `10001:10001`: the user's and the group's, which are to be the same.
fn first_number(ids: &str) -> u32 {
    let (user, group) = ids.split_once(':').expect("a user and a group");
    assert_eq!(user, group, "user and group have one number");
    user.parse().expect("a number: there is no file of names in the image")
}

fn pair(assignment: &str) -> (String, String) {
    let (name, value) = assignment.split_once('=').expect("NAME=value");
    (name.to_owned(), value.to_owned())
}

/// The words of a command, which is a JSON list: there is no shell that could split them.
fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).expect("a command is a JSON list of words")
}

#[test]
fn a_dockerfile_is_read_as_it_is_meant() {
    let text = "# a\nFROM base:1 AS build\nRUN one \\\n# between\n    && two\n\nFROM scratch\n\
                COPY --from=build --chown=7:7 a b /to/\nENV A=b C=d\nCMD [\"x\", \"y\"]\n";
    let of = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let [build, last] = &stages(text)[..] else { panic!("two stages") };
    assert_eq!((&*build.base, &*build.name), ("base:1", "build"));
    assert_eq!(build.steps, [Step::Run("one     && two".to_owned())]);
    let copy = Step::Copy {
        from: Some("build".to_owned()),
        owner: Some(7),
        sources: of(&["a", "b"]),
        to: "/to/".to_owned(),
    };
    let env = Step::Env(vec![pair("A=b"), pair("C=d")]);
    assert_eq!(last.steps, [copy, env, Step::Cmd(of(&["x", "y"]))]);
}
