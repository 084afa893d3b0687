//! One exchange with an origin, on behalf of everybody in a flight.
//!
//! For: asking, deciding what is kept, pouring the body into the flight's buffer, storing it whole.
//! Not for: the viewers' side (`super`).
//!
//! Order: what is kept is in the store before the last reader is told that the body has ended, so
//! whoever has seen the end finds the copy.

use super::{
    Head, Landing, owned,
    question::{self, Question},
    source::Source,
};
use crate::{
    encoding::Encoding,
    flights::Lead,
    growing::{Growing, PIECE, Pushed},
    pipeline::{Engine, lookup, rescue::Failure},
    worker,
};
use bytes::Bytes;
use caching::{
    ResponseView, Times, collapsing, dates,
    stale::{self, OnError},
    storing::{self, Keep, Storing},
    validate,
};
use headers::{
    accept_encoding,
    compression::{self, Coding},
    names::Outcome,
    viewer_response,
};
use http::{HeaderMap, StatusCode, header};
use packing::{Content, Stored};
use ports::origin::OriginResponse;
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
    let span = tracing::debug_span!("exchange");
    let fetching = worker::fetching();
    tokio::spawn(
        async move {
            exchange.run().await;
            drop(fetching);
        }
        .instrument(span),
    );
}

struct Exchange {
    engine: Arc<Engine>,
    question: Question,
    lead: Lead<Landing>,
}

/// What is decided about a response, before its body comes.
struct Decided {
    status: StatusCode,
    headers: HeaderMap,
    keep: Option<Keep>,
    times: Times,
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
            None => self.engine.store.remove(&found.key),
        }
        self.lead.land(Landing::Held(renewed, Outcome::RefreshHit));
    }

    fn storing(&self, status: StatusCode, headers: &HeaderMap, times: Times) -> Storing {
        let routed = self.question.found.routed();
        let terms = routed.behaviour.terms(&routed.distribution);
        let response = ResponseView { status, headers };
        if self.question.part && blames_the_range(status) {
            return Storing::Pass(storing::Why::Status);
        }
        let mut storing = storing::decide(&terms, &routed.request.view(), &response, times);
        if let Storing::Keep(keep) = &mut storing
            && self.is_keyed_by_encoding()
        {
            keep.vary.retain(|name| *name != header::ACCEPT_ENCODING);
        }
        storing
    }

    /// Whether the key and the origin's request have the same `Accept-Encoding`, so that no second
    /// key has to tell viewers apart by theirs (RFC 9111 §4.1).
    fn is_keyed_by_encoding(&self) -> bool {
        let behaviour = &self.question.found.routed().behaviour.behaviour;
        let normalised = self.question.found.keyed.viewed.with(|request| {
            accept_encoding::normalise(behaviour, request.headers, request.viewer.version)
        });
        normalised.key_part().is_some()
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
        let storing = self.storing(status, &headers, times);
        let shared = collapsing::shares(&storing);
        let length = question::length(&headers);
        let (coding, encoding) = self.encoding(status, &headers).unzip();
        let behaviour = &self.question.found.routed().behaviour;
        viewer_response::clean(&mut headers, &behaviour.behaviour, behaviour.is_bucket());
        headers.remove(header::CONTENT_LENGTH);
        date(&mut headers, times);
        if let Some(coding) = coding {
            compression::rewrite(&mut headers, coding);
        }
        let fits = length.is_none_or(|length| length <= self.engine.store.longest());
        self.learn(status, shared && fits);
        let keep = match storing {
            Storing::Keep(keep) if fits && self.engine.has_room() => Some(keep),
            _ => None,
        };
        let private = keep.as_ref().map(|keep| take(&mut headers, &keep.strip));
        if keep.is_none() || !shared {
            self.lead.close();
        }
        if keep.is_none() {
            self.lead.flight.body.open_window();
        }
        let head = Head {
            status,
            headers: headers.clone(),
            private: private.unwrap_or_default(),
            length: length.filter(|_| coding.is_none()),
            received_at: times.received_at,
            shared: shared && keep.is_some(),
            fresh_for: keep.as_ref().map(|keep| keep.fresh_for),
            vary: keep.as_ref().map(|keep| keep.vary.clone()).unwrap_or_default(),
            asked_with: self.question.found.routed().request.headers.clone(),
            upstream: question::upstream(timing),
            // RFC 9111 §3.1: a cache may leave them out of what it keeps.
            trailers: keep.is_none().then_some(trailers),
        };
        self.lead.land(Landing::Arriving(Arc::new(head)));
        let decided = Decided { status, headers, keep, times };
        self.pour(decided, Source::new(body, length, encoding)).await;
    }

    /// Remembers whether others were served by this answer. Errors and parts say nothing of the next.
    fn learn(&self, status: StatusCode, shared: bool) {
        let key = self.question.found.key;
        if shared {
            self.engine.alone.forget(&key);
        } else if !status.is_server_error() && !self.question.part {
            self.engine.alone.remember(key, self.engine.now());
        }
    }

    /// Pours the body into the buffer until it ends or nobody wants it any more.
    async fn pour(self, mut decided: Decided, mut source: Source) {
        let growing = self.lead.flight.body.clone();
        let (mut poured, mut pieces) = (0, 0);
        loop {
            let next = tokio::select! {
                next = source.next() => next,
                () = growing.deserted() => return,
            };
            let piece = match next {
                None => break,
                Some(Err(why)) => return growing.end(Err(why)),
                Some(Ok(piece)) if decided.keep.is_some() => owned::piece(&piece),
                Some(Ok(piece)) => piece,
            };
            poured += piece.len() as u64;
            pieces += 1;
            if decided.keep.is_some() && !self.fits(poured, pieces) {
                decided.keep = None;
                self.lead.close();
                growing.open_window();
            }
            if decided.keep.is_some() && source.is_whole() {
                // All of it is here: a viewer that leaves right after the last byte changes nothing,
                // and one that asks again right after it finds the copy.
                growing.needs_no_reader();
                self.keep_all(&mut decided, &growing, Some(&piece), poured);
            }
            if growing.push(piece).await == Pushed::Deserted {
                return;
            }
        }
        self.keep_all(&mut decided, &growing, None, poured);
        growing.end(Ok(()));
    }

    /// Keeps what has been poured and the last piece, if it may be kept and has not been yet.
    fn keep_all(
        &self,
        decided: &mut Decided,
        growing: &Growing,
        last: Option<&Bytes>,
        length: u64,
    ) {
        if let (Some(keep), Some(mut pieces)) = (decided.keep.take(), growing.whole()) {
            pieces.extend(last.cloned());
            self.keep(decided, &keep, pieces, length);
        }
    }

    /// Whether so many bytes in so many pieces may be kept. A body in crumbs costs more around them
    /// than they are.
    fn fits(&self, poured: u64, pieces: u64) -> bool {
        let longest = self.engine.store.longest();
        poured <= longest && pieces.saturating_mul(PIECE) <= longest && self.engine.has_room()
    }

    fn keep(&self, decided: &Decided, keep: &Keep, body: Vec<Bytes>, length: u64) {
        let stored = Stored {
            status: decided.status,
            headers: owned::headers(&decided.headers),
            content: Content::Whole(body),
            length,
            requested_at: decided.times.requested_at,
            received_at: decided.times.received_at,
            initial_age: keep.initial_age,
            fresh_for: keep.fresh_for,
            bans_checked: AtomicU64::new(self.lead.flight.bans),
            entry: None,
        };
        let found = &self.question.found;
        lookup::put(&*self.engine.store, &found.keyed, &keep.vary, &stored);
    }
}

/// Whether an error may be about the `Range` that one viewer sent: it is not kept, or that viewer
/// would choose what all others get.
fn blames_the_range(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::NOT_FOUND && status != StatusCode::GONE
}

/// A copy that the origin has confirmed: the same body with these headers, from now on.
pub(super) fn renewed(
    stored: &Stored,
    headers: &HeaderMap,
    keep: &Keep,
    times: Times,
) -> Arc<Stored> {
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
pub(super) fn date(headers: &mut HeaderMap, times: Times) {
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
