//! Fetches outlive the viewers that began them; a worker's thread must outlive its fetches.
//!
//! For: a fetch runs on the thread of the viewer that began it, and that thread ends at shutdown as
//! soon as its last connection is closed. While others, on other threads, wait for one of its
//! fetches, the last connection is counted as open.
//! Not for: how long shutdown takes at most (`serve`).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Notify;

thread_local! {
    static HERE: Arc<Worker> = Arc::default();
}

/// One thread that serves viewers.
#[derive(Default)]
struct Worker {
    connections: AtomicUsize,
    fetches: AtomicUsize,
    idle: Notify,
}

/// A connection that is served by this thread.
pub struct Connected(Arc<Worker>);

/// A fetch that was begun on this thread.
pub struct Fetching(Arc<Worker>);

/// One connection more.
pub fn connected() -> Connected {
    let here = HERE.with(Arc::clone);
    here.connections.fetch_add(1, Ordering::Relaxed);
    Connected(here)
}

/// One fetch more.
pub fn fetching() -> Fetching {
    let here = HERE.with(Arc::clone);
    here.fetches.fetch_add(1, Ordering::Relaxed);
    Fetching(here)
}

impl Connected {
    /// The connection is closed: returns when the thread may end for all that it does. Dropping the
    /// call means that it may not wait.
    pub async fn leave(self) {
        loop {
            let idle = self.0.idle.notified();
            let is_last = self.0.connections.load(Ordering::Relaxed) == 1;
            if !is_last || self.0.fetches.load(Ordering::Relaxed) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        if self.0.fetches.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt as _, poll};
    use std::pin::pin;

    #[tokio::test]
    async fn the_last_connection_waits_for_every_fetch_and_no_other_does() {
        let (first, last) = (connected(), connected());
        let fetches = (fetching(), fetching());
        assert!(first.leave().now_or_never().is_some());
        let mut leaving = pin!(last.leave());
        assert!(poll!(&mut leaving).is_pending());
        drop(fetches.0);
        assert!(poll!(&mut leaving).is_pending());
        drop(fetches.1);
        assert!(poll!(&mut leaving).is_ready());
    }

    #[tokio::test]
    async fn without_a_fetch_nothing_is_waited_for() {
        assert!(connected().leave().now_or_never().is_some());
    }
}
