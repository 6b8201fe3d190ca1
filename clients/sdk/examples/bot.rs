//! Answers what begins with `!`: `!ping`, `!members`, `!count WORD`. It answers in the thread of
//! what was asked, and marks what it has seen by an emoji.

mod account;

use parlor_sdk::{Client, Error, Message, Update};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = account::client().await?;
    account::set_up_encryption(&client).await?;
    let mut updates = client.updates();
    client.start();
    while let Ok(update) = updates.recv().await {
        if let Update::Posted(message) = update
            && message.sender_id != client.user_id()
            && let Some(answer) = answer(&client, &message).await?
        {
            let session = client.session(&message.session_id);
            session.react(&message.id, "\u{1f440}", true).await?;
            session.reply(&message.id, answer)?;
        }
    }
    Ok(())
}

async fn answer(client: &Client, message: &Message) -> Result<Option<String>, Error> {
    let mut words = message.body.split_whitespace();
    Ok(Some(match (words.next(), words.next()) {
        (Some("!ping"), None) => "pong".to_owned(),
        (Some("!members"), None) => {
            let members = client.session(&message.session_id).members().await?;
            let names: Vec<_> = members.into_iter().map(|member| member.username).collect();
            names.join(", ")
        }
        (Some("!count"), Some(word)) => {
            let found = client.search(word, 1_000)?;
            format!("{} messages that I know of", found.len())
        }
        _ => return Ok(None),
    }))
}
