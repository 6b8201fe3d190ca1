//! Each part by itself: it answers, it comes back, and it is gone with whoever started it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod ends;
mod haproxy;
mod postgres;
mod redis;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

/// Whether anybody listens there.
fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

/// What a database answers; a failure is its text.
fn sql(url: &str, text: &str) -> String {
    let mut psql = Command::new(parlor_parts::program("psql").unwrap());
    psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", text, url]);
    let output = psql.output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    String::from_utf8(told).unwrap().trim().to_owned()
}

/// The first line that a Redis answers.
fn redis(address: SocketAddr, command: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.trim().to_owned()
}
