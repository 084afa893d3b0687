//! Connections that speak HTTP/2: each carries many exchanges at a time.
//!
//! For: which connection the next exchange goes on, and for how long one is kept; finding out once,
//! not fifty times, whether a server speaks HTTP/2. Not for: connections that carry one exchange at
//! a time (`pool`), nor for frames (hyper).
//!
//! A connection carries as many exchanges as the server allows, [`MOST`] at most: then whatever all
//! of their readers leave unread fits into the connection's window, and no slow reader keeps others
//! waiting.

use crate::{
    target::{Server, Target},
    upload::Outgoing,
};
use hyper::{
    client::conn::http2,
    rt::{Read, Write},
};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use model::units::Seconds;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// Exchanges on one connection at most.
const MOST: usize = 64;
/// Bytes of one answer that wait for their reader.
const WINDOW: u32 = 512 << 10;
/// Bytes of all answers of a connection that wait for their readers.
const ALL_WINDOWS: u32 = WINDOW * 64;
/// Bytes of one request's body that wait for the server.
const UNSENT: usize = 128 << 10;
/// While exchanges are under way, a server is asked this often whether it is still there,
const PING: Duration = Duration::from_secs(10);
/// and has this long to answer.
const PONG: Duration = Duration::from_secs(10);
/// How often an idle connection is looked at.
const SWEEP: Duration = Duration::from_millis(500);
/// Servers that are remembered at most.
const SERVERS: usize = 4096;

/// Where requests go in.
pub(crate) type Sender = http2::SendRequest<Outgoing>;

/// A new connection, before anybody else may use it.
pub(crate) struct Fresh {
    sender: Sender,
    allowed: Arc<Allowed>,
}

/// Exchanges that a server allows at a time.
struct Allowed {
    now: AtomicUsize,
    /// hyper tells only its driver: this wakes it to ask.
    asked: Notify,
}

/// Starts HTTP/2 on a stream, driven by a task of its own until either side closes.
pub(crate) async fn speak<S>(stream: S, head: u32) -> hyper::Result<Fresh>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (sender, mut connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(head)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(ALL_WINDOWS)
        .initial_max_send_streams(MOST)
        .max_send_buf_size(UNSENT)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .handshake(stream)
        .await?;
    let allowed = Arc::new(Allowed { now: AtomicUsize::new(MOST), asked: Notify::new() });
    let told = Arc::clone(&allowed);
    tokio::spawn(async move {
        loop {
            let ended = poll_fn(|context| {
                let polled = Pin::new(&mut connection).poll(context);
                told.now.store(connection.current_max_send_streams(), Ordering::Relaxed);
                polled
            });
            tokio::select! {
                ended = ended => {
                    let error = ended.err();
                    return tracing::debug!(?error, "an HTTP/2 connection to an origin ended");
                }
                () = told.asked.notified() => {}
            }
        }
    });
    Ok(Fresh { sender, allowed })
}

/// One connection.
struct Shared {
    sender: Sender,
    allowed: Arc<Allowed>,
    under_way: AtomicUsize,
    keepalive: Seconds,
    idle_since: Mutex<Instant>,
}

impl Shared {
    fn has_room(&self) -> bool {
        let allowed = self.allowed.now.load(Ordering::Relaxed).min(MOST);
        self.under_way.load(Ordering::Relaxed) < allowed
    }

    /// Whether nothing has been under way for as long as it may be idle.
    fn is_overdue(&self, keepalive: Seconds) -> bool {
        let limit = Duration::from_secs(self.keepalive.min(keepalive).0);
        self.under_way.load(Ordering::Relaxed) == 0 && self.idle_since.lock().elapsed() >= limit
    }
}

/// The right to one exchange on a connection; the place is free again when it is dropped.
pub(crate) struct Lease {
    /// The request goes in here.
    pub sender: Sender,
    /// Whether the connection has carried an exchange before.
    pub reused: bool,
    server: Server,
    shared: Arc<Shared>,
    connections: Weak<Connections>,
}

impl Lease {
    fn new(shared: &Arc<Shared>, server: &Server, of: &Arc<Connections>, reused: bool) -> Self {
        shared.under_way.fetch_add(1, Ordering::Relaxed);
        Self {
            sender: shared.sender.clone(),
            reused,
            server: server.clone(),
            shared: Arc::clone(shared),
            connections: Arc::downgrade(of),
        }
    }

    /// The server's name, for requests that have no `Host`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.server.host, self.server.port)
    }

    /// Nobody else begins an exchange on this connection; those under way go on.
    pub fn retire(&self) {
        if let Some(connections) = self.connections.upgrade() {
            connections.remove(&self.server, &self.shared);
        }
    }

    /// The server wants HTTP/1.1: it is not offered HTTP/2 any more.
    pub fn shun(&self) {
        self.retire();
        if let Some(connections) = self.connections.upgrade() {
            connections.learn(&self.server, Speaks::OnlyHttp1);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self.shared.idle_since.lock() = Instant::now();
        self.shared.under_way.fetch_sub(1, Ordering::Relaxed);
        self.shared.allowed.asked.notify_one();
    }
}

/// What is known of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// Nobody has asked yet.
    Unknown,
    /// When asked last.
    Http1,
    /// It said so in the middle of HTTP/2.
    OnlyHttp1,
    /// When asked last.
    Http2,
}

struct Known {
    speaks: Speaks,
    open: Vec<Arc<Shared>>,
    /// There while somebody connects on behalf of all.
    connecting: Option<watch::Receiver<()>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { speaks: Speaks::Unknown, open: Vec::new(), connecting: None }
    }
}

/// All connections that speak HTTP/2.
#[derive(Default)]
pub(crate) struct Connections {
    servers: Mutex<HashMap<Server, Known>>,
}

/// How to get a connection to a server that TLS is spoken with.
pub(crate) enum Found {
    /// Here is one.
    Lease(Lease),
    /// Somebody connects: wait until that is over, then look again.
    Wait(watch::Receiver<()>),
    /// Connect, others wait for it.
    Lead(Lead),
    /// Connect; it is a connection for one exchange at a time.
    Alone {
        /// Whether HTTP/2 may be offered.
        offer: bool,
    },
}

impl Connections {
    /// A connection to `target` with room for one more exchange, or how to get one. Whoever has
    /// waited once for one that failed does not wait again.
    pub fn find(self: &Arc<Self>, target: &Target, waited: bool) -> Found {
        let mut servers = self.servers.lock();
        if servers.len() >= SERVERS && !servers.contains_key(&target.server) {
            servers.retain(|_, known| !known.open.is_empty() || known.connecting.is_some());
        }
        let known = servers.entry(target.server.clone()).or_default();
        known.open.retain(|one| !one.sender.is_closed() && !one.is_overdue(target.keepalive));
        if let Some(shared) = known.open.iter().find(|one| one.has_room()) {
            return Found::Lease(Lease::new(shared, &target.server, self, true));
        }
        match (known.speaks, &known.connecting) {
            (Speaks::OnlyHttp1, _) => Found::Alone { offer: false },
            (Speaks::Http1, _) => Found::Alone { offer: true },
            (_, Some(connecting)) if !waited => Found::Wait(connecting.clone()),
            (_, Some(_)) => Found::Alone { offer: true },
            (Speaks::Unknown | Speaks::Http2, None) => {
                let (ends, hears) = watch::channel(());
                known.connecting = Some(hears);
                let (connections, server) = (Arc::clone(self), target.server.clone());
                Found::Lead(Lead { connections, server, _ends: ends })
            }
        }
    }

    /// From now on a new connection may be used by all. The first exchange on it is the caller's.
    pub fn share(self: &Arc<Self>, target: &Target, fresh: Fresh) -> Lease {
        let shared = Arc::new(Shared {
            sender: fresh.sender,
            allowed: fresh.allowed,
            under_way: AtomicUsize::new(0),
            keepalive: target.keepalive,
            idle_since: Mutex::new(Instant::now()),
        });
        let lease = Lease::new(&shared, &target.server, self, false);
        let mut servers = self.servers.lock();
        let known = servers.entry(target.server.clone()).or_default();
        known.speaks = Speaks::Http2;
        known.open.push(Arc::clone(&shared));
        drop(servers);
        let sweeper = sweep(Arc::downgrade(self), target.server.clone(), Arc::downgrade(&shared));
        tokio::spawn(sweeper);
        lease
    }

    /// It answered in HTTP/1.1.
    pub fn is_http1(&self, server: &Server) {
        self.learn(server, Speaks::Http1);
    }

    /// How many connections are open and idle.
    pub fn idle(&self) -> usize {
        let servers = self.servers.lock();
        let open = servers.values().flat_map(|known| &known.open);
        open.filter(|one| one.under_way.load(Ordering::Relaxed) == 0).count()
    }

    /// Whether there is any connection to any server.
    pub fn is_any_open(&self) -> bool {
        let servers = self.servers.lock();
        servers.values().flat_map(|known| &known.open).any(|one| !one.sender.is_closed())
    }

    /// Whether there is any connection to a server.
    pub fn has_open(&self, server: &Server) -> bool {
        self.servers.lock().get(server).is_some_and(|known| !known.open.is_empty())
    }

    /// Whether a server has spoken HTTP/1.1 with us, which is why nothing is shared.
    pub fn is_plain(&self, server: &Server) -> bool {
        let servers = self.servers.lock();
        let speaks = servers.get(server).map(|known| known.speaks);
        matches!(speaks, Some(Speaks::Http1 | Speaks::OnlyHttp1))
    }

    fn learn(&self, server: &Server, speaks: Speaks) {
        if let Some(known) = self.servers.lock().get_mut(server)
            && known.speaks != Speaks::OnlyHttp1
        {
            known.speaks = speaks;
        }
    }

    fn remove(&self, server: &Server, shared: &Arc<Shared>) {
        if let Some(known) = self.servers.lock().get_mut(server) {
            known.open.retain(|one| !Arc::ptr_eq(one, shared));
        }
    }
}

/// Lets a connection go once it has been idle for too long, or has ended.
async fn sweep(connections: Weak<Connections>, server: Server, shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let (Some(connections), Some(shared)) = (connections.upgrade(), shared.upgrade()) else {
            return;
        };
        if shared.sender.is_closed() || shared.is_overdue(shared.keepalive) {
            return connections.remove(&server, &shared);
        }
    }
}

/// The right and the duty to connect on behalf of all. Dropping it ends everybody's wait.
pub(crate) struct Lead {
    connections: Arc<Connections>,
    server: Server,
    _ends: watch::Sender<()>,
}

impl Drop for Lead {
    fn drop(&mut self) {
        if let Some(known) = self.connections.servers.lock().get_mut(&self.server) {
            known.connecting = None;
        }
    }
}

/// What a failed exchange says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The server has not looked at the request: it may be sent again, whatever it is (RFC 9113
    /// §8.7).
    Refused,
    /// It wants HTTP/1.1 (RFC 9113 §7, `HTTP_1_1_REQUIRED`).
    WantsHttp1,
    /// It ended this one exchange.
    Reset,
}

/// Judges an error of hyper. None for what is no word of the server's in HTTP/2.
pub(crate) fn verdict(error: &hyper::Error) -> Option<Verdict> {
    let mut cause = std::error::Error::source(error);
    while let Some(this) = cause {
        if let Some(said) = this.downcast_ref::<::h2::Error>() {
            return said.is_remote().then(|| judge(said));
        }
        cause = this.source();
    }
    None
}

fn judge(said: &::h2::Error) -> Verdict {
    match said.reason() {
        Some(::h2::Reason::HTTP_1_1_REQUIRED) => Verdict::WantsHttp1,
        // Only exchanges beyond the last one that the server has begun end by a GOAWAY.
        _ if said.is_go_away() => Verdict::Refused,
        Some(::h2::Reason::REFUSED_STREAM) => Verdict::Refused,
        _ => Verdict::Reset,
    }
}
