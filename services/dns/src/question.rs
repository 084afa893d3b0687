//! Reads what a client sent, and says what is wrong with it.
//!
//! For: the parts of a message that an authoritative server must understand: header, question, EDNS
//! and its client subnet. Not for: records of any other kind, which are stepped over unread; nor
//! for what the answer is.
//!
//! A reader of its own, since a whole-message decoder refuses a message for a client subnet of
//! family 0 without telling which question it was, accepts subnets with bits beyond their prefix,
//! and answers broken *responses*, by which two servers could be made to talk to each other.
//!
//! Source: RFC 1035 §4.1, RFC 6891 §6.1, RFC 7871 §6, RFC 9619 (one question).

use crate::name::read_plain;
use geo::{ClientSubnet, SubnetFault};

/// Type of the EDNS pseudo-record.
const OPT: u16 = 41;
/// Option code of the client subnet.
const SUBNET: u16 = 8;
/// Most records that are stepped over in one message.
const MOST_RECORDS: usize = 64;

/// What the header says that a reply repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Chosen by the client.
    pub id: u16,
    /// 0 to 15.
    pub opcode: u8,
    /// RD.
    pub recursion_desired: bool,
    /// CD (RFC 4035 §3.1.6: copied).
    pub checking_disabled: bool,
}

/// One well-formed question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// From the header.
    pub head: Head,
    /// Wire form, in the client's case.
    pub name: Vec<u8>,
    /// Wire form, lower case.
    pub key: Vec<u8>,
    /// QTYPE.
    pub kind: u16,
    /// QCLASS.
    pub class: u16,
    /// What the EDNS record says, if there is one.
    pub edns: Option<Edns>,
}

/// What a client says by EDNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// Largest UDP payload that it can take; not below 512.
    pub payload: u16,
    /// 0 is the only one there is.
    pub version: u8,
    /// DO.
    pub dnssec_ok: bool,
    /// The client subnet, or what is wrong with it.
    pub subnet: Option<Result<ClientSubnet, SubnetFault>>,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Not to be answered: shorter than a header, or a response itself.
    Nothing,
    /// Not a query but an update, a notification or the like: NOTIMP.
    Other(Head),
    /// Broken: FORMERR.
    Broken(Head),
    /// A question.
    Question(Box<Question>),
}

/// Reads one message. Every input has an outcome; what is read is bounded by its length.
pub fn read(message: &[u8]) -> Asked {
    let Some((header, body)) = message.split_first_chunk::<12>() else {
        return Asked::Nothing;
    };
    let [id1, id2, flags, more, counts @ ..] = *header;
    if flags & 0x80 != 0 {
        return Asked::Nothing; // QR: answering a response could go on for ever
    }
    let head = Head {
        id: u16::from_be_bytes([id1, id2]),
        opcode: flags >> 3 & 0xF,
        recursion_desired: flags & 1 != 0,
        checking_disabled: more & 0x10 != 0,
    };
    if head.opcode != 0 {
        return Asked::Other(head);
    }
    match question(head, counts, body) {
        Ok(question) => Asked::Question(Box::new(question)),
        Err(Broken) => Asked::Broken(head),
    }
}

/// Not in the form that RFC 1035 or RFC 6891 gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Broken;

/// The question and what comes with it; nothing may be left over at the end.
fn question(head: Head, counts: [u8; 8], body: &[u8]) -> Result<Question, Broken> {
    let [q1, q2, a1, a2, n1, n2, e1, e2] = counts;
    let count = |high, low| usize::from(u16::from_be_bytes([high, low]));
    if count(q1, q2) != 1 {
        return Err(Broken);
    }
    let (name, rest) = read_plain(body).ok_or(Broken)?;
    let ([k1, k2, c1, c2], rest) = rest.split_first_chunk().ok_or(Broken)?;
    let others = count(a1, a2) + count(n1, n2);
    let edns = extras(rest, others, count(e1, e2))?;
    Ok(Question {
        head,
        name: name.to_vec(),
        key: name.to_ascii_lowercase(),
        kind: u16::from_be_bytes([*k1, *k2]),
        class: u16::from_be_bytes([*c1, *c2]),
        edns,
    })
}

/// Steps over all records; EDNS may stand once, among the last of them.
fn extras(mut rest: &[u8], others: usize, additional: usize) -> Result<Option<Edns>, Broken> {
    if others + additional > MOST_RECORDS {
        return Err(Broken);
    }
    let mut edns = None;
    for at in 0..others + additional {
        let (record, after) = Entry::read(rest).ok_or(Broken)?;
        rest = after;
        if record.kind != OPT {
            continue;
        }
        if at < others || edns.is_some() || !record.at_root {
            return Err(Broken);
        }
        edns = Some(record.edns()?);
    }
    if rest.is_empty() { Ok(edns) } else { Err(Broken) }
}

/// A record, as far as EDNS uses its fields.
struct Entry<'a> {
    at_root: bool,
    kind: u16,
    class: u16,
    ttl: [u8; 4],
    data: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (at_root, rest) = skip_name(bytes)?;
        let ([k1, k2, c1, c2, ttl @ .., l1, l2], rest) = rest.split_first_chunk::<10>()?;
        let length = usize::from(u16::from_be_bytes([*l1, *l2]));
        let (data, rest) = rest.split_at_checked(length)?;
        let entry = Self {
            at_root,
            kind: u16::from_be_bytes([*k1, *k2]),
            class: u16::from_be_bytes([*c1, *c2]),
            ttl: *ttl,
            data,
        };
        Some((entry, rest))
    }

    fn edns(&self) -> Result<Edns, Broken> {
        let [_, version, flags, _] = self.ttl;
        Ok(Edns {
            payload: self.class.max(512),
            version,
            dnssec_ok: flags & 0x80 != 0,
            subnet: subnet(self.data)?,
        })
    }
}

/// A client subnet, read or refused.
type Subnet = Result<ClientSubnet, SubnetFault>;

/// The client subnet among the options, which must fill their record and name one subnet at most.
fn subnet(mut options: &[u8]) -> Result<Option<Subnet>, Broken> {
    let mut found = None;
    while !options.is_empty() {
        let ([c1, c2, l1, l2], rest) = options.split_first_chunk().ok_or(Broken)?;
        let length = usize::from(u16::from_be_bytes([*l1, *l2]));
        let (data, rest) = rest.split_at_checked(length).ok_or(Broken)?;
        options = rest;
        if u16::from_be_bytes([*c1, *c2]) != SUBNET {
            continue;
        }
        if found.is_some() {
            return Err(Broken);
        }
        found = Some(ClientSubnet::read(data));
    }
    Ok(found)
}

/// Whether the owner is the root, and what follows it. Pointers are not followed: nothing here needs
/// the name.
fn skip_name(bytes: &[u8]) -> Option<(bool, &[u8])> {
    let mut end = 0;
    loop {
        let length = *bytes.get(end)?;
        match length {
            0 => return Some((end == 0, bytes.get(end + 1..)?)),
            1..=63 => end += 1 + usize::from(length),
            0xC0.. => return Some((false, bytes.get(end + 2..)?)),
            _ => return None,
        }
    }
}
