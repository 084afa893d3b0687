//! Stage 6: asking the origin.
//!
//! For: fifty callers and one question; who waits, who goes alone, what each is served in the end.
//! Not for: the exchange with the origin and what is kept of it (`ask`).
//!
//! | file | what it does |
//! | --- | --- |
//! | `ask` | one exchange for everybody in a flight: the head, and what is kept |
//! | `whole` | its body, where that is kept in one piece or not at all |
//! | `fill` | its body, where that is kept in slices; and the slices that are missing later |
//! | `rest` | going on with a body of which some is here |
//! | `question`, `source`, `told` | what is asked, what comes, and what that says of other copies |
//!
//! Known: HEAD for something that is not held is asked as HEAD.

mod ask;
pub mod fill;
mod owned;
mod question;
pub mod relay;
mod rest;
mod source;
mod told;
mod whole;

pub use ask::{date, renewed};

use crate::{
    flights::{Joined, Lead, Seat},
    pipeline::{
        Engine, key,
        lookup::{self, Found},
        parts,
        rescue::Failure,
        respond::{self, Answer, Telling},
    },
};
use caching::{
    Times, collapsing, partial,
    reuse::{self, Decision, Why},
    stale::{self, OnError},
    status::{CacheStatus, Reason},
    validate::Validators,
};
use headers::{
    names::Outcome, origin_request::Conditions, server_timing::Upstream, viewer_response,
};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use model::units::{Seconds, Timestamp};
use packing::Stored;
use ports::{
    cachestore::CacheKey,
    origin::{Body, OriginResponse},
    relay::Trailers,
};
use question::Question;
use std::sync::{Arc, atomic::Ordering};
use tracing::Instrument as _;

/// How a question to an origin was answered.
#[derive(Clone)]
pub enum Landing {
    /// A response is arriving.
    Arriving(Arc<Head>),
    /// What is held is good, for the reason that the outcome says.
    Held(Arc<Stored>, Outcome),
    /// The origin failed, with this status if it answered, and a stale copy may stand in.
    Stale(Arc<Stored>, Option<StatusCode>),
    /// The origin failed.
    Failed(Failure),
}

/// The head of a response that is arriving.
pub struct Head {
    /// As the origin sent it.
    pub status: StatusCode,
    /// As they are kept, without `content-length`.
    pub headers: HeaderMap,
    /// What is kept, where the body goes into slices: viewers read it from there.
    pub sliced: Option<Arc<Stored>>,
    /// Whether it answers a range, or is about one: of no use to who asks for something else.
    pub part: bool,
    /// Whether the whole came though a part was asked for.
    pub unranged: bool,
    /// Fields that only the one who asked gets.
    pub private: HeaderMap,
    /// As the origin announced it; none where the body is encoded on its way.
    pub length: Option<u64>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Whether those who waited get it too.
    pub shared: bool,
    /// For how long it is fresh, if it is kept.
    pub fresh_for: Option<Seconds>,
    /// Request headers that choose among variants, and those of the one who asked.
    pub vary: Vec<HeaderName>,
    /// See `vary`.
    pub asked_with: HeaderMap,
    /// How long it took.
    pub upstream: Upstream,
    /// Fields after the body; none where it is kept: with a copy they are dropped.
    pub trailers: Option<Trailers>,
}

/// How often a request takes a seat in a flight, to find that what comes is not for it.
const BOARDINGS: u32 = 3;

/// Asks the origin for something that is not held, or not good any more, together with everybody
/// who wants the same. Dropping the call gives up the viewer's own wait; the fetch goes on while
/// anybody else waits. `why` is for what the reply tells.
///
/// # Errors
/// How the origin failed, where nothing held may stand in.
pub async fn collapsed(
    engine: &Arc<Engine>,
    found: &Found,
    body: Option<Body>,
    validators: Option<Validators>,
    why: Why,
) -> Result<Answer, Failure> {
    if !is_kept(found) {
        return pass(engine, found, body, why).await;
    }
    let now = engine.now();
    if let Some(failure) = engine.failures.recent(&found.key, now, engine.bans.latest()) {
        return stand_in(engine, found, failure).await;
    }
    for _ in 0..BOARDINGS {
        if goes_alone(engine, found, validators.is_some()) {
            break;
        }
        match together(engine, found, validators.as_ref(), why).await {
            Ok(answer) => return answer,
            Err(Unfit::Part) => {}
            Err(Unfit::Alone) => break,
        }
    }
    let (lead, mut seat) = engine.flights.solo(found.key, engine.bans.latest());
    ask::spawn(engine, Question::new(engine, found, validators), lead);
    let landing = seat.landed().await.ok_or(Failure::Internal)?;
    board(engine, found, landing, seat, Boarding { why, first: true }).await
}

/// Whether a request waits for nobody: by rule, or since that was in vain a moment ago.
fn goes_alone(engine: &Engine, found: &Found, asks_for_all: bool) -> bool {
    let request = &found.routed().request;
    let part = request.headers.contains_key(header::RANGE) && !asks_for_all;
    let in_vain = |key| engine.alone.knows(&key, engine.now());
    collapsing::may_wait(&found.routed().behaviour.behaviour, &request.method).is_err()
        || (part && partial::first_wanted(&request.headers).is_none())
        || (part && in_vain(key::of_parts(found.key)))
        || in_vain(found.key)
}

/// Why what a flight brings is not for a request.
enum Unfit {
    /// It is for nobody but the one who asked: so may be what comes next.
    Alone,
    /// It is a part, or about one, which this request does not ask for.
    Part,
}

/// Joins or starts the flight for the key.
///
/// # Errors
/// When what it brings is not for this request.
async fn together(
    engine: &Arc<Engine>,
    found: &Found,
    validators: Option<&Validators>,
    why: Why,
) -> Result<Result<Answer, Failure>, Unfit> {
    let routed = found.routed();
    let joined = engine.flights.join(found.key, engine.bans.latest(), |flight| {
        !lookup::is_banned(&engine.bans, routed, flight.bans)
    });
    match joined {
        Joined::Lead(lead, seat) => Ok(first(engine, found, validators, why, lead, seat).await),
        Joined::Follow(mut seat) => {
            engine.meters.collapsed();
            let landing = seat.landed().await.ok_or(Unfit::Alone)?;
            if let Landing::Arriving(head) = &landing {
                head.fits(&routed.request.headers)?;
            }
            let how = Boarding { why, first: false };
            Ok(board(engine, found, landing, seat, how).await)
        }
    }
}

/// Nobody was asking. But somebody may have finished asking since we looked.
async fn first(
    engine: &Arc<Engine>,
    found: &Found,
    validators: Option<&Validators>,
    why: Why,
    lead: Lead<Landing>,
    mut seat: Seat<Landing>,
) -> Result<Answer, Failure> {
    if let Some((key, stored)) = just_arrived(engine, found).await {
        // Under another key it is a variant (RFC 9111 §4.1), maybe not the one of those who wait:
        // with no word from here they look for themselves.
        if key == found.key {
            lead.land(Landing::Held(stored.clone(), Outcome::Hit));
        }
        drop(lead);
        return parts::from_copy(engine, found, &stored, Telling::hit()).await;
    }
    ask::spawn(engine, Question::new(engine, found, validators.cloned()), lead);
    let landing = seat.landed().await.ok_or(Failure::Internal)?;
    board(engine, found, landing, seat, Boarding { why, first: true }).await
}

async fn just_arrived(engine: &Engine, found: &Found) -> Option<(CacheKey, Arc<Stored>)> {
    let again = lookup::find(&*engine.store, &engine.bans, found.keyed.clone()).await;
    let routed = found.routed();
    let terms = routed.behaviour.terms(&routed.distribution);
    let decision =
        reuse::decide(&terms, &routed.request.view(), again.view().as_ref(), engine.now());
    match decision {
        Decision::Serve { .. } => Some((again.key, again.stored?)),
        _ => None,
    }
}

/// How somebody came to a flight.
#[derive(Clone, Copy)]
struct Boarding {
    /// Why the origin was to be asked.
    why: Why,
    /// Whether it was on this one's behalf.
    first: bool,
}

impl Boarding {
    /// What the reply says: the origin was asked, and answered with this status.
    fn status(self, answered: Option<StatusCode>) -> CacheStatus {
        let status = CacheStatus::forwarded(Reason::from(self.why), answered);
        if self.first { status } else { status.collapsed() }
    }
}

/// Serves what a flight has brought.
async fn board(
    engine: &Arc<Engine>,
    found: &Found,
    landing: Landing,
    seat: Seat<Landing>,
    how: Boarding,
) -> Result<Answer, Failure> {
    match landing {
        Landing::Arriving(head) => {
            let status = how.status(Some(head.status));
            let status = head.fresh_for.map_or(status, |fresh_for| status.stored(fresh_for));
            if let Some(stored) = &head.sliced {
                return board_sliced(engine, found, &head, stored, seat, (how, status)).await;
            }
            let reader = seat.into_reader();
            Ok(respond::from_flight(engine, found, &head, reader, how.first, status))
        }
        Landing::Held(stored, outcome) => {
            let telling = match outcome {
                Outcome::RefreshHit => {
                    Telling::refreshed(how.status(Some(StatusCode::NOT_MODIFIED)))
                }
                _ => Telling::hit(),
            };
            parts::from_copy(engine, found, &stored, telling).await
        }
        Landing::Stale(stored, answered) => {
            engine.meters.served_stale();
            let telling = Telling::hit().saying(how.status(answered));
            parts::from_copy(engine, found, &stored, telling).await
        }
        Landing::Failed(failure) => Err(failure),
    }
}

/// The same, where the body goes into slices. The seat is kept until the viewer has one there.
async fn board_sliced(
    engine: &Arc<Engine>,
    found: &Found,
    head: &Head,
    stored: &Arc<Stored>,
    seat: Seat<Landing>,
    (how, status): (Boarding, CacheStatus),
) -> Result<Answer, Failure> {
    let telling = respond::arriving(engine, head, how.first, status);
    // Asked for a part, the origin sent all: so does it to the one who asked.
    let whole = how.first && head.unranged;
    let unranged = whole.then(|| for_all(found));
    let answered =
        parts::from_copy(engine, unranged.as_ref().unwrap_or(found), stored, telling).await;
    drop(seat);
    let mut answer = answered?;
    if how.first {
        answer.headers.extend(head.private.clone());
    }
    Ok(answer)
}

/// One request asks the origin for a fresh copy, and nobody waits for it.
pub fn refresh_behind(engine: &Arc<Engine>, found: &Found) {
    if engine.failures.recent(&found.key, engine.now(), engine.bans.latest()).is_some() {
        return;
    }
    if let Some(lead) = engine.flights.launch(found.key, engine.bans.latest()) {
        let validators = super::validators(found);
        ask::spawn(engine, Question::new(engine, &for_all(found), validators), lead);
    }
}

/// The request as if it asked for the whole: what a HEAD or a range brings cannot be kept.
fn for_all(found: &Found) -> Found {
    let mut found = found.clone();
    let request = Arc::make_mut(&mut found.keyed.viewed.routed.request);
    if request.method == Method::HEAD {
        request.method = Method::GET;
    }
    caching::validate::drop_conditions(&mut request.headers);
    found
}

/// The origin failed a moment ago: what is held stands in, if it may.
async fn stand_in(
    engine: &Arc<Engine>,
    found: &Found,
    failure: Failure,
) -> Result<Answer, Failure> {
    let routed = found.routed();
    let terms = routed.behaviour.terms(&routed.distribution);
    let spared = |stored: &Arc<Stored>| {
        let checked = stored.bans_checked.load(Ordering::Relaxed);
        !lookup::is_banned(&engine.bans, routed, checked)
    };
    if let (Some(stored), Some(view)) = (&found.stored, found.view())
        && spared(stored)
    {
        let kind = failure.kind();
        let now = engine.now();
        if let OnError::Serve { .. } =
            stale::on_error(&terms, &routed.request.view(), &view, kind, now)
        {
            engine.meters.served_stale();
            return parts::from_copy(engine, found, stored, Telling::hit()).await;
        }
    }
    Err(failure)
}

/// Whether answers to this request are kept at all; if not, it is passed through.
fn is_kept(found: &Found) -> bool {
    let routed = found.routed();
    let terms = routed.behaviour.terms(&routed.distribution);
    if terms.caching_disabled() || terms.all_headers {
        return false;
    }
    let options = routed.behaviour.behaviour.cache_options;
    match routed.request.method {
        Method::GET => true,
        Method::OPTIONS => options,
        _ => false,
    }
}

/// Passes a request through, body and all; nothing is kept. Dropping the call or the answer's body
/// ends the exchange with the origin.
async fn pass(
    engine: &Arc<Engine>,
    found: &Found,
    body: Option<Body>,
    why: Why,
) -> Result<Answer, Failure> {
    let routed = found.routed();
    let viewed = &found.keyed.viewed;
    let mut request = question::origin_request(engine, viewed, Conditions::AsSent, body.is_some());
    request.body = body;
    let requested_at = engine.now();
    let response = engine
        .ask(&routed.behaviour.origin, request)
        .instrument(tracing::debug_span!("origin", otel.kind = "client"))
        .await;
    let failure = match &response {
        Err(why) => Some(Failure::Origin(why.clone())),
        Ok(response) if response.status.is_server_error() => Some(Failure::Status(response.status)),
        Ok(_) => None,
    };
    if routed.request.method == Method::HEAD
        && let Some(failure) = failure
        && let answered = failure.answered()
        && let Ok(mut stale) = stand_in(engine, found, failure).await
    {
        let status = CacheStatus::forwarded(Reason::from(why), answered);
        stale.telling = stale.telling.saying(status);
        return Ok(stale);
    }
    let response = response?;
    told::heed(engine, found, &response, Times { requested_at, received_at: engine.now() });
    Ok(passed(found, response, why))
}

fn passed(found: &Found, response: OriginResponse, why: Why) -> Answer {
    let behaviour = &found.routed().behaviour;
    let OriginResponse { status, mut headers, body, timing, trailers, .. } = response;
    let length = question::length(&headers);
    viewer_response::clean(&mut headers, &behaviour.behaviour, behaviour.is_bucket());
    let told = CacheStatus::forwarded(Reason::from(why), Some(status));
    let telling = Telling::asked(question::upstream(timing), told);
    let method = &found.routed().request.method;
    let answer = respond::streamed(method, status, headers, length, body, telling);
    Answer { body: answer.body.trailed_by(trailers), ..answer }
}

impl Head {
    /// Whether somebody who waited with these request headers gets it too.
    fn fits(&self, request: &HeaderMap) -> Result<(), Unfit> {
        let same = caching::vary::matches(&self.vary, &self.asked_with, request);
        match self.part && !request.contains_key(header::RANGE) {
            _ if self.shared && same => Ok(()),
            true => Err(Unfit::Part),
            false => Err(Unfit::Alone),
        }
    }
}
