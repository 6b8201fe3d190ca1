//! How long things may be: lines, functions, files, and `main.rs`.

use super::Fault;
use super::source::Source;

const COLUMNS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 700;
const MAIN_LINES_MAX: usize = 60;

/// Everything in `source` that is too long.
pub(crate) fn check(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |line, what| faults.push(Fault::new(&source.path, line, what));
    for (index, line) in source.lines.iter().enumerate() {
        let columns = line.chars().count();
        // An address cannot be broken.
        if columns > COLUMNS_MAX && !line.contains("://") {
            fault(index + 1, format!("{columns} columns; at most {COLUMNS_MAX}"));
        }
    }
    for function in source.functions() {
        let lines = function.last - function.first + 1;
        if lines > FUNCTION_LINES_MAX {
            let name = function.name;
            let what = format!("`{name}` has {lines} lines; at most {FUNCTION_LINES_MAX}");
            fault(function.first, what);
        }
    }
    let lines = source.lines_without_tests();
    let most = if source.path.ends_with("/main.rs") && !source.is_test(1) {
        MAIN_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    if lines > most {
        fault(1, format!("{lines} lines without tests; at most {most}"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let faults = check(&Source::new(path, text));
        faults.into_iter().map(|fault| (fault.line, fault.what)).collect()
    }

    #[test]
    fn a_line_has_a_hundred_columns() {
        let line = "é".repeat(100);
        assert!(found("a.rs", &line).is_empty());
        assert_eq!(found("a.rs", &format!("x\n{line}é"))[0].0, 2);
        assert!(found("a.rs", &format!("// https://{line}")).is_empty());
    }

    #[test]
    fn a_function_has_seventy_lines() {
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "x;\n".repeat(lines - 2));
        assert!(found("a.rs", &function(70)).is_empty());
        assert_eq!(found("a.rs", &function(71))[0].1, "`f` has 71 lines; at most 70");
    }

    #[test]
    fn a_file_has_seven_hundred_lines_and_main_sixty() {
        let text = |lines| "x;\n".repeat(lines);
        assert!(found("a.rs", &text(700)).is_empty());
        assert_eq!(found("a.rs", &text(701)).len(), 1);
        assert!(found("a.rs", &(text(700) + "#[cfg(test)]\nmod tests {\n}\n")).is_empty());
        assert_eq!(found("crates/server/src/main.rs", &text(61)).len(), 1);
        assert!(found("crates/server/tests/it/main.rs", &text(61)).is_empty());
    }
}
