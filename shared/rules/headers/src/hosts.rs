//! Which distribution a `Host` names.
//!
//! For: looking names up, and refusing names that the TLS handshake did not stand for.
//! Not for: DNS, or the choice of a certificate.
//!
//! Source: CloudFront developer guide, using custom URLs (alternate domain names).

use crate::redirect::split_port;
use std::{borrow::Cow, collections::HashMap};

/// Longest name of a host (RFC 1035 §3.1), without the final dot.
const LONGEST: usize = 253;
/// Most digits of a port, the greatest being 65535.
const MOST_DIGITS: usize = 5;

/// Everything that is served, by name. The most specific name wins: an exact one, else the longest
/// wildcard. `T` is whatever the edge keeps for a distribution, cheap to clone.
#[derive(Clone, Debug)]
pub struct HostIndex<T> {
    exact: HashMap<String, T>,
    wildcards: HashMap<String, T>,
}

impl<T> Default for HostIndex<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), wildcards: HashMap::new() }
    }
}

impl<T: Clone> HostIndex<T> {
    /// An index of these: each with its assigned name and its alternate names.
    pub fn of<'a, Names>(distributions: impl IntoIterator<Item = (Names, T)>) -> Self
    where
        Names: IntoIterator<Item = &'a str>,
    {
        let mut index = Self::default();
        for (names, value) in distributions {
            for name in names {
                index.insert(name, value.clone());
            }
        }
        index
    }
}

impl<T> HostIndex<T> {
    /// Adds a name; `*.example.com` covers any depth below `example.com`, not itself. Gives back
    /// what had the name before.
    pub fn insert(&mut self, name: &str, value: T) -> Option<T> {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("*.") {
            Some(parent) => self.wildcards.insert(parent.to_owned(), value),
            None => self.exact.insert(name, value),
        }
    }

    /// Takes a name away.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("*.") {
            Some(parent) => self.wildcards.remove(parent),
            None => self.exact.remove(&name),
        }
    }

    /// What a `Host` header or an SNI name leads to: one look-up, and one more for each label.
    pub fn find(&self, host: &str) -> Option<&T> {
        let name = normalise(host)?;
        self.exact.get(name.as_ref()).or_else(|| self.covering(&name))
    }

    fn covering(&self, name: &str) -> Option<&T> {
        let mut below = name;
        while let Some((_, parent)) = below.split_once('.') {
            if let Some(found) = self.wildcards.get(parent) {
                return Some(found);
            }
            below = parent;
        }
        None
    }
}

/// A host as names are compared: lower case, without port and final dot. None for what is no host.
pub fn normalise(host: &str) -> Option<Cow<'_, str>> {
    let (name, port) = split_port(host);
    let name = name.strip_suffix('.').unwrap_or(name);
    let port_is_sound = port.is_none_or(|digits| {
        digits.len() <= MOST_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let name_is_sound = name.len() <= LONGEST
        && name.bytes().all(is_of_host)
        && name.split('.').all(|label| !label.is_empty());
    if !(port_is_sound && name_is_sound) {
        return None;
    }
    Some(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

const fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'[' | b']' | b':')
}

/// What a TLS connection has shown of itself, for the check against domain fronting.
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    /// Name that the viewer asked for in the handshake.
    pub sni: Option<&'a str>,
    /// Names in the certificate that it got.
    pub certificate_names: &'a [String],
    /// Whether that was the zone's own certificate.
    pub zone_certificate: bool,
    /// Whether that certificate belongs to the account of the distribution that `Host` names.
    pub same_account: bool,
}

impl Handshake<'_> {
    /// Whether a request for `host` may come on this connection; if not, the answer is 421.
    pub fn admits(&self, host: &str) -> bool {
        let Some(host) = normalise(host) else {
            return false;
        };
        let asked = self.sni.and_then(normalise);
        match asked {
            Some(name) if name == host => true,
            None if self.zone_certificate => true,
            _ => self.same_account || certificate_covers(self.certificate_names, &host),
        }
    }
}

/// Whether one of a certificate's names is that of a normalised host; a wildcard there stands for
/// exactly one label (RFC 9525 §6.3).
pub fn certificate_covers(names: &[String], host: &str) -> bool {
    names.iter().any(|name| match name.strip_prefix("*.") {
        Some(parent) => {
            host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
        }
        None => name.eq_ignore_ascii_case(host),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> HostIndex<&'static str> {
        HostIndex::of([
            (vec!["d1.zone", "www.example.com", "*.example.com"], "one"),
            (vec!["d2.zone", "*.deep.example.com", "Upper.example.org"], "two"),
        ])
    }

    /// Developer guide, alternate domain names: the most specific name wins, a wildcard covers any
    /// depth but not the apex.
    #[test]
    fn the_most_specific_name_wins() {
        let table = [
            ("d1.zone", Some("one")),
            ("D1.ZONE.", Some("one")),
            ("d1.zone:8080", Some("one")),
            ("www.example.com", Some("one")),
            ("a.b.example.com", Some("one")),
            ("x.deep.example.com", Some("two")),
            ("a.b.deep.example.com", Some("two")),
            ("deep.example.com", Some("one")),
            ("upper.example.org", Some("two")),
            ("example.com", None),
            ("evilexample.com", None),
            (".example.com", None),
            ("a..example.com", None),
            ("d3.zone", None),
            ("d1.zone:80a", None),
            ("d1.zone:65535", Some("one")),
            ("d1.zone:000080", None),
            ("d1.zone/x", None),
            ("", None),
            (".", None),
        ];
        for (host, expected) in table {
            assert_eq!(index().find(host).copied(), expected, "{host}");
        }
        let endless = format!("{}example.com", "a.".repeat(200));
        assert_eq!(index().find(&endless), None);
    }

    #[test]
    fn names_come_and_go() {
        let mut index = index();
        assert_eq!(index.insert("*.Example.com", "three"), Some("one"));
        assert_eq!(index.find("x.example.com"), Some(&"three"));
        assert_eq!(index.remove("*.example.com"), Some("three"));
        assert_eq!(index.find("x.example.com"), None);
        assert_eq!(index.remove("WWW.example.com"), Some("one"));
    }

    /// Developer guide, domain fronting.
    #[test]
    fn a_host_is_vouched_for_by_the_handshake() {
        let names = ["*.example.com".to_owned(), "example.org".to_owned()];
        let shown = Handshake {
            sni: Some("a.example.com"),
            certificate_names: &names,
            zone_certificate: false,
            same_account: false,
        };
        assert!(shown.admits("A.example.com:8443"));
        assert!(shown.admits("b.example.com"));
        assert!(shown.admits("example.org"));
        assert!(!shown.admits("a.b.example.com"));
        assert!(!shown.admits("example.com"));
        assert!(!shown.admits("other.example"));
        assert!(!shown.admits("not a host"));
        assert!(Handshake { same_account: true, ..shown }.admits("other.example"));
        let silent = Handshake { sni: None, ..shown };
        assert!(!silent.admits("other.example"));
        assert!(Handshake { zone_certificate: true, ..silent }.admits("other.example"));
    }
}
