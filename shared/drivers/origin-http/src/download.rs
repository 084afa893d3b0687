//! The answer's body on its way to the caller, within the read timeout between pieces.

use crate::{line::Line, pool::Pool};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use ports::{
    origin::{Body, BodyError},
    relay::Trailers,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A body that is being read.
pub(crate) struct Download {
    /// From the connection.
    pub incoming: Incoming,
    /// Given back once the body is whole. Dropped when it is not: that closes a connection, or ends
    /// the exchange on a shared one.
    pub line: Option<Line>,
    /// Where to.
    pub pool: Arc<Pool>,
    /// Between two pieces.
    pub limit: Duration,
    /// For the whole.
    pub deadline: Option<Instant>,
    /// Where the fields after it are told.
    pub trailers: Trailers,
}

impl Download {
    /// The body as a stream; nothing is read before it is asked for.
    pub fn stream(mut self) -> Body {
        self.finish_if_whole();
        if self.line.is_none() {
            return stream::empty().boxed();
        }
        stream::unfold(Some(self), |state| async move {
            let mut download = state?;
            match download.piece().await {
                Some(Ok(piece)) => Some((Ok(piece), Some(download))),
                Some(Err(error)) => Some((Err(error), None)),
                None => None,
            }
        })
        .boxed()
    }

    /// The next piece.
    async fn piece(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            let frame = match self.frame().await {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    self.give_back();
                    return None;
                }
                Err(error) => return Some(Err(error)),
            };
            let trailers = match frame.into_data() {
                Ok(piece) if piece.is_empty() => None,
                Ok(piece) => {
                    self.finish_if_whole();
                    return Some(Ok(piece));
                }
                Err(frame) => frame.into_trailers().ok(),
            };
            if let Some(fields) = trailers {
                self.trailers.tell(fields);
            }
        }
    }

    async fn frame(&mut self) -> Result<Option<http_body::Frame<Bytes>>, BodyError> {
        let silent = Instant::now() + self.limit;
        let until = self.deadline.map_or(silent, |end| end.min(silent));
        match tokio::time::timeout_at(until, self.incoming.frame()).await {
            Ok(Some(Ok(frame))) => Ok(Some(frame)),
            Ok(Some(Err(error))) => Err(BodyError::Cut(error.to_string())),
            Ok(None) => Ok(None),
            Err(_) if until < silent => {
                Err(BodyError::Cut("not whole within the response completion timeout".into()))
            }
            Err(_) => Err(BodyError::Silent),
        }
    }

    /// A caller that knows the length does not ask for the end.
    fn finish_if_whole(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some(line) = self.line.take() {
            line.finish(&self.pool);
        }
    }
}
