//! The path of a message: eight files that say so in their first line, and that somebody reads in
//! one sitting.

use super::Fault;
use super::source::Source;

const FILES: usize = 8;
const LINES_MAX: usize = 1_200;

/// Whether there are exactly the files 1 to 8, and whether they are short enough together.
pub(crate) fn check(sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let on_path: Vec<_> = sources.iter().filter_map(|it| Some((number(it)?, it))).collect();
    for wanted in 1..=FILES {
        let holders: Vec<_> = on_path.iter().filter(|(number, _)| *number == wanted).collect();
        match holders[..] {
            [_] => {}
            [] => faults.push(Fault::new("STYLE.md", 1, format!("no file is Path {wanted}/8"))),
            [_, ..] => faults.extend(holders.iter().map(|(_, source)| {
                Fault::new(&source.path, 1, format!("another file is Path {wanted}/8, too"))
            })),
        }
    }
    for (number, source) in on_path.iter().filter(|(number, _)| !(1..=FILES).contains(number)) {
        faults.push(Fault::new(&source.path, 1, format!("there is no Path {number}/8")));
    }
    let lines: usize = on_path.iter().map(|(_, source)| source.lines_without_tests()).sum();
    if lines > LINES_MAX {
        let what = format!("the path of a message has {lines} lines; at most {LINES_MAX}");
        faults.push(Fault::new("STYLE.md", 1, what));
    }
    faults
}

/// 3 of `//! Path 3/8: …`.
fn number(source: &Source) -> Option<usize> {
    let rest = source.lines.first()?.strip_prefix("//! Path ")?;
    rest.split_once("/8")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(numbers: &[usize], lines: usize) -> Vec<String> {
        let source = |number: &usize| {
            let text = format!("//! Path {number}/8: here.\n{}", "x;\n".repeat(lines - 1));
            Source::new(&format!("{number}.rs"), &text)
        };
        let sources: Vec<_> = numbers.iter().map(source).collect();
        check(&sources).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn eight_short_files_are_a_path() {
        assert!(path(&[1, 2, 3, 4, 5, 6, 7, 8], 150).is_empty());
    }

    #[test]
    fn a_path_has_no_hole_no_double_and_no_ninth() {
        assert_eq!(path(&[1, 2, 3, 4, 5, 6, 8], 10), ["no file is Path 7/8"]);
        assert_eq!(path(&[1, 2, 3, 4, 5, 6, 7, 8, 8], 10).len(), 2);
        assert_eq!(path(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 10), ["there is no Path 9/8"]);
    }

    #[test]
    fn a_path_is_read_in_one_sitting() {
        assert_eq!(path(&[1, 2, 3, 4, 5, 6, 7, 8], 151).len(), 1);
    }
}
