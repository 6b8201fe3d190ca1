//! A mail server that keeps what it gets: with one, addresses must be proved.

use std::net::SocketAddr;

use parlor_testkit::soon;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

type Letters = watch::Sender<Vec<String>>;

/// The mail server. Dropping it closes it.
pub(super) struct PostOffice {
    address: SocketAddr,
    letters: watch::Receiver<Vec<String>>,
    _tasks: JoinSet<()>,
}

impl PostOffice {
    /// Listens on a port of its own.
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (letters, kept) = watch::channel(vec![]);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, letters));
        Self { address, letters: kept, _tasks: tasks }
    }

    /// Where it is, as the configuration has it.
    pub(super) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The code in the `nth` letter to this address, counted from 1; waits for it to come.
    pub(super) async fn code(&self, to: &str, nth: usize) -> String {
        let mut letters = self.letters.clone();
        let line = format!("To: {to}");
        let theirs = |letters: &[String]| -> Option<String> {
            letters.iter().filter(|letter| letter.contains(&line)).nth(nth - 1).cloned()
        };
        let there = letters.wait_for(|letters| theirs(letters).is_some());
        let letter = theirs(&soon("a letter", there).await.unwrap()).unwrap();
        let (_, rest) = letter.split_once("The code is ").expect("a letter has a code");
        rest.chars().take_while(char::is_ascii_digit).collect()
    }
}

async fn serve(listener: TcpListener, letters: Letters) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.spawn(converse(stream, letters.clone()));
    }
}

/// As much of SMTP as a sender needs.
async fn converse(stream: TcpStream, letters: Letters) {
    let mut stream = BufReader::new(stream);
    let mut answer = "220 here\r\n";
    loop {
        let mut line = String::new();
        if stream.write_all(answer.as_bytes()).await.is_err()
            || stream.read_line(&mut line).await.unwrap_or(0) == 0
        {
            return;
        }
        answer = match line.trim() {
            "DATA" => {
                if stream.write_all(b"354 go on\r\n").await.is_err() {
                    return;
                }
                let letter = read_letter(&mut stream).await;
                letters.send_modify(|all| all.push(letter));
                "250 kept\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 well\r\n",
        };
    }
}

async fn read_letter(stream: &mut BufReader<TcpStream>) -> String {
    let mut letter = String::new();
    while !letter.ends_with("\r\n.\r\n") {
        if stream.read_line(&mut letter).await.unwrap_or(0) == 0 {
            break;
        }
    }
    // A long line is folded in quoted-printable.
    letter.replace("=\r\n", "")
}
