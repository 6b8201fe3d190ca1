//! Writes everything that one can read, one message a line, as JSON: session by session, the oldest
//! first. What stays locked is written as such.

mod account;

use std::io::{BufWriter, Write as _, stdout};

use parlor_sdk::{Client, Error, Message, Update};

/// Messages of one page.
const PAGE: usize = 100;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = account::client().await?;
    account::set_up_encryption(&client).await?;
    let mut updates = client.updates();
    client.start();
    while !matches!(updates.recv().await, Ok(Update::Connected) | Err(_)) {}
    let mut out = BufWriter::new(stdout().lock());
    for session in client.sessions()? {
        for message in history(&client, &session.id).await? {
            serde_json::to_writer(&mut out, &message)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    client.stop().await;
    Ok(())
}

async fn history(client: &Client, session_id: &str) -> Result<Vec<Message>, Error> {
    let session = client.session(session_id);
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = session.page_after(after, PAGE).await?;
        after = page.messages.last().map_or(after, |message| message.number);
        let done = !page.more_after || page.messages.is_empty();
        all.extend(page.messages);
        if done {
            return Ok(all);
        }
    }
}
