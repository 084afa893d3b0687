//! Pages of functions in their stages.

use super::{Coded, Staged, stages, which};
use crate::{
    api::resource::{self, Record},
    control::Control,
    store,
    wire::{
        fault::Fault,
        page::{Page, Wanted},
    },
};
use model::api::FunctionStage;

/// One page of stages, ordered by function, DEVELOPMENT first. A marker is the id of the last
/// function; where the page ends between a function's stages, `:` and the stage stand behind it.
///
/// # Errors
/// Those of [`Wanted::of`]; `ServiceUnavailable` when the store does not answer.
pub async fn page<K: Coded>(
    control: &Control,
    marker: Option<&str>,
    most: Option<&str>,
    stage: Option<FunctionStage>,
) -> Result<Page<(Record<Staged>, FunctionStage)>, Fault> {
    let (id, within) = match marker.and_then(|marker| marker.split_once(':')) {
        Some((id, within)) => (Some(id), which(Some(within))?),
        None => (marker, None),
    };
    let wanted = Wanted::of(id, most)?;
    let mut found = Vec::new();
    if let (Some(FunctionStage::DEVELOPMENT), Some(id)) = (within, id) {
        let kept = resource::custom::<K>(control, id).await?;
        found.extend(kept.iter().flat_map(|kept| rows(&kept.value, stage)).skip(1));
    }
    let prefix = resource::record_key(K::NAME, "");
    let mut after = Some(format!("{prefix}{}", wanted.marker)).filter(|place| *place != prefix);
    while found.len() <= wanted.most {
        let some =
            store::list::<Record<Staged>>(control.store(), &prefix, after.as_deref(), wanted.most);
        let some = some.await?;
        found.extend(some.iter().flat_map(|kept| rows(&kept.value, stage)));
        after = some.last().map(|kept| kept.key.clone());
        if some.len() < wanted.most {
            break;
        }
    }
    let next = found.get(wanted.most).map(|(record, _)| record.id.clone());
    Ok(wanted.page(found, |(record, stage)| match next.as_ref() {
        Some(next) if *next == record.id => format!("{}:{}", record.id, stage.as_str()),
        _ => record.id.clone(),
    }))
}

fn rows(
    record: &Record<Staged>,
    stage: Option<FunctionStage>,
) -> impl Iterator<Item = (Record<Staged>, FunctionStage)> {
    let shown = stages(record).into_iter().map(|shown| shown.which);
    let wanted: Vec<_> = shown.filter(|which| stage.is_none_or(|one| one == *which)).collect();
    wanted.into_iter().map(|which| (record.clone(), which))
}
