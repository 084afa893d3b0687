//! Stage 7: the answer in the viewer's shape.
//!
//! For: conditions, ranges and HEAD against what is held or arriving; then, once for every reply,
//! the response headers policy and what every reply carries.
//! Not for: errors of our own (`rescue`).

use crate::{
    asked::{Reply, ReplyBody},
    growing::Reader,
    pipeline::{
        Engine,
        fetch::Head,
        lookup::{self, Found},
        route::Routed,
        trail::Trail,
    },
};
use bytes::Bytes;
use caching::{
    StoredView, age,
    multipart::Envelope,
    range::{self, Asked, Part},
    status::CacheStatus,
    validate::{self, Precondition},
};
use futures::{StreamExt as _, stream};
use headers::{
    cookies,
    names::Outcome,
    response_policy::SAMPLE_OF,
    server_timing::{self, Cache, Metrics, Upstream},
    viewer_response::{self, Stamp},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use model::{
    plan::Law,
    units::{Seconds, Timestamp},
};
use packing::Stored;
use ports::origin::{Body, Scheme};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An answer, before it is dressed for the viewer.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// End-to-end headers, cleaned of what viewers do not get.
    pub headers: HeaderMap,
    /// Body.
    pub body: ReplyBody,
    /// How it came about.
    pub telling: Telling,
}

/// What a reply tells of how it came about.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// For `X-Cache` and the record.
    pub outcome: Outcome,
    /// For `Age`.
    pub age: Option<Seconds>,
    /// For `Server-Timing`; none for what the edge made itself.
    pub timing: Option<Cache>,
    /// For `Cache-Status`; the same.
    pub status: Option<CacheStatus>,
}

impl Telling {
    /// From what is held.
    pub const fn hit() -> Self {
        Self {
            outcome: Outcome::Hit,
            age: None,
            timing: Some(Cache::Hit("EDGE")),
            status: Some(CacheStatus::hit()),
        }
    }

    /// From what is held and the origin has just confirmed.
    pub const fn refreshed(status: CacheStatus) -> Self {
        Self { outcome: Outcome::RefreshHit, status: Some(status), ..Self::hit() }
    }

    /// From the origin.
    pub const fn asked(upstream: Upstream, status: CacheStatus) -> Self {
        let timing = Some(Cache::Miss(upstream));
        Self { outcome: Outcome::Miss, age: None, timing, status: Some(status) }
    }

    /// By the edge itself.
    pub const fn made(outcome: Outcome) -> Self {
        Self { outcome, age: None, timing: None, status: None }
    }

    /// The same, but this is what it says in `Cache-Status`; of the lifetime it says what it did.
    pub fn saying(self, status: CacheStatus) -> Self {
        let told = self.status.map_or(status, |before| status.with_ttl_of(before));
        Self { status: Some(told), ..self }
    }

    /// What was missing of the copy is fetched for this reply.
    pub fn fetched(self, status: CacheStatus) -> Self {
        match self.outcome {
            Outcome::Hit => Self { outcome: Outcome::Miss, ..self.saying(status) },
            _ => self,
        }
    }

    /// What was missing of the copy is on its way for somebody else.
    pub fn waited(self, status: CacheStatus) -> Self {
        let hit = self.outcome == Outcome::Hit && self.status.is_none_or(CacheStatus::is_hit);
        if hit { self.saying(status) } else { self }
    }

    /// It is so old.
    pub fn aged(self, age: Seconds) -> Self {
        Self { age: Some(age), ..self }
    }

    /// It is this copy that is served.
    pub fn of_copy(self, view: &StoredView<'_>, now: Timestamp) -> Self {
        let status = self.status.map(|status| status.of_copy(view, now));
        Self { age: Some(age::current(view, now)), status, ..self }
    }
}

/// Answers from a whole copy; for those in slices see `parts`.
pub fn from_store(engine: &Engine, found: &Found, stored: &Stored, telling: Telling) -> Answer {
    let routed = found.routed();
    let view = lookup::view(stored);
    let telling = telling.of_copy(&view, engine.now());
    if let Some(answer) = by_condition(routed, &view, telling) {
        return answer;
    }
    let request = &routed.request;
    let part = match stored.status {
        StatusCode::OK => {
            let law = routed.behaviour.behaviour.cache.law;
            range::asked(law, &request.method, &request.headers, &stored.headers, stored.length)
        }
        _ => Asked::Whole,
    };
    match part {
        Asked::Whole => whole(&request.method, stored, telling),
        Asked::One(part) => partial(stored, part, telling),
        Asked::Several(parts) => several(stored, &parts, telling),
        Asked::Unsatisfiable => unsatisfiable(stored, telling),
    }
}

/// The whole of a copy that is at hand, or its head.
pub fn whole(method: &Method, stored: &Stored, telling: Telling) -> Answer {
    let mut headers = stored.headers.clone();
    let body = match *method {
        Method::HEAD => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(stored.length));
            ReplyBody::Empty
        }
        _ => ReplyBody::Pieces(stored.pieces().to_vec()),
    };
    Answer { status: stored.status, headers, body, telling }
}

fn partial(stored: &Stored, part: Part, telling: Telling) -> Answer {
    let mut headers = stored.headers.clone();
    set(&mut headers, &header::CONTENT_RANGE, &part.content_range(stored.length));
    Answer {
        status: StatusCode::PARTIAL_CONTENT,
        headers,
        body: ReplyBody::Pieces(cut(stored.pieces(), part)),
        telling,
    }
}

/// Several parts in one answer: the bytes are shared with the whole.
fn several(stored: &Stored, parts: &[Part], telling: Telling) -> Answer {
    let envelope = Envelope::new(rand::random());
    let mut pieces = Vec::new();
    for part in parts {
        let head = envelope.head(&stored.headers, *part, stored.length);
        pieces.push(Bytes::from(head));
        pieces.extend(cut(stored.pieces(), *part));
    }
    pieces.push(Bytes::from(envelope.tail()));
    let mut headers = stored.headers.clone();
    headers.remove(header::CONTENT_RANGE);
    set(&mut headers, &header::CONTENT_TYPE, &envelope.content_type());
    let body = ReplyBody::Pieces(pieces);
    Answer { status: StatusCode::PARTIAL_CONTENT, headers, body, telling }
}

/// Nothing of what was asked for is there.
pub fn unsatisfiable(stored: &Stored, telling: Telling) -> Answer {
    let mut headers = validate::for_not_modified(&stored.headers);
    set(&mut headers, &header::CONTENT_RANGE, &range::unsatisfied(stored.length));
    Answer { status: StatusCode::RANGE_NOT_SATISFIABLE, headers, body: ReplyBody::Empty, telling }
}

/// The pieces of a part, shared with the whole.
fn cut(pieces: &[Bytes], part: Part) -> Vec<Bytes> {
    let (mut skip, mut left) = (part.start, part.length());
    let mut taken = Vec::new();
    for piece in pieces {
        let length = piece.len() as u64;
        if skip >= length {
            skip -= length;
            continue;
        }
        let end = length.min(skip.saturating_add(left));
        // Both are within the piece, whose length is a usize.
        if let (Ok(from), Ok(to)) = (usize::try_from(skip), usize::try_from(end)) {
            taken.push(piece.slice(from..to));
        }
        left -= end - skip;
        skip = 0;
        if left == 0 {
            break;
        }
    }
    taken
}

/// Answers while the response arrives: `first` is the one who asked for it.
pub fn from_flight(
    engine: &Engine,
    found: &Found,
    head: &Head,
    reader: Reader,
    first: bool,
    status: CacheStatus,
) -> Answer {
    let routed = found.routed();
    let telling = arriving(engine, head, first, status);
    let view = StoredView {
        status: head.status,
        headers: &head.headers,
        received_at: head.received_at,
        initial_age: Seconds::ZERO,
        fresh_for: Seconds::ZERO,
    };
    if let Some(answer) = by_condition(routed, &view, telling) {
        reader.leave_it_running(head.shared);
        return answer;
    }
    let mut headers = head.headers.clone();
    if first {
        headers.extend(head.private.clone());
    }
    let method = &routed.request.method;
    // Nobody reads a body that is known to be empty: that is no viewer who has left.
    let body = if *method == Method::HEAD || is_bodiless(head.status) || head.length == Some(0) {
        reader.leave_it_running(head.shared);
        stream::empty().boxed()
    } else {
        reader.stream().boxed()
    };
    let answer = streamed(method, head.status, headers, head.length, body, telling);
    match head.trailers.clone() {
        Some(trailers) => Answer { body: answer.body.trailed_by(trailers), ..answer },
        None => answer,
    }
}

/// What a reply tells whose response is arriving: `first` is the one who asked for it.
pub fn arriving(engine: &Engine, head: &Head, first: bool, status: CacheStatus) -> Telling {
    if first {
        return Telling::asked(head.upstream, status);
    }
    let waited = Telling { status: Some(status), ..Telling::hit() };
    waited.aged(engine.now().since(head.received_at))
}

/// Whether an answer with this status has no body (RFC 9110 §6.4.1).
pub fn is_bodiless(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

/// An answer whose body comes from an origin right now.
pub fn streamed(
    method: &Method,
    status: StatusCode,
    mut headers: HeaderMap,
    length: Option<u64>,
    body: Body,
    telling: Telling,
) -> Answer {
    headers.remove(header::CONTENT_LENGTH);
    let body = if *method == Method::HEAD {
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        ReplyBody::Empty
    } else if is_bodiless(status) {
        ReplyBody::Empty
    } else {
        ReplyBody::Stream { length, body }
    };
    Answer { status, headers, body, telling }
}

/// What a viewer's conditions come to, where the edge may answer them itself: not where cookies
/// reach the origin (CloudFront developer guide, conditional requests).
pub fn by_condition(routed: &Routed, view: &StoredView<'_>, telling: Telling) -> Option<Answer> {
    let behaviour = &routed.behaviour.behaviour;
    if behaviour.cache.law == Law::CloudFront && cookies::are_forwarded(behaviour) {
        return None;
    }
    let request = &routed.request;
    let status = match validate::precondition(&request.method, &request.headers, view) {
        Precondition::Proceed => return None,
        Precondition::NotModified => StatusCode::NOT_MODIFIED,
        Precondition::Failed => StatusCode::PRECONDITION_FAILED,
    };
    Some(Answer {
        status,
        headers: validate::for_not_modified(view.headers),
        body: ReplyBody::Empty,
        telling,
    })
}

/// Dresses an answer for the viewer: policy, then what every reply carries.
pub fn finish(
    engine: &Engine,
    routed: Option<&Routed>,
    trail: &mut Trail,
    answer: Answer,
) -> Reply {
    let Answer { status, mut headers, body, telling } = answer;
    if let Some(routed) = routed {
        let request = &routed.request;
        if request.scheme == Scheme::Https && request.version != Version::HTTP_3 {
            engine.advertise(&routed.distribution.plan, &mut headers);
        }
        let policy = &routed.behaviour.policy;
        policy.apply(&request.method, &request.headers, &mut headers);
        if let Some(cache) = telling.timing
            && policy.wants_server_timing(&request.headers, draw())
        {
            time(engine, trail, cache, &mut headers);
        }
    }
    let outcome = match telling.outcome {
        Outcome::Hit | Outcome::Miss | Outcome::RefreshHit if is_error(status) => Outcome::Error,
        outcome => outcome,
    };
    trail.ended_as(outcome);
    let said = telling.status.filter(|_| engine.cache_status).map(|status| status.to_string());
    let date = (!headers.contains_key(header::DATE)).then(|| date(trail.now()));
    viewer_response::stamp(
        &mut headers,
        &Stamp {
            names: &engine.names,
            outcome,
            via: &engine.via,
            pop: &engine.pop_value,
            id: &trail.id,
            age: telling.age,
            said: said.as_deref(),
            date: date.as_ref(),
        },
    );
    Reply::new(status, headers, body)
}

/// Whether `X-Cache` says `Error`. A range that is not there and a condition that does not hold are
/// answers, not errors.
fn is_error(status: StatusCode) -> bool {
    let answers = [StatusCode::RANGE_NOT_SATISFIABLE, StatusCode::PRECONDITION_FAILED];
    (status.is_client_error() || status.is_server_error()) && !answers.contains(&status)
}

fn draw() -> u32 {
    rand::random_range(0..SAMPLE_OF)
}

fn time(engine: &Engine, trail: &Trail, cache: Cache, headers: &mut HeaderMap) {
    server_timing::set(
        headers,
        &Metrics {
            cache,
            pop: &engine.pop,
            id: &trail.id,
            downstream_first_byte: Duration::from_millis(trail.milliseconds()),
        },
    );
}

fn date(now: Timestamp) -> HeaderValue {
    let at: SystemTime = UNIX_EPOCH + Duration::from_secs(now.seconds());
    headers::names::value(&httpdate::fmt_http_date(at))
}

fn set(headers: &mut HeaderMap, name: &header::HeaderName, text: &str) {
    headers.insert(name, headers::names::value(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[Bytes]) -> String {
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn parts_are_cut_across_pieces() {
        let pieces: Vec<Bytes> = ["abc", "", "defg", "h"].map(Bytes::from).to_vec();
        for start in 0..8_u64 {
            for end in start..8 {
                let expected: String = "abcdefgh"
                    .chars()
                    .skip(usize::try_from(start).unwrap())
                    .take(usize::try_from(end - start + 1).unwrap())
                    .collect();
                assert_eq!(text(&cut(&pieces, Part { start, end })), expected);
            }
        }
    }
}
