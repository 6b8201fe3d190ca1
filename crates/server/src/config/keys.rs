//! The table of keys.

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name: `data_dir` is `--data-dir`, `PARLOR_DATA_DIR` and `data_dir` in the file.
    pub name: &'static str,
    /// Another environment variable that is read when the first is not set.
    pub alias: Option<&'static str>,
    /// The default, as it is documented.
    pub default: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
}

macro_rules! keys {
    ($($name:literal, $alias:expr, $default:literal, $about:literal;)*) => {
        /// Every key, in the order of the documentation.
        pub const KEYS: &[Key] = &[$(
            Key { name: $name, alias: $alias, default: $default, about: $about },
        )*];
    };
}

keys! {
    "listen", None, "127.0.0.1:8000",
        "Address and port to listen on; port 0 takes a free one.";
    "data_dir", None, "./data",
        "Folder of the database, the generated secret, and the mail that becomes files.";
    "files_dir", None, "<data_dir>/blobs",
        "Folder of the files that people send; several nodes need one that all of them have, or \
         `s3_url`.";
    "s3_url", None, "",
        "Bucket that speaks S3 for the files that people send, instead of a folder, as \
         `https://host/bucket` or `https://host/bucket/prefix`.";
    "s3_region", Some("AWS_REGION"), "us-east-1",
        "Its region.";
    "s3_access_key", Some("AWS_ACCESS_KEY_ID"), "",
        "Name of the key to it.";
    "s3_secret_key", Some("AWS_SECRET_ACCESS_KEY"), "",
        "The key itself.";
    "database_url", Some("DATABASE_URL"), "",
        "PostgreSQL database, as `postgres://user:password@host/name`; without it, SQLite in the \
         data folder.";
    "keyring_url", None, "",
        "PostgreSQL database for the keys to what is kept sealed, which no backup should hold, in \
         the same form; without it, they are in a schema of their own in `database_url`. With \
         SQLite they are in the folder `keys` of the data folder.";
    "keyring_copy", None, "",
        "File into which these keys are copied when the server starts and every twelve hours, over \
         the copy before; on another disk than the backups.";
    "redis_url", Some("REDIS_URL"), "",
        "Redis that several nodes talk over, as `redis://:password@host:6379`; without it, this is \
         the only node.";
    "public_url", None, "http://<listen>",
        "Where people reach this server; links in mails begin with it. With TLS its default is \
         `https://<tls_domain>`, or `https://<listen>`.";
    "tls_domain", None, "",
        "Domains to have certificates for, automatically, separated by commas; each leads to this \
         server, whose `listen` is reached at port 443.";
    "tls_contact", None, "",
        "Mail address that the certificate authority writes to.";
    "tls_directory", None, "letsencrypt",
        "Certificate authority: `letsencrypt`, `letsencrypt-staging` for trials, or the URL of an \
         ACME directory.";
    "tls_directory_ca", None, "",
        "Root certificates, as `tls_cert` is given, that the ACME directory's own certificate is \
         checked with, when it is a private one.";
    "tls_cert", None, "",
        "Own certificate, its chain behind it: a PEM file, which is read again when it changes, or \
         the PEM text itself.";
    "tls_key", None, "",
        "Private key of `tls_cert`, in the same way.";
    "tls_hsts_days", None, "365",
        "Days that browsers shall use TLS only, once they came by it; 0: do not say so.";
    "http_listen", None, "",
        "With TLS, a further address that answers plain HTTP with the way to `https://`.";
    "server_name", None, "Parlor",
        "What this server calls itself.";
    "smtp_url", None, "",
        "SMTP server, as `smtp://user:password@host:587` or `smtps://…`; without it, mails become \
         files in `<data_dir>/mail` on loopback listeners, and none are sent on others.";
    "email_from", None, "Parlor <parlor@localhost>",
        "Sender of the mails.";
    "secret_key", Some("SECRET_KEY"), "",
        "Secret that every key is derived from, at least 32 characters; generated into the data \
         folder when absent.";
    "allowed_origins", Some("CORS_ALLOWED_ORIGINS"), "",
        "Further origins whose pages may call the API, separated by commas.";
    "allowed_hosts", Some("ALLOWED_HOSTS"), "",
        "Host names that requests may name, separated by commas; empty: any.";
    "trusted_proxies", None, "",
        "Addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed, separated by \
         commas.";
    "previews", None, "on",
        "`off` fetches nothing of what is behind links in messages.";
    "egress_networks", None, "",
        "Addresses or networks (`10.1.0.0/16`) that may be fetched from although they are not of \
         the open Internet, separated by commas: an intranet, whose pages anybody who can write a \
         message then sees the titles of.";
    "egress_ports", None, "80,443",
        "Ports that may be fetched from, separated by commas.";
    "compat", None, "room,mrsambosk,rei,groups,shh",
        "Façades that are switched on, separated by commas; `none`: none.";
    "compat_hosts", None, "",
        "Host names under which only one façade's API is spoken, as `rei.example.org=rei`, \
         separated by commas.";
    "compat_listen", None, "",
        "Further addresses to listen on, each for one façade's API, as `127.0.0.1:8001=rei`, \
         separated by commas.";
    "compat_static", None, "",
        "Folder of a façade's own web app, which is served at `/`.";
    "compat_guests", None, "on where only loopback is served",
        "`on` lets a name alone make an account, as Chat Room API has it; `off` never does.";
    "limits", None, "on",
        "`off` lifts the rate limits and makes passwords cheap to check: for benchmarks, on \
         loopback listeners only.";
    "deflate", None, "off",
        "`on` offers permessage-deflate on WebSockets.";
    "metrics_token", None, "",
        "Bearer token for `/metrics` from elsewhere than loopback.";
    "log", None, "info",
        "What is logged: a level, or `tracing` directives.";
    "log_format", None, "text",
        "`text` or `json`.";
    "access_token_expiration_minutes", Some("ACCESS_TOKEN_EXPIRATION_MINUTES"), "15",
        "Minutes that an access token is good.";
    "refresh_token_expiration_days", Some("REFRESH_TOKEN_EXPIRATION_DAYS"), "7",
        "Days that a login lives unless it is used.";
    "verification_code_expiration_minutes", Some("VERIFICATION_CODE_EXPIRATION_MINUTES"), "10",
        "Minutes that a mailed code is good.";
}
