//! Who the example is, from the environment: `PARLOR_URL`, `PARLOR_LOGIN`, `PARLOR_PASSWORD`,
//! `PARLOR_FOLDER` and, for encrypted sessions, `PARLOR_PASSPHRASE`.

use std::env::var;

use parlor_sdk::{Client, Error};

/// Goes on with the login in the folder, or signs in.
pub(crate) async fn client() -> Result<Client, Error> {
    let mut builder = Client::builder(var("PARLOR_URL").unwrap_or_default())
        .folder(var("PARLOR_FOLDER").unwrap_or_else(|_| "parlor-data".to_owned()))
        .device_name("example");
    if let Ok(passphrase) = var("PARLOR_PASSPHRASE") {
        builder = builder.passphrase(passphrase);
    }
    match builder.clone().resume().await {
        Err(Error::SignedOut) => {
            let (login, password) = (var("PARLOR_LOGIN"), var("PARLOR_PASSWORD"));
            builder.sign_in(&login.unwrap_or_default(), &password.unwrap_or_default()).await
        }
        resumed => resumed,
    }
}

/// Gives the account its identity where the server has encryption and nobody has done so yet, or
/// recovers this device by `PARLOR_RECOVERY_KEY`.
pub(crate) async fn set_up_encryption(client: &Client) -> Result<(), Error> {
    match (client.encryption(), var("PARLOR_RECOVERY_KEY")) {
        (Ok(encryption), Ok(key)) => encryption.recover(&key).await.map(drop),
        (Ok(encryption), Err(_)) => encryption.set_up().await,
        (Err(Error::NoEncryption), _) => Ok(()),
        (Err(error), _) => Err(error),
    }
}
