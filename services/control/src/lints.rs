//! Lints of what a call has just written: brings what the configuration refers to, and asks the rules.

use crate::{
    api::Kind,
    control::Control,
    history::Touched,
    publish::{self, Distribution},
    store::{self, key},
    wire::fault::Fault,
};
use planning::lints::{self, Lint};
use std::collections::BTreeSet;

/// Most distributions that are looked at for one call: a policy may have a thousand users.
const MOST: usize = 10;

/// What is doubtful in the distributions that a call has changed, and in those that use what it has
/// changed. What cannot be read now is not looked at.
pub async fn of(control: &Control, touched: &[Touched]) -> Vec<Lint> {
    match found(control, touched).await {
        Ok(found) => found,
        Err(fault) => {
            tracing::warn!(%fault, "lints could not be looked for");
            Vec::new()
        }
    }
}

async fn found(control: &Control, touched: &[Touched]) -> Result<Vec<Lint>, Fault> {
    let ids = distributions(control, touched).await?;
    let several = ids.len() > 1 || touched.iter().any(|one| one.resource.kind != "distribution");
    let mut all = Vec::new();
    for id in ids.into_iter().take(MOST) {
        let place = key::distribution(&id);
        let Some(kept) = store::get::<Distribution>(control.store(), &place).await? else {
            continue;
        };
        let references = publish::references(control, &kept.value.config).await?;
        let mut lints = lints::of(&kept.value.config, &references);
        for lint in lints.iter_mut().filter(|_| several) {
            lint.path = format!("distribution/{id} {}", lint.path);
        }
        all.extend(lints);
    }
    Ok(all)
}

async fn distributions(control: &Control, touched: &[Touched]) -> Result<BTreeSet<String>, Fault> {
    use crate::api::{
        cache_policies::CachePolicies, origin_request_policies::OriginRequestPolicies,
        response_headers_policies::ResponseHeadersPolicies,
    };
    const POLICIES: [&str; 3] =
        [CachePolicies::NAME, OriginRequestPolicies::NAME, ResponseHeadersPolicies::NAME];
    let mut ids = BTreeSet::new();
    for one in touched.iter().filter(|one| one.after.is_some()) {
        let resource = &one.resource;
        if resource.kind == "distribution" {
            ids.insert(resource.id.clone());
        } else if one.before.is_some() && POLICIES.contains(&resource.kind) {
            ids.extend(publish::users_of(control, resource.kind, &resource.id).await?);
        }
    }
    Ok(ids)
}
