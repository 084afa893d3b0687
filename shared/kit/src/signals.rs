//! SIGTERM and SIGINT: the first asks to stop, the second insists.

use crate::drain::Stopper;
use std::{io, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long a process waits for those who still work.
pub const MOST_DRAIN: Duration = Duration::from_secs(15);
/// SIGXFSZ, a file beyond the limit that the operator set (setrlimit(2)). It ends the process unless
/// somebody listens; then the write fails with an error, which whoever writes can handle.
const FILE_TOO_LARGE: i32 = 25;

/// The signals that ask this process to stop.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Never waited for: that somebody listens is what matters.
    _file_too_large: Signal,
}

/// How draining ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everybody has finished.
    Drained,
    /// Another signal came.
    Insisted,
    /// Somebody still worked after the longest wait.
    TooLong,
}

impl Signals {
    /// From here on signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the system refuses handlers.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _file_too_large: signal(SignalKind::from_raw(FILE_TOO_LARGE))?,
        })
    }

    /// The next signal's name. Dropping the call loses nothing.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Tells everybody to stop and waits: until all have, until another signal, at most `most`.
pub async fn drain(stopper: Stopper, signals: &mut Signals, most: Duration) -> Ended {
    tokio::select! {
        () = stopper.stop() => Ended::Drained,
        _ = signals.next() => Ended::Insisted,
        () = tokio::time::sleep(most) => Ended::TooLong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain::channel;

    #[tokio::test(start_paused = true)]
    async fn draining_ends_when_everybody_has_finished() {
        let (stopper, drain_signal) = channel();
        let worker = tokio::spawn(async move {
            drain_signal.signalled().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
        });
        let mut signals = Signals::listen().unwrap();
        assert_eq!(drain(stopper, &mut signals, MOST_DRAIN).await, Ended::Drained);
        worker.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn draining_does_not_wait_forever() {
        let (stopper, _held) = channel();
        let mut signals = Signals::listen().unwrap();
        assert_eq!(drain(stopper, &mut signals, MOST_DRAIN).await, Ended::TooLong);
    }
}
