//! As much of Redis's protocol as it takes to ask a server how it is.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::port::HOST;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the server on this port one thing; its answer as text, lists as lines.
///
/// # Errors
/// When nobody answers, and when the answer is an error.
pub(crate) fn ask(port: u16, words: &[&str]) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&(HOST, port).into(), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut asked = format!("*{}\r\n", words.len());
    for word in words {
        asked += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(asked.as_bytes())?;
    answer(&mut BufReader::new(stream))
}

fn answer(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let (Some(kind), rest) = (line.chars().next(), line.get(1..).unwrap_or_default().trim()) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let length = || rest.parse::<usize>().unwrap_or_default();
    match kind {
        '-' => Err(io::Error::other(rest)),
        '$' => {
            let mut bytes = vec![0; length() + 2];
            stream.read_exact(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        }
        '*' => {
            let items: io::Result<Vec<_>> = (0..length()).map(|_| answer(stream)).collect();
            Ok(items?.join("\n"))
        }
        _ => Ok(rest.to_owned()),
    }
}
