//! The request's body on its way to the origin.
//!
//! hyper pulls it piece by piece. We watch the pulling, because an origin is only late when it is
//! the origin that everybody waits for, and because a body that nobody touched can be sent again.

use bytes::Bytes;
use futures::Stream;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use ports::{
    origin::{Body, BodyError},
    relay::Trailers,
};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// A body as both ends of an exchange see it.
pub(crate) struct Upload {
    state: Mutex<State>,
    trailers: Trailers,
}

struct State {
    /// Taken when the first piece is asked for.
    untouched: Option<Body>,
    touched: bool,
    /// When the origin last had reason to do something.
    moved: Instant,
    /// The sender has no piece ready: the silence is not the origin's.
    starved: bool,
    /// The sender gave up.
    gone: bool,
}

impl Upload {
    /// A body that nobody has asked for yet, and the fields that are told at its end.
    pub fn new(body: Option<Body>, trailers: Trailers) -> Arc<Self> {
        let state = State {
            untouched: body,
            touched: false,
            moved: Instant::now(),
            starved: false,
            gone: false,
        };
        Arc::new(Self { state: Mutex::new(state), trailers })
    }

    /// Whether it can be sent from its start.
    pub fn is_whole(&self) -> bool {
        !self.state.lock().touched
    }

    /// Whether the sender ended it early.
    pub fn is_gone(&self) -> bool {
        self.state.lock().gone
    }

    /// Starts the origin's time anew.
    pub fn begin(&self) {
        let mut state = self.state.lock();
        state.moved = Instant::now();
        state.starved = false;
    }

    /// When the origin will have been silent for `limit`, if nothing moves until then.
    pub fn silent_at(&self, limit: Duration) -> Instant {
        let state = self.state.lock();
        let since = if state.starved { Instant::now() } else { state.moved };
        since + limit
    }

    /// The body for one try.
    pub fn outgoing(self: &Arc<Self>) -> Outgoing {
        Outgoing {
            empty: {
                let state = self.state.lock();
                state.untouched.is_none() && !state.touched
            },
            upload: Arc::clone(self),
            source: None,
            ended: false,
        }
    }
}

/// What hyper pulls.
pub(crate) struct Outgoing {
    empty: bool,
    upload: Arc<Upload>,
    source: Option<Body>,
    /// Trailers, if there are any, have been given.
    ended: bool,
}

impl Outgoing {
    fn source(&mut self) -> Option<&mut Body> {
        if self.source.is_none() {
            let mut state = self.upload.state.lock();
            state.touched = true;
            self.source = state.untouched.take();
        }
        self.source.as_mut()
    }

    /// The trailers, once.
    fn last(&mut self) -> Option<HeaderMap> {
        let told = !std::mem::replace(&mut self.ended, true);
        self.upload.trailers.told().filter(|_| told).cloned()
    }

    fn note(&self, polled: &Poll<Option<Result<Bytes, BodyError>>>) {
        let mut state = self.upload.state.lock();
        state.moved = Instant::now();
        state.starved = polled.is_pending();
        state.gone = state.gone || matches!(polled, Poll::Ready(Some(Err(_))));
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.empty {
            return Poll::Ready(None);
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let Some(source) = self.source() else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(source).poll_next(cx);
        self.note(&polled);
        match polled {
            Poll::Ready(None) => Poll::Ready(self.last().map(|fields| Ok(Frame::trailers(fields)))),
            polled => polled.map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.empty
    }

    fn size_hint(&self) -> SizeHint {
        if self.empty { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}
