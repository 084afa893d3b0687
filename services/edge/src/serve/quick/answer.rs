//! Whether a plain request is a hit, and what is written.
//!
//! For: the engine's stages for the one case in which nothing is left to do but to send what is held.
//! Each is asked where the engine asks it. Not for: every other case.

use super::{
    Worker,
    ask::Ask,
    head::{Filling, Place},
};
use crate::{
    asked::TlsFacts,
    pipeline::{
        key, route, trail,
        viewer::{self, Comes},
    },
    plans::{Compiled, Distribution},
    serve::io::Link,
};
use caching::{Lifetime, reuse};
use headers::viewer::{Request, Viewer};
use http::{Method, StatusCode, Version};
use model::{
    feed::CHALLENGE_PATH,
    plan::Law,
    units::{Seconds, Timestamp},
};
use packing::Entry;
use ports::{
    cachestore::{CacheKey, Lookup},
    origin::Scheme,
};
use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

/// Bodies up to this length are copied behind their heads.
const SMALL: usize = 16 << 10;
/// Longest host that may be known: a name of 253 characters, a final dot, a colon and five digits.
const LONGEST_HOST: usize = 260;

/// What a connection remembers of the request before.
#[derive(Default)]
pub struct Memory {
    generation: u64,
    host: String,
    distribution: Option<Arc<Distribution>>,
}

/// What has become of a hit.
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// Length of its body.
    pub bytes: u64,
    /// The body is still to be sent, behind what was written.
    pub body: Option<Entry>,
}

/// The moment of a wake-up.
#[derive(Clone, Copy)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// As `Date` has it.
    pub date: [u8; 29],
}

impl Default for Moment {
    fn default() -> Self {
        Self { now: Timestamp(0), date: *b"Thu, 01 Jan 1970 00:00:00 GMT" }
    }
}

impl Worker {
    /// This moment.
    pub fn moment(&self) -> Moment {
        let (now, mut moment) = (self.engine.now(), self.moment.get());
        if now.seconds() != moment.now.seconds() {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now.seconds()));
            if let Ok(date) = text.as_bytes().try_into() {
                moment.date = date;
            }
        }
        moment.now = now;
        self.moment.set(moment);
        moment
    }

    /// Writes the answer, if it is a plain hit.
    pub fn answer(
        &self,
        ask: &Ask<'_>,
        link: &Link,
        memory: &mut Memory,
        moment: &Moment,
        out: &mut Vec<u8>,
    ) -> Option<Answered> {
        if !ask.is_simple || trail::is_read() {
            return None;
        }
        let distribution = self.distribution(ask.host, memory)?;
        let path = route::object(distribution, ask.path);
        let behaviour = distribution.behaviour(&path)?;
        admitted(ask, link, distribution, behaviour)?;
        let key = self.key(ask, &path, link, distribution, behaviour);
        let (entry, age) = self.fresh(&key, &ask.method, distribution, behaviour, moment.now)?;
        let tls = link.tls.as_ref();
        let place = Place { distribution, behaviour, peer: link.peer, tls };
        let head = self.heads.borrow_mut().find(&self.engine, &entry, place)?;
        let filling = Filling { entry: &entry, age, date: &moment.date };
        head.write(&filling, out).then(|| body(ask, entry, out))
    }

    /// Whose a host is.
    fn distribution<'a>(
        &self,
        host: &str,
        memory: &'a mut Memory,
    ) -> Option<&'a Arc<Distribution>> {
        if host.len() > LONGEST_HOST {
            return None; // nor is it remembered: an idle connection would hold it
        }
        let generation = self.generation.get();
        if memory.generation != generation || memory.host != host {
            memory.distribution = self.known.borrow().distribution(host).cloned();
            memory.generation = generation;
            host.clone_into(&mut memory.host);
        }
        memory.distribution.as_ref()
    }

    fn key(
        &self,
        ask: &Ask<'_>,
        path: &str,
        link: &Link,
        distribution: &Distribution,
        behaviour: &Compiled,
    ) -> CacheKey {
        // Where the viewer is makes no difference: `admitted` has seen to that.
        let viewer = Viewer::new(link.peer, Version::HTTP_11, link.tls.is_some());
        let request = Request {
            method: &ask.method,
            path,
            query: ask.query,
            headers: &ask.lines,
            viewer: &viewer,
        };
        let mut material = self.material.borrow_mut();
        key::plain(&distribution.plan.domain, &behaviour.behaviour, &request, &mut material)
    }

    /// What is held and can be sent as it is, and its age.
    fn fresh(
        &self,
        key: &CacheKey,
        method: &Method,
        distribution: &Distribution,
        behaviour: &Compiled,
        now: Timestamp,
    ) -> Option<(Entry, Seconds)> {
        let Lookup::Found(entry) = self.engine.store.find(key) else {
            return None;
        };
        if entry.bans_checked() < self.engine.bans.latest() || !is_plain(entry.status()) {
            return None;
        }
        entry.body()?;
        let lifetime = Lifetime {
            received_at: entry.received_at(),
            initial_age: entry.initial_age(),
            fresh_for: entry.fresh_for(),
        };
        let terms = behaviour.terms(distribution);
        let age = reuse::serves_plainly(&terms, method, &lifetime, now)?;
        Some((entry, age))
    }
}

/// Lets a request through as `viewer::admit` does, where it looks at nothing else.
fn admitted(
    ask: &Ask<'_>,
    link: &Link,
    distribution: &Distribution,
    behaviour: &Compiled,
) -> Option<()> {
    let policy = &behaviour.policy;
    let by_directives = ask.has_directives && behaviour.behaviour.cache.law == Law::Http;
    let by_origin = ask.has_origin && policy.heeds_origin();
    // What certificate authorities ask is answered before any distribution's rules.
    let by_authority = ask.path.starts_with(CHALLENGE_PATH);
    if behaviour.asks_place || by_directives || by_origin || by_authority || !policy.is_plain() {
        return None;
    }
    let tls: Option<&TlsFacts> = link.tls.as_deref();
    let scheme = tls.map_or(Scheme::Http, |_| Scheme::Https);
    let comes = Comes { method: &ask.method, version: Version::HTTP_11, scheme, tls };
    viewer::connection(&distribution.plan, &behaviour.behaviour, &comes).ok()
}

/// Statuses whose answers have a body as it is held, and that no error rule concerns.
fn is_plain(status: StatusCode) -> bool {
    let other = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED];
    (status.is_success() || status.is_redirection()) && !other.contains(&status)
}

/// Writes the body, or leaves it to be written.
fn body(ask: &Ask<'_>, entry: Entry, out: &mut Vec<u8>) -> Answered {
    let status = entry.status();
    let body = entry.body().filter(|_| ask.method == Method::GET).unwrap_or_default();
    let bytes = body.len() as u64;
    if body.len() > SMALL {
        return Answered { status, bytes, body: Some(entry) };
    }
    out.extend_from_slice(body);
    Answered { status, bytes, body: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use kit::drain;
    use tokio::task::LocalSet;

    #[tokio::test]
    async fn a_connection_remembers_no_host_that_cannot_be() {
        let world = World::new();
        let (_stopper, drain) = drain::channel();
        let here = LocalSet::new();
        let worker = here.run_until(async { Worker::new(&world.engine, &drain) }).await;
        let mut memory = Memory::default();
        let long = format!("d1.test:{}", "0".repeat(15_000));
        assert!(worker.distribution(&long, &mut memory).is_none());
        assert_eq!(memory.host.capacity(), 0);
        assert!(worker.distribution("d1.test:65535", &mut memory).is_some());
        assert!(worker.distribution(&long, &mut memory).is_none());
        assert_eq!(memory.host, "d1.test:65535");
    }
}
