//! A request's way through the edge, stage by stage.
//!
//! For: the order of the stages; each takes what the one before returned, so that a wrong order does
//! not compile. Stage names are also span names. Not for: what any stage decides.
//!
//! `route` → `viewer` → `key` → `lookup` → (`rules/caching`) → `fetch` → `respond` → `rescue`
//! Long bodies are held in `slices`, of which viewers are sent `parts`.

pub mod fetch;
pub mod keeping;
pub mod key;
pub mod lookup;
pub mod parts;
pub mod rescue;
pub mod respond;
pub mod route;
pub mod slices;
pub mod trail;
pub mod viewer;

use crate::{
    alone::Alone,
    asked::{Asked, Reply},
    bans::Bans,
    encoding::Encoders,
    failures::Failures,
    flights::Flights,
    meters::Meters,
    origins::Origins,
    plans::Known,
    serve::Current,
};
use caching::{
    reuse::{self, Decision},
    validate::Validators,
};
use fetch::Landing;
use headers::names::{Names, Vias};
use http::{HeaderMap, HeaderValue, Method, header};
use model::{
    plan::{Origin, Plan},
    units::Timestamp,
};
use ports::{
    cachestore::CacheStore,
    clock::Clock,
    locator::Locator,
    origin::{Body, OriginError, OriginRequest, OriginResponse},
    relay::Way,
};
use rescue::Failure;
use respond::{Answer, Telling};
use std::sync::Arc;
use tracing::{Instrument as _, debug_span};
use trail::{Open, Trail};
use viewer::Viewed;

/// How often a request starts again that found a copy which turned out to be outdated.
const AGAIN: u32 = 2;

/// The engine: everything that requests need.
pub struct Engine {
    /// What is in force.
    pub current: Arc<Current>,
    /// What is invalidated.
    pub bans: Arc<Bans>,
    /// What is held.
    pub store: Arc<dyn CacheStore>,
    /// What is being asked.
    pub flights: Arc<Flights<Landing>>,
    /// What failed a moment ago.
    pub failures: Failures,
    /// What is asked without waiting for anybody.
    pub alone: Alone,
    /// What is being compressed.
    pub encoders: Encoders,
    /// Who is asked.
    pub origins: Origins,
    /// Where viewers are.
    pub locator: Arc<dyn Locator>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub meters: Arc<Meters>,
    /// How we name ourselves.
    pub names: Names,
    /// This edge in `Via`, an id, a dot and the zone, to origins.
    pub vias: Vias,
    /// Our member of `Via` in responses.
    pub via: HeaderValue,
    /// Whether replies carry `Cache-Status`.
    pub cache_status: bool,
    /// Our place.
    pub pop: String,
    /// The same, as a header.
    pub pop_value: HeaderValue,
    /// Where redirects to HTTPS lead.
    pub https_port: u16,
}

impl Engine {
    /// Answers one request. Dropping the call gives the request up, as if the viewer had left.
    pub async fn handle(self: &Arc<Self>, asked: Asked) -> Reply {
        let mut trail = Trail::start(&asked, self.now());
        let span = trail.span.clone();
        let reply = self.walk(asked, &mut trail).instrument(span).await;
        trail.follow(&self.meters, reply)
    }

    async fn walk(self: &Arc<Self>, asked: Asked, trail: &mut Trail) -> Reply {
        let method = asked.method.clone();
        let known = self.current.load_full();
        if let Some(answer) = known.challenges().answer(&asked) {
            return respond::finish(self, None, trail, answer);
        }
        let routed = debug_span!("route")
            .in_scope(|| route::behaviour(&known, &self.names, &trail.id, asked));
        let (routed, body) = match routed {
            Ok(routed) => routed,
            Err(failure) => return self.refuse(&method, trail, &failure),
        };
        drop(known);
        trail.belongs_to(&routed.distribution.plan.id);
        let viewed = debug_span!("viewer").in_scope(|| viewer::admit(&*self.locator, &routed));
        let walked = match viewed {
            Ok(viewed) => self.answer(viewed, body).await,
            Err(failure) => Err(failure),
        };
        let answer = rescue::mend(self, &routed, walked).await;
        debug_span!("respond").in_scope(|| respond::finish(self, Some(&routed), trail, answer))
    }

    /// Answers what is no distribution's.
    fn refuse(&self, method: &Method, trail: &mut Trail, failure: &Failure) -> Reply {
        let answer = rescue::reply(&self.names, &trail.id, method, failure);
        respond::finish(self, None, trail, answer)
    }

    /// From an admitted request to its answer.
    ///
    /// # Errors
    /// Whatever keeps it from having one.
    async fn answer(
        self: &Arc<Self>,
        viewed: Viewed,
        body: Option<Body>,
    ) -> Result<Answer, Failure> {
        if viewed.routed.request.relay.way != Way::Any {
            let asking = fetch::relay::ask(self, &viewed, body);
            return asking.instrument(debug_span!("fetch")).await;
        }
        let mut body = body;
        let mut keyed = debug_span!("key").in_scope(|| key::derive(viewed));
        let mut again = 0..AGAIN;
        loop {
            let found = lookup::find(&*self.store, &self.bans, keyed)
                .instrument(debug_span!("lookup"))
                .await;
            let answered = self.answer_with(&found, body.take()).await;
            // What was held in part is gone with that: now nothing is.
            if !matches!(answered, Err(Failure::Changed)) || again.next().is_none() {
                return answered;
            }
            keyed = found.keyed;
        }
    }

    async fn answer_with(
        self: &Arc<Self>,
        found: &lookup::Found,
        body: Option<Body>,
    ) -> Result<Answer, Failure> {
        // What goes to the origin is boxed: a hit does not carry the room for it about.
        match self.decide(found) {
            Decision::Serve { .. } => self.serve(found).await,
            Decision::ServeStale { refresh_behind, .. } => {
                if refresh_behind {
                    fetch::refresh_behind(self, found);
                }
                self.meters.served_stale();
                self.serve(found).await
            }
            Decision::Revalidate(validators, why) => {
                let asking = fetch::collapsed(self, found, body, Some(validators), why);
                Box::pin(asking.instrument(debug_span!("fetch"))).await
            }
            Decision::Fetch(why) => {
                let asking = fetch::collapsed(self, found, body, None, why);
                Box::pin(asking.instrument(debug_span!("fetch"))).await
            }
            Decision::GatewayTimeout => Err(Failure::OnlyIfCached),
        }
    }

    fn decide(&self, found: &lookup::Found) -> Decision {
        let routed = found.routed();
        let terms = routed.behaviour.terms(&routed.distribution);
        let request = routed.request.view();
        match found.view() {
            None => reuse::absent(&terms, &request, found.missing),
            view => reuse::decide(&terms, &request, view.as_ref(), self.now()),
        }
    }

    /// Serves what is held. It is there, or it would not have been decided so.
    async fn serve(self: &Arc<Self>, found: &lookup::Found) -> Result<Answer, Failure> {
        if let Some(stored) = &found.stored {
            return parts::from_copy(self, found, stored, Telling::hit()).await;
        }
        debug_assert!(false, "decided to serve what is not held");
        Err(Failure::Internal)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What is in force.
    pub fn known(&self) -> arc_swap::Guard<Arc<Known>> {
        self.current.load()
    }

    /// A connection was opened.
    pub fn opened(&self, listener: &'static str) -> Open {
        self.meters.opened(listener)
    }

    /// A TLS handshake failed.
    pub fn handshake_failed(&self) {
        self.meters.handshake_failed();
    }

    /// Tells a viewer over TCP that this is served over HTTP/3, too (RFC 7838, RFC 9114 §3.1.1).
    pub fn advertise(&self, plan: &Plan, headers: &mut HeaderMap) {
        if plan.http.h3 {
            let service = format!("h3=\":{}\"; ma=86400", self.https_port);
            headers.insert(header::ALT_SVC, headers::names::value(&service));
        }
    }

    /// Whether bodies that are still arriving may hold more.
    pub fn has_room(&self) -> bool {
        self.flights.has_room()
    }

    /// Asks an origin from the thread that calls, and counts. Dropping the call ends the exchange.
    ///
    /// # Errors
    /// As the origin's driver has them.
    pub async fn ask(
        &self,
        origin: &Origin,
        request: OriginRequest,
    ) -> Result<OriginResponse, OriginError> {
        let answered = self.origins.fetch(origin, request).await;
        match &answered {
            Ok(response) => self.meters.fetched(response.status, response.timing.first_byte),
            Err(_) => self.meters.not_fetched(),
        }
        answered
    }
}

/// Validators that ask about what is held, if there are any.
pub fn validators(found: &lookup::Found) -> Option<Validators> {
    let stored = found.stored.as_ref()?;
    Some(Validators::of(&stored.headers)).filter(|validators| !validators.is_empty())
}
