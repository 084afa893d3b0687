//! A `DistributionConfig`: its shape first, then everything that the management API would refuse.

use super::{Fault, shape, xml};
use crate::offline;
use model::api::DistributionConfig;
use planning::{References, defaults};
use serde_json::Value;

/// Of JSON: bare, in `{"DistributionConfig": …}`, or in what `create-` and `update-distribution`
/// take and `get-distribution(-config)` prints. Its defaults are filled in.
pub(super) fn json(text: &str) -> Result<Box<DistributionConfig>, Vec<Fault>> {
    match serde_json::from_str(text) {
        Ok(tree) => shaped(unwrapped(tree)),
        Err(why) => {
            let message = format!("this is not JSON: {why}");
            Err(vec![Fault::new(format!("line {}", why.line()), message)])
        }
    }
}

/// Of XML with the root `DistributionConfig` (or `DistributionConfigWithTags`).
pub(super) fn xml(text: &str) -> Result<Box<DistributionConfig>, Vec<Fault>> {
    match xml::tree(text) {
        Ok(tree) => shaped(unwrapped(tree)),
        Err(why) => Err(vec![Fault::new("document", why)]),
    }
}

/// What is probably not meant, as far as that can be seen from here: policies of one's own are not
/// known.
pub(super) fn lints(config: &DistributionConfig) -> Vec<String> {
    let references = References { offline: true, ..References::default() };
    planning::lints::of(config, &references).iter().map(ToString::to_string).collect()
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

fn shaped(tree: Value) -> Result<Box<DistributionConfig>, Vec<Fault>> {
    let mut config = shape::read::<DistributionConfig>(tree)?;
    defaults::fill(&mut config);
    Ok(Box::new(config))
}

/// What the API would say, were everything there that the configuration refers to.
pub(super) fn refused(config: &DistributionConfig) -> Vec<Fault> {
    offline::faults(config)
        .into_iter()
        .map(|fault| Fault {
            path: fault.path,
            code: Some(format!("{:?}", fault.code)),
            message: fault.message,
        })
        .collect()
}
