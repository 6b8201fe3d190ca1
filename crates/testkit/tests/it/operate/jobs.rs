//! `parlor admin job`: beside a server that runs, on both databases.

use std::path::Path;

use parlor_testkit::{ServerProcess, TestServer, soon};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio_postgres::NoTls;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{done, refused};

const BINARY: &str = env!("CARGO_BIN_EXE_parlor-tested");

/// Where an installation is.
enum Books<'a> {
    Sqlite(&'a Path),
    Postgres(String),
}

impl Books<'_> {
    async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let conn = Connection::open(folder.join("data/parlor.sqlite")).unwrap();
                conn.execute_batch(sql).unwrap();
            }
            Self::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                TaskTracker::new().spawn(connection);
                client.batch_execute(sql).await.unwrap();
            }
        }
    }

    /// An id as a statement has it.
    fn id(&self, id: Uuid) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", id.simple()),
            Self::Postgres(_) => format!("'{id}'"),
        }
    }

    /// Adds a job that was given up; one of no kind that anybody knows stays as it is.
    async fn give_up(&self, id: Uuid, kind: &str) {
        let (id, over) = (self.id(id), if matches!(self, Self::Sqlite(_)) { "1" } else { "true" });
        self.execute(&format!(
            "insert into jobs (id, kind, about, created_at, due_at, tries, error, given_up) \
             values ({id}, '{kind}', {id}, 5, 5, 12, 'no luck', {over})"
        ))
        .await;
    }
}

async fn an_operator_puts_jobs_right(books: &Books<'_>, folder: &Path) {
    let asked = async |more: &[&str]| done(folder, &[&["admin", "job"], more].concat()).await;
    assert_eq!(asked(&["list"]).await, "nothing is to be done\n");
    let (one, two) = (Uuid::from_u128(0xa1), Uuid::from_u128(0xb2));
    books.give_up(one, "thumbnail").await;
    books.give_up(two, "of another day").await;
    let (one, two) = (one.to_string(), two.to_string());
    let listed = asked(&["list"]).await;
    assert!(listed.contains(&one) && listed.contains(&two), "{listed}");
    assert_eq!(listed.matches("given up").count(), 2, "{listed}");
    let shown = asked(&["show", &one]).await;
    for word in ["thumbnail", "given up", "tries   12", "error   no luck"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    asked(&["retry", &two]).await;
    let shown = asked(&["show", &two]).await;
    assert!(shown.contains("state   due\n") && shown.contains("tries   0"), "{shown}");
    asked(&["retry", &one]).await;
    // There is no such file: the server has nothing to draw, and is done.
    let gone = async { while asked(&["list"]).await.contains(&one) {} };
    soon("the end of the job", gone).await;
    asked(&["cancel", &two]).await;
    assert_eq!(asked(&["list"]).await, "nothing is to be done\n");
    for order in ["show", "retry", "cancel"] {
        let said = refused(folder, &["admin", "job", order, &two]).await;
        assert!(said.contains("there is no such job"), "{said}");
    }
    let said = refused(folder, &["admin", "job", "show", "x"]).await;
    assert!(said.contains("`x` is not the id of a job"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_puts_jobs_right_on_sqlite() {
    let home = TempDir::new().unwrap();
    let none = refused(home.path(), &["admin", "job", "list"]).await;
    assert!(none.contains("there is no database"), "{none}");
    let process = ServerProcess::start_in(BINARY, &TestServer::builder(), home.path());
    an_operator_puts_jobs_right(&Books::Sqlite(home.path()), home.path()).await;
    drop(process);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_puts_jobs_right_on_postgresql() {
    let home = TempDir::new().unwrap();
    let database = parlor_parts::database().unwrap();
    let settings = TestServer::builder().set("database_url", &database.url());
    let process = ServerProcess::start_in(BINARY, &settings, home.path());
    std::fs::write(home.path().join(".env"), format!("PARLOR_DATABASE_URL={}\n", database.url()))
        .unwrap();
    an_operator_puts_jobs_right(&Books::Postgres(database.url()), home.path()).await;
    drop(process);
}
