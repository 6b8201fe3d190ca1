//! Letters, and who carries them: an SMTP server, or a folder where there is none.

use std::path::PathBuf;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use uuid::Uuid;

/// A letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The one mailbox it goes to.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text, without markup.
    pub text: String,
}

/// A letter that could not be sent. The text may be logged: it has no address in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("send a letter: {0}")]
pub struct MailError(pub String);

/// Carries letters.
#[async_trait]
pub trait Mail: Send + Sync {
    /// Hands a letter over.
    ///
    /// # Errors
    /// [`MailError`] when it could not be handed over.
    async fn send(&self, letter: Letter) -> Result<(), MailError>;
}

/// Writes letters into a folder, one `.eml` file each, in the order in which they were written.
#[derive(Debug)]
pub struct FolderMail {
    folder: PathBuf,
    from: Mailbox,
}

impl FolderMail {
    /// Writes into `folder`, which is made when the first letter comes.
    ///
    /// # Errors
    /// [`MailError`] when `from` is no mail address.
    pub fn new(folder: impl Into<PathBuf>, from: &str) -> Result<Self, MailError> {
        Ok(Self { folder: folder.into(), from: sender(from)? })
    }
}

#[async_trait]
impl Mail for FolderMail {
    async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let bytes = written(&self.from, letter)?.formatted();
        let failed = |e: std::io::Error| MailError(e.kind().to_string());
        tokio::fs::create_dir_all(&self.folder).await.map_err(failed)?;
        let name = Uuid::now_v7();
        // A reader of the folder never sees half a letter.
        let draft = self.folder.join(format!("{name}.part"));
        let file = self.folder.join(format!("{name}.eml"));
        tokio::fs::write(&draft, bytes).await.map_err(failed)?;
        tokio::fs::rename(&draft, &file).await.map_err(failed)?;
        tracing::info!(file = %file.display(), "wrote a letter");
        Ok(())
    }
}

/// Hands letters to an SMTP server.
pub struct SmtpMail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMail {
    /// Speaks to the server of an `smtp://` or `smtps://` URL.
    ///
    /// # Errors
    /// [`MailError`] when the URL or `from` is not understood.
    pub fn new(url: &str, from: &str) -> Result<Self, MailError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| MailError("the SMTP URL is not understood".into()))?;
        Ok(Self { server: server.build(), from: sender(from)? })
    }
}

#[async_trait]
impl Mail for SmtpMail {
    async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let message = written(&self.from, letter)?;
        let sent = self.server.send(message).await;
        // A server's answer may repeat the address, so only its kind is told.
        sent.map(drop).map_err(|e| MailError(kind(&e)))
    }
}

fn kind(error: &lettre::transport::smtp::Error) -> String {
    let kind = if error.is_timeout() {
        "the server took too long"
    } else if error.is_tls() {
        "TLS failed"
    } else if error.is_permanent() || error.is_transient() {
        "the server refused"
    } else {
        "the server cannot be reached"
    };
    match error.status() {
        Some(code) => format!("{kind} ({code})"),
        None => kind.to_owned(),
    }
}

fn sender(from: &str) -> Result<Mailbox, MailError> {
    from.parse().map_err(|_| MailError("the sender's address is not understood".into()))
}

fn written(from: &Mailbox, letter: Letter) -> Result<Message, MailError> {
    let to: Mailbox = letter
        .to
        .parse()
        .map_err(|_| MailError("the recipient's address is not understood".into()))?;
    // Made here, since the default would tell the machine's name.
    let id = format!("<{}@{}>", Uuid::new_v4(), from.email.domain());
    Message::builder()
        .from(from.clone())
        .to(to)
        .message_id(Some(id))
        .subject(letter.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text)
        .map_err(|_| MailError("the letter cannot be written".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str) -> Letter {
        Letter { to: to.into(), subject: "Your code".into(), text: "It is 123456.\n".into() }
    }

    #[tokio::test]
    async fn a_folder_keeps_letters_as_files() {
        let folder = tempfile::tempdir().unwrap();
        let mail = FolderMail::new(folder.path().join("mail"), "Parlor <noreply@localhost>");
        mail.unwrap().send(letter("ana@example.org")).await.unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path().join("mail"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].extension().unwrap(), "eml");
        let text = std::fs::read_to_string(&files[0]).unwrap();
        assert!(text.contains("To: ana@example.org\r\n"), "{text}");
        assert!(text.contains("123456"), "{text}");
    }

    #[tokio::test]
    async fn a_letter_goes_to_one_mailbox() {
        let folder = tempfile::tempdir().unwrap();
        let mail = FolderMail::new(folder.path(), "noreply@localhost").unwrap();
        for bad in ["", "a@b.org, c@d.org", "a@b.org\r\nBcc: c@d.org"] {
            assert!(mail.send(letter(bad)).await.is_err(), "{bad:?}");
        }
    }
}
