//! Invalidations: written for edges to read, done once every live edge has acknowledged them.
//!
//! The newest [`KEPT`] of a distribution are kept, and all that are in progress; older ones are
//! forgotten, where CloudFront would list them for ever.
//!
//! Source: CloudFront developer guide, "Invalidate files to remove content".

use super::tenants;
use crate::{
    control::Control,
    ids,
    publish::{self, no_such_distribution},
    sigv4::Authorised,
    status::Progress,
    store::{self, Change, Kept, Otherwise, Stopped, key},
    wire::{
        call::Call,
        fault::{Common, Fault},
        page::Wanted,
        reply::{Answer, Reply},
    },
};
use kit::drain::Drain;
use model::{
    api::{
        ErrorCode, Invalidation as Shape, InvalidationBatch, InvalidationList, InvalidationSummary,
        PathList, Paths,
    },
    feed::{Invalidation, KEPT_INVALIDATIONS},
    ids::DistributionId,
};
use planning::{Faults, Quota};
use ports::metastore::Check;
use std::sync::atomic::Ordering;

/// How many finished invalidations of one distribution are kept at least.
pub const KEPT: usize = KEPT_INVALIDATIONS;
/// Every so many creations, what is to be forgotten is looked for.
const FORGET_EVERY: u64 = 50;
/// How many records are read at a time.
const AT_ONCE: usize = 50;

/// What is in progress for one distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InProgress {
    /// Batches.
    pub batches: usize,
    /// Paths without a wildcard.
    pub paths: usize,
    /// Paths with one.
    pub wildcards: usize,
}

/// Whose copies are invalidated.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'c> {
    /// A distribution's, and those of all its tenants.
    Distribution(&'c str),
    /// One tenant's.
    Tenant(&'c str),
}

impl<'c> Whose<'c> {
    /// By the form of the id.
    fn of(id: &'c DistributionId) -> Self {
        if id.is_tenant() { Self::Tenant(id.as_str()) } else { Self::Distribution(id.as_str()) }
    }

    const fn id(self) -> &'c str {
        match self {
            Self::Distribution(id) | Self::Tenant(id) => id,
        }
    }

    /// The key of its record.
    fn record(self) -> String {
        match self {
            Self::Distribution(id) => key::distribution(id),
            Self::Tenant(id) => publish::tenants::place(id),
        }
    }

    fn missing(self) -> Fault {
        match self {
            Self::Distribution(_) => no_such_distribution(),
            Self::Tenant(_) => tenants::missing(),
        }
    }

    async fn must_exist(self, control: &Control) -> Result<(), Fault> {
        let there =
            ids::is_plain(self.id()) && control.store().get(&self.record()).await?.is_some();
        there.then_some(()).ok_or_else(|| self.missing())
    }

    fn path(self) -> &'static str {
        match self {
            Self::Distribution(_) => "distribution",
            Self::Tenant(_) => "distribution-tenant",
        }
    }
}

/// `CreateInvalidation`.
pub async fn create(control: &Control, call: &Authorised<Call>) -> Answer {
    create_for(control, call, Whose::Distribution(call.param("DistributionId")?)).await
}

/// `GetInvalidation`.
pub async fn get(control: &Control, call: &Authorised<Call>) -> Answer {
    get_for(control, call, Whose::Distribution(call.param("DistributionId")?)).await
}

/// `ListInvalidations`, newest first.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    list_for(control, call, Whose::Distribution(call.param("DistributionId")?)).await
}

/// Makes one.
///
/// # Errors
/// Those of the operation; `whose` must exist.
pub async fn create_for(control: &Control, call: &Authorised<Call>, whose: Whose<'_>) -> Answer {
    whose.must_exist(control).await?;
    let batch = checked(control, call.body()?)?;
    let made = store::settle(|| make(control, whose, &batch)).await?;
    if control.created.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
        forget_oldest_of_all(control, whose).await;
    }
    let path = format!("/{}/{}/invalidation/{}", whose.path(), whose.id(), made.value.id);
    Ok(answer(control, call, &made).await?.located(call, &path))
}

/// Shows the one that the path parameter `Id` names.
///
/// # Errors
/// `NoSuchInvalidation`; `whose` must exist.
pub async fn get_for(control: &Control, call: &Authorised<Call>, whose: Whose<'_>) -> Answer {
    let id = call.param("Id")?;
    whose.must_exist(control).await?;
    let place = format!("{}{id}", key::invalidations(whose.id()));
    let known = if ids::is_plain(id) {
        store::get::<Invalidation>(control.store(), &place).await?
    } else {
        None
    };
    let missing = || {
        let message = "there is no invalidation of this id here, or it was long ago";
        Fault::new(ErrorCode::NoSuchInvalidation, message)
    };
    answer(control, call, &known.ok_or_else(missing)?).await
}

/// Lists them, newest first.
///
/// # Errors
/// `InvalidArgument` for what is no page; `whose` must exist.
pub async fn list_for(control: &Control, call: &Authorised<Call>, whose: Whose<'_>) -> Answer {
    whose.must_exist(control).await?;
    let wanted = Wanted::from(&call.query)?;
    let prefix = key::invalidations(whose.id());
    let after = format!("{prefix}{}", wanted.marker);
    let after = (!wanted.marker.is_empty()).then_some(after.as_str());
    let found = store::list(control.store(), &prefix, after, wanted.most + 1).await?;
    let page = wanted.page(found, |kept: &Kept<Invalidation>| kept.value.id.clone());
    let progress = Progress::of(&*control.world.registry).await?;
    let summary = |kept: Kept<Invalidation>| InvalidationSummary {
        create_time: ids::iso(kept.value.created),
        status: progress.of_invalidation(kept.revision).to_owned(),
        id: kept.value.id,
    };
    let shown = InvalidationList {
        quantity: page.quantity(),
        is_truncated: page.next.is_some(),
        marker: page.marker,
        next_marker: page.next,
        max_items: page.max_items,
        items: page.items.map(|items| items.into_iter().map(summary).collect()),
    };
    Reply::shape(call, &shown)
}

/// What is in progress for a distribution.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn in_progress(
    control: &Control,
    distribution: &str,
    progress: Progress,
) -> Result<InProgress, Fault> {
    let mut sum = InProgress::default();
    let mut walk = Walk::of(distribution);
    loop {
        let found = walk.next(control).await?;
        let open: Vec<_> = found.iter().filter(|kept| !progress.reached(kept.revision)).collect();
        for kept in &open {
            sum.batches += 1;
            let wildcards = kept.value.paths.iter().filter(|path| is_wildcard(path)).count();
            sum.wildcards += wildcards;
            sum.paths += kept.value.paths.len() - wildcards;
        }
        // Newest first: where none is open, none further on is.
        if open.is_empty() {
            return Ok(sum);
        }
    }
}

/// Takes away all that is left of a deleted distribution. Nobody can see it any more, so a failure
/// is only logged.
pub async fn forget(control: &Control, distribution: &str) {
    let mut walk = Walk::of(distribution);
    while let Ok(found) = walk.next(control).await {
        if found.is_empty() {
            return;
        }
        if let Err(fault) = erase(control, distribution, &found).await {
            tracing::warn!(%fault, distribution, "invalidations of a deleted distribution stay");
        }
    }
}

/// Takes away what deleted distributions have left because the process ended between the deletion and
/// [`forget`]. What cannot be taken away now, or when it is time to stop, stays until the next start.
pub async fn forget_orphans(control: &Control, stopping: &Drain) {
    let prefix = model::feed::INVALIDATIONS;
    let mut after: Option<String> = None;
    while !stopping.is_signalled()
        && let Ok(found) =
            store::list::<Invalidation>(control.store(), prefix, after.as_deref(), 1).await
    {
        let Some(first) = found.into_iter().next() else { return };
        let whose = Whose::of(&first.value.distribution);
        if matches!(control.store().get(&whose.record()).await, Ok(None)) {
            forget(control, whose.id()).await;
        }
        // Behind all of this distribution's: ids have letters and digits only.
        after = Some(format!("{}~", key::invalidations(whose.id())));
    }
}

/// Reads a distribution's invalidations, newest first, a bounded number at a time.
struct Walk {
    prefix: String,
    after: Option<String>,
}

impl Walk {
    fn of(distribution: &str) -> Self {
        Self { prefix: key::invalidations(distribution), after: None }
    }

    async fn next(&mut self, control: &Control) -> Result<Vec<Kept<Invalidation>>, Fault> {
        let after = self.after.as_deref();
        let found: Vec<Kept<Invalidation>> =
            store::list(control.store(), &self.prefix, after, AT_ONCE).await?;
        self.after = found.last().map(|kept| kept.key.clone()).or(self.after.take());
        Ok(found)
    }
}

fn is_wildcard(path: &str) -> bool {
    path.ends_with('*')
}

fn checked(control: &Control, batch: InvalidationBatch) -> Result<InvalidationBatch, Fault> {
    let invalid = |message: String| Fault::new(ErrorCode::InvalidArgument, message);
    let paths = batch.paths.items.as_deref().unwrap_or_default();
    if usize::try_from(batch.paths.quantity) != Ok(paths.len()) {
        let (said, held) = (batch.paths.quantity, paths.len());
        let message = format!("Paths.Quantity is {said}, but Items holds {held}");
        return Err(Fault::new(ErrorCode::InconsistentQuantities, message));
    }
    if paths.is_empty() {
        return Err(invalid("Paths: at least one path is needed".to_owned()));
    }
    if !(1..=2048).contains(&batch.caller_reference.len()) {
        return Err(invalid("CallerReference: 1 to 2048 characters are needed".to_owned()));
    }
    if !control.quotas.allow(Quota::InvalidationPaths, paths.len()) {
        let most = control.quotas.most(Quota::InvalidationPaths);
        let message = format!("Paths: a batch holds at most {most} paths");
        return Err(Fault::new(ErrorCode::BatchTooLarge, message));
    }
    let mut faults = Faults::default();
    for (index, path) in paths.iter().enumerate() {
        if let Err(why) = invalidation::check_path(path) {
            faults.add(
                format!("Paths.Items[{index}]"),
                ErrorCode::InvalidArgument,
                why.to_string(),
            );
        }
    }
    faults.into_result()?;
    Ok(batch)
}

async fn make(
    control: &Control,
    whose: Whose<'_>,
    batch: &InvalidationBatch,
) -> Result<Kept<Invalidation>, Stopped> {
    let reference = reference(whose.id(), &batch.caller_reference);
    if let Some(earlier) = earlier(control, whose.id(), &reference).await? {
        return same(earlier, batch);
    }
    check_room(control, whose.id(), batch).await?;
    let now = control.now();
    let value = Invalidation {
        id: ids::invalidation(now),
        distribution: DistributionId(whose.id().to_owned()),
        paths: batch.paths.items.as_deref().unwrap_or_default().to_vec(),
        caller_reference: batch.caller_reference.clone(),
        created: now,
    };
    let place = format!("{}{}", key::invalidations(whose.id()), value.id);
    let mut change = Change::default();
    change
        .when_or(Check::Present(whose.record()), whose.missing())
        .when(Check::Absent(reference.clone()), Otherwise::Again)
        .when(Check::Absent(place.clone()), Otherwise::Again)
        .put(reference, &value.id)?
        .put(place.clone(), &value)?;
    if let Whose::Distribution(id) = whose {
        for_tenants(control, &mut change, id, &value).await?;
    }
    let revision = change.commit(control.store()).await?;
    Ok(Kept { key: place, value, revision })
}

/// Edges keep the copies of each tenant by themselves: what is invalidated for a multi-tenant
/// distribution is invalidated for each. A tenant that comes later has no copies.
async fn for_tenants(
    control: &Control,
    change: &mut Change,
    distribution: &str,
    made: &Invalidation,
) -> Result<(), Fault> {
    for tenant in publish::tenants::of_distribution(control, distribution).await? {
        let place = format!("{}{}", key::invalidations(&tenant), made.id);
        let own = Invalidation { distribution: DistributionId(tenant), ..made.clone() };
        change.put(place, &own)?;
    }
    Ok(())
}

fn reference(distribution: &str, caller_reference: &str) -> String {
    key::reference(&format!("invalidation/{distribution}"), caller_reference)
}

/// What was made with this caller reference before.
async fn earlier(
    control: &Control,
    distribution: &str,
    reference: &str,
) -> Result<Option<Kept<Invalidation>>, Fault> {
    let Some(id) = store::get::<String>(control.store(), reference).await? else {
        return Ok(None);
    };
    let place = format!("{}{}", key::invalidations(distribution), id.value);
    store::get(control.store(), &place).await
}

/// The same reference with the same paths means the same invalidation.
fn same(
    earlier: Kept<Invalidation>,
    batch: &InvalidationBatch,
) -> Result<Kept<Invalidation>, Stopped> {
    if earlier.value.paths.as_slice() == batch.paths.items.as_deref().unwrap_or_default() {
        return Ok(earlier);
    }
    let message =
        "an invalidation with this caller reference and other paths exists: send a new one";
    Err(Fault::common(Common::InvalidationBatchAlreadyExists, message).into())
}

/// Batches that come at the very same moment may together exceed the limits by one batch each.
async fn check_room(
    control: &Control,
    distribution: &str,
    batch: &InvalidationBatch,
) -> Result<(), Fault> {
    let progress = Progress::of(&*control.world.registry).await?;
    let open = in_progress(control, distribution, progress).await?;
    let paths = batch.paths.items.as_deref().unwrap_or_default();
    let wildcards = paths.iter().filter(|path| is_wildcard(path)).count();
    let quotas = &control.quotas;
    let fits = quotas.allow(Quota::InvalidationWildcards, open.wildcards + wildcards)
        && quotas.allow(Quota::InvalidationPaths, open.paths + paths.len() - wildcards);
    if fits {
        return Ok(());
    }
    Err(Fault::new(
        ErrorCode::TooManyInvalidationsInProgress,
        format!(
            "at most {} paths and {} wildcard paths may be in progress for one distribution: wait \
             until earlier ones are Completed",
            quotas.most(Quota::InvalidationPaths),
            quotas.most(Quota::InvalidationWildcards),
        ),
    ))
}

/// The oldest of a distribution and of its tenants, which have one for each of its own.
async fn forget_oldest_of_all(control: &Control, whose: Whose<'_>) {
    forget_oldest(control, whose.id()).await;
    if let Whose::Distribution(id) = whose {
        for tenant in publish::tenants::of_distribution(control, id).await.unwrap_or_default() {
            forget_oldest(control, &tenant).await;
        }
    }
}

/// Takes away what is beyond the newest [`KEPT`] and done. Tried again at a later creation when it
/// fails.
async fn forget_oldest(control: &Control, distribution: &str) {
    let Ok(progress) = Progress::of(&*control.world.registry).await else { return };
    let mut walk = Walk::of(distribution);
    let mut seen = 0;
    while let Ok(found) = walk.next(control).await {
        if found.is_empty() {
            return;
        }
        let spare = KEPT.saturating_sub(seen);
        seen += found.len();
        let old = found.into_iter().skip(spare).filter(|kept| progress.reached(kept.revision));
        let old: Vec<_> = old.collect();
        if let Err(fault) = erase(control, distribution, &old).await {
            tracing::warn!(%fault, distribution, "old invalidations stay for now");
        }
    }
}

async fn erase(
    control: &Control,
    distribution: &str,
    old: &[Kept<Invalidation>],
) -> Result<(), Fault> {
    if old.is_empty() {
        return Ok(());
    }
    let mut gone: Vec<String> = old.iter().map(|kept| kept.key.clone()).collect();
    for kept in old {
        // A tenant's copy has no reference; the tenant may have one of this name itself.
        let place = reference(distribution, &kept.value.caller_reference);
        let known = store::get::<String>(control.store(), &place).await?;
        gone.extend(known.filter(|known| known.value == kept.value.id).map(|_| place));
    }
    store::settle(|| async {
        let mut change = Change::default();
        for place in &gone {
            change.delete(place.clone());
        }
        change.commit(control.store()).await
    })
    .await?;
    Ok(())
}

async fn answer(control: &Control, call: &Call, kept: &Kept<Invalidation>) -> Answer {
    let progress = Progress::of(&*control.world.registry).await?;
    let invalidation = &kept.value;
    let shown = Shape {
        id: invalidation.id.clone(),
        status: progress.of_invalidation(kept.revision).to_owned(),
        create_time: ids::iso(invalidation.created),
        invalidation_batch: InvalidationBatch {
            paths: Paths {
                quantity: i32::try_from(invalidation.paths.len()).unwrap_or(i32::MAX),
                items: Some(PathList(invalidation.paths.clone())),
            },
            caller_reference: invalidation.caller_reference.clone(),
        },
    };
    Reply::shape(call, &shown)
}
