//! Whom a text names.

use crate::{Denied, Limits, name};

/// The username keys of the people that a text names by `@username`, each once, in order.
///
/// # Errors
/// [`Denied::Invalid`] when it names more people than the limit allows.
pub fn mentioned(content: &str, limits: &Limits) -> Result<Vec<String>, Denied> {
    let mut keys: Vec<String> = Vec::new();
    if !content.contains('@') {
        return Ok(keys);
    }
    for (at, _) in content.match_indices('@') {
        let before = content[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '@') {
            continue; // A mail address names nobody.
        }
        let rest = &content[at + 1..];
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
        let end = rest.find(|c| !inner(c)).unwrap_or(rest.len());
        let handle = rest[..end].trim_end_matches(['.', '-']);
        if handle.is_empty() || handle.chars().count() as u64 > limits.username_chars_max {
            continue;
        }
        let key = name::username_key(handle);
        if !keys.contains(&key) {
            keys.push(key);
        }
        if keys.len() as u64 > limits.mentions_max {
            return Err(Denied::invalid("content", "names too many people"));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_people_by_their_handles() {
        let limits = Limits::default();
        let of = |text| mentioned(text, &limits);
        assert_eq!(of("hi @ana, @Ana and @bo."), Ok(vec!["ana".to_owned(), "bo".to_owned()]));
        assert_eq!(of("mail ana@bo.org @ @@x"), Ok(vec![]));
        let crowd: String = (0..51).map(|i| format!("@u{i} ")).collect();
        assert!(of(&crowd).is_err());
    }
}
