//! Whether the other end of a connection is still there.
//!
//! For: a viewer from whom nothing is heard is asked (RFC 9113 §6.7), and given up when nothing is
//! heard after that either. Not for: viewers that are there and ask for nothing.

use h2::{Ping, PingPong};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// After so long a silence the viewer is asked.
const SILENCE: Duration = Duration::from_secs(30);
/// So long it may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// Listens on one connection.
pub struct Alive {
    pings: Option<PingPong>,
    timer: Pin<Box<Sleep>>,
    asked: bool,
}

impl Alive {
    /// Begins to listen. Without `pings` nobody is ever asked.
    pub fn new(pings: Option<PingPong>) -> Self {
        Self { pings, timer: Box::pin(tokio::time::sleep(SILENCE)), asked: false }
    }

    /// Ready when the viewer has gone. `heard` tells whether anything came since it was last asked.
    pub fn poll_gone(&mut self, context: &mut Context<'_>, heard: impl Fn() -> bool) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            let wait = match (heard(), self.asked) {
                (false, true) => return Poll::Ready(()),
                (false, false) => self.ask(context),
                (true, _) => self.rest(),
            };
            self.timer.as_mut().reset(Instant::now() + wait);
        }
        Poll::Pending
    }

    fn ask(&mut self, context: &mut Context<'_>) -> Duration {
        if let Some(pings) = &mut self.pings {
            // An earlier answer has to be taken before the next question may be sent.
            let _ = pings.poll_pong(context);
            self.asked = pings.send_ping(Ping::opaque()).is_ok();
        }
        ANSWER
    }

    fn rest(&mut self) -> Duration {
        self.asked = false;
        SILENCE
    }
}
