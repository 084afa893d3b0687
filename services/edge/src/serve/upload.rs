//! A viewer's request body on its way in: bounded, and not waited for without end.

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{HeaderMap, header};
use ports::origin::{Body, BodyError};
use std::{fmt::Display, time::Duration};
use tokio::sync::mpsc;

/// A viewer that sends no byte of an announced body for this long has gone.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// In a call that may be silent for long, one has gone after this.
pub const LONG: Duration = Duration::from_mins(10);

/// Whether the head announces a body (RFC 9112 §6.3).
pub fn announced(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}

/// A body that may be sent between threads, from a stream that may not: a task of this thread
/// passes piece after piece on, one at a time, and ends when the reader is gone.
pub fn bridge<S, E>(stream: S) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + 'static,
    E: Display + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_local(pump(stream, sender));
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    })
    .boxed()
}

/// The same for a stream that may be sent, from a viewer that may be silent for so long.
pub fn patient<S, E>(stream: S, patience: Duration) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send + 'static,
    E: Display + 'static,
{
    futures::stream::unfold(Some(stream), move |stream| async move {
        let mut stream = stream?;
        let piece = next(&mut stream, patience).await?;
        let rest = piece.is_ok().then_some(stream);
        Some((piece, rest))
    })
    .boxed()
}

async fn pump<S, E>(mut stream: S, sender: mpsc::Sender<Result<Bytes, BodyError>>)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Display,
{
    while let Some(piece) = next(&mut stream, PATIENCE).await {
        let failed = piece.is_err();
        if sender.send(piece).await.is_err() || failed {
            return;
        }
    }
}

async fn next<S, E>(stream: &mut S, patience: Duration) -> Option<Result<Bytes, BodyError>>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Display,
{
    match tokio::time::timeout(patience, stream.next()).await {
        Err(_) => Some(Err(BodyError::Silent)),
        Ok(None) => None,
        Ok(Some(piece)) => Some(piece.map_err(|why| BodyError::Cut(why.to_string()))),
    }
}
