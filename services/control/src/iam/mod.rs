//! Users, access keys and policies, in the form that IAM's and STS's clients speak.

use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{
        asked::{Asked, Written},
        fault::{Common, Fault},
    },
};

/// Does what the form asks. `id` is the request's own.
///
/// # Errors
/// Those of the operation.
#[expect(clippy::unused_async, reason = "operations look things up")]
pub async fn serve(_: &Control, _: Authorised<Asked>, _id: &str) -> Result<Written, Fault> {
    Err(Fault::common(Common::NotImplemented, "this server has no users yet"))
}
