//! What is kept owns its memory.
//!
//! For: bodies and headers as they come from a connection, which are parts of its read buffer: a
//! hundred bytes that are kept would hold all of it, uncounted. Not for: what passes through.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

/// The same bytes, and nothing else behind them.
pub fn piece(shared: &Bytes) -> Bytes {
    Bytes::copy_from_slice(shared)
}

/// The same fields, and nothing else behind them.
pub fn headers(shared: &HeaderMap) -> HeaderMap {
    let mut owned = HeaderMap::with_capacity(shared.len());
    for (name, value) in shared {
        // What is a value already can be read as one.
        let copied = HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone());
        owned.append(name.clone(), copied);
    }
    owned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, streaming};

    #[tokio::test(start_paused = true)]
    async fn a_copy_does_not_hold_the_buffer_that_its_body_came_in() {
        let world = World::new();
        let (answer, sender) = streaming();
        world.origin.answers([answer]);
        let buffer = Bytes::from(vec![b'x'; 400 << 10]);
        let (got, ()) = tokio::join!(world.get("/a"), async {
            sender.send(Ok(buffer.slice(..3))).await.unwrap();
            drop(sender);
        });
        got.is(200, "xxx", "Miss");
        world.get("/a").await.is(200, "xxx", "Hit");
        assert!(buffer.is_unique());
    }

    #[test]
    fn nor_the_one_of_its_headers() {
        let buffer = Bytes::from(vec![b'x'; 400 << 10]);
        let mut shared = HeaderMap::new();
        for name in ["a", "b", "b"] {
            shared.append(name, HeaderValue::from_maybe_shared(buffer.slice(..3)).unwrap());
        }
        let kept = headers(&shared);
        assert_eq!(kept, shared);
        drop(shared);
        assert!(buffer.is_unique());
    }
}
