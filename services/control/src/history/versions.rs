//! Versions as they are kept: found, listed, and forgotten once nobody can want them any more.

use super::{GONE, HISTORY, NUMBERS, Version, gone, place, prefix, resource::Resource};
use crate::{
    control::Control,
    store::{self, Change, Kept, Otherwise},
    wire::fault::Fault,
};
use model::units::Timestamp;
use ports::metastore::{Check, Entry, MetaStore, StoreError};
use serde_json::Value;

/// How many records are read at a time.
const AT_ONCE: usize = 200;

fn read(entry: &Entry) -> Result<Version, StoreError> {
    serde_json::from_slice(&entry.value)
        .map_err(|why| StoreError::Damaged(format!("the version {}: {why}", entry.key)))
}

/// The newest version of a resource.
pub(super) async fn newest_of(
    store: &dyn MetaStore,
    resource: &Resource,
) -> Result<Option<Version>, StoreError> {
    let found = store.list(&prefix(resource), None, 1).await?;
    found.first().map(read).transpose()
}

/// The newest version of a resource.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn newest(control: &Control, resource: &Resource) -> Result<Option<Version>, Fault> {
    Ok(newest_of(control.store(), resource).await?)
}

/// One version, if it is still kept.
pub(super) async fn one(
    control: &Control,
    resource: &Resource,
    number: u64,
) -> Result<Option<Version>, Fault> {
    if number == 0 || number >= NUMBERS {
        return Ok(None);
    }
    let found = store::get::<Version>(control.store(), &place(resource, number)).await?;
    Ok(found.map(|kept| kept.value))
}

/// Up to `most` versions that are older than `before`, the newest first.
pub(super) async fn older(
    control: &Control,
    resource: &Resource,
    before: Option<u64>,
    most: usize,
) -> Result<Vec<Version>, Fault> {
    let after = before.map(|number| place(resource, number));
    let found: Vec<Kept<Version>> =
        store::list(control.store(), &prefix(resource), after.as_deref(), most).await?;
    Ok(found.into_iter().map(|kept| kept.value).collect())
}

/// The tags that a resource had before it was deleted, by its ARN.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn last_tags(control: &Control, arn: &str) -> Result<Vec<(String, String)>, Fault> {
    let ours = format!("arn:aws:cloudfront::{}:", control.account);
    let Some(resource) = arn.strip_prefix(&ours).and_then(Resource::by_key) else {
        return Ok(Vec::new());
    };
    // The newest version is the deletion, which has no state.
    let found = older(control, &resource, None, 2).await?;
    let state = found.into_iter().find_map(|version| version.state);
    let tags = state.as_ref().and_then(|state| state.get("Tags")?.as_object());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(tags.into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect())
}

/// The resources that are deleted and of which versions are kept, with the time of the deletion.
pub(super) async fn deleted(control: &Control) -> Result<Vec<(Resource, Timestamp)>, Fault> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let found: Vec<Kept<Timestamp>> =
            store::list(control.store(), GONE, after.as_deref(), AT_ONCE).await?;
        let Some(last) = found.last() else { break };
        after = Some(last.key.clone());
        let known = found.into_iter().filter_map(|kept| {
            let place = kept.key.strip_prefix(GONE)?;
            Some((Resource::by_key(place)?, kept.value))
        });
        all.extend(known);
    }
    all.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    Ok(all)
}

/// Forgets the versions of what was deleted longest ago, beyond those that settings want kept. What
/// cannot be forgotten now is so next time.
pub async fn forget_deleted(control: &Control) {
    let most = usize::try_from(control.settings.control.deleted).unwrap_or(usize::MAX);
    let forgotten = async {
        for (resource, _) in deleted(control).await?.into_iter().skip(most) {
            forget(control, &resource).await?;
        }
        Ok::<_, Fault>(())
    };
    if let Err(fault) = forgotten.await {
        tracing::warn!(%fault, "versions of deleted resources stay for now");
    }
}

/// Takes away all versions of a resource, unless it was made anew meanwhile.
async fn forget(control: &Control, resource: &Resource) -> Result<(), Fault> {
    loop {
        let found = control.store().list(&prefix(resource), None, AT_ONCE).await?;
        let last = found.len() < AT_ONCE;
        let mut change = Change::default();
        // Whoever makes it anew takes the mark away.
        change.when(Check::Present(gone(resource)), Otherwise::Again);
        for entry in found {
            change.delete(entry.key);
        }
        if last {
            change.delete(gone(resource));
        }
        match change.commit(control.store()).await {
            Ok(_) if last => return Ok(()),
            Ok(_) => {}
            Err(store::Stopped::Refused(fault)) => return Err(fault),
            Err(store::Stopped::Again) => return Ok(()),
        }
    }
}

/// Whether anything is kept of a resource.
pub(super) async fn is_known(control: &Control, resource: &Resource) -> Result<bool, Fault> {
    let store = control.store();
    Ok(store.get(&resource.record()).await?.is_some()
        || !store.list(&format!("{HISTORY}{resource}/"), None, 1).await?.is_empty())
}
