//! A viewer's way through a body in slices.
//!
//! For: what a request wants of such a body, and sending it: from the store what is held, from runs
//! what is coming, and for what nobody fetches a run is begun.
//! Not for: bodies that are held whole (`respond`), nor for talking to origins (`fetch/fill`).

use crate::{
    asked::ReplyBody,
    pipeline::{
        Engine,
        fetch::fill,
        lookup::{self, Found},
        rescue::Failure,
        respond::{self, Answer, Telling},
        slices::{Object, There},
    },
    runs::{Joined, Next, Over, Seat},
};
use bytes::Bytes;
use caching::{
    multipart::Envelope,
    range::{self, Asked, Part},
    status::{CacheStatus, Reason},
};
use futures::{StreamExt as _, stream, stream::BoxStream};
use headers::names::Outcome;
use http::{HeaderMap, Method, StatusCode, header};
use packing::Stored;
use ports::origin::BodyError;
use std::sync::Arc;

/// How often a reader looks for its next byte in vain before it gives up.
const LOOKS: u32 = 8;

/// Bytes of a body as they are sent.
type Bodies = BoxStream<'static, Result<Bytes, BodyError>>;

/// Answers from a copy, whole or in slices. It returns once the first bytes are at hand or on their
/// way. Dropping the call gives up nothing but the wait.
///
/// # Errors
/// How fetching what is missing failed; [`Failure::Changed`] where what was held is of no use.
pub async fn from_copy(
    engine: &Arc<Engine>,
    found: &Found,
    stored: &Arc<Stored>,
    telling: Telling,
) -> Result<Answer, Failure> {
    let Some(object) = Object::of(found, stored) else {
        return Ok(respond::from_store(engine, found, stored, telling));
    };
    Box::pin(from_slices(engine, found, object, telling)).await
}

async fn from_slices(
    engine: &Arc<Engine>,
    found: &Found,
    object: Object,
    telling: Telling,
) -> Result<Answer, Failure> {
    let stored = &object.stored.clone();
    let routed = found.routed();
    let view = lookup::view(stored);
    let telling = match telling.outcome {
        Outcome::Miss => telling,
        _ => telling.of_copy(&view, engine.now()),
    };
    if let Some(answer) = respond::by_condition(routed, &view, telling) {
        return Ok(answer);
    }
    let (request, law) = (&routed.request, routed.behaviour.behaviour.cache.law);
    let asked =
        range::asked(law, &request.method, &request.headers, &stored.headers, stored.length);
    if request.method == Method::HEAD {
        return Ok(respond::whole(&request.method, stored, telling));
    }
    let reading = Reading { engine: engine.clone(), object: Arc::new(object), telling };
    let answered = match asked {
        Asked::Unsatisfiable => return Ok(respond::unsatisfiable(stored, telling)),
        Asked::Whole => reading.whole().await,
        Asked::One(part) => reading.one(part).await,
        Asked::Several(parts) => reading.several(&parts).await,
    };
    match answered {
        // An origin that has no ranges does not keep us from answering with the whole.
        Err(Stuck::Unranged) => reading.whole().await.map_err(Failure::from),
        answered => answered.map_err(Failure::from),
    }
}

/// One request for a body in slices.
struct Reading {
    engine: Arc<Engine>,
    object: Arc<Object>,
    telling: Telling,
}

/// Why the first bytes cannot be had.
enum Stuck {
    /// The origin gives the whole only.
    Unranged,
    /// It fails.
    Failed(Failure),
}

impl From<Stuck> for Failure {
    fn from(stuck: Stuck) -> Self {
        match stuck {
            Stuck::Unranged => Self::Changed,
            Stuck::Failed(failure) => failure,
        }
    }
}

/// Where the first bytes come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// They are held.
    Held,
    /// They are fetched for this request.
    Led,
    /// They are fetched for another one, too.
    Followed,
}

impl Reading {
    fn headers(&self) -> HeaderMap {
        self.object.stored.headers.clone()
    }

    fn walk(&self, part: Part) -> Walk {
        Walk {
            engine: self.engine.clone(),
            object: self.object.clone(),
            at: part.start,
            end: part.end + 1,
            ready: Bytes::new(),
            seat: None,
            looks: 0,
        }
    }

    async fn whole(&self) -> Result<Answer, Stuck> {
        let total = self.object.total();
        let walk = self.walk(Part { start: 0, end: total.saturating_sub(1) });
        self.answer(StatusCode::OK, self.headers(), walk).await
    }

    async fn one(&self, part: Part) -> Result<Answer, Stuck> {
        let mut headers = self.headers();
        let place = part.content_range(self.object.total());
        headers.insert(header::CONTENT_RANGE, headers::names::value(&place));
        self.answer(StatusCode::PARTIAL_CONTENT, headers, self.walk(part)).await
    }

    async fn answer(
        &self,
        status: StatusCode,
        headers: HeaderMap,
        mut walk: Walk,
    ) -> Result<Answer, Stuck> {
        let telling = self.telling(walk.begin().await?);
        let length = walk.end - walk.at;
        let body = match walk.all_at_hand() {
            Some(bytes) => ReplyBody::Pieces(vec![bytes]),
            None => ReplyBody::Stream { length: Some(length), body: walk.stream() },
        };
        Ok(Answer { status, headers, body, telling })
    }

    /// Several parts in one answer, each as it comes.
    async fn several(&self, parts: &[Part]) -> Result<Answer, Stuck> {
        let (stored, total) = (&self.object.stored.headers, self.object.total());
        let envelope = Envelope::new(rand::random());
        let (mut length, mut first) = (0, None);
        let mut bodies: Vec<Bodies> = Vec::with_capacity(2 * parts.len() + 1);
        let text = |bytes: Vec<u8>| -> Bodies { stream::iter([Ok(Bytes::from(bytes))]).boxed() };
        for part in parts {
            let mut walk = self.walk(*part);
            if first.is_none() {
                first = Some(walk.begin().await?);
            }
            let head = envelope.head(stored, *part, total);
            length += head.len() as u64 + part.length();
            bodies.push(text(head));
            bodies.push(walk.stream());
        }
        let tail = envelope.tail();
        length += tail.len() as u64;
        bodies.push(text(tail));
        let mut headers = self.headers();
        let kind = headers::names::value(&envelope.content_type());
        headers.insert(header::CONTENT_TYPE, kind);
        let body = until_error(stream::iter(bodies).flatten().boxed());
        let telling = self.telling(first.unwrap_or(First::Held));
        let body = ReplyBody::Stream { length: Some(length), body };
        Ok(Answer { status: StatusCode::PARTIAL_CONTENT, headers, body, telling })
    }

    /// What the reply says: a hit is one only where nothing had to be fetched for it.
    fn telling(&self, first: First) -> Telling {
        let asked = CacheStatus::forwarded(Reason::Partial, Some(StatusCode::PARTIAL_CONTENT));
        match first {
            First::Led => self.telling.fetched(asked),
            First::Followed => self.telling.waited(asked.collapsed()),
            First::Held => self.telling,
        }
    }
}

/// A reader on its way.
struct Walk {
    engine: Arc<Engine>,
    object: Arc<Object>,
    /// Offset of the next byte.
    at: u64,
    /// Offset after the last one.
    end: u64,
    /// Bytes that were found already.
    ready: Bytes,
    seat: Option<Seat>,
    /// How often nothing was found since there was something.
    looks: u32,
}

/// What there is for a reader.
enum Look {
    Bytes(Bytes),
    Seat(Seat, First),
}

impl Walk {
    /// Finds the first bytes, and in their slice also what follows them: whoever is told that all is
    /// well shall not be told otherwise a moment later.
    async fn begin(&mut self) -> Result<First, Stuck> {
        let mut at = self.at;
        for _ in 0..LOOKS {
            if at >= self.end.min(self.object.bound(self.at)) {
                self.seat = self.seat_at(at);
                return Ok(First::Held);
            }
            match self.look(at).await {
                Look::Bytes(bytes) if self.ready.is_empty() => {
                    self.ready = self.within(bytes);
                    at += self.ready.len() as u64;
                }
                Look::Bytes(_) => return Ok(First::Held),
                Look::Seat(seat, first) => match seat.landed().await {
                    Ok(()) => {
                        self.seat = Some(seat);
                        return Ok(first);
                    }
                    Err(Over::Abandoned | Over::Ended) => {}
                    Err(Over::Unranged) => return Err(Stuck::Unranged),
                    Err(Over::Changed) => return Err(Stuck::Failed(Failure::Changed)),
                    Err(Over::Failed(failure)) => return Err(Stuck::Failed(failure)),
                    Err(Over::Cut(_)) => return Err(Stuck::Failed(Failure::Internal)),
                },
            }
        }
        Err(Stuck::Failed(Failure::Internal))
    }

    /// The bytes, if all of them are here.
    fn all_at_hand(&mut self) -> Option<Bytes> {
        let all = self.ready.len() as u64 == self.end - self.at;
        all.then(|| std::mem::take(&mut self.ready))
    }

    /// No more bytes than are wanted.
    fn within(&self, mut bytes: Bytes) -> Bytes {
        bytes.truncate(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        bytes
    }

    fn gives(&mut self, bytes: Bytes) -> Bytes {
        let bytes = self.within(bytes);
        self.at += bytes.len() as u64;
        self.looks = 0;
        bytes
    }

    /// The next bytes; none at the end.
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        if !self.ready.is_empty() {
            let ready = std::mem::take(&mut self.ready);
            return Some(Ok(self.gives(ready)));
        }
        while self.at < self.end {
            match self.seat.as_ref() {
                Some(seat) => match seat.next(self.at).await {
                    Next::Piece(bytes) => return Some(Ok(self.gives(bytes))),
                    Next::Elsewhere(over) => {
                        self.seat = None;
                        self.looks += 1;
                        if let Some(why) = end_of(over, self.looks) {
                            return Some(Err(why));
                        }
                    }
                },
                None => match self.look(self.at).await {
                    Look::Bytes(bytes) => {
                        let bytes = self.gives(bytes);
                        self.seat = self.seat_at(self.at);
                        return Some(Ok(bytes));
                    }
                    Look::Seat(seat, _) => self.seat = Some(seat),
                },
            }
        }
        None
    }

    /// A seat where this reader will come, so that what is coming there goes on.
    fn seat_at(&self, at: u64) -> Option<Seat> {
        let wanted = at < self.end;
        wanted.then(|| self.engine.flights.runs.seat(self.object.generation, at)).flatten()
    }

    /// What is held at an offset, or else a seat where it will come.
    async fn look(&self, at: u64) -> Look {
        let (store, object) = (&*self.engine.store, &self.object);
        if let There::Bytes(bytes) = object.there(store, at).await {
            return Look::Bytes(bytes);
        }
        let runs = &self.engine.flights.runs;
        match runs.join(object.generation, at, object.total()) {
            Joined::Follow(seat) => Look::Seat(seat, First::Followed),
            // Somebody may have brought it since we looked.
            Joined::Lead(filler, seat) => match object.there(store, at).await {
                There::Bytes(bytes) => Look::Bytes(bytes),
                There::Nothing(gap) => {
                    let until = object.reach(store, at, gap, object.bound(self.end - 1));
                    fill::ask_for(&self.engine, object, filler, at, until);
                    Look::Seat(seat, First::Led)
                }
            },
        }
    }

    fn stream(self) -> Bodies {
        let pieces = stream::unfold(self, |mut walk| async move {
            let piece = walk.next().await?;
            Some((piece, walk))
        });
        until_error(pieces.boxed())
    }
}

/// Why a reader cannot go on; none if it looks again.
fn end_of(over: Over, looks: u32) -> Option<BodyError> {
    match over {
        Over::Ended | Over::Abandoned if looks < LOOKS => None,
        Over::Ended | Over::Abandoned => Some(BodyError::Cut("its slices do not stay".into())),
        Over::Changed => Some(BodyError::Cut("it changed at the origin".into())),
        Over::Unranged => Some(BodyError::Cut("the origin gives no parts of it".into())),
        Over::Failed(failure) => Some(BodyError::Cut(failure.to_string())),
        Over::Cut(why) => Some(why),
    }
}

/// Ends after the first error.
fn until_error(pieces: Bodies) -> Bodies {
    let pieces = stream::unfold(Some(pieces), |pieces| async move {
        let mut pieces = pieces?;
        let piece = pieces.next().await?;
        let rest = piece.is_ok().then_some(pieces);
        Some((piece, rest))
    });
    pieces.boxed()
}
