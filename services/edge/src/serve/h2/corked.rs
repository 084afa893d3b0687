//! A connection whose writes leave together.
//!
//! For: HTTP/2 writes frame by frame, and over TLS each write is a call into the kernel. Here frames
//! are sealed as they come and leave at the end of the connection's turn ([`Cork::pull`]), many with
//! one call. Not for: deciding when a connection has its turn.

use crate::serve::io::Gathers;
use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The writing end, for a protocol.
pub struct Corked<T>(Rc<Bottle<T>>);

/// The other end: lets out what was written.
pub struct Cork<T>(Rc<Bottle<T>>);

struct Bottle<T> {
    io: RefCell<T>,
    /// Whether anything was written since it was last let out.
    holds: Cell<bool>,
    /// Whether anything was read since it was last asked.
    heard: Cell<bool>,
}

/// Both ends of a connection.
pub fn corked<T>(io: T) -> (Corked<T>, Cork<T>) {
    let (io, no) = (RefCell::new(io), || Cell::new(false));
    let bottle = Rc::new(Bottle { io, holds: no(), heard: no() });
    (Corked(bottle.clone()), Cork(bottle))
}

impl<T: AsyncWrite + Unpin> Bottle<T> {
    fn poll_let_out(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut *self.io.borrow_mut()).poll_flush(context))?;
        self.holds.set(false);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Cork<T> {
    /// Lets out what was gathered; call it at the end of each turn. While it is pending, the task is
    /// woken when more can leave.
    pub fn pull(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.holds.get() { self.0.poll_let_out(context) } else { Poll::Ready(Ok(())) }
    }

    /// Whether the viewer has sent anything since this was last asked.
    pub fn has_heard(&self) -> bool {
        self.0.heard.take()
    }

    /// The connection, once nobody else has it.
    pub fn into_inner(self) -> Option<T> {
        Rc::into_inner(self.0).map(|bottle| bottle.io.into_inner())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Corked<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut *self.0.io.borrow_mut()).poll_read(context, into))?;
        self.0.heard.set(true);
        Poll::Ready(Ok(()))
    }
}

impl<T: Gathers + AsyncWrite + Unpin> AsyncWrite for Corked<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    /// Waits only while as much is gathered as there may be.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let is_nothing = slices.iter().all(|slice| slice.is_empty());
        loop {
            let taken = self.0.io.borrow_mut().gather(slices)?;
            self.0.holds.set(true);
            if taken > 0 || is_nothing {
                return Poll::Ready(Ok(taken));
            }
            ready!(self.0.poll_let_out(context))?;
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was gathered stays for the end of the turn.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.0.poll_let_out(context))?;
        Pin::new(&mut *self.0.io.borrow_mut()).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    /// Holds so much.
    const FULL: usize = 100;

    /// Something that gathers as TLS does.
    struct Sealing(DuplexStream, Vec<u8>);

    impl Gathers for Sealing {
        fn gather(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let before = self.1.len();
            let bytes = slices.iter().flat_map(|slice| slice.iter());
            self.1.extend(bytes.take(FULL - before));
            Ok(self.1.len() - before)
        }
    }

    impl AsyncRead for Sealing {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(context, into)
        }
    }

    impl AsyncWrite for Sealing {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            panic!("written past what is gathered")
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            let Sealing(io, gathered) = &mut *self;
            while !gathered.is_empty() {
                let written = ready!(Pin::new(&mut *io).poll_write(context, gathered))?;
                gathered.drain(..written);
            }
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(context)
        }
    }

    fn pair(room: usize) -> (Corked<Sealing>, Cork<Sealing>, DuplexStream) {
        let (near, far) = duplex(room);
        let (writes, cork) = corked(Sealing(near, Vec::new()));
        (writes, cork, far)
    }

    #[tokio::test]
    async fn what_is_written_in_a_turn_leaves_at_its_end_and_not_before() {
        let (mut writes, cork, mut far) = pair(1000);
        for part in ["a", "b", "c"] {
            writes.write_all(part.as_bytes()).await.unwrap();
            writes.flush().await.unwrap();
        }
        let mut got = [0; 8];
        assert!(far.read(&mut got).now_or_never().is_none());
        poll_fn(|context| cork.pull(context)).await.unwrap();
        assert_eq!(far.read(&mut got).await.unwrap(), 3);
        assert_eq!(&got[..3], b"abc");
    }

    #[tokio::test]
    async fn what_is_written_leaves_before_the_end_of_the_connection() {
        let (mut writes, _cork, mut far) = pair(1000);
        writes.write_all(b"last").await.unwrap();
        writes.shutdown().await.unwrap();
        let mut got = String::new();
        far.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "last");
    }

    #[tokio::test]
    async fn a_viewer_that_takes_nothing_stops_the_writer_at_a_bound() {
        let (mut writes, cork, mut far) = pair(10);
        let mut taken = 0;
        while let Some(written) = writes.write(&[7; 30]).now_or_never() {
            taken += written.unwrap();
        }
        assert!((FULL..=FULL + 10).contains(&taken), "{taken}");
        let reading = async {
            let mut got = vec![0; taken];
            far.read_exact(&mut got).await.unwrap();
            assert!(got.iter().all(|byte| *byte == 7));
        };
        let (pulled, ()) = tokio::join!(poll_fn(|context| cork.pull(context)), reading);
        pulled.unwrap();
        assert_eq!(writes.write(&[7; 30]).await.unwrap(), 30);
    }

    #[tokio::test]
    async fn it_tells_once_that_something_was_heard() {
        let (mut reads, cork, mut far) = pair(16);
        assert!(!cork.has_heard());
        far.write_all(b"a").await.unwrap();
        reads.read_u8().await.unwrap();
        assert!(cork.has_heard());
        assert!(!cork.has_heard());
    }
}
