//! A viewer's connection that does not wait for ever.
//!
//! For: cutting viewers that stop reading, and knowing at every request whose connection it is.
//! Not for: viewers that stop sending (the servers' own head and keep-alive timeouts, and `upload`).

use crate::{asked::TlsFacts, pipeline::trail::Open};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// A viewer that takes no byte for this long is cut off.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Whose connection it is.
#[derive(Clone, Debug)]
pub struct Link {
    /// The other end.
    pub peer: SocketAddr,
    /// What was agreed; none over plain TCP.
    pub tls: Option<Arc<TlsFacts>>,
}

/// Takes bytes before they can leave.
pub trait Gathers {
    /// Takes as many of these bytes as there is room for, without a call into the kernel; they leave
    /// with the next flush. Zero: there is no room before that.
    ///
    /// # Errors
    /// When no byte can ever leave again.
    fn gather(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize>;
}

/// TLS seals what it is given, and holds up to 64 KiB of it.
impl<T> Gathers for tokio_rustls::server::TlsStream<T> {
    fn gather(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        io::Write::write_vectored(&mut self.get_mut().1.writer(), slices)
    }
}

impl<T: Gathers> Gathers for Watched<T> {
    fn gather(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.io.gather(slices)
    }
}

/// A connection with a limit on how long a write may stand still.
pub struct Watched<T> {
    io: T,
    /// Whose it is.
    pub link: Link,
    stalled: Option<Pin<Box<Sleep>>>,
    _open: Open,
}

impl<T> Watched<T> {
    /// Watches `io`; `open` counts it until it is dropped.
    pub fn new(io: T, link: Link, open: Open) -> Self {
        Self { io, link, stalled: None, _open: open }
    }

    /// Passes an answer on, or an error when there has been none for too long.
    fn limited<R>(
        &mut self,
        context: &mut Context<'_>,
        answer: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if answer.is_ready() {
            self.stalled = None;
            return answer;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, into)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.io).poll_write(context, bytes);
        self.limited(context, answer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.limited(context, answer)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.io).poll_flush(context);
        self.limited(context, answer)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let answer = Pin::new(&mut self.io).poll_shutdown(context);
        self.limited(context, answer)
    }
}
