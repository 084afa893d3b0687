//! Informational answers to viewers.
//!
//! For: bringing heads of 1xx from whatever thread they come on to the task that answers; over
//! HTTP/1.1 writing them before the server library writes the final one: it has no words for them.
//! Not for: which of them there are (`pipeline/fetch`).
//!
//! They may come from any thread, and late: what comes once the answer has begun, or for a request
//! before this one, is dropped.

use bytes::{Buf as _, Bytes, BytesMut};
use futures::task::AtomicWaker;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use ports::relay::Interim;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;

/// Bytes that wait for a viewer at most; heads beyond are dropped.
const MOST: usize = 64 << 10;
/// Hints that wait for a viewer at most; further ones are dropped.
const HINTS: usize = 16;

/// What is to be written before the answer of the request whose turn it is.
#[derive(Clone, Default)]
pub struct Early(Arc<Shared>);

#[derive(Default)]
struct Shared {
    some: AtomicBool,
    writer: AtomicWaker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Number of the request.
    request: u64,
    /// Whether its answer has not begun.
    open: bool,
    waits: BytesMut,
}

impl Early {
    /// A request begins: what it hears is written until [`Early::ends`].
    pub fn begins(&self) -> Interim {
        let mut state = self.0.state.lock();
        state.request += 1;
        state.open = true;
        let (request, shared) = (state.request, self.0.clone());
        Interim::new(move |status, fields| shared.hear(request, status, &fields))
    }

    /// Its answer begins.
    pub fn ends(&self) {
        self.0.state.lock().open = false;
    }

    /// Writes what waits. Ready when nothing does; else it wakes when more can be written.
    pub fn poll_write<T: AsyncWrite + Unpin>(
        &self,
        context: &mut Context<'_>,
        io: &mut T,
    ) -> Poll<std::io::Result<()>> {
        self.0.writer.register(context.waker());
        if !self.0.some.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        let mut state = self.0.state.lock();
        while !state.waits.is_empty() {
            let written = std::task::ready!(Pin::new(&mut *io).poll_write(context, &state.waits))?;
            if written == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            state.waits.advance(written);
        }
        self.0.some.store(false, Ordering::Release);
        Poll::Ready(Ok(()))
    }
}

impl Shared {
    fn hear(&self, request: u64, status: StatusCode, fields: &HeaderMap) {
        let mut state = self.state.lock();
        let head = head(status, fields);
        if !state.open || state.request != request || state.waits.len() + head.len() > MOST {
            return;
        }
        state.waits.extend_from_slice(&head);
        self.some.store(true, Ordering::Release);
        drop(state);
        self.writer.wake();
    }
}

/// A head of HTTP/1.1 (RFC 9112 §4).
pub fn head(status: StatusCode, fields: &HeaderMap) -> Bytes {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = BytesMut::from(format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).as_bytes());
    for (name, value) in fields {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    head.freeze()
}

/// Informational answers that have come, for HTTP/2 and 3.
pub struct Hints(Arc<Heard>);

#[derive(Default)]
struct Heard {
    some: AtomicBool,
    taker: AtomicWaker,
    waits: Mutex<VecDeque<(StatusCode, HeaderMap)>>,
}

/// Who hears them, and where they are taken.
pub fn hints() -> (Interim, Hints) {
    let heard = Arc::new(Heard::default());
    let inbox = heard.clone();
    let interim = Interim::new(move |status, fields| {
        let mut waits = inbox.waits.lock();
        if waits.len() < HINTS {
            waits.push_back((status, fields));
            inbox.some.store(true, Ordering::Release);
            drop(waits);
            inbox.taker.wake();
        }
    });
    (interim, Hints(heard))
}

impl Hints {
    /// The next one.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<(StatusCode, HeaderMap)> {
        self.0.taker.register(context.waker());
        if !self.0.some.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let mut waits = self.0.waits.lock();
        let next = waits.pop_front();
        self.0.some.store(!waits.is_empty(), Ordering::Release);
        next.map_or(Poll::Pending, Poll::Ready)
    }

    /// The next one; none once `awaited` is over, whose outcome is then in `ready`. What came
    /// together with that comes first.
    pub fn poll_until<R>(
        &self,
        context: &mut Context<'_>,
        awaited: Pin<&mut impl Future<Output = R>>,
        ready: &mut Option<R>,
    ) -> Poll<Option<(StatusCode, HeaderMap)>> {
        if ready.is_none()
            && let Poll::Ready(outcome) = awaited.poll(context)
        {
            *ready = Some(outcome);
        }
        match self.poll(context) {
            Poll::Ready(hint) => Poll::Ready(Some(hint)),
            Poll::Pending if ready.is_some() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn written(early: &Early) -> String {
        let mut io = Vec::new();
        poll_fn(|context| early.poll_write(context, &mut io)).await.unwrap();
        String::from_utf8(io).unwrap()
    }

    fn link() -> HeaderMap {
        let mut fields = HeaderMap::new();
        fields.insert("link", http::HeaderValue::from_static("</a>"));
        fields
    }

    /// RFC 8297 §2.
    #[tokio::test]
    async fn hints_are_written_before_the_answer_only() {
        let early = Early::default();
        let first = early.begins();
        first.tell(StatusCode::EARLY_HINTS, link());
        first.tell(StatusCode::EARLY_HINTS, link());
        let one = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
        assert_eq!(written(&early).await, format!("{one}{one}"));
        assert_eq!(written(&early).await, "");
        early.ends();
        first.tell(StatusCode::EARLY_HINTS, link());
        let second = early.begins();
        first.tell(StatusCode::EARLY_HINTS, link());
        assert_eq!(written(&early).await, "");
        second.tell(StatusCode::PROCESSING, HeaderMap::new());
        early.ends(); // what came before the answer is still written
        assert_eq!(written(&early).await, "HTTP/1.1 102 Processing\r\n\r\n");
    }

    #[tokio::test]
    async fn an_origin_that_hints_for_ever_fills_no_memory() {
        let early = Early::default();
        let hears = early.begins();
        for _ in 0..10_000 {
            hears.tell(StatusCode::EARLY_HINTS, link());
        }
        assert!(written(&early).await.len() <= MOST);
    }
}
