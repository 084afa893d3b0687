//! Origins that lead back: a distribution must not be its own origin, neither itself nor through
//! others of this installation.
//!
//! Two writes at the same moment may close a loop between them; requests that go round are stopped
//! by the edges then, which know their own `CDN-Loop`.

use crate::{
    control::Control,
    publish::Distribution,
    store::{self, key},
    wire::fault::Fault,
};
use model::api::ErrorCode;
use planning::{Faults, distribution::covers};
use std::collections::{BTreeSet, VecDeque};

/// How many distributions are looked at; whoever chains more has other worries.
const MOST: usize = 64;

/// Whether a distribution's origins lead back to it, if they or its names have changed.
///
/// # Errors
/// `InvalidArgument` naming every origin that does.
pub async fn check(
    control: &Control,
    new: &Distribution,
    old: Option<&Distribution>,
) -> Result<(), Fault> {
    let of = |one: &Distribution| (origins(one), names(one));
    if old.is_some_and(|old| of(old) == of(new)) {
        return Ok(());
    }
    let mut faults = Faults::default();
    for (index, origin) in new.config.origins.items.iter().enumerate() {
        let name = origin.domain_name.to_ascii_lowercase();
        if origin.s3_origin_config.is_none() && leads_back(control, new, &name).await? {
            let path = format!("Origins.Items[{index}].DomainName");
            let message = format!("{name} leads back to this distribution: name the server itself");
            faults.add(path, ErrorCode::InvalidArgument, message);
        }
    }
    faults.into_result()?;
    Ok(())
}

/// Follows origins from distribution to distribution.
async fn leads_back(control: &Control, new: &Distribution, name: &str) -> Result<bool, Fault> {
    let own = names(new);
    let (mut seen, mut next) = (BTreeSet::new(), VecDeque::from([name.to_owned()]));
    while let Some(name) = next.pop_front() {
        if own.iter().any(|own| covers(own, &name)) {
            return Ok(true);
        }
        let Some(other) = holder(control, &name).await? else { continue };
        if other.id != new.id && seen.len() < MOST && seen.insert(other.id.clone()) {
            next.extend(origins(&other));
        }
    }
    Ok(false)
}

/// The distribution that answers to a name.
async fn holder(control: &Control, name: &str) -> Result<Option<Distribution>, Fault> {
    let wildcard = name.split_once('.').map(|(_, parent)| key::alias(&format!("*.{parent}")));
    let places = [Some(key::assigned(name)), Some(key::alias(name)), wildcard];
    for place in places.into_iter().flatten() {
        // Names may be held by others than distributions, which have no origins.
        let Some(entry) = control.store().get(&place).await? else { continue };
        let Ok(id) = serde_json::from_slice::<String>(&entry.value) else { continue };
        let found = store::get::<Distribution>(control.store(), &key::distribution(&id)).await?;
        return Ok(found.map(|kept| kept.value));
    }
    Ok(None)
}

/// Names of servers that it asks, buckets left out.
fn origins(distribution: &Distribution) -> BTreeSet<String> {
    let servers = distribution.config.origins.items.iter();
    let servers = servers.filter(|origin| origin.s3_origin_config.is_none());
    servers.map(|origin| origin.domain_name.to_ascii_lowercase()).collect()
}

/// Names that it answers to.
fn names(distribution: &Distribution) -> BTreeSet<String> {
    let aliases = distribution.config.aliases.iter().flat_map(|list| list.items.iter());
    let aliases = aliases.flat_map(|names| names.iter()).map(|name| name.to_ascii_lowercase());
    aliases.chain([distribution.domain.clone()]).collect()
}
