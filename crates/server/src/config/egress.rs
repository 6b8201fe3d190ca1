//! The keys of what is fetched from elsewhere.

use parlor_egress::Rules;

use super::Raw;

impl Raw {
    /// What may be fetched for previews; nothing where they are switched off.
    pub(super) fn previews(&mut self) -> Option<Rules> {
        let mut rules =
            Rules { networks: self.each("egress_networks", "a network"), ..Rules::default() };
        if self.text("egress_ports").is_some() {
            rules.ports = self.each("egress_ports", "a port");
        }
        self.switch("previews", true).unwrap_or(true).then_some(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Faults;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Rules>, Faults> {
        let mut raw = Raw::new();
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        raw.add("file", pairs.collect::<Vec<_>>());
        raw.read().map(|config| config.previews)
    }

    #[test]
    fn what_may_be_fetched_is_said_or_the_open_internet() {
        assert_eq!(read(&[]), Ok(Some(Rules::default())));
        assert_eq!(read(&[("previews", "off")]), Ok(None));
        let intranet = [("egress_networks", "10.1.0.0/16, fd00::1"), ("egress_ports", "443,8443")];
        let rules = read(&intranet).unwrap().unwrap();
        assert_eq!((rules.networks.len(), rules.ports), (2, vec![443, 8443]));
        let wrong = [("egress_networks", "intranet"), ("egress_ports", "https,80")];
        assert_eq!(read(&wrong).unwrap_err().0.len(), 2);
    }
}
