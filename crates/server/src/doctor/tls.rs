//! The certificate that the operator gave: until when it is good. Those that are had automatically
//! are renewed by the server itself.

use parlor_domain::Time;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::Check;
use crate::config::{Config, Pem, Tls};

const NAME: &str = "certificate";

/// Days that a certificate should still be good.
const DAYS_WARN: i64 = 14;

/// The certificate, if there is one.
pub(super) fn certificate(config: &Config, now: Time) -> Option<Check> {
    match config.tls.as_ref()? {
        Tls::Automatic(acme) => {
            let found = format!("had automatically for {}", acme.domains.join(", "));
            Some(Check::ok(NAME, found))
        }
        Tls::Own { cert, .. } => Some(own(cert, now)),
    }
}

fn own(cert: &Pem, now: Time) -> Check {
    let pem = match cert {
        Pem::Text(text) => text.expose().as_bytes().to_vec(),
        Pem::File(path) => match std::fs::read(path) {
            Ok(pem) => pem,
            Err(error) => {
                let found = format!("{}: {error}", path.display());
                return Check::bad(NAME, found, "check tls_cert");
            }
        },
    };
    match ends_at(&pem) {
        None => Check::bad(NAME, "tls_cert holds no certificate in PEM", "check tls_cert"),
        Some(end) => judge((end - now.0 / 1_000_000).div_euclid(24 * 60 * 60)),
    }
}

/// Until when the first certificate of a chain is good, in seconds since 1970 UTC.
fn ends_at(pem: &[u8]) -> Option<i64> {
    let der = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn judge(days: i64) -> Check {
    const ADVICE: &str = "renew it; the server takes the new one from the same file";
    match days {
        ..0 => Check::bad(NAME, format!("ended {} days ago", -days), ADVICE),
        0..DAYS_WARN => Check::warn(NAME, format!("good for {days} days"), ADVICE),
        _ => Check::ok(NAME, format!("good for {days} days")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;
    use parlor_app::Hidden;

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let mut parameters =
            rcgen::CertificateParams::new(vec!["chat.example.org".into()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2030, 1, 31);
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        let end = 1_896_048_000_i64;
        assert_eq!(ends_at(pem.as_bytes()), Some(end));
        let given = Pem::Text(Hidden::new(pem));
        let on = |days: i64| own(&given, Time((end - days * 86_400) * 1_000_000)).level;
        assert_eq!([on(100), on(10), on(-1)], [Level::Ok, Level::Warn, Level::Bad]);
        assert_eq!(own(&Pem::Text(Hidden::new("none")), Time(0)).level, Level::Bad);
        assert_eq!(own(&Pem::File("/no/such".into()), Time(0)).level, Level::Bad);
    }
}
