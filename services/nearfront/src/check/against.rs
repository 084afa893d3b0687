//! A configuration held against the distribution that stands: what would differ, and what the API says.

use super::Fault;
use crate::{
    api::{self, versioned},
    cli::Place,
    remote,
};
use anyhow::Result;
use http::Method;
use model::api::DistributionConfig;
use planning::{defaults, difference};

/// What came of it.
pub(super) struct Held {
    pub(super) faults: Vec<Fault>,
    pub(super) lints: Vec<String>,
    pub(super) differences: Vec<String>,
}

/// Asks the running Nearfront, in a dry run.
///
/// # Errors
/// When none runs, or it has no such distribution.
pub(super) async fn hold(place: &Place, id: &str, config: &DistributionConfig) -> Result<Held> {
    let api = remote::here(place)?;
    let path = versioned(&format!("/distribution/{}/config", api::escaped(id)));
    let standing = api.call(Method::GET, &path, &[], String::new()).await?.good()?;
    let tag = standing.etag().unwrap_or_default();
    let mut before: DistributionConfig = standing.shape()?;
    defaults::fill(&mut before);
    let headers = [("if-match", tag), ("x-nearfront-dry-run", "true".to_owned())];
    let body = api::body("DistributionConfig", config)?;
    let answer = api.call(Method::PUT, &path, &headers, body).await?;
    let lints = answer.all("x-nearfront-lint");
    let faults = answer.good().err().map(|refused| Fault {
        path: "(management API)".to_owned(),
        code: Some(refused.code),
        message: refused.message,
    });
    let tree = |config| anyhow::Ok(difference::plain(serde_json::to_value(config)?));
    let differences = difference::between(&tree(&before)?, &tree(config)?);
    Ok(Held {
        faults: faults.into_iter().collect(),
        lints,
        differences: differences.iter().map(ToString::to_string).collect(),
    })
}
