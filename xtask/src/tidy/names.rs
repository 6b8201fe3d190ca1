//! Names of files that say nothing about what is in them.

use super::Fault;

const FORBIDDEN: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "manager", "managers", "service", "services"];
const SOURCES: [&str; 5] = [".rs", ".ts", ".tsx", ".js", ".mjs"];

/// The fault of a source file's path, if it has one.
pub(crate) fn check(path: &str) -> Option<Fault> {
    let stem = SOURCES.iter().find_map(|end| path.strip_suffix(end))?;
    // The platform's own name for the thing.
    let stem = stem.replace("service-worker", "worker").replace("service_worker", "worker");
    let word = stem.split(['/', '-', '_', '.']).find(|word| FORBIDDEN.contains(word));
    let word = word.or_else(|| stem.ends_with("/impl").then_some("impl"))?;
    Some(Fault::new(path, 1, format!("`{word}` in a name says nothing: name what it does")))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_that_say_nothing_are_faults() {
        for path in ["crates/hub/src/utils.rs", "web/src/date-helpers.ts", "crates/common/a.rs"] {
            assert!(check(path).is_some(), "{path}");
        }
        assert!(check("crates/store/src/impl.rs").is_some());
    }

    #[test]
    fn other_names_are_none() {
        for path in ["crates/hub/src/commonplace.rs", "web/src/service-worker.ts", "docs/utils.md"]
        {
            assert!(check(path).is_none(), "{path}");
        }
    }
}
