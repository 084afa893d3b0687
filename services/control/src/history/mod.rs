//! What was changed, by whom and when: every version of every resource, and the way back to it.
//!
//! For: keeping versions in the very commit that makes them ([`recorder`]), reading them
//! ([`versions`]), telling them apart, and going back ([`rollback`]).
//! Not for: who may do what, nor for calls that changed nothing (the audit record has those).
//!
//! | key | value |
//! | --- | --- |
//! | `history/KIND/ID/FALLING` | [`Version`], the newest first |
//! | `gone/KIND/ID` | when the resource was deleted; its versions are kept for a while |

pub mod recorder;
pub mod resource;
mod rollback;
mod serve;
mod versions;
mod ways;

pub use recorder::Recorder;
pub use serve::{ROLLBACK, about, arn, owner_arn, serve};
pub use versions::{forget_deleted, last_tags};

use model::units::Timestamp;
use parking_lot::Mutex;
use resource::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Prefix of versions.
const HISTORY: &str = "history/";
/// Prefix of the marks of what was deleted.
const GONE: &str = "gone/";
/// One more than the greatest number of a version.
const NUMBERS: u64 = 10_000_000_000;

/// By whom and how something is changed.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Who: the id of the key that signed.
    pub by: String,
    /// The operation: `UpdateDistribution`.
    pub operation: String,
    /// The request's id.
    pub request: String,
    /// When.
    pub at: Timestamp,
}

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// It stood there before versions were kept.
    Found,
    /// It was made.
    Created,
    /// It was changed.
    Changed,
    /// It was deleted.
    Deleted,
}

/// One version of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// 1 is the first; each is one more than the one before.
    #[serde(rename = "Version")]
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who: the id of the key that signed; empty where that is not known.
    pub by: String,
    /// By which operation; empty where that is not known.
    pub operation: String,
    /// By which request; empty where that is not known.
    pub request: String,
    /// What became of the resource.
    pub what: What,
    /// The user's part of it; none once it is deleted.
    pub state: Option<Value>,
}

/// One resource before and after a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Touched {
    /// Which.
    pub resource: Resource,
    /// The user's part of it, before; none when it was not there.
    pub before: Option<Value>,
    /// The same, after.
    pub after: Option<Value>,
}

/// What one call has changed, or would change.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Vec<Touched>>);

/// A ledger that a store writes and its owner reads.
pub type SharedLedger = Arc<Ledger>;

impl Ledger {
    /// Adds what a commit has changed.
    pub fn add(&self, touched: impl IntoIterator<Item = Touched>) {
        self.0.lock().extend(touched);
    }

    /// All of it so far.
    pub fn all(&self) -> Vec<Touched> {
        self.0.lock().clone()
    }
}

/// Prefix of a resource's versions.
fn prefix(resource: &Resource) -> String {
    format!("{HISTORY}{resource}/")
}

/// The key of a version: falling, so that the newest stands first.
fn place(resource: &Resource, number: u64) -> String {
    format!("{}{:010}", prefix(resource), (NUMBERS - 1).saturating_sub(number))
}

fn gone(resource: &Resource) -> String {
    format!("{GONE}{resource}")
}
