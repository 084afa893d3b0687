//! A `DistributionConfig`: its shape first, then everything that the management API would refuse.

use super::{Fault, shape, xml};
use model::{api::DistributionConfig, ids::DistributionId};
use planning::{References, defaults, distribution};
use ports::clock::Clock;
use serde_json::Value;

/// The faults of JSON: bare, in `{"DistributionConfig": …}`, or in what `create-` and
/// `update-distribution` take and `get-distribution(-config)` prints.
pub(super) fn json(text: &str) -> Vec<Fault> {
    match serde_json::from_str(text) {
        Ok(tree) => faults(unwrapped(tree)),
        Err(why) => {
            vec![Fault::new(format!("line {}", why.line()), format!("this is not JSON: {why}"))]
        }
    }
}

/// The faults of XML with the root `DistributionConfig` (or `DistributionConfigWithTags`).
pub(super) fn xml(text: &str) -> Vec<Fault> {
    match xml::tree(text) {
        Ok(tree) => faults(unwrapped(tree)),
        Err(why) => vec![Fault::new("document", why)],
    }
}

fn unwrapped(tree: Value) -> Value {
    let wrappers = ["Distribution", "DistributionConfigWithTags", "DistributionConfig"];
    wrappers.into_iter().fold(tree, |mut tree, wrapper| {
        match tree.get_mut(wrapper).map(Value::take) {
            Some(inner) => inner,
            None => tree,
        }
    })
}

fn faults(tree: Value) -> Vec<Fault> {
    match shape::read::<DistributionConfig>(tree) {
        Ok(config) => refused(config),
        Err(faults) => faults,
    }
}

/// What the API would say, were everything there that the configuration refers to.
fn refused(mut config: DistributionConfig) -> Vec<Fault> {
    defaults::fill(&mut config);
    let identity = distribution::Identity {
        id: DistributionId::from("E0000000000000"),
        arn: "arn:aws:cloudfront::000000000000:distribution/E0000000000000".into(),
        domain: "d0000000000000.nearfront.localhost".into(),
    };
    let references =
        References { zone: "nearfront.localhost".into(), offline: true, ..References::default() };
    let now = kit::service::SystemClock.now();
    let refused = distribution::plan(&config, &identity, &references, now).err();
    let faults = refused.map(|faults| faults.0).unwrap_or_default();
    faults
        .into_iter()
        .map(|fault| Fault {
            path: fault.path,
            code: Some(format!("{:?}", fault.code)),
            message: fault.message,
        })
        .collect()
}
