//! Which edges are alive, where they are, and how far each has come; and the same of DNS servers,
//! for what must be in force everywhere.

use crate::metastore::StoreError;
use async_trait::async_trait;
use model::{ids::EdgeId, units::Revision};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, time::Duration};

/// An edge beats this often, and at once after it has applied a change.
pub const BEAT_EVERY: Duration = Duration::from_secs(1);
/// An edge that has not beaten for this long is not alive.
pub const ALIVE_FOR: Duration = Duration::from_secs(3);

/// What it is that beats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An edge.
    #[default]
    Edge,
    /// A DNS server: it has no place and no ports, and nobody is sent to it.
    Dns,
}

/// What an edge says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Which edge.
    pub id: EdgeId,
    /// What it is.
    #[serde(default)]
    pub role: Role,
    /// Which start of it: another number after every restart.
    pub incarnation: u64,
    /// Its place as shown to viewers: `FRA1-P1`.
    pub pop: String,
    /// Degrees north and east.
    pub position: Option<(f64, f64)>,
    /// Where viewers reach it.
    pub addresses: Vec<IpAddr>,
    /// Port for HTTP.
    pub http_port: Option<u16>,
    /// Port for HTTPS.
    pub https_port: Option<u16>,
    /// Everything up to this commit is in force here.
    pub acknowledged: Revision,
}

/// The registry of edges.
///
/// Beats are kept in memory only: a registry that restarts is empty until the next beats.
#[async_trait]
pub trait EdgeRegistry: Send + Sync {
    /// I am alive. Replaces what the same edge said before.
    async fn beat(&self, beat: &Beat) -> Result<(), StoreError>;

    /// I am leaving: no longer alive from now on.
    async fn leave(&self, edge: &EdgeId) -> Result<(), StoreError>;

    /// The last beats of all that are alive, ordered by id.
    async fn edges(&self) -> Result<Vec<Beat>, StoreError>;
}
