//! How the façades live together at one root: which of them a request speaks to, and what is said
//! on the paths that two of them know.
//!
//! Every façade is whole by itself and answers exactly as its own system does. Here it is chosen:
//! by what the request says, or by which façade knows the path. A path that two of them know has
//! an answer that serves both. Delete a façade, and its line in `all` goes with it.

mod choice;
mod paths;
mod root;
mod superset;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use parlor_doors::facade::Facade;
use parlor_doors::{Doors, no_such_thing};
use parlor_wire::Dialect;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

pub use choice::Bound;
pub use root::web_client;

use paths::Paths;

/// Where a path that nobody knows is still ours.
const OURS: [&str; 3] = ["/api/", "/app/", "/compat/"];

/// What the operator chose about façades.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Those that are switched on.
    pub on: Vec<Dialect>,
    /// Host names under which one of them alone is spoken.
    pub hosts: Vec<(String, Dialect)>,
    /// The folder of a façade's own web app, which is served at the root.
    pub web_app: Option<PathBuf>,
}

/// Every façade.
fn all() -> [Facade; 5] {
    [
        parlor_room::facade(),
        parlor_mrsambosk::facade(),
        parlor_rei::facade(),
        parlor_groups::facade(),
        parlor_shh::facade(),
    ]
}

/// The façades that answer, and how one is chosen.
struct Front {
    config: Arc<Config>,
    facades: Vec<(Dialect, Router)>,
    paths: Paths,
    web_app: Option<ServeDir>,
}

/// What answers every path that is not our own.
/// It is put together when it is first asked: where nobody comes in by a façade, none takes memory.
pub fn front(config: Config) -> Router<Doors> {
    let (config, made) = (Arc::new(config), Arc::new(OnceLock::new()));
    Router::new().fallback(move |State(doors): State<Doors>, request: Request| {
        let (config, made) = (Arc::clone(&config), Arc::clone(&made));
        async move { made.get_or_init(|| Front::new(config, &doors)).answer(&doors, request).await }
    })
}

impl Front {
    fn new(config: Arc<Config>, doors: &Doors) -> Self {
        let on = all().into_iter().filter(|facade| config.on.contains(&facade.dialect));
        let on: Vec<Facade> = on.collect();
        Self {
            paths: Paths::new(on.iter().map(|facade| (facade.dialect, facade.paths))),
            facades: on
                .into_iter()
                .map(|facade| (facade.dialect, facade.routes.with_state(doors.clone())))
                .collect(),
            web_app: config.web_app.as_ref().map(ServeDir::new),
            config,
        }
    }

    async fn answer(&self, doors: &Doors, mut request: Request) -> Response {
        if let Some(dialect) = self.strict(&mut request) {
            return self.hand_over(dialect, request).await;
        }
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        if path == "/" {
            let browser = root::is_browser(request.headers());
            let page = match browser {
                true => self.page(&method, request.uri().clone()).await,
                false => None,
            };
            return page.unwrap_or_else(|| root::root(browser));
        }
        let knowing = self.paths.knowing(&method, &path);
        match &*knowing {
            [] => {}
            [one] => return self.hand_over(*one, request).await,
            several => return self.share(doors, several, request).await,
        }
        if method == Method::OPTIONS {
            return self.options(request).await;
        }
        // Its own words for a method that it does not know there, or for a slash too many.
        if let Some(near) = self.paths.near(&path) {
            return self.hand_over(near, request).await;
        }
        let browser = root::is_browser(request.headers());
        match self.page_of_web_app(&method, request.uri(), browser).await {
            Some(page) => page,
            None => no_such_thing().await.into_response(),
        }
    }

    /// What the web app has at a path that nobody knows: a file, or for a browser its only page,
    /// which reads the path itself.
    async fn page_of_web_app(&self, method: &Method, uri: &Uri, browser: bool) -> Option<Response> {
        if OURS.iter().any(|ours| uri.path().starts_with(ours)) {
            return None;
        }
        match self.page(method, uri.clone()).await {
            None if browser => self.page(method, Uri::from_static("/")).await,
            page => page,
        }
    }

    /// Has a façade answer in its own way.
    async fn hand_over(&self, dialect: Dialect, request: Request) -> Response {
        let Some((_, routes)) = self.facades.iter().find(|(known, _)| *known == dialect) else {
            return no_such_thing().await.into_response();
        };
        let routes = routes.clone();
        let Ok(mut response) = routes.oneshot(request).await;
        open_to_all(dialect, response.headers_mut());
        response
    }

    /// A path that several façades know.
    async fn share(&self, doors: &Doors, several: &[Dialect], request: Request) -> Response {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/register") => superset::register(doors, request).await,
            (&Method::POST, "/login") => superset::login(doors, request).await,
            (&Method::GET, "/messages") => {
                let dialect = superset::of_messages(&request);
                self.hand_over(dialect, request).await
            }
            (_, path) if path.starts_with("/user/") => {
                let dialect = superset::of_user(path);
                self.hand_over(dialect, request).await
            }
            _ => self.hand_over(several[0], request).await,
        }
    }

    /// A file of the web app that is served at the root, for who asks for it.
    async fn page(&self, method: &Method, uri: Uri) -> Option<Response> {
        let files = self.web_app.clone()?;
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let mut asked = Request::new(Body::empty());
        *asked.method_mut() = method.clone();
        *asked.uri_mut() = uri;
        let response = files.oneshot(asked).await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        let mut response = response.map(Body::new);
        let policy = HeaderValue::from_static(root::WEB_APP_POLICY);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        Some(response)
    }

    /// A browser asks before it sends: pages of every origin may use what takes no cookie, and
    /// the façade that is so says how.
    async fn options(&self, request: Request) -> Response {
        if self.paths.is_near(Dialect::Groups, request.uri().path()) {
            return self.hand_over(Dialect::Groups, request).await;
        }
        StatusCode::NO_CONTENT.into_response()
    }
}

/// Chat Room API takes tokens only, so that a page of any origin may read its answers: without the
/// token, which a page has only from its user, there is nothing to read.
fn open_to_all(dialect: Dialect, headers: &mut HeaderMap) {
    if dialect == Dialect::Groups {
        let anybody = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    }
}
