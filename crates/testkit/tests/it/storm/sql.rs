//! The database itself, by the straight way: what it has in the end, and how a connection of a
//! node is cut from its side.

use parlor_testkit::Cluster;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The database, read by itself.
pub(super) struct Stored {
    client: Client,
    /// What drives the client, as long as it lives.
    _connection: JoinSet<()>,
}

impl Stored {
    /// Connects.
    pub(super) async fn open(cluster: &Cluster) -> Self {
        let (client, connection) =
            tokio_postgres::connect(&cluster.database_url(), NoTls).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Its end is seen by whoever asks.
            let _ = connection.await;
        });
        Self { client, _connection: tasks }
    }

    /// Whether each sender's ids are there once.
    pub(super) async fn holds_nothing_twice(&self) -> Result<(), String> {
        let sql = "select count(*) from (select 1 from messages \
                   group by sender_no, client_id having count(*) > 1) as doubled";
        match self.client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) {
            0 => Ok(()),
            doubled => Err(format!("{doubled} messages are stored twice")),
        }
    }

    /// A session as its rows have it.
    pub(super) async fn session(&self, session: &str) -> crate::stored::Stored {
        let id = Uuid::parse_str(session).unwrap();
        let sql = "select m.number, m.seq from messages m join sessions s on s.no = m.session_no \
                   where s.id = $1 order by m.number";
        let rows = self.client.query(sql, &[&id]).await.unwrap();
        let messages = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let sql = "select h.seq, h.number from heads h join sessions s on s.no = h.session_no \
                   where s.id = $1";
        let heads = self.client.query_one(sql, &[&id]).await.unwrap();
        crate::stored::Stored { messages, heads: (heads.get(0), heads.get(1)) }
    }

    /// Cuts one connection of a node, whichever comes; whether there was one.
    pub(super) async fn terminate_one(&self) -> bool {
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and pid <> pg_backend_pid() \
                   order by random() limit 1";
        !self.client.query(sql, &[]).await.unwrap().is_empty()
    }
}
