//! From a message's bytes to its reply's bytes.
//!
//! For: reading, answering and writing one message, without a socket: whatever the bytes are, there
//! is a reply within the limit of its transport, or none. Not for: what is answered
//! ([`crate::answer`]).
//!
//! A reply that does not fit loses its additional records first; then all records, with TC set, so
//! that the client asks again by TCP (RFC 2181 §9). EDNS stays in it (RFC 6891 §6.1.1).

use crate::{
    answer::{Answer, View, answer},
    question::{Asked, Edns, Head, Question, read},
};
use hickory_proto::{
    op::{Edns as OutEdns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        DNSClass, Name, RecordType,
        rdata::opt::{ClientSubnet, EdnsOption},
    },
    serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder},
};
use std::net::IpAddr;

/// Largest UDP reply and the size that we say we take: no fragments on any usual path (DNS flag
/// day 2020).
pub const MOST_UDP: u16 = 1232;
/// What a client without EDNS can take (RFC 1035 §4.2.1).
const PLAIN_UDP: u16 = 512;

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In one datagram.
    Udp,
    /// In a stream, with a length before it.
    Tcp,
}

/// What goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The message.
    pub bytes: Vec<u8>,
    /// What was asked for; none when that could not be read.
    pub kind: Option<RecordType>,
    /// How it went.
    pub code: ResponseCode,
}

/// The reply to these bytes from this address; none when there must not be one.
pub fn reply(view: View<'_>, message: &[u8], peer: IpAddr, transport: Transport) -> Option<Reply> {
    match read(message) {
        Asked::Nothing => None,
        Asked::Other(head) => Some(header_only(head, ResponseCode::NotImp)),
        Asked::Broken(head) => Some(header_only(head, ResponseCode::FormErr)),
        Asked::Question(question) => {
            let answer = answer(view, &question, peer);
            Some(write(&question, answer, transport))
        }
    }
}

/// A reply without even the question.
fn header_only(head: Head, code: ResponseCode) -> Reply {
    let [id1, id2] = head.id.to_be_bytes();
    let flags = 0x80 | head.opcode << 3 | u8::from(head.recursion_desired);
    let more = u8::from(head.checking_disabled) << 4 | code.low();
    Reply { bytes: vec![id1, id2, flags, more, 0, 0, 0, 0, 0, 0, 0, 0], kind: None, code }
}

fn write(question: &Question, answer: Answer, transport: Transport) -> Reply {
    let code = answer.code;
    let limit = limit(question, transport);
    let bytes = message(question, answer).and_then(|message| fit(message, limit));
    let kind = Some(RecordType::from(question.kind));
    match bytes {
        Some(bytes) => Reply { bytes, kind, code },
        None => Reply { kind, ..header_only(question.head, ResponseCode::ServFail) },
    }
}

fn limit(question: &Question, transport: Transport) -> usize {
    let bytes = match (transport, question.edns) {
        (Transport::Tcp, _) => u16::MAX,
        (Transport::Udp, Some(edns)) => edns.payload.clamp(PLAIN_UDP, MOST_UDP),
        (Transport::Udp, None) => PLAIN_UDP,
    };
    usize::from(bytes)
}

fn message(question: &Question, answer: Answer) -> Option<Message> {
    let mut message = Message::new(question.head.id, MessageType::Response, OpCode::Query);
    message.metadata.recursion_desired = question.head.recursion_desired;
    message.metadata.checking_disabled = question.head.checking_disabled;
    message.metadata.authoritative = answer.authoritative;
    message.metadata.response_code = answer.code;
    message.queries.push(query(question)?);
    message.answers = answer.answers;
    message.authorities = answer.authorities;
    message.additionals = answer.additionals;
    message.edns = question.edns.map(|edns| out_edns(edns, answer.scope));
    Some(message)
}

/// The question as it was asked, in its own case.
fn query(question: &Question) -> Option<Query> {
    let name = Name::read(&mut BinDecoder::new(&question.name)).ok()?;
    let mut query = Query::query(name, RecordType::from(question.kind));
    query.set_query_class(DNSClass::from(question.class));
    Some(query)
}

fn out_edns(edns: Edns, scope: u8) -> OutEdns {
    let mut out = OutEdns::new();
    out.set_max_payload(MOST_UDP);
    out.set_dnssec_ok(edns.dnssec_ok);
    if let Some(Ok(subnet)) = edns.subnet {
        let echo = ClientSubnet::new(subnet.address(), subnet.source(), scope);
        out.options_mut().insert(EdnsOption::Subnet(echo));
    }
    out
}

/// The message in at most this many bytes.
fn fit(mut message: Message, limit: usize) -> Option<Vec<u8>> {
    let whole = encode(&message)?;
    if whole.len() <= limit {
        return Some(whole);
    }
    message.additionals.clear();
    let smaller = encode(&message)?;
    if smaller.len() <= limit {
        return Some(smaller);
    }
    message.answers.clear();
    message.authorities.clear();
    message.metadata.truncation = true;
    encode(&message).filter(|bytes| bytes.len() <= limit)
}

fn encode(message: &Message) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::from(PLAIN_UDP));
    let mut encoder = BinEncoder::new(&mut bytes);
    message
        .emit(&mut encoder)
        .inspect_err(|error| tracing::error!(%error, "a reply cannot be written"))
        .ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        edges::Edges,
        names::{Named, Names},
        zone::Zone,
    };
    use kit::settings::Dns;
    use model::{plan::Plan, units::Revision};
    use ports::registry::Beat;
    use proptest::prelude::*;

    struct Known {
        zone: Zone,
        names: Names,
        edges: Edges,
    }

    impl Known {
        fn new() -> Self {
            let zone = Zone::new("cdn.test", &Dns::default()).unwrap();
            let plan: Plan = serde_json::from_value(serde_json::json!({
                "id": "E1", "arn": "", "domain": "d1.cdn.test", "aliases": ["*.wild.example"],
                "enabled": true, "default_root_object": null, "behaviours": [], "origins": [],
                "errors": [], "countries": "All", "http": {"h2": true, "h3": true}, "ipv6": true,
                "viewer_tls": {"certificate": null, "minimum": "Tls12"},
            }))
            .unwrap();
            let beats: Vec<Beat> = (1..=40).map(beat).collect();
            Self {
                names: Names::new(&zone, [Named::from(&plan)].iter(), Revision(3)),
                edges: Edges::new(&beats, &[]),
                zone,
            }
        }

        fn reply(&self, message: &[u8], transport: Transport) -> Option<Reply> {
            let view = View {
                zone: &self.zone,
                names: &self.names,
                edges: &self.edges,
                locator: None,
                most_edges: 40,
            };
            reply(view, message, [192, 0, 2, 7].into(), transport)
        }
    }

    fn beat(n: u8) -> Beat {
        Beat {
            role: ports::registry::Role::Edge,
            id: format!("e{n}").as_str().into(),
            incarnation: 1,
            pop: String::new(),
            position: None,
            addresses: vec![[192, 0, 2, n].into(), [198, 51, 100, n].into()],
            http_port: None,
            https_port: Some(443),
            acknowledged: Revision(0),
        }
    }

    /// A good question with EDNS and a client subnet.
    fn good(kind: u16, payload: u16) -> Vec<u8> {
        let mut bytes = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
        bytes.extend(b"\x02d1\x03cdn\x04test\0");
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 1, 0, 0, 41]);
        bytes.extend(payload.to_be_bytes());
        bytes.extend([0, 0, 0x80, 0, 0, 10, 0, 8, 0, 6, 0, 1, 16, 0, 133, 11]);
        bytes
    }

    /// What holds for every reply to every message.
    fn check(message: &[u8], reply: Option<Reply>, most: usize) -> Result<(), TestCaseError> {
        let Some(reply) = reply else {
            prop_assert!(message.len() < 12 || message[2] & 0x80 != 0);
            return Ok(());
        };
        prop_assert!(reply.bytes.len() <= most, "{} bytes", reply.bytes.len());
        prop_assert_eq!(&reply.bytes[..2], &message[..2]);
        let read = Message::from_vec(&reply.bytes).unwrap();
        prop_assert_eq!(read.metadata.message_type, MessageType::Response);
        prop_assert_eq!(u16::from(read.metadata.response_code), u16::from(reply.code));
        Ok(())
    }

    #[test]
    fn the_good_question_is_good() {
        let reply = Known::new().reply(&good(1, 1232), Transport::Tcp).unwrap();
        assert_eq!(reply.code, ResponseCode::NoError);
        assert_eq!(Message::from_vec(&reply.bytes).unwrap().answers.len(), 80);
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic_and_replies_are_small(message in proptest::collection::vec(any::<u8>(), 0..600)) {
            check(&message, Known::new().reply(&message, Transport::Udp), usize::from(MOST_UDP))?;
        }

        #[test]
        fn damaged_questions_never_panic_and_replies_are_small(
            kind in prop_oneof![0..70u16, 250..260u16, any::<u16>()],
            payload: u16,
            damage in proptest::collection::vec((0..60usize, any::<u8>()), 0..4),
            cut in 0..80usize,
            more in proptest::collection::vec(any::<u8>(), 0..3),
        ) {
            let mut message = good(kind, payload);
            for (at, byte) in damage {
                let end = message.len();
                message[at % end] = byte;
            }
            message.truncate(cut.max(12));
            message.extend(more);
            let known = Known::new();
            check(&message, known.reply(&message, Transport::Udp), usize::from(MOST_UDP))?;
            check(&message, known.reply(&message, Transport::Tcp), usize::from(u16::MAX))?;
        }

        #[test]
        fn replies_fit_what_the_client_can_take(kind in 0..70u16, payload: u16) {
            let message = good(kind, payload);
            let most = usize::from(payload.clamp(512, MOST_UDP));
            let reply = Known::new().reply(&message, Transport::Udp);
            check(&message, reply.clone(), most)?;
            let read = Message::from_vec(&reply.unwrap().bytes).unwrap();
            prop_assert!(read.edns.is_some());
            prop_assert!(!read.metadata.truncation || read.answers.is_empty());
        }
    }
}
