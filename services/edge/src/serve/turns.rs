//! One request of a connection at a time.
//!
//! For: HTTP/1.1 viewers that send the next request before they have the answer to the last one.
//! The server library keeps the method, version and keep-alive of the request that it parsed last,
//! and answers with them: after `GET` and `HEAD` in one packet, the answer to `GET` has no body. So
//! the next request is kept from it until the last byte of the answer has been handed over.
//! A connection may also be lent for one exchange only: then the library is told that the viewer
//! has ended its side where the next request would begin, and what it lets go of comes back, with
//! the bytes that it has not been given.
//! Not for: judging requests. Bytes are only ever withheld, never changed; what cannot be followed
//! here is left to the server library, which refuses it.

use super::early::Early;
use bytes::{Buf as _, BytesMut};
use parking_lot::Mutex;
use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of later requests that wait here; more wait in the kernel.
const AHEAD: usize = 16 << 10;
/// Bytes of an answer's heads that are looked at; the engine's own limits are below it.
const LONGEST_HEAD: usize = 128 << 10;
/// The part of a header line that is looked at.
const LINE: usize = 64;

/// Tells that an answer has been handed over.
#[derive(Clone, Debug, Default)]
pub struct Turn(Arc<Mutex<Whose>>);

#[derive(Debug, Default)]
struct Whose {
    answered: bool,
    waits: Option<Waker>,
}

impl Turn {
    /// The answer has been handed over: the next request may come.
    pub fn is_over(&self) {
        let mut whose = self.0.lock();
        whose.answered = true;
        let waits = whose.waits.take();
        drop(whose);
        if let Some(waits) = waits {
            waits.wake();
        }
    }

    /// Whether the next request may come; if not, it wakes whoever asks once it may.
    fn came(&self, context: &Context<'_>) -> bool {
        let mut whose = self.0.lock();
        let came = std::mem::take(&mut whose.answered);
        if !came {
            whose.waits = Some(context.waker().clone());
        }
        came
    }
}

/// Where in a request the bytes that come next are.
enum Phase {
    /// In the head.
    Head(Head),
    /// In a body of which so much is to come.
    Body(u64),
    /// In a chunked body.
    Chunks(Chunks),
    /// After the end: what comes now is the next request.
    After,
    /// Not known any more: everything goes through.
    Lost,
}

/// What has been seen of a head.
#[derive(Default)]
struct Head {
    line: Vec<u8>,
    begun: bool,
    length: Option<u64>,
    chunked: bool,
    odd: bool,
}

/// What has been seen of a chunked body.
enum Chunks {
    /// In a size line: its digits so far, and whether an extension has begun.
    Size(u64, bool),
    /// In data and the line end after it.
    Data(u64),
    /// After the last chunk: whether the trailer line has begun, and whether a CR came last. Only CR
    /// and LF together end such a line: the server library takes an LF alone for a part of it.
    Trailer(bool, bool),
}

/// A connection that yields one request at a time.
pub struct Turns<T> {
    /// There until this is dropped.
    io: Option<T>,
    /// Whoever answers says here that the answer is over.
    pub turn: Turn,
    /// Informational answers, written before anything else.
    pub early: Early,
    phase: Phase,
    ahead: BytesMut,
    lent: Option<Loan<T>>,
}

/// What is known of a connection that was lent.
struct Loan<T> {
    home: Home<T>,
    /// Whether the end of the exchange has been told.
    over: bool,
    told: Told,
}

/// Where a connection that was lent comes back to, unless it has ended.
pub struct Home<T>(Rc<RefCell<Option<(T, BytesMut)>>>);

impl<T> Home<T> {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self(Rc::default())
    }

    /// The connection, and what the viewer has sent of the next request.
    pub fn take(&self) -> Option<(T, BytesMut)> {
        self.0.borrow_mut().take()
    }
}

/// What the heads that are written say of the connection.
#[derive(Debug)]
enum Told {
    /// Still being written.
    Head(Vec<u8>),
    /// The final one is written: whether the connection goes on.
    GoesOn(bool),
}

impl Told {
    /// Bytes of an answer are written.
    fn hear(&mut self, bytes: &[u8]) {
        let Self::Head(head) = self else {
            return;
        };
        let mut start = head.len().saturating_sub(3);
        head.extend_from_slice(bytes);
        while let Some(end) = end_of_head(head, start) {
            start = 0; // what is left is another head, from its beginning
            let one: Vec<u8> = head.drain(..end).collect();
            let is_interim =
                one.get(9) == Some(&b'1') && one.get(9..12).is_none_or(|status| status != b"101");
            if !is_interim {
                *self = Self::GoesOn(goes_on(&one));
                return;
            }
        }
        if head.len() > LONGEST_HEAD {
            *self = Self::GoesOn(false);
        }
    }
}

/// Where a head ends that may end from `start` on.
fn end_of_head(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..).or(bytes.get(..0))?;
    let at = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(start + at + 4)
}

/// Whether a head that the server library wrote leaves the connection open.
fn goes_on(head: &[u8]) -> bool {
    let lines = || head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let says = |line: &[u8]| lines().any(|one| one.eq_ignore_ascii_case(line));
    match head.get(..9) {
        Some(b"HTTP/1.1 ") => {
            let is_upgrade = head.get(9..12) == Some(b"101");
            !is_upgrade && !says(b"connection: close") && !says(b"connection: close, upgrade")
        }
        _ => says(b"connection: keep-alive"),
    }
}

impl<T> Turns<T> {
    /// At the beginning of a connection.
    pub fn new(io: T) -> Self {
        Self {
            io: Some(io),
            turn: Turn::default(),
            early: Early::default(),
            phase: Phase::Head(Head::default()),
            ahead: BytesMut::new(),
            lent: None,
        }
    }

    /// For the one exchange that begins with the bytes `ahead`.
    pub fn lent(io: T, ahead: BytesMut, home: &Home<T>) -> Self {
        let home = Home(home.0.clone());
        let loan = Loan { home, over: false, told: Told::Head(Vec::new()) };
        let mut turns = Self::new(io);
        (turns.ahead, turns.lent) = (ahead, Some(loan));
        turns
    }

    /// The connection.
    pub const fn get_ref(&self) -> Option<&T> {
        self.io.as_ref()
    }

    /// Whether the one exchange is over, after which the connection goes on elsewhere.
    fn goes_home(&self) -> bool {
        self.lent.as_ref().is_some_and(|loan| loan.over && matches!(loan.told, Told::GoesOn(true)))
    }

    fn written(&mut self, bytes: &[u8]) {
        if let Some(loan) = &mut self.lent {
            loan.told.hear(bytes);
        }
    }

    /// How many of the bytes that wait belong to the request whose turn it is.
    fn due(&mut self) -> usize {
        let mut due = 0;
        while let Some(byte) = self.ahead.get(due).copied() {
            match &mut self.phase {
                Phase::After => return due,
                Phase::Lost => return self.ahead.len(),
                Phase::Body(left) => {
                    let step = usize::try_from(*left).unwrap_or(usize::MAX);
                    let step = step.min(self.ahead.len() - due);
                    *left -= step as u64;
                    due += step;
                    if *left == 0 {
                        self.phase = Phase::After;
                    }
                    continue;
                }
                Phase::Head(head) => {
                    if let Some(next) = head.take(byte) {
                        self.phase = next;
                    }
                }
                Phase::Chunks(chunks) => {
                    if let Some(next) = chunks.take(byte) {
                        self.phase = next;
                    }
                }
            }
            due += 1;
        }
        due
    }
}

impl Head {
    /// One byte more; what comes after the head, once it has ended.
    fn take(&mut self, byte: u8) -> Option<Phase> {
        if byte != b'\n' {
            if self.line.len() < LINE {
                self.line.push(byte);
            }
            return None;
        }
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if !line.is_empty() {
            self.read(line);
            self.begun = true;
            return None;
        }
        self.begun.then(|| self.after())
    }

    fn read(&mut self, line: &[u8]) {
        if !self.begun {
            self.odd = line.starts_with(b"CONNECT "); // methods are case-sensitive (RFC 9110 §9.1)
            return;
        }
        if let Some(length) = value(line, b"content-length:") {
            let text = std::str::from_utf8(length).ok();
            match text.and_then(|text| text.trim().parse().ok()) {
                Some(length) if line.len() < LINE => self.length = Some(length),
                _ => self.odd = true,
            }
        }
        self.chunked |= value(line, b"transfer-encoding:").is_some();
        self.odd |= value(line, b"upgrade:").is_some();
    }

    const fn after(&self) -> Phase {
        match (self.odd, self.chunked, self.length) {
            (true, ..) => Phase::Lost,
            (_, true, _) => Phase::Chunks(Chunks::Size(0, false)),
            (_, false, None | Some(0)) => Phase::After,
            (_, false, Some(length)) => Phase::Body(length),
        }
    }
}

/// What follows this name, which is in lower case and ends with a colon.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (said, value) = line.split_at_checked(name.len())?;
    said.eq_ignore_ascii_case(name).then_some(value)
}

impl Chunks {
    /// One byte more; what comes after the body, once it has ended.
    fn take(&mut self, byte: u8) -> Option<Phase> {
        match self {
            Self::Size(0, _) | Self::Trailer(true, true) if byte == b'\n' => {
                *self = Self::Trailer(false, false);
            }
            Self::Size(size, _) if byte == b'\n' => *self = Self::Data(size.saturating_add(2)),
            Self::Size(size, extension) => match char::from(byte).to_digit(16) {
                Some(digit) if !*extension => {
                    *size = size.saturating_mul(16).saturating_add(digit.into());
                }
                _ => *extension = true,
            },
            Self::Data(1) => *self = Self::Size(0, false),
            Self::Data(left) => *left -= 1,
            Self::Trailer(false, true) if byte == b'\n' => return Some(Phase::After),
            Self::Trailer(begun, _) => {
                *self = Self::Trailer(*begun || byte != b'\r', byte == b'\r');
            }
        }
        None
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Turns<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.phase, Phase::After) && this.turn.came(context) {
            match &mut this.lent {
                Some(loan) => loan.over = true,
                None => this.phase = Phase::Head(Head::default()),
            }
        }
        if this.lent.as_ref().is_some_and(|loan| loan.over) {
            return Poll::Ready(Ok(())); // as if the viewer had ended its side
        }
        if this.ahead.is_empty() {
            std::task::ready!(this.read_ahead(context, into.remaining()))?;
            if this.ahead.is_empty() {
                return Poll::Ready(Ok(())); // the viewer has ended its side
            }
        }
        let most = into.remaining().min(this.ahead.len());
        let rest = this.ahead.split_off(most);
        let due = this.due();
        if let Some(bytes) = this.ahead.get(..due) {
            into.put_slice(bytes);
        }
        this.ahead.advance(due);
        this.ahead.unsplit(rest);
        if due == 0 {
            // The bytes are of the next request. `came` has left our waker.
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> Turns<T> {
    /// Reads what is there. Ready and nothing ahead: the viewer has ended its side.
    fn read_ahead(&mut self, context: &mut Context<'_>, wanted: usize) -> Poll<io::Result<()>> {
        let mut space = [0; AHEAD];
        let space = space.get_mut(..wanted.min(AHEAD)).unwrap_or_default();
        let mut space = ReadBuf::new(space);
        let Some(io) = &mut self.io else {
            return Poll::Ready(Ok(()));
        };
        std::task::ready!(Pin::new(io).poll_read(context, &mut space))?;
        self.ahead.extend_from_slice(space.filled());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Turns<T> {
    fn write_early(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Some(io) => self.early.poll_write(context, io),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<T> Drop for Turns<T> {
    fn drop(&mut self) {
        if !self.goes_home() {
            return;
        }
        if let (Some(loan), Some(io)) = (&self.lent, self.io.take()) {
            loan.home.0.replace(Some((io, std::mem::take(&mut self.ahead))));
        }
    }
}

/// The connection, or an error that cannot be: it is there until the end.
fn there<T>(io: &mut Option<T>) -> io::Result<Pin<&mut T>>
where
    T: Unpin,
{
    io.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Turns<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.write_early(context))?;
        let written = std::task::ready!(there(&mut self.io)?.poll_write(context, bytes))?;
        self.written(bytes.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.write_early(context))?;
        there(&mut self.io)?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.goes_home() {
            return Poll::Ready(Ok(()));
        }
        there(&mut self.io)?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::poll;
    use std::pin::pin;
    use tokio::io::AsyncReadExt as _;

    /// What comes through before any answer, when the bytes come in pieces of this size.
    async fn first(bytes: &[u8], step: usize) -> (Vec<u8>, Turns<&[u8]>) {
        let mut turns = Turns::new(bytes);
        let mut got = Vec::new();
        let mut space = vec![0; step];
        loop {
            let mut read = pin!(turns.read(&mut space));
            match poll!(read.as_mut()) {
                Poll::Ready(Ok(0)) | Poll::Pending => break,
                Poll::Ready(length) => {
                    let length = length.unwrap();
                    got.extend_from_slice(&space[..length]);
                }
            }
        }
        (got, turns)
    }

    #[tokio::test]
    async fn the_next_request_waits_for_its_turn_however_the_bytes_come() {
        let next = "HEAD /b HTTP/1.1\r\n\r\n";
        for request in [
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
            "\r\n\r\nGET /a HTTP/1.1\nHost: x\n\n",
            "POST /a HTTP/1.1\r\nContent-Length: 8\r\n\r\nGET / \r\n",
            "POST /a HTTP/1.1\r\nContent-length:0\r\n\r\n",
            "CoNNECT /a HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;e=1\r\n\r\n\r\r\nA\r\n0123456789\r\n0\r\n\r\n",
            "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
            // The library reads on to the second pair: were less to pass, it would wait for it.
            "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n\r\n",
        ] {
            let both = format!("{request}{next}");
            for step in [1, 2, 3, 7, 64, 4096] {
                let (got, mut turns) = first(both.as_bytes(), step).await;
                assert_eq!(String::from_utf8_lossy(&got), request, "in steps of {step}");
                turns.turn.is_over();
                let mut rest = vec![0; next.len()];
                turns.read_exact(&mut rest).await.unwrap();
                assert_eq!(rest, next.as_bytes());
            }
        }
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_its_turn_comes() {
        let both = b"GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
        let (_, mut turns) = first(both, 4096).await;
        let turn = turns.turn.clone();
        let mut space = [0; 64];
        let mut read = pin!(turns.read(&mut space));
        assert!(poll!(read.as_mut()).is_pending());
        let (length, ()) = tokio::join!(read, async { turn.is_over() });
        assert_eq!(&space[..length.unwrap()], b"GET /2 HTTP/1.1\r\n\r\n");
    }

    /// However an interim head and the final one are cut.
    #[test]
    fn the_head_behind_an_interim_one_is_heard() {
        let (interim, last) =
            (&b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"[..], &b"HTTP/1.1 204\r\n\r\n"[..]);
        let both = [interim, last].concat();
        for cut in 0..both.len() {
            let mut told = Told::Head(Vec::new());
            told.hear(&both[..cut]);
            told.hear(&both[cut..]);
            assert!(matches!(told, Told::GoesOn(true)), "{cut}: {told:?}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_followed_goes_through() {
        for bytes in [
            &b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"[..],
            b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\nabc",
        ] {
            let (got, _) = first(bytes, 4096).await;
            assert_eq!(got, bytes);
        }
    }
}
