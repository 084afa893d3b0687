//! How far a change has come: done is what every live edge has acknowledged.

use crate::wire::fault::Fault;
use model::units::Revision;
use ports::registry::{EdgeRegistry, Role};

/// How far the edges have come at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    slowest: Option<Revision>,
}

impl Progress {
    /// Asks the registry. With no live edge everything counts as done.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the registry does not answer.
    pub async fn of(registry: &dyn EdgeRegistry) -> Result<Self, Fault> {
        let all = registry.edges().await?;
        let edges = all.iter().filter(|beat| beat.role == Role::Edge);
        Ok(Self { slowest: edges.map(|edge| edge.acknowledged).min() })
    }

    /// The same of everybody who answers others: edges and DNS servers.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the registry does not answer.
    pub async fn everywhere(registry: &dyn EdgeRegistry) -> Result<Self, Fault> {
        let all = registry.edges().await?;
        Ok(Self { slowest: all.iter().map(|beat| beat.acknowledged).min() })
    }

    /// Whether every live edge has this commit in force.
    pub fn reached(self, revision: Revision) -> bool {
        self.slowest.is_none_or(|slowest| slowest >= revision)
    }

    /// A distribution's `Status`.
    pub fn of_distribution(self, revision: Revision) -> &'static str {
        if self.reached(revision) { "Deployed" } else { "InProgress" }
    }

    /// `Status` of a VPC origin or an Anycast list.
    pub fn of_resource(self, revision: Revision) -> &'static str {
        if self.reached(revision) { "Deployed" } else { "Deploying" }
    }

    /// An invalidation's `Status`.
    pub fn of_invalidation(self, revision: Revision) -> &'static str {
        if self.reached(revision) { "Completed" } else { "InProgress" }
    }
}
