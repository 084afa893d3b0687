//! Reading what is there, page by page.

use crate::api::{Answer, Api, escaped, versioned};
use anyhow::{Context, Result};
use http::Method;
use model::api::{DistributionList, Tags};
use serde::de::DeserializeOwned;

/// Most pages that are read: a hundred distributions each.
const MOST_PAGES: usize = 1000;

/// The distributions that were asked for, or all there are.
///
/// # Errors
/// When they cannot be listed.
pub(super) async fn distributions(api: &Api, wanted: &[String]) -> Result<Vec<String>> {
    if !wanted.is_empty() {
        return Ok(wanted.to_vec());
    }
    let (mut ids, mut marker) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let from = marker.take().map(|marker| format!("Marker={}&", escaped(&marker)));
        let path = format!("/distribution?{}MaxItems=100", from.unwrap_or_default());
        let page: DistributionList = api.get(&path).await.context("listing distributions there")?;
        ids.extend(page.items.iter().flat_map(|items| items.iter()).map(|one| one.id.clone()));
        match page.next_marker.filter(|next| page.is_truncated && !next.is_empty()) {
            Some(next) => marker = Some(next),
            None => return Ok(ids),
        }
    }
    anyhow::bail!("there are more than {MOST_PAGES} pages of distributions")
}

/// A shape and its entity tag.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn read<T: DeserializeOwned>(api: &Api, path: &str) -> Result<(T, String)> {
    let answer = ask(api, path).await?.good().with_context(|| format!("reading {path}"))?;
    let tag = answer.etag().unwrap_or_default();
    let shape = answer.shape().with_context(|| format!("{path}: the answer makes no sense"))?;
    Ok((shape, tag))
}

/// Whatever is answered.
///
/// # Errors
/// When the API cannot be reached.
pub(super) async fn ask(api: &Api, path: &str) -> Result<Answer> {
    api.call(Method::GET, &versioned(path), &[], String::new()).await
}

/// The tags of what has this ARN.
///
/// # Errors
/// When they cannot be read.
pub(super) async fn tags(api: &Api, arn: &str) -> Result<Tags> {
    Ok(read(api, &format!("/tagging?Resource={}", escaped(arn))).await?.0)
}
