//! Authoritative DNS that answers with the nearest live edge.
//!
//! For: the zone of assigned names and every alias that is delegated to these servers, over UDP and
//! TCP, with EDNS and client subnets. Not for: resolving other people's names, zone transfers, or
//! dynamic updates, which are refused.
//!
//! A question walks `serve` → `reply` → `question` (what was asked) → `answer` (what follows, by
//! `names`, `edges` and the databases) → `reply` again. `plans` and `health` keep names and edges
//! fresh behind it and swap them whole: a question takes no lock and waits for nobody.
//!
//! Sockets are our own, over hickory's records and message writing: its server logs two lines for
//! each question, bounds no connections, and answers broken responses.

mod answer;
mod beat;
mod edges;
mod health;
mod metrics;
mod name;
mod names;
mod plans;
mod question;
mod reply;
mod room;
mod serve;
mod udp;
mod zone;

pub use zone::ZoneFault;

use arc_swap::ArcSwap;
use edges::Edges;
use health::Watcher;
use kit::{service::World, settings::Settings};
use locator_mmdb::{MmdbLocator, OpenError};
use metrics::Counted;
use names::Names;
use plans::Follower;
use serve::{Server, Sockets};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};
use zone::Zone;

/// How long the start waits for a first sight of plans and edges.
const FIRST_SIGHT: Duration = Duration::from_secs(2);

/// A running service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Where it listens, UDP and TCP.
    pub listen: SocketAddr,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings that make no zone.
    #[error(transparent)]
    Zone(#[from] ZoneFault),
    /// A database of `geo.databases`.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The listen address.
    #[error(
        "cannot listen for DNS on {address} ({why}): free the port, or set dns.listen; ports \
         below 1024 need the capability CAP_NET_BIND_SERVICE"
    )]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        why: io::Error,
    },
}

/// Starts the service, and returns once it listens. It knows plans and edges by then if the store
/// tells of them within two seconds; if not, it says SERVFAIL until it does. Ends when the world drains.
///
/// # Errors
/// [`StartError`] for settings, databases or sockets that cannot be used; never for a store that is
/// away. Dropping the call half-way leaves nothing behind.
pub async fn start(settings: &Settings, world: World) -> Result<Running, StartError> {
    let dns = &settings.dns;
    let zone = Arc::new(Zone::new(&settings.zone, dns)?);
    let locator = MmdbLocator::open(&settings.geo.databases)?;
    let bound = Sockets::bind(dns.listen).await;
    let sockets = bound.map_err(|why| StartError::Listen { address: dns.listen, why })?;
    let counted = Counted::register(&world.metrics);
    let names = Arc::new(ArcSwap::from_pointee(Names::unknown(&zone)));
    let edges = Arc::new(ArcSwap::from_pointee(Edges::default()));
    let (answered, hears) = watch::channel(None);
    let mut follower = Follower::new(
        world.clone(),
        Arc::clone(&zone),
        Arc::clone(&names),
        counted.clone(),
        answered,
    );
    let mut watcher =
        Watcher::new(world.clone(), dns.order.clone(), Arc::clone(&edges), counted.clone());
    let _ = timeout(FIRST_SIGHT, async {
        let (_, ()) = tokio::join!(follower.step(), watcher.first_sight());
    })
    .await;
    let listen = sockets.address;
    let server = Server { zone, names, edges, locator, most_edges: dns.answers, counted };
    server.spawn(sockets, &world.drain);
    tokio::spawn(follower.run());
    tokio::spawn(watcher.run());
    tokio::spawn(beat::beats(world, hears));
    tracing::info!(%listen, zone = settings.zone, "DNS listens");
    Ok(Running { listen })
}
