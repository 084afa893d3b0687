//! Which names there are, and whose.
//!
//! For: one immutable index, made anew when plans change and read without a lock.
//! Not for: what is answered about a name ([`crate::answer`]).
//!
//! The zone holds the assigned names, its servers, and those aliases that lie under it. Every other
//! alias is a zone of its own: whoever delegates `www.example.com` to these servers gets SOA and NS
//! of just that name, and an answer always names the innermost zone, so that it is within what was
//! delegated wherever the cut is. For a wildcard alias `*.example.com` that zone is `example.com`.
//!
//! A wildcard covers every name at any depth below it, also below and beside names that exist (the
//! CloudFront developer guide's rule for alternate names, wider than RFC 4592's), since edges serve
//! them all; the most specific wins.

use crate::{
    name::{WireName, first_label, parent, suffixes},
    zone::Zone,
};
use model::{
    feed::{CHALLENGE_LABEL, Challenge, Endpoint, Proof},
    plan::Plan,
    units::Revision,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Below every name that exists there is this one, for TXT records of ACME (RFC 8555 §8.4).
const CHALLENGE: &[u8] = CHALLENGE_LABEL.as_bytes();

/// A distribution, a tenant or a routing endpoint, as far as DNS cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Whether it is reached by IPv6.
    pub ipv6: bool,
    /// Whether it speaks HTTP/2.
    pub h2: bool,
    /// Whether it speaks HTTP/3.
    pub h3: bool,
}

/// A distribution and its names.
#[derive(Clone, Debug)]
pub struct Named {
    names: Vec<String>,
    site: Arc<Site>,
}

impl From<&Plan> for Named {
    fn from(plan: &Plan) -> Self {
        // A tenant is reached by its own names and by routing endpoints, not by an assigned one.
        let assigned = Some(&plan.domain).filter(|_| !plan.id.is_tenant());
        Self {
            names: assigned.into_iter().chain(&plan.aliases).cloned().collect(),
            site: Arc::new(Site { ipv6: plan.ipv6, h2: plan.http.h2, h3: plan.http.h3 }),
        }
    }
}

/// Tenants' own protocols are not known here: what every edge speaks is named.
impl From<Endpoint> for Named {
    fn from(endpoint: Endpoint) -> Self {
        let site = Site { ipv6: endpoint.ipv6, h2: true, h3: false };
        Self { names: vec![endpoint.domain], site: Arc::new(site) }
    }
}

/// What a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// A distribution's.
    Site(&'a Site),
    /// A server of the zone.
    Server,
    /// A name without addresses: a zone's own, one between others, or an ACME challenge's.
    Bare,
    /// There is no such name.
    Nothing,
}

/// A name within what these servers answer for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'n, 'q> {
    /// The name of the innermost zone: an end of the name that was asked for.
    pub apex: &'q [u8],
    /// What it is.
    pub what: What<'n>,
}

/// All names.
#[derive(Debug)]
pub struct Names {
    zones: HashSet<WireName>,
    exact: HashMap<WireName, Arc<Site>>,
    wild: HashMap<WireName, Arc<Site>>,
    between: HashSet<WireName>,
    servers: HashSet<WireName>,
    /// What certificate authorities look for.
    texts: HashMap<WireName, Vec<String>>,
    /// The commit that they are as of; none before the first.
    revision: Option<Revision>,
}

impl Names {
    /// The zone alone, while plans are not known.
    pub fn unknown(zone: &Zone) -> Self {
        Self {
            zones: HashSet::from([zone.apex().clone()]),
            exact: HashMap::new(),
            wild: HashMap::new(),
            between: HashSet::new(),
            servers: zone.own_servers().cloned().collect(),
            texts: HashMap::new(),
            revision: None,
        }
    }

    /// The zone and everything that these plans name, as of this commit. What is no domain name is
    /// left out.
    pub fn new<'p>(
        zone: &Zone,
        plans: impl Iterator<Item = &'p Named>,
        revision: Revision,
    ) -> Self {
        let mut names = Self { revision: Some(revision), ..Self::unknown(zone) };
        for plan in plans {
            for name in &plan.names {
                names.add(zone, name, &plan.site);
            }
        }
        names.fill_between();
        names
    }

    /// And what certificate authorities are about to ask. A name that is to be seen on an edge before
    /// any distribution has it leads to the edges while that lasts.
    #[must_use]
    pub fn asked<'c>(mut self, zone: &Zone, all: impl Iterator<Item = &'c Challenge>) -> Self {
        for challenge in all {
            match &challenge.proof {
                Proof::Dns { text, also } => {
                    let name = format!("{CHALLENGE_LABEL}.{}", challenge.name);
                    self.text(&name, text);
                    self.text(also, text);
                }
                Proof::Http { .. } | Proof::TlsAlpn { .. } => self.validated(zone, &challenge.name),
            }
        }
        self
    }

    fn text(&mut self, name: &str, text: &str) {
        let Some(key) = WireName::from_text(name) else { return };
        if !self.is_ours(&key) {
            self.zones.insert(key.clone());
        }
        self.texts.entry(key).or_default().push(text.to_owned());
    }

    fn validated(&mut self, zone: &Zone, name: &str) {
        let Some(key) = WireName::from_text(name) else { return };
        let served = matches!(self.find(key.as_bytes()), Some(Found { what: What::Site(_), .. }));
        if !served && !self.servers.contains(&key) {
            self.add(zone, name, &Arc::new(Site { ipv6: true, h2: true, h3: false }));
        }
    }

    fn is_ours(&self, key: &WireName) -> bool {
        suffixes(key.as_bytes()).any(|suffix| self.zones.contains(suffix))
    }

    /// What certificate authorities look for at this name.
    pub fn texts(&self, key: &[u8]) -> &[String] {
        self.texts.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    fn add(&mut self, zone: &Zone, name: &str, site: &Arc<Site>) {
        let base = name.strip_prefix("*.");
        let Some(key) = WireName::from_text(base.unwrap_or(name)) else {
            tracing::warn!(name, "a plan has a name that is no domain name");
            return;
        };
        if !key.is_under(zone.apex()) {
            self.zones.insert(key.clone());
        }
        let all = if base.is_some() { &mut self.wild } else { &mut self.exact };
        all.insert(key, Arc::clone(site));
    }

    /// Names between an existing one and the zone that it is in exist too (RFC 8020 §2).
    fn fill_between(&mut self) {
        let ends = self.exact.keys().chain(self.wild.keys()).chain(&self.servers);
        let mut between = HashSet::new();
        for end in ends {
            let above: Vec<_> = suffixes(end.as_bytes()).skip(1).collect();
            let zone = above.iter().rposition(|name| self.zones.contains(*name));
            let inner = above.iter().take(zone.unwrap_or(0));
            between.extend(inner.map(|name| WireName::from(*name)));
            if self.wild.contains_key(end) {
                between.insert(end.clone());
            }
        }
        self.between = between;
    }

    /// Whether plans have been read at all.
    pub const fn known(&self) -> bool {
        self.revision.is_some()
    }

    /// Serial number of all zones: the low 32 bits of the revision.
    pub fn serial(&self) -> u32 {
        let revision = self.revision.unwrap_or_default().0 & u64::from(u32::MAX);
        u32::try_from(revision).unwrap_or_default()
    }

    /// How many names distributions have.
    pub fn count(&self) -> usize {
        self.exact.len() + self.wild.len()
    }

    /// What this name is, in lower-case wire form; none when it is in no zone of ours.
    pub fn find<'q>(&self, key: &'q [u8]) -> Option<Found<'_, 'q>> {
        let apex = suffixes(key).find(|suffix| self.zones.contains(*suffix))?;
        let what = self.exactly(key);
        let what = what.or_else(|| self.challenge(key));
        let what = what.or_else(|| self.covered(key));
        let what = what.or_else(|| self.between.contains(key).then_some(What::Bare));
        Some(Found { apex, what: what.unwrap_or(What::Nothing) })
    }

    fn exactly(&self, key: &[u8]) -> Option<What<'_>> {
        if self.servers.contains(key) {
            return Some(What::Server);
        }
        let site = self.exact.get(key).map(|site| What::Site(site));
        let bare = || self.zones.contains(key) || self.texts.contains_key(key);
        site.or_else(|| bare().then_some(What::Bare))
    }

    /// The challenge of a name that exists.
    fn challenge(&self, key: &[u8]) -> Option<What<'_>> {
        let above = (first_label(key)? == CHALLENGE).then(|| parent(key))??;
        let there = self.exactly(above).is_some()
            || self.covered(above).is_some()
            || self.between.contains(above);
        there.then_some(What::Bare)
    }

    /// The nearest wildcard above.
    fn covered(&self, key: &[u8]) -> Option<What<'_>> {
        let mut above = suffixes(key).skip(1);
        above.find_map(|suffix| self.wild.get(suffix).map(|site| What::Site(site)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kit::settings::Dns;

    fn named(names: &[&str], h3: bool) -> Named {
        Named {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            site: Arc::new(Site { ipv6: true, h2: true, h3 }),
        }
    }

    fn names() -> Names {
        let zone = Zone::new("cdn.test", &Dns::default()).unwrap();
        let plans = [
            named(&["d1.cdn.test", "www.example.com", "*.example.com"], false),
            named(&["d2.cdn.test", "a.b.example.com", "deep.in.cdn.test", "*.wild.cdn.test"], true),
        ];
        Names::new(&zone, plans.iter(), Revision(7))
    }

    /// What is found, and in which zone.
    fn find(name: &str) -> String {
        let key = WireName::from_text(name).unwrap();
        let names = names();
        let Some(found) = names.find(key.as_bytes()) else {
            return "outside".into();
        };
        let what = match found.what {
            What::Site(site) => format!("site {}", if site.h3 { 2 } else { 1 }),
            other => format!("{other:?}").to_lowercase(),
        };
        let labels = suffixes(found.apex).count();
        format!("{what} in {labels}")
    }

    #[test]
    fn names_are_found_in_their_innermost_zone() {
        for (name, found) in [
            ("cdn.test", "bare in 2"),
            ("ns1.cdn.test", "server in 2"),
            ("d1.cdn.test", "site 1 in 2"),
            ("d3.cdn.test", "nothing in 2"),
            ("x.d1.cdn.test", "nothing in 2"),
            ("in.cdn.test", "bare in 2"),
            ("deep.in.cdn.test", "site 2 in 2"),
            ("wild.cdn.test", "bare in 2"),
            ("x.y.wild.cdn.test", "site 2 in 2"),
            ("www.example.com", "site 1 in 3"),
            ("example.com", "bare in 2"),
            ("b.example.com", "site 1 in 2"),
            ("a.b.example.com", "site 2 in 4"),
            ("x.a.b.example.com", "site 1 in 4"),
            ("com", "outside"),
            ("example.org", "outside"),
            ("test", "outside"),
        ] {
            assert_eq!(find(name), found, "{name}");
        }
    }

    #[test]
    fn challenges_exist_below_what_exists() {
        for (name, found) in [
            ("_acme-challenge.cdn.test", "bare in 2"),
            ("_acme-challenge.d1.cdn.test", "bare in 2"),
            ("_acme-challenge.example.com", "bare in 2"),
            ("_acme-challenge.www.example.com", "bare in 3"),
            ("_acme-challenge.d9.cdn.test", "nothing in 2"),
            ("_acme-challenge.in.cdn.test", "bare in 2"),
            ("_acme-challenge.org", "outside"),
        ] {
            assert_eq!(find(name), found, "{name}");
        }
    }

    fn challenge(name: &str, proof: Proof) -> Challenge {
        Challenge { name: name.into(), proof }
    }

    fn by_dns(name: &str, text: &str) -> Challenge {
        let also = format!("{text}._acme-challenge.cdn.test");
        challenge(name, Proof::Dns { text: text.into(), also })
    }

    #[test]
    fn what_authorities_look_for_is_there_whoever_has_the_name() {
        let zone = Zone::new("cdn.test", &Dns::default()).unwrap();
        let http = Proof::Http { token: "t".into(), body: "b".into() };
        let asked = [
            by_dns("www.example.com", "a"),
            by_dns("new.example.org", "b"),
            by_dns("new.example.org", "c"),
            challenge("shop.example.net", http.clone()),
            challenge("www.example.com", http),
        ];
        let names = names().asked(&zone, asked.iter());
        let key = |name: &str| WireName::from_text(name).unwrap();
        for (name, texts, labels) in [
            ("_acme-challenge.www.example.com", &["a"][..], 3),
            ("_acme-challenge.new.example.org", &["b", "c"], 4),
            ("a._acme-challenge.cdn.test", &["a"], 2),
            ("c._acme-challenge.cdn.test", &["c"], 2),
        ] {
            let key = key(name);
            let found = names.find(key.as_bytes()).unwrap();
            assert_eq!(found.what, What::Bare, "{name}");
            assert_eq!(suffixes(found.apex).count(), labels, "{name}");
            assert_eq!(names.texts(key.as_bytes()), texts, "{name}");
        }
        let shop = key("shop.example.net");
        assert!(matches!(names.find(shop.as_bytes()).unwrap().what, What::Site(_)));
        assert!(names.find(key("example.net").as_bytes()).is_none());
        let known = key("www.example.com");
        let What::Site(site) = names.find(known.as_bytes()).unwrap().what else { panic!() };
        assert!(!site.h3, "the distribution's own");
    }

    #[test]
    fn the_serial_is_the_revision() {
        assert_eq!(names().serial(), 7);
        let zone = Zone::new("cdn.test", &Dns::default()).unwrap();
        assert!(!Names::unknown(&zone).known());
        let far = Names::new(&zone, std::iter::empty(), Revision((1 << 32) + 5));
        assert_eq!(far.serial(), 5);
    }
}
