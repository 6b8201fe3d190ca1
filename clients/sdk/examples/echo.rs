//! Repeats whatever is said in its sessions. Run it beside a server:
//!
//! ```text
//! PARLOR_URL=http://127.0.0.1:8000 PARLOR_LOGIN=echo PARLOR_PASSWORD=… cargo run --example echo
//! ```

mod account;

use parlor_sdk::{Error, Update};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = account::client().await?;
    account::set_up_encryption(&client).await?;
    let mut updates = client.updates();
    client.start();
    while let Ok(update) = updates.recv().await {
        if let Update::Posted(message) = update
            && message.sender_id != client.user_id()
            && !message.is_locked()
        {
            client.session(&message.session_id).say(message.body)?;
        }
    }
    Ok(())
}
