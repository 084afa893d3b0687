//! HTTP/3: quinn carries it, the h3 crate speaks it, this converts.
//!
//! For: one UDP socket at the address of HTTPS; accepting connections, bounding them, and letting
//! them end well. They run on the process's own runtime, beside the workers of the other versions.
//! Not for: which certificate a name gets (`choice`), one request and its answer (`exchange`), what
//! a frame may weigh (`bounded`).
//!
//! Source: RFC 9114, RFC 9000.

mod bounded;
mod choice;
mod exchange;

use crate::{
    pipeline::Engine,
    serve::{
        CONNECTIONS, LAST_CALL,
        h1::KEEP_ALIVE,
        h2::{HEAD, LINGER, STREAMS},
        io::{Link, PATIENCE},
        tls::HANDSHAKE,
    },
};
use ::h3::{error::ConnectionError, server};
use bounded::Bounded;
use bytes::Bytes;
use choice::Choice;
use kit::drain::Drain;
use quinn::{
    Endpoint, EndpointConfig, IdleTimeout, Incoming, TokioRuntime, TransportConfig, VarInt,
};
use std::{io, net::UdpSocket, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Streams of one direction a viewer may open: control, QPACK's two, and some that mean nothing
/// (RFC 9114 §6.2).
const ONE_WAY: u32 = 8;
/// Bytes of one upload that wait for the origin.
const STREAM_WINDOW: u32 = 256 << 10;
/// Bytes of all uploads of a connection that wait for origins.
const WINDOW: u32 = 1 << 20;
/// Bytes of a connection's answers that the viewer has not confirmed.
const UNSENT: u64 = 2 << 20;
/// Requests of one connection: what is remembered of each stream must not add up for ever.
const MOST: usize = 100_000;
/// Closing the socket is not waited for longer than this.
const CLOSING: Duration = Duration::from_secs(1);

type Carried = server::Connection<Bounded<h3_quinn::Connection>, Bytes>;

/// Starts serving on the socket, until `drain` is signalled. Call it within a runtime.
///
/// # Errors
/// When the socket cannot be used, or TLS 1.3 cannot be spoken.
pub fn start(socket: UdpSocket, engine: &Arc<Engine>, drain: &Drain) -> io::Result<()> {
    let choice = Choice::new(engine.clone(), transport()).map_err(io::Error::other)?;
    let config = EndpointConfig::default();
    let first = Some(choice.any());
    let endpoint = Endpoint::new(config, first, socket, Arc::new(TokioRuntime))?;
    tokio::spawn(listen(endpoint, engine.clone(), choice, drain.clone()));
    Ok(())
}

fn transport() -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(ONE_WAY))
        .max_idle_timeout(IdleTimeout::try_from(PATIENCE).ok())
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(UNSENT)
        .datagram_receive_buffer_size(None);
    Arc::new(transport)
}

/// Takes connections until the signal, then waits for those that are open.
async fn listen(endpoint: Endpoint, engine: Arc<Engine>, choice: Choice, drain: Drain) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = drain.signalled() => break,
            Some(_) = open.join_next() => {}
            incoming = endpoint.accept() => {
                let Some(incoming) = incoming else { break };
                if let Some(incoming) = admitted(incoming, open.len()) {
                    open.spawn(connection(incoming, engine.clone(), choice.clone(), drain.clone()));
                }
            }
        }
    }
    endpoint.set_server_config(None);
    while open.join_next().await.is_some() {}
    endpoint.close(VarInt::from_u32(0), b"");
    let _ = tokio::time::timeout(CLOSING, endpoint.wait_idle()).await;
}

/// Lets a connection in: always while there are few, from addresses that have shown to be their
/// own while there are many, and never beyond the limit.
fn admitted(incoming: Incoming, open: usize) -> Option<Incoming> {
    if open >= CONNECTIONS {
        incoming.refuse();
        return None;
    }
    if open >= CONNECTIONS / 2 && !incoming.remote_address_validated() && incoming.may_retry() {
        let _ = incoming.retry();
        return None;
    }
    Some(incoming)
}

async fn connection(incoming: Incoming, engine: Arc<Engine>, choice: Choice, drain: Drain) {
    let open = engine.opened("h3");
    let peer = incoming.remote_address();
    match tokio::time::timeout(HANDSHAKE, shake(incoming, &choice)).await {
        Ok(Ok((connection, link))) => {
            if let Err(why) = speak(&engine, connection, link, &drain).await {
                tracing::debug!(%peer, %why, "an HTTP/3 connection ended early");
            }
        }
        Ok(Err(why)) => failed(&engine, &why),
        Err(late) => failed(&engine, &late),
    }
    drop(open);
}

fn failed(engine: &Engine, why: &dyn std::fmt::Display) {
    engine.handshake_failed();
    tracing::debug!(%why, "a QUIC handshake failed");
}

async fn shake(incoming: Incoming, choice: &Choice) -> io::Result<(quinn::Connection, Link)> {
    let (config, agreed) = choice.config().map_err(io::Error::other)?;
    let connection = incoming.accept_with(config)?.await?;
    let link = Link { peer: connection.remote_address(), tls: Some(agreed.facts()) };
    Ok((connection, link))
}

/// Serves one connection until it ends; after the signal it takes no new requests.
async fn speak(
    engine: &Arc<Engine>,
    connection: quinn::Connection,
    link: Link,
    drain: &Drain,
) -> Result<(), ConnectionError> {
    let Ok(h3) = tokio::time::timeout(HANDSHAKE, begin(connection.clone())).await else {
        return Ok(()); // the viewer lets us open no streams
    };
    let (mut h3, mut requests) = (h3?, JoinSet::new());
    for _ in 0..MOST {
        tokio::select! {
            accepted = h3.accept() => {
                let Some(resolver) = accepted? else { break };
                // Viewers may change their address on the way (RFC 9000 §9).
                let link = Link { peer: connection.remote_address(), ..link.clone() };
                requests.spawn(exchange::answer(engine.clone(), link, resolver));
            }
            Some(_) = requests.join_next() => {}
            () = drain.signalled() => break,
            () = tokio::time::sleep(KEEP_ALIVE), if requests.is_empty() => break,
        }
    }
    finish(&mut h3, requests, drain).await?;
    linger(&connection).await;
    Ok(())
}

async fn begin(connection: quinn::Connection) -> Result<Carried, ConnectionError> {
    let connection = Bounded::new(h3_quinn::Connection::new(connection));
    server::builder().max_field_section_size(HEAD.into()).send_grease(false).build(connection).await
}

/// Says that nothing more is taken (RFC 9114 §5.2), and waits for what was.
async fn finish(
    h3: &mut Carried,
    mut requests: JoinSet<()>,
    drain: &Drain,
) -> Result<(), ConnectionError> {
    // The id told is the first that is not served: the one after the last.
    h3.shutdown(1).await?;
    let last_call = async {
        drain.signalled().await;
        tokio::time::sleep(Duration::from_secs(LAST_CALL)).await;
    };
    let mut last_call = std::pin::pin!(last_call);
    while !requests.is_empty() {
        tokio::select! {
            accepted = h3.accept() => match accepted? {
                Some(resolver) => exchange::reject(resolver),
                None => break,
            },
            Some(_) = requests.join_next() => {}
            () = &mut last_call => break,
        }
    }
    Ok(())
}

/// What has been written may still be on its way: closing would lose it. Returns once the viewer
/// has closed, or once nothing has been sent for a while.
async fn linger(connection: &quinn::Connection) {
    loop {
        let before = connection.stats().frame_tx.stream;
        if tokio::time::timeout(LINGER, connection.closed()).await.is_ok()
            || connection.stats().frame_tx.stream == before
        {
            return;
        }
    }
}
