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
