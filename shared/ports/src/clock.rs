//! The time of day, so that tests can make it stand still.

use model::units::Timestamp;

/// Tells the time. Rules never ask: they are told `now`.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch. May step back when the machine's clock is set.
    fn now(&self) -> Timestamp;
}
