//! What the zone itself says: its authority, its servers, who may issue certificates.
//!
//! For: everything that settings fix. Not for: names that come and go ([`crate::names`]).

use crate::name::WireName;
use hickory_proto::rr::{
    Name, RData, Record,
    rdata::{A, AAAA, CAA, HINFO, NS, SOA},
};
use kit::settings::Dns;
use std::{collections::HashSet, net::IpAddr};

/// Lifetime of what seldom changes: NS, CAA, HINFO, addresses of servers.
const STEADY_TTL: u32 = 3600;
/// Longest lifetime of "there is no such name": a distribution made a moment ago must be found soon.
const MOST_NEGATIVE_TTL: u32 = 60;
/// Longest lifetime there is (RFC 2181 §8).
const MOST_TTL: u32 = 0x7FFF_FFFF;

/// A setting that makes no zone.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{key} = \"{value}\" in the settings is not {wanted}")]
pub struct ZoneFault {
    /// Which setting.
    pub key: &'static str,
    /// What it is.
    pub value: String,
    /// What it should be.
    pub wanted: &'static str,
}

/// The zone, as settings make it.
#[derive(Debug)]
pub struct Zone {
    apex: WireName,
    servers: Vec<Name>,
    own_servers: HashSet<WireName>,
    server_addresses: Vec<IpAddr>,
    contact: Name,
    caa: Vec<CAA>,
    ttl: u32,
}

impl Zone {
    /// The zone of this suffix.
    ///
    /// # Errors
    /// A [`ZoneFault`] for the first setting that is no name.
    pub fn new(suffix: &str, dns: &Dns) -> Result<Self, ZoneFault> {
        let apex = wire("zone", suffix)?;
        let suffix = suffix.trim_end_matches('.');
        let listed = if dns.nameservers.is_empty() {
            &vec![format!("ns1.{suffix}")]
        } else {
            &dns.nameservers
        };
        let mut own_servers = HashSet::new();
        for server in listed {
            let server = wire("dns.nameservers", server)?;
            let own = server.is_under(&apex).then_some(server);
            own_servers.extend(own);
        }
        let names = listed.iter().map(|server| host("dns.nameservers", server));
        let servers: Result<_, _> = names.collect();
        let caa: Result<_, _> = dns.caa.iter().map(|authority| issue(authority)).collect();
        Ok(Self {
            servers: servers?,
            contact: contact(dns.contact.as_deref(), suffix)?,
            caa: caa?,
            ttl: dns.ttl.min(MOST_TTL),
            server_addresses: public(dns),
            own_servers,
            apex,
        })
    }

    /// Its own name.
    pub const fn apex(&self) -> &WireName {
        &self.apex
    }

    /// Names of servers that lie under the zone.
    pub fn own_servers(&self) -> impl Iterator<Item = &WireName> {
        self.own_servers.iter()
    }

    /// Lifetime of address answers.
    pub const fn ttl(&self) -> u32 {
        self.ttl
    }

    /// The SOA record of a zone with this name, as it stands in negative answers: its lifetime is
    /// that of the negative answer (RFC 2308 §3).
    pub fn soa(&self, apex: Name, serial: u32) -> Record {
        let server = self.servers.first().cloned().unwrap_or_default();
        let negative = self.ttl.min(MOST_NEGATIVE_TTL);
        let contact = self.contact.clone();
        let soa = SOA::new(server, contact, serial, 7200, 900, 1_209_600, negative);
        Record::from_rdata(apex, negative, RData::SOA(soa))
    }

    /// The servers of a zone with this name.
    pub fn ns(&self, apex: &Name) -> Vec<Record> {
        let record = |server: &Name| steady(apex, RData::NS(NS(server.clone())));
        self.servers.iter().map(record).collect()
    }

    /// Addresses of servers whose names lie under the zone. Each server answers for all of it, so
    /// every name has every address.
    pub fn glue(&self) -> Vec<Record> {
        let own = self.servers.iter().filter(|server| self.owns(server));
        own.flat_map(|server| self.server(server)).collect()
    }

    fn owns(&self, server: &Name) -> bool {
        WireName::from_text(&server.to_ascii()).is_some_and(|key| self.own_servers.contains(&key))
    }

    /// All addresses of this server.
    pub fn server(&self, name: &Name) -> Vec<Record> {
        let record = |address: &IpAddr| steady(name, address_data(*address));
        self.server_addresses.iter().map(record).collect()
    }

    /// Who may issue certificates for this name; empty when settings do not say.
    pub fn caa(&self, name: &Name) -> Vec<Record> {
        let record = |caa: &CAA| steady(name, RData::CAA(caa.clone()));
        self.caa.iter().map(record).collect()
    }

    /// The least that can be said to a question for everything (RFC 8482 §4.2).
    pub fn hinfo(name: &Name) -> Record {
        let hinfo = HINFO::new("RFC8482".to_owned(), String::new());
        steady(name, RData::HINFO(hinfo))
    }
}

/// A or AAAA.
pub const fn address_data(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(v4) => RData::A(A(v4)),
        IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
    }
}

fn steady(name: &Name, data: RData) -> Record {
    Record::from_rdata(name.clone(), STEADY_TTL, data)
}

fn fault(key: &'static str, value: &str, wanted: &'static str) -> ZoneFault {
    ZoneFault { key, value: value.to_owned(), wanted }
}

fn wire(key: &'static str, value: &str) -> Result<WireName, ZoneFault> {
    WireName::from_text(value).ok_or_else(|| fault(key, value, "a domain name"))
}

fn host(key: &'static str, value: &str) -> Result<Name, ZoneFault> {
    wire(key, value)?;
    let mut name = Name::from_ascii(value.to_ascii_lowercase())
        .map_err(|_| fault(key, value, "a domain name"))?;
    name.set_fqdn(true);
    Ok(name)
}

/// A mailbox as a name: the part before `@` is one label, whatever dots it has (RFC 1035 §8).
fn contact(setting: Option<&str>, suffix: &str) -> Result<Name, ZoneFault> {
    const KEY: &str = "dns.contact";
    let fallback = format!("hostmaster.{suffix}");
    let mailbox = setting.unwrap_or(&fallback);
    let Some((local, domain)) = mailbox.split_once('@') else {
        return host(KEY, mailbox);
    };
    let wrong = || fault(KEY, mailbox, "a mailbox");
    let domain = host(KEY, domain)?;
    let local = Name::from_labels([local.as_bytes()]).map_err(|_| wrong())?;
    local.append_domain(&domain).map_err(|_| wrong())
}

/// "Only this authority may issue" (RFC 8659 §4.2).
fn issue(authority: &str) -> Result<CAA, ZoneFault> {
    let mut name = host("dns.caa", authority)?;
    name.set_fqdn(false); // no final dot in the text of the record
    Ok(CAA::new_issue(false, Some(name), Vec::new()))
}

/// Where resolvers reach the servers of the zone.
fn public(dns: &Dns) -> Vec<IpAddr> {
    let told = dns.public_addresses.iter().copied();
    let fallback = dns.public_addresses.is_empty().then(|| dns.listen.ip());
    let all = told.chain(fallback);
    all.filter(|address| !address.is_unspecified()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns() -> Dns {
        Dns::default()
    }

    #[test]
    fn the_default_zone_has_one_server_at_the_listen_address() {
        let zone = Zone::new("nearfront.localhost", &dns()).unwrap();
        let glue = zone.glue();
        assert_eq!(glue.len(), 1);
        assert_eq!(glue[0].name.to_ascii(), "ns1.nearfront.localhost.");
        assert_eq!(glue[0].data, address_data([127, 0, 0, 1].into()));
        let soa = zone.soa(Name::root(), 7).data.to_string();
        assert!(
            soa.starts_with("ns1.nearfront.localhost. hostmaster.nearfront.localhost. 7 "),
            "{soa}"
        );
    }

    #[test]
    fn servers_elsewhere_have_no_glue_and_an_open_listen_address_is_not_told() {
        let elsewhere = Dns { nameservers: vec!["ns.example.net".into()], ..dns() };
        assert!(Zone::new("cdn.example", &elsewhere).unwrap().glue().is_empty());
        let open = Dns { listen: "0.0.0.0:53".parse().unwrap(), ..dns() };
        assert!(Zone::new("cdn.example", &open).unwrap().glue().is_empty());
        let told = Dns {
            public_addresses: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            ..open
        };
        assert_eq!(Zone::new("cdn.example", &told).unwrap().glue().len(), 2);
    }

    #[test]
    fn a_mailbox_becomes_a_name() {
        let name = contact(Some("dns.team@example.com"), "x").unwrap();
        assert_eq!(name.to_ascii(), "dns\\.team.example.com.");
        assert_eq!(contact(Some("me.example.com"), "x").unwrap().to_ascii(), "me.example.com.");
    }

    #[test]
    fn faults_name_the_setting() {
        for (suffix, dns, key) in [
            ("a..b", dns(), "zone"),
            ("ok", Dns { nameservers: vec!["no name".repeat(20)], ..dns() }, "dns.nameservers"),
            ("ok", Dns { caa: vec![String::new()], ..dns() }, "dns.caa"),
            ("ok", Dns { contact: Some("me@".into()), ..dns() }, "dns.contact"),
        ] {
            let fault = Zone::new(suffix, &dns).unwrap_err();
            assert_eq!(fault.key, key);
        }
    }
}
