//! What is read and written when.
//!
//! For: one connection while nobody else has it: reading ahead, answering in order, several answers
//! in one write, and how long a viewer may be silent. Not for: what is answered.

use super::{
    LONGEST_HEAD, Worker,
    answer::{Answered, Memory, Moment},
    ask::{self, Read},
    watch::Post,
};
use crate::{
    asked::Asked,
    serve::{
        h1::{HEAD_TIMEOUT, KEEP_ALIVE},
        io::Watched,
        turns::{Home, Turns},
    },
};
use bytes::{Buf as _, BytesMut};
use packing::Entry;
use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Answers wait for one another up to this many bytes.
const GATHERED: usize = 64 << 10;
/// The last words of a connection may take this long.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// To a viewer that has begun a request and not ended it, as the server library says it.
const TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// What comes after what has been said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More of the same.
    More,
    /// What the viewer says next is not for us.
    Up,
    /// The viewer has said all, or has to go.
    Over,
    /// The viewer has gone, or must see that it has not got all.
    Gone,
}

/// A connection, and what has been read of it.
pub struct Connection<'a, T> {
    pub(super) worker: &'a Rc<Worker>,
    io: Watched<T>,
    ahead: BytesMut,
    /// Whether `ahead` has not been looked at.
    unseen: bool,
    memory: Memory,
    post: Post,
    /// Whether nothing has been answered yet.
    is_first: bool,
    /// Whether the viewer has ended its side.
    has_ended: bool,
}

/// Answers that are to be sent.
struct Said {
    /// Heads and small bodies.
    out: Vec<u8>,
    /// A large body behind them; it counts once it has been sent.
    large: Option<(Answered, Entry)>,
    /// Whether there may be more to answer in what has been read.
    stopped: bool,
    /// Put to the engine once all this has been sent.
    asked: Option<Box<Asked>>,
    began: Instant,
    end: End,
}

/// What one request has come to.
enum Step {
    Answered(usize, Answered),
    Asked(usize, Box<Asked>),
    Wait,
    Up,
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> Connection<'a, T> {
    /// A connection of which these bytes have been read.
    pub fn new(worker: &'a Rc<Worker>, io: Watched<T>, ahead: BytesMut, is_first: bool) -> Self {
        let post = worker.watch.post();
        let unseen = !ahead.is_empty();
        Self {
            worker,
            io,
            ahead,
            unseen,
            memory: Memory::default(),
            post,
            is_first,
            has_ended: false,
        }
    }

    /// Answers until there is something that is not for us.
    pub async fn speak(&mut self) -> End {
        // What the server library has not taken may be a head that has begun.
        let has_begun = self.is_first || !self.ahead.is_empty();
        self.post.within(if has_begun { HEAD_TIMEOUT } else { KEEP_ALIVE });
        loop {
            let Ok(mut said) = poll_fn(|context| self.poll_said(context)).await else {
                return End::Over;
            };
            let (end, asked) = (said.end, said.asked.take());
            if self.send(said).await.is_err() {
                return End::Gone;
            }
            let end = match asked {
                // In a box, so that idle connections do not hold its room.
                Some(asked) => Box::pin(self.exchange(*asked)).await,
                None => end,
            };
            if end != End::More {
                return end;
            }
            self.post.within(if self.ahead.is_empty() { KEEP_ALIVE } else { HEAD_TIMEOUT });
        }
    }

    /// Hands the connection over.
    pub fn lend(self, home: &Home<Watched<T>>) -> Turns<Watched<T>> {
        Turns::lent(self.io, self.ahead, home)
    }

    /// Ends it.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(LAST_WORDS, self.io.shutdown()).await;
    }

    /// Waits for bytes, and answers what can be answered.
    fn poll_said(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Said>> {
        if std::mem::take(&mut self.unseen)
            && let Some(said) = self.look_ahead()
        {
            return Poll::Ready(Ok(said));
        }
        if self.has_ended {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let worker = self.worker;
        let mut input = worker.input.borrow_mut();
        loop {
            let mut space = ReadBuf::new(&mut input);
            match Pin::new(&mut self.io).poll_read(context, &mut space) {
                Poll::Ready(read) => read?,
                Poll::Pending => return self.silent(context).map(Ok),
            }
            if space.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            if let Some(said) = self.hear(space.filled()) {
                return Poll::Ready(Ok(said));
            }
        }
    }

    /// Bytes have come.
    fn hear(&mut self, bytes: &[u8]) -> Option<Said> {
        if !self.ahead.is_empty() {
            self.ahead.extend_from_slice(bytes);
            return self.look_ahead();
        }
        let (taken, said) = self.look(bytes);
        if let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            self.ahead.extend_from_slice(rest);
            self.post.within(HEAD_TIMEOUT);
        }
        self.unseen = said.as_ref().is_some_and(|said| said.stopped);
        said
    }

    fn look_ahead(&mut self) -> Option<Said> {
        let mut ahead = std::mem::take(&mut self.ahead);
        let (taken, said) = self.look(&ahead);
        ahead.advance(taken);
        if !ahead.is_empty() {
            self.ahead = ahead; // else it is dropped: an idle connection holds no buffer
        }
        self.unseen = said.as_ref().is_some_and(|said| said.stopped);
        said
    }

    /// Answers what these bytes begin with; also tells how many of them that takes. None when there
    /// is nothing to say yet.
    fn look(&mut self, bytes: &[u8]) -> (usize, Option<Said>) {
        self.worker.refresh();
        let (began, moment) = (Instant::now(), self.worker.moment());
        let mut said = Said {
            out: self.worker.buffer(),
            large: None,
            stopped: false,
            asked: None,
            began,
            end: End::More,
        };
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.step(rest, &moment, &mut said.out) {
                Step::Answered(length, answered) => {
                    taken += length;
                    self.is_first = false;
                    if !self.note(answered, &mut said) {
                        said.stopped = taken < bytes.len();
                        break;
                    }
                }
                Step::Asked(length, asked) => {
                    taken += length;
                    self.is_first = false;
                    said.stopped = taken < bytes.len();
                    said.asked = Some(asked);
                    break;
                }
                Step::Wait => break,
                Step::Up => {
                    said.end = End::Up;
                    break;
                }
            }
        }
        if said.out.is_empty() && said.asked.is_none() && said.end == End::More {
            self.worker.give_back(said.out);
            return (taken, None);
        }
        let is_all = said.end == End::More && said.asked.is_none() && !said.stopped;
        if is_all && self.worker.watch.is_stopping() {
            said.end = End::Over;
        }
        (taken, Some(said))
    }

    /// Answers one request.
    fn step(&mut self, bytes: &[u8], moment: &Moment, out: &mut Vec<u8>) -> Step {
        let (worker, link, memory) = (self.worker, &self.io.link, &mut self.memory);
        ask::read(bytes, |read| match read {
            Read::Part => Step::Wait,
            Read::Other => Step::Up,
            Read::Plain(ask) => match worker.answer(&ask, link, memory, moment, out) {
                Some(answered) => Step::Answered(ask.length, answered),
                None => match ask.asked(link) {
                    Some(asked) => Step::Asked(ask.length, Box::new(asked)),
                    None => Step::Up,
                },
            },
        })
    }

    /// Notes an answer; whether another one may follow it at once.
    fn note(&self, mut answered: Answered, said: &mut Said) -> bool {
        if let Some(entry) = answered.body.take() {
            said.large = Some((answered, entry));
            return false;
        }
        self.worker.hits.answered(answered.status, answered.bytes, said.began.elapsed());
        said.out.len() < GATHERED
    }

    /// Nothing comes.
    fn silent(&mut self, context: &Context<'_>) -> Poll<Said> {
        let is_idle = self.ahead.is_empty();
        let is_due = self.post.is_due(context);
        let out = match (is_idle, is_due) {
            (true, _) if self.worker.watch.is_stopping() => Vec::new(),
            (_, false) => return Poll::Pending,
            (true, true) if !self.is_first => Vec::new(),
            (_, true) => TIMEOUT.to_vec(),
        };
        let began = Instant::now();
        Poll::Ready(Said { out, large: None, stopped: false, asked: None, began, end: End::Over })
    }

    async fn send(&mut self, said: Said) -> io::Result<()> {
        let entry = said.large.as_ref().map(|(_, entry)| entry);
        let body = entry.and_then(Entry::body).unwrap_or_default();
        let mut done = 0;
        let sent = poll_fn(|context| self.poll_send(context, &said.out, body, &mut done)).await;
        if let Some((answered, _)) = &said.large {
            let bytes = done.saturating_sub(said.out.len()) as u64;
            self.worker.hits.answered(answered.status, bytes, said.began.elapsed());
        }
        self.worker.give_back(said.out);
        sent
    }

    /// Reads what the viewer sends meanwhile. Ready when it has gone; that it has said all is no
    /// reason to.
    pub(super) fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let worker = self.worker;
        let mut input = worker.input.borrow_mut();
        while !self.has_ended && self.ahead.len() < LONGEST_HEAD {
            let mut space = ReadBuf::new(&mut input);
            match ready!(Pin::new(&mut self.io).poll_read(context, &mut space)) {
                Err(why) => return Poll::Ready(why),
                Ok(()) if space.filled().is_empty() => self.has_ended = true,
                Ok(()) => {
                    self.ahead.extend_from_slice(space.filled());
                    self.unseen = true;
                }
            }
        }
        Poll::Pending
    }

    /// Writes both, of which `done` bytes have been written.
    pub(super) fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        out: &[u8],
        body: &[u8],
        done: &mut usize,
    ) -> Poll<io::Result<()>> {
        let mut io = Pin::new(&mut self.io);
        while *done < out.len() + body.len() {
            let head = out.get(*done..).unwrap_or_default();
            let body = body.get(done.saturating_sub(out.len())..).unwrap_or_default();
            let written = match (head.is_empty(), body.is_empty()) {
                (false, false) if io.is_write_vectored() => {
                    let both = [IoSlice::new(head), IoSlice::new(body)];
                    io.as_mut().poll_write_vectored(context, &both)
                }
                (false, _) => io.as_mut().poll_write(context, head),
                (true, _) => io.as_mut().poll_write(context, body),
            };
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => *done += written,
            }
        }
        io.poll_flush(context)
    }
}
