//! Stopping cleanly: everybody hears the signal, and the process waits for who still works.

use tokio::sync::watch;

/// Heard by every task of a service; clones hear the same signal.
#[derive(Clone, Debug)]
pub struct Drain {
    stopping: watch::Receiver<bool>,
}

/// Says "stop", and waits until nobody holds a [`Drain`] any more.
#[derive(Debug)]
pub struct Stopper {
    stopping: watch::Sender<bool>,
}

/// A stopper and what hears it.
#[must_use]
pub fn channel() -> (Stopper, Drain) {
    let (sender, receiver) = watch::channel(false);
    (Stopper { stopping: sender }, Drain { stopping: receiver })
}

impl Stopper {
    /// Tells everybody to stop. Returns once all drains are dropped; dropping the call half-way
    /// leaves the signal given.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        self.stopping.closed().await;
    }
}

impl Drain {
    /// Returns once it is time to stop; also when the stopper is gone.
    pub async fn signalled(&self) {
        let mut stopping = self.stopping.clone();
        let _ = stopping.wait_for(|stop| *stop).await;
    }

    /// Whether it is time to stop.
    pub fn is_signalled(&self) -> bool {
        *self.stopping.borrow()
    }
}
