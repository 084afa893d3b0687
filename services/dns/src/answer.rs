//! What is answered to a question.
//!
//! For: the whole decision, given what is known. Not for: bytes ([`crate::reply`]) or sockets
//! ([`crate::serve`]).
//!
//! Source: RFC 1034 §4.3.2, RFC 2308 (negative answers), RFC 6891 §6.1.3 (BADVERS), RFC 7871 §7.2
//! (client subnets), RFC 8482 (ANY), RFC 9460 (HTTPS).

use crate::{
    edges::{Edges, Live},
    names::{Found, Names, Site, What},
    question::Question,
    zone::{Zone, address_data},
};
use geo::{Position, centroid};
use hickory_proto::{
    op::ResponseCode,
    rr::{
        DNSClass, Name, RData, Record, RecordType,
        rdata::{
            A, AAAA, HTTPS, SVCB, TXT,
            svcb::{Alpn, IpHint, SvcParamKey, SvcParamValue},
        },
    },
    serialize::binary::{BinDecodable, BinDecoder},
};
use ports::locator::{Located, Locator};
use std::net::IpAddr;

/// Lifetime of what a certificate authority looks for, in seconds.
const PROOF_TTL: u32 = 1;

/// Everything that an answer depends on beside the question.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The zone.
    pub zone: &'a Zone,
    /// Its names and everybody's aliases.
    pub names: &'a Names,
    /// Who lives.
    pub edges: &'a Edges,
    /// Where clients are; none when there is no database.
    pub locator: Option<&'a dyn Locator>,
    /// How many edges one answer names at most.
    pub most_edges: usize,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How it went.
    pub code: ResponseCode,
    /// Whether these servers are an authority for the name.
    pub authoritative: bool,
    /// Answer section.
    pub answers: Vec<Record>,
    /// Authority section.
    pub authorities: Vec<Record>,
    /// Additional section, without EDNS.
    pub additionals: Vec<Record>,
    /// How many bits of a client subnet the answer holds for; 0 for everybody.
    pub scope: u8,
}

impl Answer {
    /// No records.
    pub const fn bare(code: ResponseCode) -> Self {
        Self {
            code,
            authoritative: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            scope: 0,
        }
    }

    fn records(answers: Vec<Record>) -> Self {
        Self { authoritative: true, answers, ..Self::bare(ResponseCode::NoError) }
    }
}

/// Answers a question that came from this address.
pub fn answer(view: View<'_>, question: &Question, peer: IpAddr) -> Answer {
    if let Some(code) = refusal(question) {
        return Answer::bare(code);
    }
    let Some(found) = view.names.find(&question.key) else {
        return Answer::bare(view.unless_known(ResponseCode::Refused));
    };
    let Some(name) = read(&question.name) else {
        return Answer::bare(ResponseCode::FormErr);
    };
    if found.what == What::Nothing && !view.names.known() {
        return Answer::bare(ResponseCode::ServFail);
    }
    let asked = Asking { view, question, found: &found, name: &name, peer };
    asked.answer()
}

/// What is not answered whatever the name.
fn refusal(question: &Question) -> Option<ResponseCode> {
    if let Some(edns) = &question.edns {
        if edns.version != 0 {
            return Some(ResponseCode::BADVERS);
        }
        if let Some(Err(_)) = edns.subnet {
            return Some(ResponseCode::FormErr);
        }
    }
    let kind = RecordType::from(question.kind);
    let transfer = matches!(kind, RecordType::AXFR | RecordType::IXFR);
    if transfer || DNSClass::from(question.class) != DNSClass::IN {
        return Some(ResponseCode::Refused);
    }
    (kind == RecordType::OPT).then_some(ResponseCode::FormErr)
}

fn read(wire: &[u8]) -> Option<Name> {
    Name::read(&mut BinDecoder::new(wire)).ok()
}

impl View<'_> {
    /// Until plans have been read, nothing can be denied.
    const fn unless_known(&self, denial: ResponseCode) -> ResponseCode {
        if self.names.known() { denial } else { ResponseCode::ServFail }
    }
}

/// One question about a name in a zone of ours.
struct Asking<'a> {
    view: View<'a>,
    question: &'a Question,
    found: &'a Found<'a, 'a>,
    name: &'a Name,
    peer: IpAddr,
}

impl Asking<'_> {
    fn answer(&self) -> Answer {
        let kind = RecordType::from(self.question.kind);
        let at_apex = self.found.apex.len() == self.question.key.len();
        match (&self.found.what, kind) {
            (What::Nothing, _) => self.denied(ResponseCode::NXDomain),
            (_, RecordType::TXT) if !self.texts().is_empty() => self.proofs(),
            (_, RecordType::ANY) => Answer::records(vec![Zone::hinfo(self.name)]),
            (_, RecordType::SOA) if at_apex => Answer::records(vec![self.soa(self.name.clone())]),
            (_, RecordType::NS) if at_apex => self.servers(),
            (What::Site(_), RecordType::CAA) => self.or_no_data(self.view.zone.caa(self.name)),
            (_, RecordType::CAA) if at_apex => self.or_no_data(self.view.zone.caa(self.name)),
            (What::Server, RecordType::A | RecordType::AAAA) => self.server(kind),
            (What::Site(site), RecordType::A | RecordType::AAAA | RecordType::HTTPS) => {
                self.edges(site, kind)
            }
            _ => self.denied(ResponseCode::NoError),
        }
    }

    fn texts(&self) -> &[String] {
        self.view.names.texts(&self.question.key)
    }

    /// What a certificate authority looks for. It changes with every question that one has.
    fn proofs(&self) -> Answer {
        let data = |text: &String| RData::TXT(TXT::new(vec![text.clone()]));
        let record = |text| Record::from_rdata(self.name.clone(), PROOF_TTL, data(text));
        Answer::records(self.texts().iter().map(record).collect())
    }

    /// NXDOMAIN, or NODATA when the code is NOERROR.
    fn denied(&self, code: ResponseCode) -> Answer {
        let apex = read(self.found.apex).unwrap_or_default();
        Answer { authoritative: true, authorities: vec![self.soa(apex)], ..Answer::bare(code) }
    }

    fn or_no_data(&self, records: Vec<Record>) -> Answer {
        if records.is_empty() {
            self.denied(ResponseCode::NoError)
        } else {
            Answer::records(records)
        }
    }

    fn soa(&self, apex: Name) -> Record {
        self.view.zone.soa(apex, self.view.names.serial())
    }

    fn servers(&self) -> Answer {
        let own = self.found.apex == self.view.zone.apex().as_bytes();
        let glue = if own { self.view.zone.glue() } else { Vec::new() };
        Answer { additionals: glue, ..Answer::records(self.view.zone.ns(self.name)) }
    }

    fn server(&self, kind: RecordType) -> Answer {
        let mut records = self.view.zone.server(self.name);
        records.retain(|record| record.record_type() == kind);
        self.or_no_data(records)
    }

    /// The best edges for whoever asks. With no edge ever seen this is our failure, and nothing
    /// that a resolver should remember.
    fn edges(&self, site: &Site, kind: RecordType) -> Answer {
        if self.view.edges.is_empty() {
            return Answer::bare(ResponseCode::ServFail);
        }
        let client = self.client();
        let data = self.data(site, kind, client.position);
        let ttl = self.view.zone.ttl();
        let record = |data| Record::from_rdata(self.name.clone(), ttl, data);
        let answer = self.or_no_data(data.into_iter().map(record).collect());
        Answer { scope: client.scope, ..answer }
    }

    fn data(&self, site: &Site, kind: RecordType, client: Option<Position>) -> Vec<RData> {
        let ranked = self.view.edges.ranked(client);
        let most = self.view.most_edges.max(1);
        match kind {
            RecordType::A => {
                let edges = ranked.filter(|edge| !edge.v4.is_empty()).take(most);
                let all = edges.flat_map(|edge| &edge.v4);
                all.map(|v4| address_data((*v4).into())).collect()
            }
            RecordType::AAAA if site.ipv6 => {
                let edges = ranked.filter(|edge| !edge.v6.is_empty()).take(most);
                let all = edges.flat_map(|edge| &edge.v6);
                all.map(|v6| address_data((*v6).into())).collect()
            }
            RecordType::HTTPS => https(site, ranked, most).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn client(&self) -> Client {
        let subnet = self.question.edns.and_then(|edns| edns.subnet);
        match (subnet, self.view.locator) {
            (_, None) => Client::default(),
            (Some(Ok(subnet)), Some(_)) if subnet.is_private() => Client::default(),
            (Some(Ok(subnet)), Some(locator)) => {
                Client::from(locator.locate(subnet.address())).or_scope(subnet.source())
            }
            (_, Some(locator)) => {
                Client::from(locator.locate(self.peer.to_canonical())).everybody()
            }
        }
    }
}

/// Where the client is, and for how much of its network that holds.
#[derive(Clone, Copy, Default)]
struct Client {
    position: Option<Position>,
    known: bool,
    scope: u8,
}

impl From<Option<Located>> for Client {
    fn from(located: Option<Located>) -> Self {
        let Some(located) = located else {
            return Self::default();
        };
        let exact = located.latitude.zip(located.longitude);
        let exact = exact.and_then(|(latitude, longitude)| Position::new(latitude, longitude));
        Self {
            position: exact.or_else(|| centroid(located.country.as_deref()?)),
            known: true,
            scope: located.prefix,
        }
    }
}

impl Client {
    /// An unknown network is told apart as finely as it was asked: a neighbour may be known.
    const fn or_scope(self, source: u8) -> Self {
        let scope = if self.known { self.scope } else { source };
        Self { scope, ..self }
    }

    const fn everybody(self) -> Self {
        Self { scope: 0, ..self }
    }
}

/// The HTTPS record: port and hints are those of the best edge that speaks HTTPS, and of further
/// ones with the same port, since one record has one port. HTTP/1.1 is the default that needs no
/// mention (RFC 9460 §7.1.1).
fn https<'e>(site: &Site, ranked: impl Iterator<Item = &'e Live>, most: usize) -> Option<RData> {
    let mut able = ranked.filter_map(|edge| Some((edge, edge.https_port?)));
    let (best, port) = able.next()?;
    let alike = able.filter(|(_, other)| *other == port).map(|(edge, _)| edge);
    let edges: Vec<_> = std::iter::once(best).chain(alike).take(most).collect();
    let mut params = Vec::new(); // in ascending order of keys (RFC 9460 §2.2)
    let versions = versions(site);
    if !versions.is_empty() {
        params.push((SvcParamKey::Alpn, SvcParamValue::Alpn(Alpn(versions))));
    }
    if port != 443 {
        params.push((SvcParamKey::Port, SvcParamValue::Port(port)));
    }
    let v4: Vec<A> = edges.iter().flat_map(|edge| &edge.v4).copied().map(A).collect();
    if !v4.is_empty() {
        params.push((SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(v4))));
    }
    let v6: Vec<AAAA> = edges.iter().flat_map(|edge| &edge.v6).copied().map(AAAA).collect();
    if site.ipv6 && !v6.is_empty() {
        params.push((SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(IpHint(v6))));
    }
    Some(RData::HTTPS(HTTPS(SVCB::new(1, Name::root(), params))))
}

fn versions(site: &Site) -> Vec<String> {
    let all = [(site.h3, "h3"), (site.h2, "h2")];
    let spoken = all.iter().filter(|(spoken, _)| *spoken);
    spoken.map(|(_, name)| (*name).to_owned()).collect()
}
