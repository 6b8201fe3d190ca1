//! A server that speaks S3, of our own, on loopback: it checks signatures and keeps files.

use std::path::PathBuf;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use parlor_blobs::{BlobError, S3, S3Config};
use rustls::{ClientConfig, RootCertStore};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server with one bucket, `chat`, for as long as it is kept.
pub(crate) struct Bucket {
    endpoint: String,
    home: TempDir,
    _tasks: JoinSet<()>,
}

impl Bucket {
    pub(crate) async fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("chat")).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(home.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("ana", "a secret of ana"));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                visits.spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // Whoever hangs up is no fault of the server.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { endpoint, home, _tasks: tasks }
    }

    /// What Parlor is told of it.
    pub(crate) fn config(&self, prefix: &str) -> S3Config {
        S3Config {
            endpoint: self.endpoint.clone(),
            bucket: "chat".to_owned(),
            prefix: prefix.to_owned(),
            region: "us-east-1".to_owned(),
            access_key: "ana".to_owned(),
            secret_key: "a secret of ana".to_owned(),
        }
    }

    pub(crate) async fn try_store(&self, config: S3Config) -> Result<S3, BlobError> {
        let provider = rustls::crypto::ring::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        S3::open(config, tls, std::env::temp_dir()).await
    }

    pub(crate) async fn store(&self, prefix: &str) -> S3 {
        self.try_store(self.config(prefix)).await.unwrap()
    }

    /// Where an object lies on the disk of the server.
    pub(crate) fn object(&self, name: &str) -> PathBuf {
        self.home.path().join("chat").join(name)
    }
}
