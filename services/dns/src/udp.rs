//! One UDP socket that answers from where it was asked.
//!
//! For: a machine with several addresses that listens on all of them (`0.0.0.0`, `::`): the reply
//! leaves from the address that the question came to (RFC 2181 §4.1), or a resolver drops it.
//! Not for: what is in a datagram.

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
};
use tokio::{io::Interest, net::UdpSocket};

/// The socket.
pub struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
}

/// What came in: how many bytes, and the way back.
#[derive(Clone, Copy, Debug)]
pub struct Received(RecvMeta);

impl Udp {
    /// Binds it.
    ///
    /// # Errors
    /// What the system says.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Self { socket, state })
    }

    /// Waits for datagrams. Dropping the call loses nothing.
    ///
    /// # Errors
    /// What the system says.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        let mut metas = [RecvMeta::default()];
        let receiving = || {
            let mut buffers = [IoSliceMut::new(buffer)];
            self.state.recv((&self.socket).into(), &mut buffers, &mut metas)
        };
        self.socket.async_io(Interest::READABLE, receiving).await?;
        let [meta] = metas;
        Ok(Received(meta))
    }

    /// Sends a reply back.
    ///
    /// # Errors
    /// What the system says.
    pub async fn reply(&self, to: &Received, bytes: &[u8]) -> io::Result<()> {
        let reply = Transmit {
            destination: to.0.addr,
            ecn: None,
            contents: bytes,
            segment_size: None,
            src_ip: to.0.dst_ip,
        };
        let sending = || self.state.try_send((&self.socket).into(), &reply);
        self.socket.async_io(Interest::WRITABLE, sending).await
    }
}

impl Received {
    /// Who sent it.
    pub const fn peer(&self) -> SocketAddr {
        self.0.addr
    }

    /// Each datagram: the system may hand over several of one sender in one piece.
    pub fn datagrams<'b>(&self, buffer: &'b [u8]) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let filled = buffer.get(..self.0.len).unwrap_or_default();
        filled.chunks(self.0.stride.max(1))
    }
}
