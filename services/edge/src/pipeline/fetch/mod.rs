//! Stage 6: asking the origin.
//!
//! For: fifty callers and one question; who waits, who goes alone, what each is served in the end.
//! Not for: the exchange with the origin and what is kept of it (`ask`).
//!
//! Known: a request with `Range` for something that is not held goes to the origin on its own, with
//! its `Range`; parts are not kept. HEAD for something that is not held is asked as HEAD.

mod ask;
mod owned;
mod question;
pub mod relay;
mod source;
mod told;

use crate::{
    flights::{Joined, Lead, Seat},
    pipeline::{
        Engine,
        lookup::{self, Found},
        rescue::Failure,
        respond::{self, Answer, Telling},
    },
};
use caching::{
    Times, collapsing,
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

/// Asks the origin for something that is not held, or not good any more, together with everybody
/// who wants the same. Dropping the call gives up the viewer's own wait; the fetch goes on while
/// anybody else waits. `why` is for what the reply tells.
///
/// # Errors
/// How the origin failed, where nothing held may stand in.
pub async fn collapsed(
    engine: &Arc<Engine>,
    found: Found,
    body: Option<Body>,
    validators: Option<Validators>,
    why: Why,
) -> Result<Answer, Failure> {
    let request = &found.routed().request;
    if !is_kept(&found) {
        return pass(engine, &found, body, why).await;
    }
    let now = engine.now();
    if let Some(failure) = engine.failures.recent(&found.key, now, engine.bans.latest()) {
        return stand_in(engine, &found, failure);
    }
    let alone = request.headers.contains_key(header::RANGE)
        || collapsing::may_wait(&found.routed().behaviour.behaviour, &request.method).is_err()
        || engine.alone.knows(&found.key, now);
    if !alone && let Some(answer) = together(engine, &found, validators.as_ref(), why).await {
        return answer;
    }
    let (lead, mut seat) = engine.flights.solo(found.key, engine.bans.latest());
    ask::spawn(engine, Question::new(engine, &found, validators), lead);
    let landing = seat.landed().await.ok_or(Failure::Internal)?;
    board(engine, &found, landing, seat, Boarding { why, first: true })
}

/// Joins or starts the flight for the key. None when it turns out that each has to ask alone.
async fn together(
    engine: &Arc<Engine>,
    found: &Found,
    validators: Option<&Validators>,
    why: Why,
) -> Option<Result<Answer, Failure>> {
    let routed = found.routed();
    let joined = engine.flights.join(found.key, engine.bans.latest(), |flight| {
        !lookup::is_banned(&engine.bans, routed, flight.bans)
    });
    match joined {
        Joined::Lead(lead, seat) => Some(first(engine, found, validators, why, lead, seat).await),
        Joined::Follow(mut seat) => {
            engine.meters.collapsed();
            let landing = seat.landed().await?;
            let fits = match &landing {
                Landing::Arriving(head) => head.is_for(&routed.request.headers),
                _ => true,
            };
            fits.then(|| board(engine, found, landing, seat, Boarding { why, first: false }))
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
    if let Some(stored) = just_arrived(engine, found).await {
        lead.land(Landing::Held(stored.clone(), Outcome::Hit));
        return Ok(respond::from_store(engine, found, &stored, Telling::hit()));
    }
    ask::spawn(engine, Question::new(engine, found, validators.cloned()), lead);
    let landing = seat.landed().await.ok_or(Failure::Internal)?;
    board(engine, found, landing, seat, Boarding { why, first: true })
}

async fn just_arrived(engine: &Engine, found: &Found) -> Option<Arc<Stored>> {
    let again = lookup::find(&*engine.store, &engine.bans, found.keyed.clone()).await;
    let routed = found.routed();
    let terms = routed.behaviour.terms(&routed.distribution);
    let decision =
        reuse::decide(&terms, &routed.request.view(), again.view().as_ref(), engine.now());
    match decision {
        Decision::Serve { .. } => again.stored,
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
fn board(
    engine: &Engine,
    found: &Found,
    landing: Landing,
    seat: Seat<Landing>,
    how: Boarding,
) -> Result<Answer, Failure> {
    match landing {
        Landing::Arriving(head) => {
            let status = how.status(Some(head.status));
            let status = head.fresh_for.map_or(status, |fresh_for| status.stored(fresh_for));
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
            Ok(respond::from_store(engine, found, &stored, telling))
        }
        Landing::Stale(stored, answered) => {
            engine.meters.served_stale();
            let telling = Telling::hit().saying(how.status(answered));
            Ok(respond::from_store(engine, found, &stored, telling))
        }
        Landing::Failed(failure) => Err(failure),
    }
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
fn stand_in(engine: &Engine, found: &Found, failure: Failure) -> Result<Answer, Failure> {
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
            return Ok(respond::from_store(engine, found, stored, Telling::hit()));
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
        && let Ok(mut stale) = stand_in(engine, found, failure)
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
    fn is_for(&self, request: &HeaderMap) -> bool {
        self.shared && caching::vary::matches(&self.vary, &self.asked_with, request)
    }
}
