//! The server adapters: the only place that knows a server library.
//!
//! actix accepts and speaks HTTP/1.1 (`h1`); over TLS (`tls`) the viewer's choice decides between
//! that and HTTP/2 by hyper (`h2`). Each worker is one thread; a connection stays on its worker.
//! Over UDP quinn brings HTTP/3 (`h3`).

mod body;
pub mod certificates;
mod early;
mod h1;
mod h2;
mod h3;
mod io;
mod quick;
mod stalled;
mod tls;
mod turns;
mod upload;
mod websocket;

use crate::{pipeline::Engine, plans::Known, worker};
use actix_server::{Server, ServerHandle};
use actix_service::{Service as _, ServiceFactory, apply_fn_factory, fn_factory, fn_service};
use arc_swap::ArcSwap;
use io::{Link, Watched};
use kit::drain::Drain;
use quick::Worker;
use std::{
    net::{TcpListener, UdpSocket},
    rc::Rc,
    sync::Arc,
};
use tokio::net::TcpStream;

/// Connections that one worker serves at a time; further ones wait to be accepted.
const CONNECTIONS: usize = 10_000;
/// How long requests in flight may take after the signal to stop.
const LAST_CALL: u64 = 10;
/// Connections that wait to be accepted.
pub const BACKLOG: i32 = 1024;

/// Starts serving on all listeners. The server ends when its handle says so.
///
/// # Errors
/// When a listener cannot be used.
pub fn start(
    http: TcpListener,
    https: TcpListener,
    quic: UdpSocket,
    workers: Option<usize>,
    engine: &Arc<Engine>,
    drain: &Drain,
) -> std::io::Result<(Server, ServerHandle)> {
    let workers = workers
        .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1)
        .clamp(1, 512);
    h3::start(quic, engine, drain)?;
    let (plain_engine, plain_drain) = (engine.clone(), drain.clone());
    let (secure_engine, secure_drain) = (engine.clone(), drain.clone());
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(CONNECTIONS)
        .shutdown_timeout(LAST_CALL)
        .disable_signals()
        .listen("http", http, move || lasting(plain(&plain_engine, &plain_drain)))?
        .listen("https", https, move || lasting(secure(&secure_engine, &secure_drain)))?
        .run();
    let handle = server.handle();
    Ok((server, handle))
}

/// The same connections; the last of a worker's is counted until its fetches have ended.
fn lasting<F>(
    connections: F,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()>
where
    F: ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()>,
{
    apply_fn_factory(connections, |io, service: &F::Service| {
        let connection = service.call(io);
        async {
            let connected = worker::connected();
            let ended = connection.await;
            connected.leave().await;
            ended
        }
    })
}

/// Plain connections: HTTP/1.1.
fn plain(
    engine: &Arc<Engine>,
    drain: &Drain,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<>
{
    let (engine, drain) = (engine.clone(), drain.clone());
    fn_factory(move || {
        let (engine, drain) = (engine.clone(), drain.clone());
        async move {
            let h1 = Rc::new(h1::service(&engine, &drain).new_service(()).await?);
            let worker = Worker::new(&engine, &drain);
            Ok(fn_service(move |io: TcpStream| {
                let (h1, engine, worker) = (h1.clone(), engine.clone(), worker.clone());
                async move {
                    io.set_nodelay(true).map_err(drop)?;
                    let link = Link { peer: io.peer_addr().map_err(drop)?, tls: None };
                    let io = Watched::new(io, link, engine.opened("http"));
                    quick::serve(&worker, io, &*h1).await;
                    Ok(())
                }
            }))
        }
    })
}

/// TLS connections: HTTP/2 or HTTP/1.1, as the viewer chooses among what is offered.
fn secure(
    engine: &Arc<Engine>,
    drain: &Drain,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<>
{
    let (engine, drain) = (engine.clone(), drain.clone());
    fn_factory(move || {
        let (engine, drain) = (engine.clone(), drain.clone());
        async move {
            let h1 = Rc::new(h1::service(&engine, &drain).new_service(()).await?);
            let worker = Worker::new(&engine, &drain);
            Ok(fn_service(move |io: TcpStream| {
                let (h1, engine, drain) = (h1.clone(), engine.clone(), drain.clone());
                let worker = worker.clone();
                async move {
                    let shaken = handshake(io, &engine).await.map_err(drop)?;
                    let Some((io, h2)) = shaken else { return Ok(()) };
                    let link = io.link.clone();
                    if h2 {
                        h2::serve(engine, io, link, drain).await;
                        return Ok(());
                    }
                    quick::serve(&worker, io, &*h1).await;
                    Ok(())
                }
            }))
        }
    })
}

type Tls = tokio_rustls::server::TlsStream<TcpStream>;

/// Shakes hands; also tells whether HTTP/2 was agreed. None when nothing follows.
async fn handshake(
    io: TcpStream,
    engine: &Engine,
) -> std::io::Result<Option<(Watched<Tls>, bool)>> {
    io.set_nodelay(true)?;
    let peer = io.peer_addr()?;
    let open = engine.opened("https");
    let known: arc_swap::Guard<Arc<Known>> = engine.known();
    let known = Arc::clone(&known);
    let stream = tls::accept(io, &known).await.inspect_err(|why| {
        engine.handshake_failed();
        tracing::debug!(%peer, %why, "a TLS handshake failed");
    })?;
    let Some(stream) = stream else { return Ok(None) };
    let (facts, h2) = tls::facts(stream.get_ref().1);
    let link = Link { peer, tls: Some(facts) };
    Ok(Some((Watched::new(stream, link, open), h2)))
}

/// The state of the feed that everybody reads.
pub type Current = ArcSwap<Known>;
