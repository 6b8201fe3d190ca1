//! The keys of a store that speaks S3.

use parlor_app::Hidden;

use super::Raw;

/// Where the files are, and who we are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// The store, as `https://host:port`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// What every name in it begins with; empty, or ending with `/`.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The name of the key.
    pub access_key: String,
    /// The key.
    pub secret_key: Hidden,
}

impl Raw {
    pub(super) fn s3(&mut self) -> Option<S3> {
        let url = self.text("s3_url")?;
        if self.text("files_dir").is_some() {
            self.faults.push("s3_url: cannot be had together with files_dir".to_owned());
        }
        let place = place(&url);
        if place.is_none() {
            let form = "https://host/bucket or https://host/bucket/prefix";
            self.faults.push(format!("s3_url: is not like {form}"));
        }
        let mut needed = |name: &str| {
            let text = self.text(name);
            if text.is_none() {
                self.faults.push(format!("s3_url: needs {name}"));
            }
            text
        };
        let (access_key, secret_key) = (needed("s3_access_key"), needed("s3_secret_key"));
        let (endpoint, bucket, prefix) = place?;
        let region = self.text("s3_region").unwrap_or_else(|| "us-east-1".to_owned());
        let secret_key = Hidden::new(secret_key?);
        Some(S3 { endpoint, bucket, prefix, region, access_key: access_key?, secret_key })
    }
}

/// Host, bucket and prefix of a URL.
fn place(url: &str) -> Option<(String, String, String)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme))?;
    let (host, path) = url[scheme.len()..].split_once('/')?;
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    let prefix = prefix.trim_matches('/');
    // A name or a password here would be one that is logged.
    let plain = |text: &str| !text.contains(['@', '?', '#', ' ']);
    if host.is_empty() || bucket.is_empty() || !plain(url) {
        return None;
    }
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Some((format!("{scheme}{host}"), bucket.to_owned(), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Faults;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<S3>, Faults> {
        let mut raw = Raw::new();
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        raw.add_environment("environment", pairs.collect::<Vec<_>>());
        raw.read().map(|config| config.s3)
    }

    const KEYS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "ana"), ("PARLOR_S3_SECRET_KEY", "hunter2")];

    #[test]
    fn a_url_names_a_bucket_and_a_place_in_it() {
        for (url, endpoint, bucket, prefix) in [
            ("https://s3.example.org/chat", "https://s3.example.org", "chat", ""),
            ("https://s3.example.org/chat/", "https://s3.example.org", "chat", ""),
            ("http://minio:9000/chat/a/b/", "http://minio:9000", "chat", "a/b/"),
        ] {
            let [access, secret] = KEYS;
            let s3 = read(&[("PARLOR_S3_URL", url), access, secret]).unwrap().unwrap();
            assert_eq!((&*s3.endpoint, &*s3.bucket, &*s3.prefix), (endpoint, bucket, prefix));
            assert_eq!((&*s3.region, &*s3.access_key), ("us-east-1", "ana"));
            assert!(!format!("{s3:?}").contains("hunter2"));
        }
        for url in ["s3://chat", "https://host", "https:///chat", "https://a:b@host/chat"] {
            let [access, secret] = KEYS;
            let faults = read(&[("PARLOR_S3_URL", url), access, secret]).unwrap_err();
            assert_eq!(faults.0.len(), 1, "{url}");
            assert!(!faults.to_string().contains("a:b"), "{faults}");
        }
    }

    #[test]
    fn a_bucket_needs_keys_and_is_no_folder() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&KEYS), Ok(None), "they may be for another program");
        let bare = [("PARLOR_S3_URL", "https://host/chat"), ("PARLOR_FILES_DIR", "/files")];
        assert_eq!(read(&bare).unwrap_err().0.len(), 3);
    }
}
