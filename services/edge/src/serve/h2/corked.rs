//! A connection whose writes leave together.
//!
//! For: HTTP/2 writes frame by frame, and over TLS each write is a record of its own and a call into
//! the kernel. Here frames are gathered while a connection has its turn, and leave at its end
//! ([`Cork::pull`]): full records, few calls.
//! Not for: deciding when a connection has its turn.
//!
//! Memory: a buffer is held only while something waits in it; a thread keeps a few for its next turns.

use bytes::Buf as _;
use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// So many bytes are gathered; more has to wait until some have left.
const FULL: usize = 64 << 10;
/// Empty buffers that a thread keeps.
const SPARE: usize = 4;

thread_local! {
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// The writing end, for a protocol.
pub struct Corked<T>(Rc<Bottle<T>>);

/// The other end: lets out what was written.
pub struct Cork<T>(Rc<Bottle<T>>);

struct Bottle<T> {
    inside: RefCell<Inside<T>>,
    /// Whether anything was read since it was last asked.
    heard: Cell<bool>,
}

struct Inside<T> {
    io: T,
    gathered: io::Cursor<Vec<u8>>,
}

/// Both ends of a connection.
pub fn corked<T>(io: T) -> (Corked<T>, Cork<T>) {
    let inside = RefCell::new(Inside { io, gathered: io::Cursor::default() });
    let bottle = Rc::new(Bottle { inside, heard: Cell::new(false) });
    (Corked(bottle.clone()), Cork(bottle))
}

impl<T: AsyncWrite + Unpin> Inside<T> {
    fn gather(&mut self, bytes: &[u8]) {
        let gathered = self.gathered.get_mut();
        if gathered.capacity() == 0 {
            *gathered = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
        }
        gathered.extend_from_slice(bytes);
    }

    /// Writes all that was gathered, and gives the buffer back.
    fn poll_let_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gathered.has_remaining() {
            let io = Pin::new(&mut self.io);
            let written = ready!(io.poll_write(context, self.gathered.chunk()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gathered.advance(written);
        }
        let mut buffer = std::mem::take(&mut self.gathered).into_inner();
        buffer.clear();
        BUFFERS.with_borrow_mut(|spare| {
            if buffer.capacity() > 0 && spare.len() < SPARE {
                spare.push(buffer);
            }
        });
        Poll::Ready(Ok(()))
    }

    /// Makes room for more.
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gathered.get_ref().len() < FULL {
            return Poll::Ready(Ok(()));
        }
        self.poll_let_out(context)
    }
}

impl<T: AsyncWrite + Unpin> Cork<T> {
    /// Lets out what was gathered; call it at the end of each turn. While it is pending, the task is
    /// woken when more can leave.
    pub fn pull(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inside = self.0.inside.borrow_mut();
        if !inside.gathered.has_remaining() {
            return Poll::Ready(Ok(()));
        }
        ready!(inside.poll_let_out(context))?;
        Pin::new(&mut inside.io).poll_flush(context)
    }

    /// Whether the viewer has sent anything since this was last asked.
    pub fn has_heard(&self) -> bool {
        self.0.heard.take()
    }

    /// The connection, once nobody else has it.
    pub fn into_inner(self) -> Option<T> {
        Rc::into_inner(self.0).map(|bottle| bottle.inside.into_inner().io)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Corked<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0.inside.borrow_mut().io).poll_read(context, into))?;
        self.0.heard.set(true);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Corked<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut inside = self.0.inside.borrow_mut();
        ready!(inside.poll_room(context))?;
        inside.gather(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inside = self.0.inside.borrow_mut();
        ready!(inside.poll_room(context))?;
        for slice in slices {
            inside.gather(slice);
        }
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was gathered stays for the end of the turn.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.inside.borrow_mut().poll_room(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inside = self.0.inside.borrow_mut();
        ready!(inside.poll_let_out(context))?;
        Pin::new(&mut inside.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test]
    async fn what_is_written_in_a_turn_leaves_at_its_end_and_not_before() {
        let (near, mut far) = duplex(1 << 20);
        let (mut writes, cork) = corked(near);
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
    async fn a_viewer_that_takes_nothing_stops_the_writer_at_a_bound() {
        let (near, mut far) = duplex(1024);
        let (mut writes, cork) = corked(near);
        let (piece, mut taken) = ([7; 4096], 0_usize);
        while writes.write(&piece).now_or_never().is_some() {
            taken += piece.len();
        }
        assert!(taken >= FULL && taken < FULL + 3 * piece.len(), "{taken}");
        let reading = async {
            let mut got = vec![0; taken];
            far.read_exact(&mut got).await.unwrap();
            assert!(got.iter().all(|byte| *byte == 7));
        };
        let (pulled, ()) = tokio::join!(poll_fn(|context| cork.pull(context)), reading);
        pulled.unwrap();
        assert_eq!(writes.write(&piece).await.unwrap(), piece.len());
    }

    #[tokio::test]
    async fn nothing_is_held_while_nothing_waits() {
        let (near, _far) = duplex(1 << 20);
        let (mut writes, cork) = corked(near);
        writes.write_all(&[0; 1000]).await.unwrap();
        poll_fn(|context| cork.pull(context)).await.unwrap();
        assert_eq!(writes.0.inside.borrow().gathered.get_ref().capacity(), 0);
    }

    #[tokio::test]
    async fn it_tells_once_that_something_was_heard() {
        let (near, mut far) = duplex(16);
        let (mut reads, cork) = corked(near);
        assert!(!cork.has_heard());
        far.write_all(b"a").await.unwrap();
        reads.read_u8().await.unwrap();
        assert!(cork.has_heard());
        assert!(!cork.has_heard());
    }
}
