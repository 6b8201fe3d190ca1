//! TLS from outside: every door under it, by clients that are not ours.

mod acme;
mod client;
mod doors;
mod files;
mod limits;
mod redirect;

use std::path::PathBuf;

use parlor_testkit::TestServer;
use parlor_testkit::server::Builder;
use tempfile::TempDir;

use client::Client;

/// A certificate for `localhost`, in files of its own.
struct Paper {
    folder: TempDir,
    der: Vec<u8>,
}

impl Paper {
    fn new() -> Self {
        let mut paper = Self { folder: TempDir::new().unwrap(), der: Vec::new() };
        paper.renew();
        paper
    }

    /// Puts another certificate into the files.
    fn renew(&mut self) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        // One after the other, as any program does it: in between they do not belong together.
        std::fs::write(self.cert(), made.cert.pem()).unwrap();
        std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        self.der = made.cert.der().to_vec();
    }

    fn cert(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// A server to be, with this certificate.
    fn server(&self) -> Builder {
        let (cert, key) = (self.cert(), self.key());
        TestServer::builder()
            .set("tls_cert", cert.to_str().unwrap())
            .set("tls_key", key.to_str().unwrap())
    }

    /// A client that believes this certificate alone.
    fn client(&self) -> Client {
        Client::new(&self.der, &["http/1.1"])
    }
}
