//! Field-level encryption: its configurations, and the profiles that they choose from.

mod configs;
mod profiles;

use crate::{
    control::Control,
    sigv4::Authorised,
    wire::{call::Call, reply::Answer},
};

/// Does what the call asks, if it is one of these operations.
pub async fn serve(control: &Control, call: &Authorised<Call>) -> Option<Answer> {
    match configs::serve(control, call).await {
        None => profiles::serve(control, call).await,
        answered => answered,
    }
}
