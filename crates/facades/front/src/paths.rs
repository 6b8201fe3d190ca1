//! Which façades know a path.

use axum::http::Method;
use matchit::Router;
use parlor_wire::Dialect;

/// The paths of every façade.
pub(crate) struct Paths(Vec<(Dialect, Router<Vec<Method>>)>);

impl Paths {
    pub(crate) fn new<'a>(
        facades: impl Iterator<Item = (Dialect, &'a [(Method, &'a str)])>,
    ) -> Self {
        let all = facades.map(|(dialect, paths)| (dialect, table(paths)));
        Self(all.collect())
    }

    /// Those that know the path with this method.
    pub(crate) fn knowing(&self, method: &Method, path: &str) -> Vec<Dialect> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.those(path, |methods| methods.contains(method)).collect()
    }

    /// The first that knows the path with another method, or but for a slash at its end.
    pub(crate) fn near(&self, path: &str) -> Option<Dialect> {
        self.those(path, |_| true).next().or_else(|| self.those(&slashed(path), |_| true).next())
    }

    /// Whether this one knows the path with any method, or but for a slash at its end.
    pub(crate) fn is_near(&self, dialect: Dialect, path: &str) -> bool {
        self.those(path, |_| true).chain(self.those(&slashed(path), |_| true)).any(|d| d == dialect)
    }

    fn those(&self, path: &str, how: impl Fn(&[Method]) -> bool) -> impl Iterator<Item = Dialect> {
        let knows =
            move |table: &Router<Vec<Method>>| table.at(path).is_ok_and(|found| how(found.value));
        self.0.iter().filter(move |(_, table)| knows(table)).map(|(dialect, _)| *dialect)
    }
}

/// The path with the slash at its end that it has not, or without the one that it has.
fn slashed(path: &str) -> String {
    path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned)
}

fn table(paths: &[(Method, &str)]) -> Router<Vec<Method>> {
    let mut table: Router<Vec<Method>> = Router::new();
    for (n, (_, path)) in paths.iter().enumerate() {
        if paths[..n].iter().any(|(_, known)| known == path) {
            continue;
        }
        let here = paths.iter().filter(|(_, other)| other == path);
        let methods = here.map(|(method, _)| method.clone()).collect();
        // A façade's own routes would not be made of paths that contradict each other.
        let inserted = table.insert(*path, methods);
        debug_assert!(inserted.is_ok(), "{path}: {inserted:?}");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_known_by_its_method_and_its_slash() {
        let rei: &[(Method, &str)] = &[(Method::GET, "/room/{id}"), (Method::POST, "/login")];
        let shh: &[(Method, &str)] = &[(Method::POST, "/login/"), (Method::POST, "/room/join/")];
        let paths = Paths::new([(Dialect::Rei, rei), (Dialect::Shh, shh)].into_iter());
        assert_eq!(paths.knowing(&Method::POST, "/login"), [Dialect::Rei]);
        assert_eq!(paths.knowing(&Method::POST, "/login/"), [Dialect::Shh]);
        assert_eq!(paths.knowing(&Method::HEAD, "/room/x"), [Dialect::Rei]);
        assert_eq!(paths.knowing(&Method::PUT, "/login"), []);
        assert_eq!(paths.near("/room/join"), Some(Dialect::Rei));
        assert_eq!(paths.near("/room/x/"), Some(Dialect::Rei));
        assert_eq!(paths.near("/nothing"), None);
        assert!(paths.is_near(Dialect::Shh, "/login"));
        assert!(!paths.is_near(Dialect::Shh, "/room/x"));
    }
}
