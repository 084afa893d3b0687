//! Starting the edge: choosing drivers, wiring, listening.

use crate::{
    alone::Alone,
    bans::Bans,
    disk::Disk,
    encoding::Encoders,
    failures::Failures,
    feed::Feed,
    flights::Flights,
    heart::Heart,
    meters::Meters,
    origins::Origins,
    pipeline::Engine,
    plans::Known,
    serve::{self, Current, certificates::Shared},
};
use actix_server::{Server, ServerHandle};
use cachestore_memory::MemoryStore;
use cachestore_tiered::Tiered;
use headers::names::{Names, value};
use http::Version;
use kit::{drain::Drain, health::Severity, service::World, settings::Settings};
use locator_mmdb::{MmdbLocator, OpenError};
use model::{ids::EdgeId, units::Revision};
use ports::{
    cachestore::CacheStore,
    origin::OriginError,
    registry::{Beat, Role},
};
use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
};
use tokio::sync::watch;

/// Bodies that are still arriving may take this part of the cache's budget, to be kept.
const FILLING_PART: u64 = 2;
/// How many ports of the system's choice are tried for TCP and UDP together.
const CHOICES: u32 = 100;
/// Bytes of datagrams that wait to be read.
const RECEIVES: usize = 2 << 20;
/// What a cache is given when settings say nothing that can be read.
const MEMORY: u64 = 256 << 20;

/// Where a running edge listens.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// HTTP.
    pub http: SocketAddr,
    /// HTTPS; over UDP, HTTP/3.
    pub https: SocketAddr,
}

/// Why the edge cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({why}): choose another {key} in the settings")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Where it stands in the settings.
        key: &'static str,
        /// Why.
        why: io::Error,
    },
    /// Object stores or authorities.
    #[error(transparent)]
    Origins(#[from] OriginError),
    /// Databases of places.
    #[error(transparent)]
    Places(#[from] OpenError),
    /// TLS.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// Threads for the disk.
    #[error("no thread can be started for the disk cache: {0}; allow this process more")]
    Threads(io::Error),
    /// The signal to stop came first.
    #[error("told to stop before the first configuration came")]
    Stopped,
}

/// Starts an edge. Returns once it listens and the first state of the feed is in force: as long as
/// the metadata store cannot be reached it keeps trying, and health says so. It ends when the
/// world's drain is signalled: requests in flight get some seconds. Call it within a runtime:
/// HTTP/3 and housekeeping run there, other viewers on threads of their own, fetches where their
/// viewers are.
///
/// # Errors
/// Settings that cannot work, addresses that are taken, or the signal to stop.
pub async fn start(settings: &Settings, world: World) -> Result<Running, StartError> {
    let http = listen(settings.edge.http, "edge.http")?;
    let https = listen_both(settings.edge.https, "edge.https")?;
    let running = Running { http: http.1, https: https.tcp.1 };
    let disk = Disk::open(settings, &world).map_err(StartError::Threads)?;
    let engine = engine(settings, &world, running.https, disk.as_ref())?;
    let acknowledged = follow(&engine, &world, disk.clone())?;
    first_state(&world, acknowledged.clone()).await?;
    let (server, handle) =
        serve::start(http.0, https.tcp.0, https.udp, settings.edge.workers, &engine, &world.drain)
            .map_err(|why| StartError::Listen { address: running.http, key: "edge.http", why })?;
    if let Some(disk) = &disk {
        tokio::spawn(disk.clone().watch(world.clone()));
    }
    tokio::spawn(stop(server, handle, world.drain.clone(), disk));
    let heart = Heart {
        beat: beat(settings, running),
        store: engine.store.clone(),
        flights: engine.flights.clone(),
        meters: engine.meters.clone(),
        acknowledged,
        world,
    };
    tokio::spawn(heart.beats());
    Ok(running)
}

fn listen(address: SocketAddr, key: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = bind(address).and_then(|listener| {
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    });
    bound.map_err(|why| StartError::Listen { address, key, why })
}

/// One port for HTTPS, over TCP and UDP.
struct Both {
    tcp: (TcpListener, SocketAddr),
    udp: UdpSocket,
}

/// Listens on the same port twice. A port that the system chooses may be taken over UDP: then it
/// chooses again.
fn listen_both(address: SocketAddr, key: &'static str) -> Result<Both, StartError> {
    let mut more = if address.port() == 0 { CHOICES } else { 0 };
    loop {
        let tcp = listen(address, key)?;
        match bind_udp(tcp.1) {
            Ok(udp) => return Ok(Both { tcp, udp }),
            Err(why) if why.kind() == io::ErrorKind::AddrInUse && more > 0 => more -= 1,
            Err(why) => return Err(StartError::Listen { address: tcp.1, key, why }),
        }
    }
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    // What the system allows is enough; with more, bursts are not lost.
    let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVES);
    Ok(socket)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(serve::BACKLOG)?;
    Ok(socket.into())
}

fn engine(
    settings: &Settings,
    world: &World,
    https: SocketAddr,
    disk: Option<&Arc<Disk>>,
) -> Result<Arc<Engine>, StartError> {
    let memory = kit::size::bytes(&settings.edge.memory).unwrap_or(MEMORY);
    let names = Names::of(&settings.edge.product);
    let via_host = format!("{:032x}.{}", rand::random::<u128>(), settings.zone);
    Ok(Arc::new(Engine {
        current: Arc::new(Current::from_pointee(Known::of(settings.edge.zstd))),
        bans: Arc::new(Bans::default()),
        store: store(memory, disk),
        flights: Flights::new(memory / FILLING_PART),
        failures: Failures::default(),
        alone: Alone::default(),
        encoders: Encoders::new(),
        origins: Origins::new(settings)?,
        locator: Arc::new(MmdbLocator::open(&settings.geo.databases)?),
        clock: world.clock.clone(),
        meters: Meters::new(&world.metrics),
        via: names.via(Version::HTTP_11, &via_host),
        vias: names.vias(&via_host),
        names,
        cache_status: settings.edge.cache_status,
        pop: settings.edge.pop.clone(),
        pop_value: value(&settings.edge.pop),
        https_port: https.port(),
    }))
}

/// Memory, and the disk behind it where there is one.
fn store(memory: u64, disk: Option<&Arc<Disk>>) -> Arc<dyn CacheStore> {
    let memory = MemoryStore::new(memory);
    match disk {
        Some(disk) => Arc::new(Tiered::new(memory, disk.store.clone())),
        None => Arc::new(memory),
    }
}

fn follow(
    engine: &Arc<Engine>,
    world: &World,
    disk: Option<Arc<Disk>>,
) -> Result<watch::Receiver<Option<Revision>>, StartError> {
    let (acknowledged, hears) = watch::channel(None);
    let store: Arc<dyn CacheStore> = engine.store.clone();
    let feed = Feed {
        world: world.clone(),
        current: engine.current.clone(),
        bans: engine.bans.clone(),
        store,
        disk,
        meters: engine.meters.clone(),
        tls: Shared::new(world.seals.clone())?,
        acknowledged,
    };
    tokio::spawn(feed.follow());
    Ok(hears)
}

/// Waits until something is in force.
async fn first_state(
    world: &World,
    mut acknowledged: watch::Receiver<Option<Revision>>,
) -> Result<(), StartError> {
    world.health.ail(
        "edge",
        Severity::Unready,
        "waiting for the first configuration from the metadata store",
    );
    let come = tokio::select! {
        come = acknowledged.wait_for(Option::is_some) => come.is_ok(),
        () = world.drain.signalled() => false,
    };
    world.health.heal("edge");
    come.then_some(()).ok_or(StartError::Stopped)
}

/// Runs the server until it is time to stop, and lets requests in flight end.
async fn stop(server: Server, handle: ServerHandle, drain: Drain, disk: Option<Arc<Disk>>) {
    let told = async {
        drain.signalled().await;
        handle.stop(true).await;
    };
    let (ended, ()) = tokio::join!(server, told);
    if let Err(why) = ended {
        tracing::error!(%why, "the edge's server ended with an error");
    }
    if let Some(disk) = disk {
        disk.close().await;
    }
    drop(drain);
}

fn beat(settings: &Settings, running: Running) -> Beat {
    let edge = &settings.edge;
    Beat {
        role: Role::Edge,
        id: EdgeId(edge.id.clone().unwrap_or_else(host_name)),
        incarnation: rand::random(),
        pop: edge.pop.clone(),
        position: edge.latitude.zip(edge.longitude),
        addresses: addresses(&edge.public_addresses, running.http.ip()),
        http_port: Some(running.http.port()),
        https_port: Some(running.https.port()),
        acknowledged: Revision::default(),
    }
}

/// What DNS answers: what the operator says, else where we listen, unless that is everywhere.
fn addresses(public: &[IpAddr], listen: IpAddr) -> Vec<IpAddr> {
    match (public.is_empty(), listen.is_unspecified()) {
        (false, _) => public.to_vec(),
        (true, false) => vec![listen],
        (true, true) => Vec::new(),
    }
}

/// The machine's name; where it has none that can be read, something unique.
fn host_name() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = told.or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("edge-{:08x}", rand::random::<u32>()))
}
