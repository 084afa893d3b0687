//! One exchange with an origin, on behalf of everybody in a flight.
//!
//! For: asking, and deciding what is kept, and how. Not for: the body (`whole`, `fill`), nor for the
//! viewers' side (`super`).

use super::{
    Head, Landing, fill, owned,
    question::{self, Question},
    source::Source,
};
use crate::{
    encoding::Encoding,
    flights::Lead,
    pipeline::{Engine, keeping, key, lookup, rescue::Failure, respond, slices::Object},
    worker,
};
use caching::{
    ResponseView, Times, collapsing, dates,
    partial::{self, Place, Strong},
    stale::{self, OnError},
    storing::{self, Keep, Storing},
    validate,
};
use headers::{
    compression::{self, Coding},
    names::Outcome,
    viewer_response,
};
use http::{HeaderMap, Method, StatusCode, header};
use packing::{Content, Generation, SLICE, Stored};
use ports::origin::{Body, OriginResponse, Timing};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tracing::Instrument as _;

/// Longest head of an origin's response, in bytes (CloudFront developer guide, quotas).
const LONGEST_HEAD: usize = 32_768;

/// Asks in a task of its own, on this thread: no viewer can end it by leaving while others wait.
pub fn spawn(engine: &Arc<Engine>, question: Question, lead: Lead<Landing>) {
    let exchange = Exchange { engine: engine.clone(), question, lead };
    detach(tracing::debug_span!("exchange"), exchange.run());
}

/// Runs what no viewer can end by leaving, on this thread.
pub fn detach(span: tracing::Span, work: impl Future<Output = ()> + Send + 'static) {
    let fetching = worker::fetching();
    let working = async move {
        work.await;
        drop(fetching);
    };
    tokio::spawn(working.instrument(span));
}

/// One question on its way.
pub struct Exchange {
    pub(super) engine: Arc<Engine>,
    pub(super) question: Question,
    pub(super) lead: Lead<Landing>,
}

/// What is decided about a response, before its body comes.
pub struct Decided {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) keep: Option<Keep>,
    pub(super) times: Times,
}

/// The bytes that are coming of a body that goes into slices.
struct Stretch {
    from: u64,
    goal: u64,
    total: u64,
}

impl Exchange {
    async fn run(mut self) {
        let requested_at = self.engine.now();
        let behaviour = self.question.found.routed().behaviour.clone();
        let request = std::mem::replace(&mut self.question.request, nothing());
        let flight = self.lead.flight.clone();
        let asked = async { self.engine.ask(&behaviour.origin, request).await }
            .instrument(tracing::debug_span!("origin", otel.kind = "client"));
        let answered = tokio::select! {
            answered = asked => answered,
            () = flight.body.deserted() => return,
        };
        let times = Times { requested_at, received_at: self.engine.now() };
        match answered {
            Err(why) => self.failed(Failure::Origin(why)),
            Ok(response) => self.answered(response, times).await,
        }
    }

    async fn answered(mut self, response: OriginResponse, times: Times) {
        if head_length(&response.headers) > LONGEST_HEAD {
            return self.failed(Failure::OriginHead);
        }
        let confirmed = response.status == StatusCode::NOT_MODIFIED;
        if confirmed && let Some(stored) = self.question.confirms.take() {
            self.engine.failures.forget(&self.question.found.key);
            if validate::confirms(&stored.headers, &response.headers) {
                return self.confirmed(&stored, &response.headers, times);
            }
            return self.ask_for_all().await;
        }
        if response.status.is_server_error() && self.stand_in(Failure::Status(response.status)) {
            return;
        }
        self.engine.failures.forget(&self.question.found.key);
        self.arrive(response, times).await;
    }

    /// The 304 was for another copy than ours: without conditions the whole comes.
    async fn ask_for_all(mut self) {
        self.question = Question::new(&self.engine, &self.question.found, None);
        Box::pin(self.run()).await;
    }

    /// There is no answer to keep: a stale copy stands in, or everybody hears why.
    fn failed(&self, failure: Failure) {
        if self.stand_in(failure.clone()) {
            return;
        }
        let routed = self.question.found.routed();
        let terms = routed.behaviour.terms(&routed.distribution);
        if !terms.caching_disabled() {
            let span = terms.error_ttl(failure.status());
            let (engine, bans) = (&self.engine, self.lead.flight.bans);
            let key = self.question.found.key;
            engine.failures.remember(key, failure.clone(), engine.now(), span, bans);
        }
        tracing::debug!(why = %failure, "the origin failed");
        self.lead.land(Landing::Failed(failure));
    }

    /// Serves everybody the stale copy, if there is one that may stand in for this failure.
    fn stand_in(&self, failure: Failure) -> bool {
        let found = &self.question.found;
        let routed = found.routed();
        let terms = routed.behaviour.terms(&routed.distribution);
        let (Some(stored), Some(view)) = (&found.stored, found.view()) else {
            return false;
        };
        let checked = stored.bans_checked.load(Ordering::Relaxed);
        if lookup::is_banned(&self.engine.bans, routed, checked) {
            return false;
        }
        let now = self.engine.now();
        let request = routed.request.view();
        match stale::on_error(&terms, &request, &view, failure.kind(), now) {
            OnError::Serve { retry_after, .. } => {
                let (bans, answered) = (self.lead.flight.bans, failure.answered());
                let failures = &self.engine.failures;
                failures.remember(found.key, failure, now, retry_after, bans);
                self.lead.land(Landing::Stale(stored.clone(), answered));
                true
            }
            OnError::Pass(_) => false,
        }
    }

    /// The origin says that what is held is still good.
    fn confirmed(&self, stored: &Stored, fresh: &HeaderMap, times: Times) {
        let found = &self.question.found;
        let routed = found.routed();
        let mut fresh = fresh.clone();
        let behaviour = &routed.behaviour;
        viewer_response::clean(&mut fresh, &behaviour.behaviour, behaviour.is_bucket());
        let mut headers = validate::merge(&stored.headers, &fresh);
        compression::renew(&stored.headers, &mut headers);
        date(&mut headers, times);
        let storing = self.storing(stored.status, &headers, times);
        // What one viewer wishes takes nothing away from the others.
        let is_good = matches!(&storing, Storing::Pass(why) if why.is_of_request());
        let keep = match storing {
            Storing::Keep(keep) => Some(keep),
            Storing::Pass(_) => None,
        };
        for name in keep.iter().flat_map(|keep| &keep.strip) {
            headers.remove(name);
        }
        let renewed = renewed(stored, &headers, &keep.clone().unwrap_or_default(), times);
        match keep {
            Some(keep) => {
                lookup::put(&*self.engine.store, &found.keyed, &keep.vary, &renewed);
            }
            None if is_good => {}
            None => self.engine.store.remove(&found.key),
        }
        self.lead.land(Landing::Held(renewed, Outcome::RefreshHit));
    }

    fn storing(&self, status: StatusCode, headers: &HeaderMap, times: Times) -> Storing {
        let routed = self.question.found.routed();
        let terms = routed.behaviour.terms(&routed.distribution);
        let response = ResponseView { status, headers };
        let request = routed.request.view();
        if self.question.part && blames_the_range(status) {
            return Storing::Pass(storing::Why::Status);
        }
        let storing = match status {
            StatusCode::PARTIAL_CONTENT if self.question.part => {
                let kept = partial::kept(&terms, &request, headers, times);
                kept.map_or(Storing::Pass(storing::Why::Partial), |kept| Storing::Keep(kept.keep))
            }
            _ => storing::decide(&terms, &request, &response, times),
        };
        keeping::by_key(&self.question.found, storing)
    }

    /// An encoder for the body of an answer, where it is to be compressed and there is room.
    fn encoding(&self, status: StatusCode, headers: &HeaderMap) -> Option<(Coding, Encoding)> {
        let found = &self.question.found;
        let behaviour = &found.routed().behaviour.behaviour;
        let decided = found
            .keyed
            .viewed
            .with(|request| compression::decide(behaviour, request, status, headers));
        let coding = decided.ok()?;
        let length = question::length(headers).unwrap_or_default();
        let encoding = self.engine.encoders.begin(coding, length);
        self.engine.meters.compressed(encoding.is_some().then_some(coding));
        Some((coding, encoding?))
    }

    /// A response arrives: its head goes to everybody at once, its body as it comes.
    async fn arrive(self, response: OriginResponse, times: Times) {
        let OriginResponse { status, mut headers, body, timing, trailers, .. } = response;
        date(&mut headers, times);
        let storing = self.storing(status, &headers, times);
        let shared = collapsing::shares(&storing);
        let length = question::length(&headers);
        let (coding, encoding) = self.encoding(status, &headers).unzip();
        let stretch = self.stretch(status, &headers).filter(|_| coding.is_none());
        let behaviour = &self.question.found.routed().behaviour;
        viewer_response::clean(&mut headers, &behaviour.behaviour, behaviour.is_bucket());
        headers.remove(header::CONTENT_LENGTH);
        if let Some(coding) = coding {
            compression::rewrite(&mut headers, coding);
        }
        let fits = length.is_none_or(|length| length <= self.engine.store.longest());
        let whole = fits && status != StatusCode::PARTIAL_CONTENT;
        self.learn(status, &storing, shared && (stretch.is_some() || whole));
        let whole = whole && self.engine.has_room();
        let keep = match storing {
            Storing::Keep(keep) if stretch.is_some() || whole => Some(keep),
            _ => None,
        };
        let stretch = stretch.filter(|_| keep.is_some());
        let private = keep.as_ref().map(|keep| take(&mut headers, &keep.strip));
        if stretch.is_some() {
            headers.remove(header::CONTENT_RANGE);
        }
        let mut head = Head {
            private: private.unwrap_or_default(),
            length: length.filter(|_| coding.is_none()),
            shared: shared && keep.is_some(),
            upstream: question::upstream(timing),
            // RFC 9111 §3.1: a cache may leave them out of what it keeps.
            trailers: keep.is_none().then_some(trailers),
            ..self.head(status, &headers, keep.as_ref(), times)
        };
        let decided = Decided { status, headers, keep, times };
        if let (Some(stretch), Some(keep)) = (stretch, &decided.keep) {
            let content = Content::Sliced(Generation(rand::random()));
            let stored =
                Arc::new(self.stored(&decided, keep, content, StatusCode::OK, stretch.total));
            head.sliced = Some(stored.clone());
            return self.arrive_in_slices(&decided, Arc::new(head), &stored, stretch, body).await;
        }
        if decided.keep.is_none() || !shared {
            self.lead.close();
        }
        if decided.keep.is_none() {
            self.lead.flight.body.open_window();
        }
        self.lead.land(Landing::Arriving(Arc::new(head)));
        let announced = length.filter(|_| !respond::is_bodiless(status));
        self.pour(decided, Source::new(body, announced, encoding)).await;
    }

    /// What everybody is told of a response, before anything is known of its body.
    fn head(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        keep: Option<&Keep>,
        times: Times,
    ) -> Head {
        Head {
            status,
            headers: headers.clone(),
            sliced: None,
            part: self.question.part && status != StatusCode::OK,
            unranged: self.question.part && status == StatusCode::OK,
            private: HeaderMap::new(),
            length: None,
            received_at: times.received_at,
            shared: false,
            fresh_for: keep.map(|keep| keep.fresh_for),
            vary: keep.map(|keep| keep.vary.clone()).unwrap_or_default(),
            asked_with: self.question.found.routed().request.headers.clone(),
            upstream: question::upstream(Timing::default()),
            trailers: None,
        }
    }

    /// What comes of a body that may go into slices: a part, or a whole that is longer than one, if
    /// its parts can be put together again.
    fn stretch(&self, status: StatusCode, headers: &HeaderMap) -> Option<Stretch> {
        Strong::of(headers)?;
        let stretch = match status {
            StatusCode::PARTIAL_CONTENT if self.question.part => {
                let Place { part, total } = Place::of(headers)?;
                Stretch { from: part.start, goal: part.end + 1, total }
            }
            StatusCode::OK => {
                let total = question::length(headers).filter(|length| *length > SLICE)?;
                Stretch { from: 0, goal: total, total }
            }
            _ => return None,
        };
        let slices = stretch.total.min(SLICE) <= self.engine.store.longest();
        let gets = self.question.found.routed().request.method == Method::GET;
        (slices && gets).then_some(stretch)
    }

    /// The head is kept at once, and everybody reads slices while they come.
    async fn arrive_in_slices(
        self,
        decided: &Decided,
        head: Arc<Head>,
        stored: &Arc<Stored>,
        stretch: Stretch,
        body: Body,
    ) {
        let found = &self.question.found;
        let Some(object) = Object::of(found, stored) else {
            return;
        };
        let runs = &self.engine.flights.runs;
        let room = self.lead.flight.body.clone();
        let filler = runs.begin(object.generation, stretch.from, stretch.goal, room);
        let vary = decided.keep.as_ref().map(|keep| keep.vary.as_slice()).unwrap_or_default();
        lookup::put(&*self.engine.store, &found.keyed, vary, stored);
        self.lead.close();
        self.lead.land(Landing::Arriving(head));
        fill::pour(self.engine.clone(), object, filler, body).await;
    }

    /// Remembers whether others were served by this answer. Errors say nothing of the next; parts say
    /// something of parts.
    fn learn(&self, status: StatusCode, storing: &Storing, shared: bool) {
        let part = self.question.part && status != StatusCode::OK;
        let key = self.question.found.key;
        let key = if part { key::of_parts(key) } else { key };
        if shared {
            self.engine.alone.forget(&key);
        } else if keeping::is_lasting(status, storing) {
            self.engine.alone.remember(key, self.engine.now());
        }
    }

    /// A response as it is kept.
    pub(super) fn stored(
        &self,
        decided: &Decided,
        keep: &Keep,
        content: Content,
        status: StatusCode,
        length: u64,
    ) -> Stored {
        Stored {
            status,
            headers: owned::headers(&decided.headers),
            content,
            length,
            requested_at: decided.times.requested_at,
            received_at: decided.times.received_at,
            initial_age: keep.initial_age,
            fresh_for: keep.fresh_for,
            bans_checked: AtomicU64::new(self.lead.flight.bans),
            entry: None,
        }
    }
}

/// Whether an error may be about the `Range` that one viewer sent: it is not kept, or that viewer
/// would choose what all others get.
fn blames_the_range(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::NOT_FOUND && status != StatusCode::GONE
}

/// A copy that the origin has confirmed: the same body with these headers, from now on.
pub fn renewed(stored: &Stored, headers: &HeaderMap, keep: &Keep, times: Times) -> Arc<Stored> {
    Arc::new(Stored {
        status: stored.status,
        headers: owned::headers(headers),
        content: stored.content.clone(),
        length: stored.length,
        requested_at: times.requested_at,
        received_at: times.received_at,
        initial_age: keep.initial_age,
        fresh_for: keep.fresh_for,
        // The body is as old as it was: being confirmed spares it from no ban.
        bans_checked: AtomicU64::new(stored.bans_checked.load(Ordering::Relaxed)),
        entry: None,
    })
}

/// An answer without `Date` gets the time of its arrival (RFC 9110 §6.6.1), which stays with it.
pub fn date(headers: &mut HeaderMap, times: Times) {
    if !headers.contains_key(header::DATE) {
        let text = dates::format(times.received_at);
        headers.insert(header::DATE, headers::names::value(&text));
    }
}

/// Takes fields out.
fn take(headers: &mut HeaderMap, names: &[http::HeaderName]) -> HeaderMap {
    let mut taken = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            taken.append(name.clone(), value.clone());
        }
        headers.remove(name);
    }
    taken
}

fn head_length(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// What is left of a request that has been sent.
fn nothing() -> ports::origin::OriginRequest {
    ports::origin::OriginRequest {
        method: http::Method::GET,
        path_and_query: String::new(),
        headers: HeaderMap::new(),
        body: None,
        viewer_scheme: ports::origin::Scheme::Http,
        relay: ports::relay::Relay::default(),
    }
}
