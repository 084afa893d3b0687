//! What is counted: questions by type and transport, replies by code, edges and names.
//!
//! Label sets are made once and are few; counting takes no lock.

use crate::reply::{Reply, Transport};
use hickory_proto::{op::ResponseCode, rr::RecordType};
use kit::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

const KINDS: [&str; 9] = ["A", "AAAA", "HTTPS", "SOA", "NS", "CAA", "TXT", "ANY", "other"];
const CODES: [&str; 9] =
    ["NOERROR", "NXDOMAIN", "FORMERR", "SERVFAIL", "NOTIMP", "REFUSED", "BADVERS", "other", "none"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Questions {
    qtype: &'static str,
    transport: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Replies {
    rcode: &'static str,
}

/// The counters of this service; clones share them.
#[derive(Clone, Debug)]
pub struct Counted {
    udp: [Counter; KINDS.len()],
    tcp: [Counter; KINDS.len()],
    codes: [Counter; CODES.len()],
    /// Live edges.
    pub edges: Gauge,
    /// Names of distributions.
    pub names: Gauge,
    /// Open TCP connections.
    pub connections: Gauge,
}

impl Counted {
    /// Registers everything, as `nearfront_dns_…`.
    pub fn register(metrics: &Metrics) -> Self {
        let questions = Family::<Questions, Counter>::default();
        let replies = Family::<Replies, Counter>::default();
        let by = |transport| {
            KINDS.map(|qtype| {
                let labels = Questions { qtype, transport };
                questions.get_or_create_owned(&labels)
            })
        };
        let counted = Self {
            udp: by("udp"),
            tcp: by("tcp"),
            codes: CODES.map(|rcode| replies.get_or_create_owned(&Replies { rcode })),
            edges: Gauge::default(),
            names: Gauge::default(),
            connections: Gauge::default(),
        };
        counted.add_to(metrics, &questions, &replies);
        counted
    }

    fn add_to(
        &self,
        metrics: &Metrics,
        questions: &Family<Questions, Counter>,
        replies: &Family<Replies, Counter>,
    ) {
        metrics.register(|registry| {
            registry.register("dns_queries", "Questions by type", questions.clone());
            registry.register("dns_replies", "Replies by code; none: dropped", replies.clone());
            registry.register("dns_edges", "Edges that answers choose from", self.edges.clone());
            registry.register("dns_names", "Names of distributions", self.names.clone());
            let help = "Open TCP connections";
            registry.register("dns_connections", help, self.connections.clone());
        });
    }

    /// Counts one message and what became of it.
    pub fn count(&self, transport: Transport, reply: Option<&Reply>) {
        let kinds = match transport {
            Transport::Udp => &self.udp,
            Transport::Tcp => &self.tcp,
        };
        let kind = kind(reply.and_then(|reply| reply.kind));
        add(kinds, &KINDS, kind);
        add(&self.codes, &CODES, reply.map_or("none", |reply| code(reply.code)));
    }
}

fn add(counters: &[Counter], labels: &[&str], label: &str) {
    let at = labels.iter().position(|known| *known == label);
    if let Some(counter) = at.and_then(|at| counters.get(at)) {
        counter.inc();
    }
}

const fn kind(kind: Option<RecordType>) -> &'static str {
    match kind {
        Some(RecordType::A) => "A",
        Some(RecordType::AAAA) => "AAAA",
        Some(RecordType::HTTPS) => "HTTPS",
        Some(RecordType::SOA) => "SOA",
        Some(RecordType::NS) => "NS",
        Some(RecordType::CAA) => "CAA",
        Some(RecordType::TXT) => "TXT",
        Some(RecordType::ANY) => "ANY",
        _ => "other",
    }
}

const fn code(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::BADVERS => "BADVERS",
        _ => "other",
    }
}
