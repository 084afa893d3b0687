//! Heads of answers, made once and filled in often.
//!
//! For: the bytes of a head for all copies with the same lines, under one behaviour. They are made by
//! dressing an answer as the engine dresses every answer, with marks in the places of what differs
//! from copy to copy and from request to request; then what stands between the marks is text.
//! Not for: heads in which a rule has mixed such a value with something else: those are not made.

use crate::{
    asked::{Asked, ReplyBody, TlsFacts},
    pipeline::{
        Engine,
        respond::{self, Answer, Telling},
        route::{Request, Routed},
        trail::{self, Trail},
    },
    plans::{Compiled, Distribution},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use model::units::{Seconds, Timestamp};
use packing::{Entry, Template};
use ports::origin::Scheme;
use std::{net::SocketAddr, rc::Rc, sync::Arc};

/// Most values of its own that a copy may have.
const MOST_VALUES: usize = 32;
/// Heads that are kept.
const KEPT: usize = 512;
/// An age that no copy has, and that is no part of another number by chance.
const MARKED_AGE: u64 = 7_340_918_265_104_927;
/// A moment in 1983, before there was anything to be dated.
const MARKED_TIME: Timestamp = Timestamp(424_242_424_242);
/// The same as text.
const MARKED_DATE: &str = "Sun, 12 Jun 1983 05:07:04 GMT";

/// A head with places to fill in.
#[derive(Debug)]
pub struct Head {
    parts: Box<[Part]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<[u8]>),
    /// A value of the copy's own, by its place among them.
    Own(usize),
    Length,
    Age,
    Id,
    Date,
}

/// What is filled in.
pub struct Filling<'a> {
    /// The copy.
    pub entry: &'a Entry,
    /// Its age.
    pub age: Seconds,
    /// The time as `Date` has it.
    pub date: &'a [u8],
}

/// The heads that have been made, each in the one place where it may be.
pub struct Heads(Box<[Option<Kept>]>);

/// What was made, or that nothing could be.
type Kept = (Of, Option<Rc<Head>>);

/// What a head is made for. Whoever keeps it keeps the behaviour, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Of {
    template: u64,
    behaviour: *const Compiled,
    status: StatusCode,
    https: bool,
}

/// Where a head is sent.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Whose it is.
    pub distribution: &'a Arc<Distribution>,
    /// What was matched.
    pub behaviour: &'a Arc<Compiled>,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// Its TLS.
    pub tls: Option<&'a Arc<TlsFacts>>,
}

impl Default for Heads {
    fn default() -> Self {
        Self(vec![None; KEPT].into_boxed_slice())
    }
}

impl Heads {
    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.0.fill(None);
    }

    /// The head for this copy in this place; none if none can be made.
    pub fn find(&mut self, engine: &Engine, entry: &Entry, place: Place<'_>) -> Option<Rc<Head>> {
        let template = entry.template();
        let of = Of {
            template: template.id,
            behaviour: Arc::as_ptr(place.behaviour),
            status: entry.status(),
            https: place.tls.is_some(),
        };
        let kept = self.0.get_mut(of.place())?;
        if let Some((known, head)) = kept
            && *known == of
        {
            return head.clone();
        }
        let made = Head::make(engine, template, of.status, place).map(Rc::new);
        *kept = Some((of, made.clone()));
        made
    }
}

impl Of {
    fn place(&self) -> usize {
        let mixed = self.template ^ ((self.behaviour.addr() as u64) >> 4) ^ u64::from(self.https);
        let mixed = (mixed ^ u64::from(self.status.as_u16())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 40).unwrap_or_default() % KEPT
    }
}

impl Head {
    fn make(
        engine: &Engine,
        template: &Template,
        status: StatusCode,
        place: Place<'_>,
    ) -> Option<Self> {
        let reason = status.canonical_reason()?;
        let marks = Marks::new();
        let headers = marks.headers(template, place)?;
        let (dressed, id) = dress(engine, status, headers, place)?;
        let mut parts = Parts::default();
        parts.text(format!("HTTP/1.1 {} {reason}\r\ncontent-length: ", status.as_u16()).as_bytes());
        parts.hole(Part::Length);
        parts.text(b"\r\n");
        for (name, value) in &dressed {
            if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION]
                .contains(name)
            {
                continue; // as in `h1`: framing is not the engine's
            }
            parts.text(name.as_str().as_bytes());
            parts.text(b": ");
            match marks.read(name, value, &id)? {
                Part::Text(text) => parts.text(&text),
                hole => parts.hole(hole),
            }
            parts.text(b"\r\n");
        }
        parts.text(b"\r\n");
        Some(Self { parts: parts.0.into_boxed_slice() })
    }

    /// Writes the head. Nothing is written when the copy does not fit it, which cannot be.
    pub fn write(&self, filling: &Filling<'_>, out: &mut Vec<u8>) -> bool {
        let (mut values, mut taken) = (filling.entry.values(), 0);
        let begun = out.len();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Own(at) => {
                    if *at < taken {
                        (values, taken) = (filling.entry.values(), 0);
                    }
                    let Some(value) = values.nth(*at - taken) else {
                        debug_assert!(false, "a copy does not have the values of its template");
                        out.truncate(begun);
                        return false;
                    };
                    taken = *at + 1;
                    value.write(out);
                }
                Part::Length => decimal(filling.entry.length(), out),
                Part::Age => decimal(filling.age.0, out),
                Part::Id => write_id(out),
                Part::Date => out.extend_from_slice(filling.date),
            }
        }
        true
    }
}

/// Text and holes; neighbouring texts are one.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, text: &[u8]) {
        match self.0.last_mut() {
            Some(Part::Text(before)) => *before = [&**before, text].concat().into_boxed_slice(),
            _ => self.0.push(Part::Text(text.into())),
        }
    }

    fn hole(&mut self, hole: Part) {
        self.0.push(hole);
    }
}

/// Values that stand for others: no rule knows them, and none makes the same by chance.
struct Marks(String);

impl Marks {
    fn new() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// The head that the template's copies have, with marks for the values of their own.
    ///
    /// None where a rule may look at such a value: what it makes of the mark says nothing then.
    fn headers(&self, template: &Template, place: Place<'_>) -> Option<HeaderMap> {
        let reads = place.behaviour.policy.reads_values();
        let mut headers = HeaderMap::with_capacity(template.lines.len());
        let mut own = 0;
        for (name, common) in &template.lines {
            if let Some(value) = common {
                headers.append(name, value.clone());
                continue;
            }
            if own == MOST_VALUES || (reads && [header::CONTENT_TYPE, header::VARY].contains(name))
            {
                return None;
            }
            let mark = format!("{}-{own};", self.0);
            headers.append(name, HeaderValue::from_str(&mark).ok()?);
            own += 1;
        }
        Some(headers)
    }

    /// What a value of a dressed head stands for; none when it is more than one thing.
    fn read(&self, name: &HeaderName, value: &HeaderValue, id: &str) -> Option<Part> {
        let age = MARKED_AGE.to_string();
        let bytes = value.as_bytes();
        let text = String::from_utf8_lossy(bytes);
        if let Some(own) = text.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix('-')) {
            return own.strip_suffix(';')?.parse().ok().map(Part::Own);
        }
        if text == id {
            return Some(Part::Id);
        }
        if *name == header::AGE && text == age {
            return Some(Part::Age);
        }
        if *name == header::DATE && text == MARKED_DATE {
            return Some(Part::Date);
        }
        let mixed = [self.0.as_str(), id, &age, MARKED_DATE].iter().any(|mark| text.contains(mark));
        (!mixed).then(|| Part::Text(bytes.into()))
    }
}

/// Dresses an answer with this head as the engine does for a plain GET; also tells the request's id.
fn dress(
    engine: &Engine,
    status: StatusCode,
    headers: HeaderMap,
    place: Place<'_>,
) -> Option<(HeaderMap, String)> {
    let scheme = place.tls.map_or(Scheme::Http, |_| Scheme::Https);
    let asked = Asked {
        method: Method::GET,
        path: "/".into(),
        query: None,
        authority: None,
        headers: HeaderMap::new(),
        body: None,
        peer: place.peer,
        scheme,
        tls: place.tls.cloned(),
        version: Version::HTTP_11,
        relay: ports::relay::Relay::default(),
    };
    let mut trail = Trail::start(&asked, MARKED_TIME);
    let request = Request {
        id: trail.id.clone(),
        method: asked.method,
        path: asked.path,
        was_root: false,
        query: None,
        headers: asked.headers,
        peer: asked.peer,
        version: asked.version,
        scheme,
        tls: asked.tls,
        has_body: false,
        relay: ports::relay::Relay::default(),
    };
    let routed = Routed {
        request: Arc::new(request),
        distribution: place.distribution.clone(),
        behaviour: place.behaviour.clone(),
    };
    // `Cache-Status` tells the time that a copy has left, in the midst of other words.
    if engine.cache_status {
        return None;
    }
    let telling = Telling::hit().aged(Seconds(MARKED_AGE));
    let answer = Answer { status, headers, body: ReplyBody::Empty, telling };
    let id = trail.id.clone();
    let reply = respond::finish(engine, Some(&routed), &mut trail, answer);
    Some((reply.headers, id))
}

fn write_id(out: &mut Vec<u8>) {
    let mut id = [0; trail::ID];
    trail::write_request_id(&mut id);
    out.extend_from_slice(&id);
}

/// A number in its digits.
pub fn decimal(number: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let (mut rest, mut many) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        many += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - many..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_plainly() {
        for number in [0, 1, 9, 10, 1_048_576, u64::MAX] {
            let mut out = Vec::new();
            decimal(number, &mut out);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn the_marked_date_is_the_marked_time() {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(MARKED_TIME.seconds());
        assert_eq!(httpdate::fmt_http_date(at), MARKED_DATE);
    }
}
