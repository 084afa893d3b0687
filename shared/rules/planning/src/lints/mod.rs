//! What is allowed and probably not meant: said on every write, never refused.
//!
//! For: mistakes that a configuration can be seen to make, each with its path and what to do instead.
//! A file each; all of them look at the same `View`s of behaviours.
//! Not for: what is wrong ([`crate::distribution::plan`] refuses that).
//!
//! A signed behaviour is looked at as its configuration has it, whether or not edges serve such yet.

mod cookies;
mod cors;
mod error_pages;
mod lifetimes;
pub mod patterns;
mod reach;

use crate::{Faults, References, distribution::behaviours, faults::items};
use model::{
    api::{CacheBehavior, DistributionConfig, EventType, Origin},
    plan::{CachePolicy, Forward, HeaderSelection, Selection},
    units::Seconds,
};
use std::fmt;

/// Which lint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// A behaviour that no request can reach.
    ShadowedBehavior,
    /// A minimum TTL where the origin's answers are not for everybody.
    MinTtlOnPrivateOrigin,
    /// Cookies are forwarded, or are part of the key, without need.
    CookiesForwarded,
    /// A refusal becomes a success for a behaviour that asks who the viewer is.
    ErrorPageHidesRefusal,
    /// An error page of one origin also covers the errors of another.
    ErrorPageOverOrigins,
    /// Answers that differ by `Origin` are cached without it.
    CorsWithoutOrigin,
    /// A signed behaviour whose paths an unsigned one takes first.
    SignedBehindUnsigned,
    /// All headers are forwarded, so nothing is cached.
    AllHeadersForwarded,
}

impl Code {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ShadowedBehavior => "ShadowedBehavior",
            Self::MinTtlOnPrivateOrigin => "MinTtlOnPrivateOrigin",
            Self::CookiesForwarded => "CookiesForwarded",
            Self::ErrorPageHidesRefusal => "ErrorPageHidesRefusal",
            Self::ErrorPageOverOrigins => "ErrorPageOverOrigins",
            Self::CorsWithoutOrigin => "CorsWithoutOrigin",
            Self::SignedBehindUnsigned => "SignedBehindUnsigned",
            Self::AllHeadersForwarded => "AllHeadersForwarded",
        }
    }
}

/// One thing that is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Which.
    pub code: Code,
    /// Where: `CacheBehaviors.Items[2].PathPattern`.
    pub path: String,
    /// Why it is doubtful, and what to do.
    pub text: String,
}

impl fmt::Display for Lint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {}", self.code.as_str(), self.path, self.text)
    }
}

impl Lint {
    fn new(code: Code, path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code, path: path.into(), text: text.into() }
    }
}

/// One behaviour, with what it refers to.
struct View<'c> {
    /// `CacheBehaviors.Items[0]` or `DefaultCacheBehavior`.
    path: String,
    config: CacheBehavior,
    origin: Option<&'c Origin>,
    /// None when a policy is not known here.
    caching: Option<(CachePolicy, Forward)>,
    /// The cross-origin rules of its response headers policy.
    cors: Option<model::plan::Cors>,
}

impl View<'_> {
    /// Whether viewers must sign.
    fn is_signed(&self) -> bool {
        let groups = self.config.trusted_key_groups.as_ref();
        let signers = self.config.trusted_signers.as_ref();
        groups.is_some_and(|groups| groups.enabled) || signers.is_some_and(|list| list.enabled)
    }

    /// Whether it asks who the viewer is before it answers.
    fn is_guarded(&self) -> bool {
        let functions = self.config.function_associations.as_ref();
        let functions = functions.map(|list| items!(list)).unwrap_or_default();
        let lambdas = self.config.lambda_function_associations.as_ref();
        let lambdas = lambdas.map(|list| items!(list)).unwrap_or_default();
        self.is_signed()
            || functions.iter().any(|one| one.event_type == EventType::ViewerRequest)
            || lambdas.iter().any(|one| one.event_type == EventType::ViewerRequest)
    }

    /// Whether its origin is a bucket.
    fn is_bucket(&self) -> bool {
        self.origin.is_some_and(|origin| origin.s3_origin_config.is_some())
    }

    /// Whether its origin can be reached through the distribution only.
    fn is_closed(&self) -> bool {
        self.origin.is_some_and(|origin| {
            let given = |text: Option<&String>| text.is_some_and(|text| !text.is_empty());
            let s3 = origin.s3_origin_config.as_ref();
            given(origin.origin_access_control_id.as_ref())
                || given(s3.map(|s3| &s3.origin_access_identity))
                || origin.vpc_origin_config.is_some()
        })
    }

    /// Whether answers can be cached at all, and then by which rules.
    fn cached(&self) -> Option<&(CachePolicy, Forward)> {
        self.caching
            .as_ref()
            .filter(|(cache, _)| cache.ttl.max > Seconds::ZERO && !cache.all_headers)
    }

    /// Whether a header is part of the key.
    fn keys_header(&self, name: &str) -> bool {
        self.caching.as_ref().is_some_and(|(cache, _)| {
            cache.all_headers || cache.headers.iter().any(|keyed| keyed == name)
        })
    }

    /// Whether the origin gets a header from the viewer beside those of the key.
    fn forwards_header(&self, name: &str) -> bool {
        self.caching.as_ref().is_some_and(|(_, forward)| match &forward.headers {
            HeaderSelection::None => false,
            HeaderSelection::Only(names) => names.iter().any(|one| one == name),
            HeaderSelection::AllViewer | HeaderSelection::AllViewerAnd(_) => true,
            HeaderSelection::AllExcept(names) => !names.iter().any(|one| one == name),
        })
    }
}

fn some(selection: &Selection) -> bool {
    *selection != Selection::None
}

/// Everything that is probably not meant, in the order of the behaviours for each lint.
///
/// Shape: `config` has its defaults filled in; behaviours whose policies are not in `references` are
/// not held against what depends on these.
pub fn of(config: &DistributionConfig, references: &References) -> Vec<Lint> {
    let views = views(config, references);
    let mut found = Vec::new();
    reach::shadowed(&mut found, &views);
    reach::signed_behind_unsigned(&mut found, &views);
    lifetimes::look(&mut found, &views);
    cookies::look(&mut found, &views);
    error_pages::look(&mut found, config, &views);
    cors::look(&mut found, &views);
    found
}

/// In the order in which they are tried; the default one is the last.
fn views<'c>(config: &'c DistributionConfig, references: &References) -> Vec<View<'c>> {
    let listed = config.cache_behaviors.as_ref().map(|list| items!(list)).unwrap_or_default();
    let listed = listed
        .iter()
        .enumerate()
        .map(|(index, one)| (format!("CacheBehaviors.Items[{index}]"), one.clone()));
    let default = behaviours::undefaulted(&config.default_cache_behavior);
    listed
        .chain([("DefaultCacheBehavior".to_owned(), default)])
        .map(|(path, behaviour)| view(config, references, path, behaviour))
        .collect()
}

fn view<'c>(
    config: &'c DistributionConfig,
    references: &References,
    path: String,
    behaviour: CacheBehavior,
) -> View<'c> {
    let mut faults = Faults::default();
    let policy = behaviour.response_headers_policy_id.as_deref();
    let policy = policy.and_then(|id| references.response_headers_policy(id));
    View {
        origin: config.origins.items.iter().find(|one| one.id == behaviour.target_origin_id),
        caching: behaviours::caching(&mut faults, &path, &behaviour, config, references),
        cors: policy.and_then(|policy| crate::policy::response_headers::planned(policy).cors),
        path,
        config: behaviour,
    }
}
