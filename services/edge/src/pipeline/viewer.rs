//! Stage 2: whether this viewer may ask this.

use crate::{
    asked::TlsFacts,
    pipeline::{
        rescue::Failure,
        route::{Request, Routed},
    },
};
use headers::{
    methods,
    redirect::{self, Gate},
    viewer::{self, Place, Viewer},
};
use http::{Method, Version};
use model::plan::{Behaviour, Countries, Plan, TlsMinimum};
use ports::{
    locator::{Located, Locator},
    origin::Scheme,
};

/// A request that is let through, with what is known of the viewer.
#[derive(Clone)]
pub struct Viewed {
    /// The request.
    pub routed: Routed,
    /// Where the viewer is; looked up only where it is asked for.
    pub located: Option<Located>,
    /// TLS as policies may show it to origins.
    tls: Option<String>,
}

impl Viewed {
    /// The request as header rules see it, handed to `look`.
    pub fn with<R>(&self, look: impl FnOnce(&viewer::Request<'_>) -> R) -> R {
        let request: &Request = &self.routed.request;
        let located = self.located.as_ref();
        let viewer = Viewer {
            tls: self.tls.as_deref(),
            asn: located.and_then(|located| located.asn),
            header_count: Some(request.headers.len()),
            place: Place {
                country: located.and_then(|located| located.country.as_deref()),
                latitude: located.and_then(|located| located.latitude),
                longitude: located.and_then(|located| located.longitude),
                ..Place::default()
            },
            ..Viewer::new(request.peer, request.version, request.scheme == Scheme::Https)
        };
        look(&viewer::Request {
            method: &request.method,
            path: &request.path,
            query: request.query.as_deref(),
            headers: &request.headers,
            viewer: &viewer,
        })
    }
}

/// Lets a request through, in CloudFront's order: enabled, protocol, country, method, body.
///
/// # Errors
/// 301 and 307 to HTTPS, and 403.
pub fn admit(locator: &dyn Locator, routed: &Routed) -> Result<Viewed, Failure> {
    let request = &routed.request;
    let comes = Comes {
        method: &request.method,
        version: request.version,
        scheme: request.scheme,
        tls: request.tls.as_deref(),
    };
    connection(&routed.distribution.plan, &routed.behaviour.behaviour, &comes)?;
    let viewed = see(locator, routed.clone());
    country(&viewed)?;
    let allowed = routed.behaviour.behaviour.allowed;
    methods::admit(allowed, &request.method, request.has_body)?;
    Ok(viewed)
}

/// How a request comes.
#[derive(Clone, Copy)]
pub struct Comes<'a> {
    /// As asked.
    pub method: &'a Method,
    /// Protocol.
    pub version: Version,
    /// Scheme.
    pub scheme: Scheme,
    /// TLS.
    pub tls: Option<&'a TlsFacts>,
}

/// The part of [`admit`] that looks at nothing but how the request comes.
///
/// # Errors
/// 301 and 307 to HTTPS, 403 and 421.
pub fn connection(plan: &Plan, behaviour: &Behaviour, comes: &Comes<'_>) -> Result<(), Failure> {
    if !plan.enabled {
        return Err(Failure::Disabled);
    }
    handshake(plan, comes)?;
    protocol(behaviour, comes)
}

/// What is known of the viewer, without asking whether it may.
pub fn see(locator: &dyn Locator, routed: Routed) -> Viewed {
    let request = &routed.request;
    let located = routed.behaviour.asks_place.then(|| locator.locate(request.peer.ip())).flatten();
    Viewed { tls: request.tls.as_deref().map(shown), located, routed }
}

/// A connection that was made for another name must not get around this one's minimum, nor bring
/// HTTP/3 where it is off.
fn handshake(plan: &Plan, comes: &Comes<'_>) -> Result<(), Failure> {
    if comes.version == Version::HTTP_3 && !plan.http.h3 {
        return Err(Failure::Misdirected);
    }
    let minimum = plan.viewer_tls.minimum;
    match comes.tls {
        Some(tls) if minimum == TlsMinimum::Tls13 && tls.version != "TLSv1.3" => {
            Err(Failure::Misdirected)
        }
        _ => Ok(()),
    }
}

fn protocol(behaviour: &Behaviour, comes: &Comes<'_>) -> Result<(), Failure> {
    let https = comes.scheme == Scheme::Https;
    match redirect::gate(behaviour.viewer_protocol, https, comes.method, comes.version) {
        Gate::Pass => Ok(()),
        Gate::Redirect(status) => Err(Failure::Redirect(status)),
        Gate::Refuse => Err(Failure::HttpsOnly),
    }
}

fn country(viewed: &Viewed) -> Result<(), Failure> {
    let countries = &viewed.routed.distribution.plan.countries;
    let country = viewed.located.as_ref().and_then(|located| located.country.as_deref());
    if *countries == Countries::All || geo::admits(countries, country) {
        Ok(())
    } else {
        Err(Failure::Country)
    }
}

/// As `CloudFront-Viewer-TLS` shows it.
fn shown(facts: &TlsFacts) -> String {
    let handshake = if facts.reused { "sessionResumed" } else { "fullHandshake" };
    format!("{}:{}:{handshake}", facts.version, facts.cipher)
}
