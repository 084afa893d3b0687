//! Who holds which name: alternate names of distributions and domains of tenants, each held once in
//! the installation.
//!
//! For: taking and leaving names within a change, and finding who stands in the way.
//! Not for: whether a certificate covers a name (`rules/planning`), nor what the DNS says.

use crate::{
    control::Control,
    store::{self, Change, Kept, Otherwise, key},
    wire::fault::Fault,
};
use model::{api::ErrorCode, ids::DistributionId};
use ports::metastore::Check;
use std::collections::BTreeSet;

/// How many names are read at a time.
const AT_ONCE: usize = 1000;

/// A name and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Lower case; a leading `*.` is a wildcard.
    pub name: String,
    /// Id of a distribution or a tenant.
    pub by: String,
}

/// Whether this holder is a tenant.
pub fn is_tenant(holder: &str) -> bool {
    DistributionId::from(holder).is_tenant()
}

/// The kind of a holder, as it stands in ARNs.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn kind_of(control: &Control, holder: &str) -> Result<&'static str, Fault> {
    if is_tenant(holder) {
        return Ok("distribution-tenant");
    }
    let streams = control.store().get(&format!("{STREAMING}/{holder}")).await?.is_some();
    Ok(if streams { STREAMING } else { "distribution" })
}

/// Kind of streaming distributions, whose names do not move.
pub const STREAMING: &str = "streaming-distribution";

/// How a holder is called in messages, and what to do about it.
async fn told(control: &Control, holder: &str) -> Result<String, Fault> {
    Ok(match kind_of(control, holder).await? {
        STREAMING => format!("streaming distribution {holder} already: take it away there"),
        "distribution-tenant" => format!(
            "distribution tenant {holder} already: move it with UpdateDomainAssociation, or take it \
             away there"
        ),
        _ => format!(
            "distribution {holder} already: move it with AssociateAlias or UpdateDomainAssociation, \
             or take it away there"
        ),
    })
}

/// Who holds this very name.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn holder(control: &Control, name: &str) -> Result<Option<Kept<String>>, Fault> {
    store::get(control.store(), &key::alias(name)).await
}

/// Adds to a change that `holder` takes the names of `now` and leaves those of `before` that it no
/// longer has.
///
/// # Errors
/// `CNAMEAlreadyExists` with the holder of a name that somebody else has.
pub async fn take(
    control: &Control,
    change: &mut Change,
    holder_id: &str,
    now: &BTreeSet<String>,
    before: &BTreeSet<String>,
) -> Result<(), Fault> {
    for name in now.difference(before) {
        if let Some(kept) = holder(control, name).await? {
            let message =
                format!("the name {name} belongs to the {}", told(control, &kept.value).await?);
            return Err(Fault::new(ErrorCode::CNAMEAlreadyExists, message));
        }
        let place = key::alias(name);
        change
            .when(Check::Absent(place.clone()), Otherwise::Again)
            .put(place, &holder_id.to_owned())?;
    }
    leave(change, before.difference(now));
    Ok(())
}

/// Adds to a change that nobody holds these names any more.
pub fn leave<'n>(change: &mut Change, names: impl IntoIterator<Item = &'n String>) {
    for name in names {
        change.delete(key::alias(name));
    }
}

/// Adds to a change that a name goes from whoever holds it to `target`.
///
/// # Errors
/// An internal fault when it has no JSON form.
pub fn hand_over(
    change: &mut Change,
    name: &str,
    held: Option<&Kept<String>>,
    target: &str,
) -> Result<(), Fault> {
    let place = key::alias(name);
    let as_found = held.map_or_else(|| Check::Absent(place.clone()), Kept::unchanged);
    change.when(as_found, Otherwise::Again).put(place, &target.to_owned())?;
    Ok(())
}

/// Whether a wildcard covers a name: `*.` stands for any number of labels, at least one.
fn below(wildcard: &str, name: &str) -> bool {
    let Some(parent) = wildcard.strip_prefix("*.") else { return false };
    name.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Whether two names stand for a common one: they are the same, or a wildcard covers the other.
pub fn overlap(one: &str, other: &str) -> bool {
    one == other || below(one, other) || below(other, one)
}

/// Up to `most` names that overlap with this one and are to be kept, after the name `after`, in order.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn overlapping(
    control: &Control,
    name: &str,
    after: &str,
    most: usize,
    keep: impl Fn(&Held) -> bool,
) -> Result<Vec<Held>, Fault> {
    if name.starts_with("*.") {
        return walk(control, name, after, most, keep).await;
    }
    let mut found = BTreeSet::new();
    for candidate in covering(name).filter(|candidate| candidate.as_str() > after) {
        if let Some(kept) = holder(control, &candidate).await? {
            found.insert(Held { name: candidate, by: kept.value });
        }
    }
    Ok(found.into_iter().filter(keep).take(most).collect())
}

/// The name itself, and every wildcard that covers it.
fn covering(name: &str) -> impl Iterator<Item = String> {
    let parents = name.match_indices('.').filter_map(|(dot, _)| name.get(dot..));
    std::iter::once(name.to_owned()).chain(parents.map(|rest| format!("*{rest}")))
}

/// Looks at every name there is: what a wildcard covers does not stand together.
async fn walk(
    control: &Control,
    name: &str,
    after: &str,
    most: usize,
    keep: impl Fn(&Held) -> bool,
) -> Result<Vec<Held>, Fault> {
    let (prefix, mut found) = (key::alias(""), Vec::new());
    let mut last = Some(key::alias(after)).filter(|_| !after.is_empty());
    loop {
        let page: Vec<Kept<String>> =
            store::list(control.store(), &prefix, last.as_deref(), AT_ONCE).await?;
        last = page.last().map(|kept| kept.key.clone());
        for kept in page {
            let other = kept.key.strip_prefix(&prefix).unwrap_or_default();
            let held = Held { name: other.to_owned(), by: kept.value };
            if overlap(name, other) && keep(&held) {
                found.push(held);
            }
            if found.len() >= most {
                return Ok(found);
            }
        }
        if last.is_none() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wildcard_covers_any_depth_and_not_its_own_parent() {
        for (one, other, common) in [
            ("www.example.com", "www.example.com", true),
            ("www.example.com", "*.example.com", true),
            ("a.b.example.com", "*.example.com", true),
            ("*.example.com", "*.b.example.com", true),
            ("example.com", "*.example.com", false),
            ("badexample.com", "*.example.com", false),
            ("www.example.com", "ftp.example.com", false),
            ("*.example.com", "*.example.org", false),
        ] {
            assert_eq!(overlap(one, other), common, "{one} {other}");
            assert_eq!(overlap(other, one), common, "{other} {one}");
        }
    }

    proptest! {
        #[test]
        fn what_covers_a_name_is_what_overlaps_with_it(name in "[a-c]{1,2}(\\.[a-c]{1,2}){0,3}",
                                                       other in "(\\*\\.)?[a-c]{1,2}(\\.[a-c]{1,2}){0,2}") {
            let listed = covering(&name).any(|one| one == other);
            prop_assert_eq!(listed, overlap(&name, &other));
        }
    }
}
