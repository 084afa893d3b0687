//! The contents of key value stores, in the form that their own API's clients speak.
//!
//! Source: Amazon CloudFront KeyValueStore API reference, 2022-07-26.

use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{
        asked::{Asked, Written},
        fault::{Common, Fault},
    },
};

/// Does what the request asks.
///
/// # Errors
/// Those of the operation.
#[expect(clippy::unused_async, reason = "operations look things up")]
pub async fn serve(_: &Control, _: Authorised<Asked>) -> Result<Written, Fault> {
    Err(Fault::common(Common::NotImplemented, "this server has no key value stores yet"))
}
