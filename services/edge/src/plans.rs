//! What is in force: every distribution by its names, ready to be executed, and every certificate.
//!
//! For: one immutable [`Known`] that requests read without a lock, and making the next one from it
//! when something was published. Not for: following the feed (`feed`).

use crate::{
    challenges::Challenges,
    serve::certificates::{Certificates, Shared},
};
use caching::Terms;
use headers::{forwarding::generated_names, hosts::HostIndex, response_policy::Prepared};
use invalidation::PathPattern;
use model::{
    feed::{AUTHORITY, CERTIFICATES, CHALLENGES, Certificate, Challenge, PLANS},
    plan::{Behaviour, Countries, ErrorRule, Origin, OriginKind, Plan},
};
use ports::metastore::Write;
use rustls::{ServerConfig, sign::CertifiedKey};
use std::{collections::BTreeMap, sync::Arc};

/// Everything that is in force at one moment.
#[derive(Default)]
pub struct Known {
    distributions: BTreeMap<String, Arc<Distribution>>,
    hosts: Arc<HostIndex<Arc<Distribution>>>,
    certificates: Arc<Certificates>,
    imported: BTreeMap<String, Certificate>,
    asked: BTreeMap<String, Challenge>,
    challenges: Arc<Challenges>,
    /// What was published and cannot be used, by key.
    faults: BTreeMap<String, String>,
    /// Whether this edge compresses with zstd.
    zstd: bool,
}

/// A distribution, ready to be executed.
pub struct Distribution {
    /// What it was made from.
    pub plan: Plan,
    behaviours: Vec<Arc<Compiled>>,
}

/// A behaviour with its origin, ready to be executed.
pub struct Compiled {
    /// As planned.
    pub behaviour: Behaviour,
    /// Where its misses go.
    pub origin: Origin,
    /// Its response headers policy; one that does nothing when there is none.
    pub policy: Prepared,
    /// Whether anybody asks where the viewer is.
    pub asks_place: bool,
    pattern: PathPattern,
}

/// One entry of the feed that concerns what is in force.
pub enum Update<'a> {
    /// A plan, or its end.
    Plan(&'a str, Option<&'a [u8]>),
    /// A certificate, or its end.
    Certificate(&'a str, Option<&'a [u8]>),
    /// A challenge, or its end.
    Challenge(&'a str, Option<&'a [u8]>),
    /// Something else.
    Other,
}

impl<'a> Update<'a> {
    /// An entry that is there.
    pub fn put(key: &'a str, value: &'a [u8]) -> Self {
        Self::new(key, Some(value))
    }

    /// A write of the feed.
    pub fn of(write: &'a Write) -> Self {
        match write {
            Write::Put(key, value) => Self::new(key, Some(value)),
            Write::Delete(key) => Self::new(key, None),
        }
    }

    fn new(key: &'a str, value: Option<&'a [u8]>) -> Self {
        match (key.strip_prefix(PLANS), key.strip_prefix(CERTIFICATES)) {
            (Some(id), _) => Self::Plan(id, value),
            (_, Some(name)) if name != AUTHORITY => Self::Certificate(name, value),
            _ => key.strip_prefix(CHALLENGES).map_or(Self::Other, |id| Self::Challenge(id, value)),
        }
    }

    /// Whether it changes what is in force.
    pub fn is_of_known(&self) -> bool {
        !matches!(self, Self::Other)
    }
}

/// The plan with what this edge adds to it.
fn with_zstd(mut plan: Plan, zstd: bool) -> Plan {
    for behaviour in &mut plan.behaviours {
        behaviour.cache.zstd = zstd;
    }
    plan
}

impl Known {
    /// Nothing, on an edge that compresses with zstd or not.
    pub fn of(zstd: bool) -> Self {
        Self { zstd, ..Self::default() }
    }

    /// The state that these entries alone make. A plan that cannot be read stays as it was.
    pub fn replaced<'a>(
        before: &Self,
        tls: &Shared,
        updates: impl Iterator<Item = Update<'a>>,
    ) -> Self {
        let mut next = Self::of(before.zstd);
        for update in updates {
            next.apply(&update, before);
        }
        next.finish(tls, before, true)
    }

    /// The state after these changes.
    pub fn changed(before: &Self, tls: &Shared, updates: &[Update<'_>]) -> Self {
        let mut next = Self {
            distributions: before.distributions.clone(),
            hosts: Arc::default(),
            certificates: before.certificates.clone(),
            imported: before.imported.clone(),
            asked: before.asked.clone(),
            challenges: before.challenges.clone(),
            faults: before.faults.clone(),
            zstd: before.zstd,
        };
        for update in updates {
            next.apply(update, before);
        }
        let imported = updates.iter().any(|update| matches!(update, Update::Certificate(..)));
        next.finish(tls, before, imported)
    }

    fn apply(&mut self, update: &Update<'_>, before: &Self) {
        match update {
            Update::Plan(id, None) => {
                self.distributions.remove(*id);
                self.faults.remove(&format!("{PLANS}{id}"));
            }
            Update::Plan(id, Some(value)) => self.plan(id, value, before),
            Update::Certificate(name, None) => {
                self.imported.remove(*name);
                self.faults.remove(&format!("{CERTIFICATES}{name}"));
            }
            Update::Certificate(name, Some(value)) => self.certificate(name, value),
            Update::Challenge(id, value) => self.challenge(id, *value),
            Update::Other => {}
        }
    }

    /// One that cannot be read is not answered: the authority says so to whoever wants to know.
    fn challenge(&mut self, id: &str, value: Option<&[u8]>) {
        match value.and_then(|value| serde_json::from_slice(value).ok()) {
            Some(challenge) => drop(self.asked.insert(id.to_owned(), challenge)),
            None => drop(self.asked.remove(id)),
        }
    }

    fn plan(&mut self, id: &str, value: &[u8], before: &Self) {
        let key = format!("{PLANS}{id}");
        let zstd = self.zstd;
        let compiled = serde_json::from_slice(value)
            .map_err(|why| why.to_string())
            .map(|plan| with_zstd(plan, zstd))
            .and_then(Distribution::compile);
        match compiled {
            Ok(distribution) => {
                self.faults.remove(&key);
                self.distributions.insert(id.to_owned(), Arc::new(distribution));
            }
            Err(why) => {
                self.faults.insert(key, why);
                if let Some(old) = before.distributions.get(id) {
                    self.distributions.insert(id.to_owned(), old.clone());
                }
            }
        }
    }

    fn certificate(&mut self, name: &str, value: &[u8]) {
        let key = format!("{CERTIFICATES}{name}");
        match serde_json::from_slice(value) {
            Ok(certificate) => {
                self.faults.remove(&key);
                self.imported.insert(name.to_owned(), certificate);
            }
            // The text of the error may quote what it could not read, which may be the key.
            Err(_) => {
                self.faults.insert(key, "it is not a certificate".into());
            }
        }
    }

    fn finish(mut self, tls: &Shared, before: &Self, imported: bool) -> Self {
        self.hosts = Arc::new(HostIndex::of(
            self.distributions
                .values()
                .map(|distribution| (distribution.plan.names(), distribution.clone())),
        ));
        self.challenges = if self.asked == before.asked {
            before.challenges.clone()
        } else {
            Arc::new(Challenges::ready(&self.asked, tls))
        };
        if imported {
            let certificates = self.imported.iter();
            let certificates = certificates.map(|(name, one)| (name.clone(), one.clone()));
            let (built, unusable) = Certificates::build(tls, certificates, &before.certificates);
            self.certificates = Arc::new(built);
            self.faults.retain(|key, _| !key.starts_with("arn:"));
            for (arn, why) in unusable {
                let name = if arn.is_empty() { "arn: of the zone" } else { &arn };
                self.faults.insert(name.to_owned(), why.to_string());
            }
        }
        self
    }

    /// The distribution that a `Host` or a server name leads to.
    pub fn distribution(&self, host: &str) -> Option<&Arc<Distribution>> {
        self.hosts.find(host)
    }

    /// How a viewer that asks for this server name is served over TLS.
    pub fn tls_for(&self, name: Option<&str>) -> Option<Arc<ServerConfig>> {
        let distribution = name.and_then(|name| self.distribution(name));
        let plan = distribution.map(|distribution| &distribution.plan);
        let by_alias = plan
            .is_some_and(|plan| name.is_some_and(|name| !name.eq_ignore_ascii_case(&plan.domain)));
        self.certificates.config(plan, by_alias)
    }

    /// What certificate authorities are answered.
    pub fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// The certificate for a server name that is served over HTTP/3; none if it is not.
    pub fn key_for_h3(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let plan = &self.distribution(name)?.plan;
        let by_alias = !name.eq_ignore_ascii_case(&plan.domain);
        plan.http.h3.then(|| self.certificates.key(plan, by_alias)).flatten()
    }

    /// How many distributions are in force.
    pub fn distributions(&self) -> usize {
        self.distributions.len()
    }

    /// What was published and is not in force, and why.
    pub fn faults(&self) -> Option<String> {
        let list: Vec<String> =
            self.faults.iter().take(10).map(|(key, why)| format!("{key}: {why}")).collect();
        (!list.is_empty()).then(|| {
            format!(
                "{} entries cannot be put in force; what was there before stays, until they are \
                 published again: {}",
                self.faults.len(),
                list.join("; ")
            )
        })
    }
}

/// The names of a plan.
trait Named {
    /// Assigned name and aliases.
    fn names(&self) -> Vec<&str>;
}

impl Named for Plan {
    fn names(&self) -> Vec<&str> {
        std::iter::once(self.domain.as_str())
            .chain(self.aliases.iter().map(String::as_str))
            .collect()
    }
}

impl Distribution {
    /// Makes a plan ready.
    ///
    /// # Errors
    /// What the plan lacks. Control never publishes such a plan.
    pub fn compile(plan: Plan) -> Result<Self, String> {
        let behaviours = plan
            .behaviours
            .iter()
            .map(|behaviour| Compiled::new(&plan, behaviour).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        if plan.behaviours.last().is_none_or(|last| last.pattern != "*") {
            return Err("its last behaviour does not match everything".into());
        }
        Ok(Self { plan, behaviours })
    }

    /// The first behaviour that a path matches, normalised for matching.
    pub fn behaviour(&self, path: &str) -> Option<&Arc<Compiled>> {
        let normal = invalidation::normalise(path);
        self.behaviours
            .iter()
            .find(|behaviour| behaviour.pattern.matches(&normal))
            .or(self.behaviours.last())
    }

    /// What is done about an error with this status.
    pub fn error_rule(&self, status: u16) -> Option<&ErrorRule> {
        self.plan.errors.iter().find(|rule| rule.status == status)
    }
}

impl Compiled {
    fn new(plan: &Plan, behaviour: &Behaviour) -> Result<Self, String> {
        let origin = plan
            .origins
            .iter()
            .find(|origin| origin.id == behaviour.origin)
            .ok_or_else(|| format!("there is no origin {}", behaviour.origin))?;
        let policy = behaviour.response_headers.as_ref().map(Prepared::new);
        Ok(Self {
            origin: origin.clone(),
            policy: policy.unwrap_or_default(),
            asks_place: plan.countries != Countries::All
                || generated_names(behaviour).next().is_some(),
            pattern: PathPattern::new(&behaviour.pattern).map_err(|why| why.to_string())?,
            behaviour: behaviour.clone(),
        })
    }

    /// Whether its origin is a bucket.
    pub fn is_bucket(&self) -> bool {
        matches!(self.origin.kind, OriginKind::Bucket { .. })
    }

    /// What it says on caching.
    pub fn terms<'a>(&self, distribution: &'a Distribution) -> Terms<'a> {
        Terms::of(&self.behaviour, &self.origin, &distribution.plan.errors)
    }
}
