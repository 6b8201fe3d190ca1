//! Links in a text, as far as they are to be shown with what is behind them: outside of what is
//! shown as it is written (code), not hidden (`||…||`), and not put into `<…>` by their author.

/// The first links of a text, each once, at most so many.
pub fn links(content: &str, max: usize) -> Vec<&str> {
    let mut found = Vec::new();
    if !has_link(content) {
        return found;
    }
    for piece in outside_code(content).into_iter().flat_map(outside_hidden) {
        for link in in_piece(piece) {
            if found.len() == max {
                return found;
            }
            if !found.contains(&link) {
                found.push(link);
            }
        }
    }
    found
}

/// Whether there may be a link in a text: cheap enough to be asked of every message.
pub fn has_link(content: &str) -> bool {
    content.contains("://")
}

/// Whose a link is: the host, with its port where one is written.
pub fn authority(link: &str) -> &str {
    let rest = link.split_once("://").map_or("", |(_, rest)| rest);
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    &rest[..end]
}

/// What of a text is not code: neither between rows of backticks or tildes, nor between as many
/// backticks in a line.
fn outside_code(content: &str) -> Vec<&str> {
    let (mut pieces, mut fence) = (Vec::new(), None);
    for line in content.lines() {
        let mark = fence_of(line);
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some((c, least)), Some((d, count))) if c == d && count >= least => fence = None,
            (Some(_), _) => {}
            (None, None) => outside_ticks(line, &mut pieces),
        }
    }
    pieces
}

/// The row of backticks or tildes that a line begins with, when it is one.
fn fence_of(line: &str) -> Option<(char, usize)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let count = line.chars().take_while(|c| *c == mark).count();
    (count >= 3).then_some((mark, count))
}

fn outside_ticks<'a>(line: &'a str, pieces: &mut Vec<&'a str>) {
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let count = rest[at..].bytes().take_while(|b| *b == b'`').count();
        let (before, inside) = (&rest[..at], &rest[at + count..]);
        let Some(end) = closing(inside, count) else {
            // Backticks that nothing closes are just backticks.
            pieces.push(&rest[..at + count]);
            rest = inside;
            continue;
        };
        pieces.push(before);
        rest = &inside[end + count..];
    }
    pieces.push(rest);
}

/// Where a row of exactly so many backticks begins.
fn closing(text: &str, count: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let begin = at + found;
        let run = text[begin..].bytes().take_while(|b| *b == b'`').count();
        if run == count {
            return Some(begin);
        }
        at = begin + run;
    }
    None
}

/// What of a stretch of text is not hidden between `||` and `||`.
fn outside_hidden(piece: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<&str> = piece.split("||").collect();
    let count = parts.len();
    // Where nothing closes the last, nothing is hidden behind it.
    let shown = move |n: usize| n.is_multiple_of(2) || n + 1 == count;
    parts.into_iter().enumerate().filter(move |(n, _)| shown(*n)).map(|(_, part)| part)
}

/// The links of a stretch of text.
fn in_piece(piece: &str) -> impl Iterator<Item = &str> {
    piece.match_indices("://").filter_map(|(at, _)| {
        let before = &piece[..at];
        let scheme = ["https", "http"].into_iter().find(|scheme| ends_with(before, scheme))?;
        let begin = at - scheme.len();
        let last = piece[..begin].chars().next_back();
        // `<https://…>` is a link that is not to be shown with what is behind it.
        if last.is_some_and(|c| c.is_alphanumeric() || c == '<') {
            return None;
        }
        let text = &piece[begin..];
        let end = text.find(|c: char| c.is_whitespace() || c.is_control() || "<>\"`|".contains(c));
        let link = trimmed(&text[..end.unwrap_or(text.len())]);
        (link.len() > scheme.len() + "://".len()).then_some(link)
    })
}

fn ends_with(text: &str, word: &str) -> bool {
    let Some(begin) = text.len().checked_sub(word.len()) else { return false };
    text.as_bytes()[begin..].eq_ignore_ascii_case(word.as_bytes())
}

/// A link without what belongs to the sentence that it stands in.
fn trimmed(link: &str) -> &str {
    let mut link = link;
    while let Some(last) = link.chars().next_back() {
        let balanced =
            |open: char, close: char| link.matches(open).count() >= link.matches(close).count();
        let part = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => false,
            ')' => balanced('(', ')'),
            ']' => balanced('[', ']'),
            '}' => balanced('{', '}'),
            _ => true,
        };
        if part {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_where_people_see_them() {
        for (text, expected) in [
            ("see https://a.org/b?c=d#e now", vec!["https://a.org/b?c=d#e"]),
            ("HTTP://A.org", vec!["HTTP://A.org"]),
            ("(https://a.org/b_(c)), https://b.org.", vec!["https://a.org/b_(c)", "https://b.org"]),
            ("[text](https://a.org/x)", vec!["https://a.org/x"]),
            ("**https://a.org**", vec!["https://a.org"]),
            ("https://a.org https://a.org", vec!["https://a.org"]),
            ("<https://a.org> https://b.org", vec!["https://b.org"]),
            ("`https://a.org` ``b ` https://b.org`` https://c.org", vec!["https://c.org"]),
            ("a ` https://a.org", vec!["https://a.org"]),
            ("```\nhttps://a.org\n```\nhttps://b.org", vec!["https://b.org"]),
            ("~~~~ rust\nhttps://a.org\n~~~\nhttps://b.org", vec![]),
            ("ftp://a.org xhttps://b.org https:// http://", vec![]),
            ("日本https://a.org/日本。", vec![]),
            ("日本 https://a.org/日本", vec!["https://a.org/日本"]),
            ("||see https://a.org|| https://b.org", vec!["https://b.org"]),
            ("a || https://a.org", vec!["https://a.org"]),
            ("nothing", vec![]),
        ] {
            assert_eq!(links(text, 9), expected, "{text}");
        }
    }

    #[test]
    fn a_few_are_enough() {
        let text: String = (0..50).map(|n| format!("https://a.org/{n} ")).collect();
        let expected = ["https://a.org/0", "https://a.org/1", "https://a.org/2"];
        assert_eq!(links(&text, 3), expected);
        assert_eq!(links(&"`".repeat(16_000), 3), Vec::<&str>::new());
    }
}
