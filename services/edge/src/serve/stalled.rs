//! A body that does not wait for ever for its viewer.
//!
//! For: HTTP/2, where a viewer may close the window of one stream and keep the connection busy: then
//! no write stands still, and nobody asks for the next piece. What the body holds (memory, a
//! connection to the origin) is let go, and the stream fails if it is ever asked again.
//! Not for: connections whose writes stand still (`io`).

use crate::{asked::ReplyBody, serve::io::PATIENCE};
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use parking_lot::Mutex;
use ports::origin::BodyError;
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tokio_util::task::AbortOnDropHandle;

/// Bodies at hand that are smaller are not watched: what they hold is not worth a timer.
const SMALL: u64 = 64 << 10;

type Source = BoxStream<'static, Result<Bytes, BodyError>>;

/// What is being sent.
struct Held {
    /// None once it was let go.
    source: Option<Source>,
    /// How often the next piece was asked for.
    asked: u64,
    /// Whether the source has the viewer wait, not the other way round.
    coming: bool,
}

/// The same body, let go when the viewer takes nothing of it for [`PATIENCE`] to twice that.
pub fn watched(body: ReplyBody) -> ReplyBody {
    match (body.length(), body) {
        (length, ReplyBody::Stream { body, .. }) => ReplyBody::Stream { length, body: watch(body) },
        (length, ReplyBody::Trailed { body, trailers, .. }) => {
            ReplyBody::Trailed { length, body: watch(body), trailers }
        }
        (Some(length), ReplyBody::Pieces(pieces)) if length > SMALL => {
            let body = stream::iter(pieces.into_iter().map(Ok)).boxed();
            ReplyBody::Stream { length: Some(length), body: watch(body) }
        }
        (_, body) => body,
    }
}

fn watch(source: Source) -> Source {
    let held = Arc::new(Mutex::new(Held { source: Some(source), asked: 0, coming: false }));
    let watching = AbortOnDropHandle::new(tokio::spawn(let_go_when_stalled(held.clone())));
    stream::poll_fn(move |context| {
        let _ends_with_the_stream = &watching;
        held.lock().poll(context)
    })
    .boxed()
}

async fn let_go_when_stalled(held: Arc<Mutex<Held>>) {
    let mut before = None;
    loop {
        {
            let mut held = held.lock();
            if before == Some(held.asked) && !held.coming {
                held.source = None;
                return;
            }
            before = Some(held.asked);
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

impl Held {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.asked += 1;
        let Some(source) = &mut self.source else {
            return Poll::Ready(Some(Err(BodyError::Silent)));
        };
        let next = source.poll_next_unpin(context);
        self.coming = next.is_pending();
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    /// A body that the test fills; the sender knows when it is let go.
    fn filled() -> (mpsc::Sender<Bytes>, Source) {
        let (sender, receiver) = mpsc::channel(8);
        let source = stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|piece| (Ok(piece), receiver))
        });
        (sender, source.boxed())
    }

    fn stream_of(body: ReplyBody) -> Source {
        match watched(body) {
            ReplyBody::Stream { body, .. } => body,
            _ => panic!("not watched"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_nobody_takes_is_let_go_and_fails_afterwards() {
        let (sender, body) = filled();
        let mut body = stream_of(ReplyBody::Stream { length: None, body });
        sender.send("a".into()).await.unwrap();
        sender.send("b".into()).await.unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), "a");
        tokio::time::timeout(PATIENCE * 3, sender.closed()).await.unwrap();
        assert!(body.next().await.unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_that_waits_for_the_origin_or_takes_its_time_is_not_cut() {
        let (sender, body) = filled();
        let mut body = stream_of(ReplyBody::Stream { length: None, body });
        let late = tokio::spawn(async move {
            for piece in ["a", "b", "c"] {
                tokio::time::sleep(PATIENCE * 5).await;
                sender.send(piece.into()).await.unwrap();
            }
        });
        assert_eq!(body.next().await.unwrap().unwrap(), "a");
        assert_eq!(body.next().await.unwrap().unwrap(), "b");
        tokio::time::sleep(PATIENCE / 2).await;
        assert_eq!(body.next().await.unwrap().unwrap(), "c");
        assert!(body.next().await.is_none());
        late.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_of_a_large_copy_are_let_go_too() {
        let piece = Bytes::from(vec![1; 40 << 10]);
        let pieces = vec![piece.clone(), piece.clone()];
        let mut body = stream_of(ReplyBody::Pieces(pieces));
        assert_eq!(body.next().await.unwrap().unwrap(), piece);
        tokio::time::sleep(PATIENCE * 3).await;
        assert!(piece.is_unique());
        assert!(body.next().await.unwrap().is_err());
    }
}
