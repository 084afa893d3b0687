//! UDP and TCP: messages in, replies out.
//!
//! For: sockets and their bounds. Not for: what is in a message ([`crate::reply`]).
//!
//! One message is answered before the next is read from the same place, so nothing piles up: the
//! kernel's buffer bounds UDP. TCP is bounded in connections ([`crate::room`]), in questions for each, and in time.

use crate::{
    answer::View,
    edges::Edges,
    metrics::Counted,
    names::Names,
    reply::{Reply, Transport, reply},
    room::Room,
    udp::{Received, Udp},
    zone::Zone,
};
use arc_swap::ArcSwap;
use kit::drain::Drain;
use locator_mmdb::MmdbLocator;
use ports::locator::Locator;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Most questions on one connection.
const MOST_QUESTIONS: usize = 1000;
/// How long a connection may take for its next whole question, and to take a reply (RFC 7766 §6.2.3).
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a pair of free ports is looked for.
const TRIES: usize = 64;
/// How long to wait after a socket failed, so that a lasting failure does not eat a core.
const BREATH: Duration = Duration::from_millis(20);

/// Both sockets, on one port.
pub struct Sockets {
    udp: Udp,
    tcp: TcpListener,
    /// Where they listen.
    pub address: SocketAddr,
}

impl Sockets {
    /// Binds both. Port 0 takes one that is free for both.
    ///
    /// # Errors
    /// What the system says.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut left = if address.port() == 0 { TRIES } else { 1 };
        loop {
            left -= 1;
            match Self::try_bind(address).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && left > 0 => {}
                bound => return bound,
            }
        }
    }

    async fn try_bind(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let address = tcp.local_addr()?;
        let udp = Udp::bind(address).await?;
        Ok(Self { udp, tcp, address })
    }
}

/// Everything that replies need; what changes is swapped whole.
pub struct Server {
    /// The zone.
    pub zone: Arc<Zone>,
    /// The names.
    pub names: Arc<ArcSwap<Names>>,
    /// The edges.
    pub edges: Arc<ArcSwap<Edges>>,
    /// The databases.
    pub locator: MmdbLocator,
    /// How many edges one answer names.
    pub most_edges: usize,
    /// Counters.
    pub counted: Counted,
}

impl Server {
    /// Serves until it is time to stop, on as many UDP tasks as there are cores.
    pub fn spawn(self, sockets: Sockets, drain: &Drain) {
        let server = Arc::new(self);
        let udp = Arc::new(sockets.udp);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            let (server, udp, drain) = (Arc::clone(&server), Arc::clone(&udp), drain.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = drain.signalled() => {}
                    () = server.serve_udp(&udp) => {}
                }
            });
        }
        let drain = drain.clone();
        tokio::spawn(server.serve_tcp(sockets.tcp, drain));
    }

    fn reply(&self, message: &[u8], peer: IpAddr, transport: Transport) -> Option<Reply> {
        let (names, edges) = (self.names.load(), self.edges.load());
        let locator: &dyn Locator = &self.locator;
        let view = View {
            zone: &self.zone,
            names: &names,
            edges: &edges,
            locator: (!self.locator.is_empty()).then_some(locator),
            most_edges: self.most_edges,
        };
        let reply = reply(view, message, peer, transport);
        self.counted.count(transport, reply.as_ref());
        reply
    }

    async fn serve_udp(&self, socket: &Udp) {
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let Ok(received) = socket.receive(&mut buffer).await else {
                tokio::time::sleep(BREATH).await;
                continue;
            };
            for message in received.datagrams(&buffer) {
                self.reply_udp(socket, &received, message).await;
            }
        }
    }

    async fn reply_udp(&self, socket: &Udp, received: &Received, message: &[u8]) {
        let peer = received.peer();
        if let Some(reply) = self.reply(message, peer.ip(), Transport::Udp)
            && let Err(error) = socket.reply(received, &reply.bytes).await
        {
            tracing::debug!(%peer, %error, "a reply cannot be sent");
        }
    }

    async fn serve_tcp(self: Arc<Self>, listener: TcpListener, drain: Drain) {
        let room = Room::default();
        loop {
            let accepted = tokio::select! {
                () = drain.signalled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(BREATH).await;
                continue;
            };
            let Some(place) = room.take(peer.ip()) else {
                continue; // closed, since the stream is dropped
            };
            let (server, drain) = (Arc::clone(&self), drain.clone());
            tokio::spawn(async move {
                server.connection(stream, peer, drain).await;
                drop(place);
            });
        }
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr, drain: Drain) {
        self.counted.connections.inc();
        tokio::select! {
            () = drain.signalled() => {}
            ended = self.converse(stream, peer.ip()) => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "a connection failed");
                }
            }
        }
        self.counted.connections.dec();
    }

    /// Questions and replies by turns, until the client leaves, is too slow, or says nonsense.
    async fn converse(&self, mut stream: TcpStream, peer: IpAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        for _ in 0..MOST_QUESTIONS {
            let message = timeout(PATIENCE, read_framed(&mut stream)).await??;
            let Some(reply) = self.reply(&message, peer, Transport::Tcp) else {
                return Ok(());
            };
            let framed = frame(&reply.bytes);
            timeout(PATIENCE, stream.write_all(&framed)).await??;
        }
        Ok(())
    }
}

/// A message after its length (RFC 1035 §4.2.2).
async fn read_framed(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// Length and message in one piece, so that they leave in one segment (RFC 7766 §8).
fn frame(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let mut framed = Vec::with_capacity(message.len() + 2);
    framed.extend(length.to_be_bytes());
    framed.extend(message.iter().take(usize::from(length)));
    framed
}
