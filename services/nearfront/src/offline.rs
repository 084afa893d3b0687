//! What the management API would refuse in a configuration, seen without one: as if everything were
//! there that it refers to.
//!
//! For: `check`, and `import` before it asks the server.

use model::{api::DistributionConfig, ids::DistributionId};
use planning::{Fault, References, distribution};
use ports::clock::Clock;

/// Every fault, in the order in which the API tells them.
pub fn faults(config: &DistributionConfig) -> Vec<Fault> {
    let identity = distribution::Identity {
        id: DistributionId::from("E0000000000000"),
        arn: "arn:aws:cloudfront::000000000000:distribution/E0000000000000".into(),
        domain: "d0000000000000.nearfront.localhost".into(),
    };
    let references =
        References { zone: "nearfront.localhost".into(), offline: true, ..References::default() };
    let now = kit::service::SystemClock.now();
    let refused = distribution::plan(config, &identity, &references, now).err();
    refused.map(|faults| faults.0).unwrap_or_default()
}
