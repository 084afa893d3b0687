//! Firewalls of distributions.

use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{call::Call, reply::Answer},
};

/// Does what the call asks, if it is one of these operations.
#[expect(clippy::unused_async, reason = "operations look things up")]
pub async fn serve(_: &Control, _: &Authorised<Call>) -> Option<Answer> {
    None
}
