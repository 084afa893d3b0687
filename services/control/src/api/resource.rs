//! What lives alike: policies, keys, key groups, encryption settings and the rest of what has an id.
//!
//! Each is known by a name of its own or by the caller's reference, guarded by an entity tag, and
//! not to be deleted while something uses it. What a resource uses, it marks; a change of something
//! that distributions use is a change of every one of them.

use super::uses;
use crate::{
    control::Control,
    ids, publish,
    store::{self, Change, Kept, Otherwise, Stopped, key},
    wire::{
        etag,
        fault::Fault,
        page::{Page, Wanted},
    },
};
use model::{api::ErrorCode, units::Timestamp};
use planning::{Faults, Quota, Quotas, References};
use ports::metastore::Check;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What no two resources of a kind share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'c> {
    /// The name that the user gave.
    Name(&'c str),
    /// The caller reference that the user gave; it cannot be changed.
    Reference(&'c str),
    /// Something else that only one may have, and what that is: `staging distribution`.
    Only(&'static str, &'c str),
}

/// Something that a resource refers to, which must be there and is marked as used.
#[derive(Clone, Debug)]
pub struct Use {
    /// Its kind's name: `public-key`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// What is wrong with the request when there is none.
    pub missing: Fault,
}

/// A kind of resource.
pub trait Kind: 'static {
    /// What the user writes.
    type Config: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// In keys and paths: `cache-policy`.
    const NAME: &'static str;
    /// There is none of this id.
    const MISSING: ErrorCode;
    /// There is one of this name or reference.
    const EXISTS: ErrorCode;
    /// Something uses it.
    const IN_USE: ErrorCode;
    /// The account has too many.
    const TOO_MANY: ErrorCode;
    /// How many the account may have.
    const QUOTA: Quota;
    /// Too many distributions use it.
    const TOO_MANY_USERS: ErrorCode;
    /// Whether making one again with the same reference and body gives the one that is there.
    const AGAIN_IS_THE_SAME: bool = false;

    /// What no other one has.
    fn known_by(config: &Self::Config) -> Known<'_>;
    /// Whether it may be kept.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn check(config: &Self::Config) -> Result<(), Faults>;
    /// The same, with the quotas on what one of them may hold.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn check_with(config: &Self::Config, _quotas: &Quotas) -> Result<(), Faults> {
        Self::check(config)
    }
    /// Fills in what has a default, so that answers are complete.
    fn fill(_config: &mut Self::Config) {}
    /// The caller reference of those that are known by a name and have a reference as well: no two
    /// share either of them.
    fn reference(_config: &Self::Config) -> Option<&str> {
        None
    }
    /// Whether `new` may replace `old`.
    ///
    /// # Errors
    /// Everything that is fixed for good and differs, beside the caller reference.
    fn check_update(_old: &Self::Config, _new: &Self::Config) -> Result<(), Faults> {
        Ok(())
    }
    /// A new id.
    fn new_id() -> String {
        ids::uuid()
    }
    /// Its id, where that follows from what the user wrote.
    fn own_id(_config: &Self::Config) -> Option<String> {
        None
    }
    /// The managed ones, by id.
    fn managed() -> Vec<(&'static str, &'static Self::Config)> {
        Vec::new()
    }
    /// What it refers to.
    fn uses(_config: &Self::Config) -> Vec<Use> {
        Vec::new()
    }
    /// What else changes with it, in the same commit: `old` is none when it is made, `new` when it is
    /// deleted.
    ///
    /// # Errors
    /// Whatever stands in the way.
    fn beside(
        _change: &mut Change,
        _new: Option<&Record<Self::Config>>,
        _old: Option<&Record<Self::Config>>,
    ) -> Result<(), Fault> {
        Ok(())
    }
    /// Puts it where plans are made from, if they are made from it.
    fn bring(_references: &mut References, _id: &str, _config: Self::Config) {}
}

/// As it is kept: `KIND/ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record<C> {
    /// Its id.
    pub id: String,
    /// Changes with every change.
    pub etag: String,
    /// When it was made; none for those from before this was kept.
    #[serde(default)]
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Timestamp,
    /// What the user wrote.
    pub config: C,
}

impl<C> Record<C> {
    /// `LastModifiedTime`.
    pub fn modified_iso(&self) -> String {
        ids::iso(self.modified)
    }

    /// `CreatedTime`.
    pub fn created_iso(&self) -> String {
        ids::iso(self.created.unwrap_or(self.modified))
    }
}

/// Which ones a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Managed and custom.
    All,
    /// Managed only.
    Managed,
    /// Custom only.
    Custom,
}

/// When the managed ones were last changed: 1 January 2026.
const MANAGED_SINCE: Timestamp = Timestamp(1_767_225_600_000);

impl Which {
    /// From the query parameter `Type`.
    ///
    /// # Errors
    /// `InvalidArgument` for other words than `managed` and `custom`.
    pub fn from(text: Option<&str>) -> Result<Self, Fault> {
        match text {
            None | Some("") => Ok(Self::All),
            Some("managed") => Ok(Self::Managed),
            Some("custom") => Ok(Self::Custom),
            Some(_) => {
                Err(Fault::new(ErrorCode::InvalidArgument, "Type must be managed or custom"))
            }
        }
    }
}

/// The key of a resource's record.
pub fn record_key(kind: &str, id: &str) -> String {
    format!("{kind}/{id}")
}

/// There is none.
pub fn missing<K: Kind>() -> Fault {
    let message = format!("the {} does not exist: list them to see which do", words::<K>());
    Fault::new(K::MISSING, message)
}

fn exists<K: Kind>(config: &K::Config) -> Fault {
    taken::<K>(match K::known_by(config) {
        Known::Name(_) => "name",
        Known::Reference(_) => "caller reference",
        Known::Only(what, _) => what,
    })
}

fn taken<K: Kind>(what: &str) -> Fault {
    Fault::new(K::EXISTS, format!("another {} has this {what} already", words::<K>()))
}

pub(super) fn words<K: Kind>() -> String {
    K::NAME.replace('-', " ")
}

fn managed<K: Kind>(id: &str) -> Option<Record<K::Config>> {
    K::managed().into_iter().find(|(one, _)| *one == id).map(managed_record::<K>)
}

fn managed_record<K: Kind>((id, config): (&'static str, &'static K::Config)) -> Record<K::Config> {
    let bytes = serde_json::to_vec(config).unwrap_or_default();
    Record {
        id: id.to_owned(),
        etag: ids::fixed_tag(&bytes),
        created: None,
        modified: MANAGED_SINCE,
        config: config.clone(),
    }
}

/// The custom one of this id, if there is one.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn custom<K: Kind>(
    control: &Control,
    id: &str,
) -> Result<Option<Kept<Record<K::Config>>>, Fault> {
    if !ids::is_plain(id) {
        return Ok(None);
    }
    store::get(control.store(), &record_key(K::NAME, id)).await
}

/// The one of this name or caller reference, if there is one.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn named<K: Kind>(
    control: &Control,
    name: &str,
) -> Result<Option<Kept<Record<K::Config>>>, Fault> {
    let place = key::name(K::NAME, name);
    match store::get::<String>(control.store(), &place).await? {
        Some(id) => custom::<K>(control, &id.value).await,
        None => Ok(None),
    }
}

/// The one of this ARN, of this id, or else of this name.
///
/// # Errors
/// [`Kind::MISSING`].
pub async fn identified<K: Kind>(
    control: &Control,
    identifier: &str,
) -> Result<Record<K::Config>, Fault> {
    let arn = control.arn(K::NAME, "");
    let word = identifier.strip_prefix(&arn).unwrap_or(identifier);
    let found = match custom::<K>(control, word).await? {
        Some(kept) => Some(kept),
        None => named::<K>(control, word).await?,
    };
    found.map(|kept| kept.value).ok_or_else(missing::<K>)
}

/// The one of this id, managed or custom.
///
/// # Errors
/// [`Kind::MISSING`].
pub async fn find<K: Kind>(control: &Control, id: &str) -> Result<Record<K::Config>, Fault> {
    if let Some(record) = managed::<K>(id) {
        return Ok(record);
    }
    custom::<K>(control, id).await?.map(|kept| kept.value).ok_or_else(missing::<K>)
}

/// Makes a new one.
///
/// # Errors
/// [`Kind::EXISTS`], [`Kind::TOO_MANY`]; whatever is wrong with the configuration.
pub async fn create<K: Kind>(
    control: &Control,
    config: K::Config,
) -> Result<Record<K::Config>, Fault> {
    create_with::<K>(control, config, |_, _| Ok(())).await
}

/// The same, with more in the change: tags, for example.
///
/// # Errors
/// Those of [`create`] and of `more`.
pub async fn create_with<K: Kind>(
    control: &Control,
    mut config: K::Config,
    more: impl Fn(&mut Change, &Record<K::Config>) -> Result<(), Fault>,
) -> Result<Record<K::Config>, Fault> {
    K::check_with(&config, &control.quotas)?;
    K::fill(&mut config);
    not_a_managed_name::<K>(&config)?;
    let now = control.now();
    let id = K::own_id(&config).unwrap_or_else(K::new_id);
    let record = Record { id, etag: ids::entity(), created: Some(now), modified: now, config };
    store::settle(|| async {
        if let Some(same) = made_before::<K>(control, &record.config).await? {
            return Ok(same);
        }
        uses::all_there::<K>(control, &record.config).await?;
        let mut change = Change::default();
        reserve::<K>(&mut change, &record)?;
        reserve_reference::<K>(&mut change, &record)?;
        room::<K>(control, &mut change).await?;
        let place = record_key(K::NAME, &record.id);
        change.when(Check::Absent(place.clone()), Otherwise::Again).put(place, &record)?;
        uses::mark::<K>(&mut change, &record, None)?;
        K::beside(&mut change, Some(&record), None)?;
        more(&mut change, &record)?;
        change.commit(control.store()).await?;
        Ok(record.clone())
    })
    .await
}

/// The one that was made with the same reference and body, where that gives it again.
async fn made_before<K: Kind>(
    control: &Control,
    config: &K::Config,
) -> Result<Option<Record<K::Config>>, Fault> {
    let Some(kept) = store::get::<String>(control.store(), &known_key::<K>(config)).await? else {
        return Ok(None);
    };
    let found = custom::<K>(control, &kept.value).await?.map(|kept| kept.value);
    match found.filter(|found| K::AGAIN_IS_THE_SAME && found.config == *config) {
        Some(same) => Ok(Some(same)),
        None => Err(exists::<K>(config)),
    }
}

/// Whether the account may have one more.
async fn room<K: Kind>(control: &Control, change: &mut Change) -> Result<(), Fault> {
    let most = control.quotas.most(K::QUOTA);
    let prefix = known_prefix::<K>();
    if control.take_room(change, (&prefix, key::census(&prefix)), most).await? {
        return Ok(());
    }
    let message = format!("the account has {most} of these already, which is its quota");
    Err(Fault::new(K::TOO_MANY, message))
}

fn known_prefix<K: Kind>() -> String {
    format!("name/{}/", K::NAME)
}

fn known_key<K: Kind>(config: &K::Config) -> String {
    let (Known::Name(text) | Known::Reference(text) | Known::Only(_, text)) = K::known_by(config);
    key::name(K::NAME, text)
}

/// The record's name is its own from now on. Whoever loses the race for one looks at who has it.
fn reserve<K: Kind>(change: &mut Change, record: &Record<K::Config>) -> Result<(), Fault> {
    let place = known_key::<K>(&record.config);
    let otherwise = if K::AGAIN_IS_THE_SAME {
        Otherwise::Again
    } else {
        Otherwise::Refuse(exists::<K>(&record.config))
    };
    change.when(Check::Absent(place.clone()), otherwise).put(place, &record.id)?;
    Ok(())
}

fn reference_key<K: Kind>(config: &K::Config) -> Option<String> {
    K::reference(config).map(|text| key::reference(K::NAME, text))
}

/// And so is its caller reference, if it has one beside its name.
fn reserve_reference<K: Kind>(
    change: &mut Change,
    record: &Record<K::Config>,
) -> Result<(), Fault> {
    if let Some(place) = reference_key::<K>(&record.config) {
        let free = Check::Absent(place.clone());
        change.when_or(free, taken::<K>("caller reference")).put(place, &record.id)?;
    }
    Ok(())
}

fn not_a_managed_name<K: Kind>(config: &K::Config) -> Result<(), Fault> {
    let taken = K::managed().iter().any(|(_, managed)| K::known_by(managed) == K::known_by(config));
    if taken { Err(exists::<K>(config)) } else { Ok(()) }
}

/// Replaces the configuration, and the plans of all distributions that use it, at once.
///
/// # Errors
/// `IllegalUpdate` for managed ones and for another caller reference; those of entity tags and
/// names; whatever is wrong with the configuration by itself or within a distribution that uses it.
pub async fn update<K: Kind>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
    mut config: K::Config,
) -> Result<Record<K::Config>, Fault> {
    if managed::<K>(id).is_some() {
        let message = "managed policies cannot be changed: make one of your own";
        return Err(Fault::new(ErrorCode::IllegalUpdate, message));
    }
    K::check_with(&config, &control.quotas)?;
    K::fill(&mut config);
    not_a_managed_name::<K>(&config)?;
    store::settle(|| async {
        let old = custom::<K>(control, id).await?.ok_or_else(missing::<K>)?;
        etag::check(if_match, &old.value.etag)?;
        check_known::<K>(&old.value.config, &config)?;
        K::check_update(&old.value.config, &config)?;
        let (etag, modified, config) = (ids::entity(), control.now(), config.clone());
        replace::<K>(control, &old, Record { etag, modified, config, ..old.value.clone() }).await
    })
    .await
}

/// Changes a record by a rule, which looks at the entity tag and gives a new one as it sees fit.
///
/// # Errors
/// [`Kind::MISSING`]; those of `rule`; whatever is wrong with the configuration that comes of it.
pub async fn change<K: Kind>(
    control: &Control,
    id: &str,
    rule: impl Fn(Record<K::Config>) -> Result<Record<K::Config>, Fault>,
) -> Result<Record<K::Config>, Fault> {
    store::settle(|| async {
        let old = custom::<K>(control, id).await?.ok_or_else(missing::<K>)?;
        let record = rule(old.value.clone())?;
        K::check_with(&record.config, &control.quotas)?;
        replace::<K>(control, &old, record).await
    })
    .await
}

async fn replace<K: Kind>(
    control: &Control,
    old: &Kept<Record<K::Config>>,
    record: Record<K::Config>,
) -> Result<Record<K::Config>, Stopped> {
    uses::all_there::<K>(control, &record.config).await?;
    let mut change = Change::default();
    change.when(old.unchanged(), Otherwise::Again).put(old.key.clone(), &record)?;
    if K::known_by(&old.value.config) != K::known_by(&record.config) {
        reserve::<K>(&mut change, &record)?;
        change.delete(known_key::<K>(&old.value.config));
    }
    uses::mark::<K>(&mut change, &record, Some(&old.value))?;
    K::beside(&mut change, Some(&record), Some(&old.value))?;
    publish::users::<K>(control, &mut change, &record.id, &record.config).await?;
    change.commit(control.store()).await?;
    Ok(record)
}

/// A name may be changed, a caller reference may not.
fn check_known<K: Kind>(old: &K::Config, new: &K::Config) -> Result<(), Fault> {
    let known = |config| match K::known_by(config) {
        Known::Reference(reference) => Some(reference),
        Known::Name(_) | Known::Only(..) => K::reference(config),
    };
    if known(old) == known(new) {
        return Ok(());
    }
    let message = "CallerReference: cannot be changed: send the one it was made with";
    Err(Fault::new(ErrorCode::IllegalUpdate, message))
}

/// Takes one away that nothing uses.
///
/// # Errors
/// `IllegalDelete` for managed ones; [`Kind::IN_USE`]; those of entity tags.
pub async fn delete<K: Kind>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
) -> Result<(), Fault> {
    delete_with::<K>(control, id, if_match, |_, _| Ok(())).await
}

/// The same, with more in the change.
///
/// # Errors
/// Those of [`delete`] and of `more`.
pub async fn delete_with<K: Kind>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
    more: impl Fn(&mut Change, &Record<K::Config>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if managed::<K>(id).is_some() {
        return Err(Fault::new(ErrorCode::IllegalDelete, "managed policies cannot be deleted"));
    }
    remove::<K>(control, id, |current| etag::check(if_match, current), more).await
}

/// The same for kinds that have no entity tags.
///
/// # Errors
/// Those of [`delete`] but for entity tags.
pub async fn erase<K: Kind>(control: &Control, id: &str) -> Result<(), Fault> {
    remove::<K>(control, id, |_| Ok(()), |_, _| Ok(())).await
}

async fn remove<K: Kind>(
    control: &Control,
    id: &str,
    may: impl Fn(&str) -> Result<(), Fault>,
    more: impl Fn(&mut Change, &Record<K::Config>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    store::settle(|| async {
        let old = custom::<K>(control, id).await?.ok_or_else(missing::<K>)?;
        may(&old.value.etag)?;
        let mut change = Change::default();
        change
            .when(old.unchanged(), Otherwise::Again)
            .when_or(
                Check::NoneUnder(key::users(K::NAME, id)),
                uses::in_use::<K>(control, id).await?,
            )
            .delete(old.key.clone())
            .delete(known_key::<K>(&old.value.config))
            .delete(key::resource_tags(K::NAME, id))
            .delete(key::newest_user(K::NAME, id));
        if let Some(reference) = reference_key::<K>(&old.value.config) {
            change.delete(reference);
        }
        uses::unmark::<K>(&mut change, &old.value);
        more(&mut change, &old.value)?;
        K::beside(&mut change, None, Some(&old.value))?;
        change.commit(control.store()).await
    })
    .await?;
    Ok(())
}

/// One page: the managed ones first, each part ordered by id. Every item says whether it is managed.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn page<K: Kind>(
    control: &Control,
    wanted: &Wanted,
    which: Which,
) -> Result<Page<(bool, Record<K::Config>)>, Fault> {
    let mut found = Vec::new();
    let managed_marker = managed::<K>(&wanted.marker).is_some();
    let first = wanted.marker.is_empty();
    if which != Which::Custom && (first || managed_marker) {
        let rest = K::managed().into_iter().filter(|(id, _)| *id > wanted.marker.as_str());
        found.extend(rest.map(|one| (true, managed_record::<K>(one))));
    }
    if which != Which::Managed {
        let prefix = record_key(K::NAME, "");
        let after = (!first && !managed_marker).then(|| record_key(K::NAME, &wanted.marker));
        let records = store::list(control.store(), &prefix, after.as_deref(), wanted.most + 1);
        found.extend(records.await?.into_iter().map(|kept| (false, kept.value)));
    }
    found.truncate(wanted.most + 1);
    Ok(wanted.page(found, |(_, record)| record.id.clone()))
}

/// One page of custom ones as they are kept, ordered by id.
///
/// # Errors
/// `ServiceUnavailable` when the store does not answer.
pub async fn kept<K: Kind>(
    control: &Control,
    wanted: &Wanted,
) -> Result<Page<Kept<Record<K::Config>>>, Fault> {
    let prefix = record_key(K::NAME, "");
    let after = (!wanted.marker.is_empty()).then(|| record_key(K::NAME, &wanted.marker));
    let most = wanted.most + 1;
    let found = store::list(control.store(), &prefix, after.as_deref(), most).await?;
    Ok(wanted.page(found, |kept: &Kept<Record<K::Config>>| kept.value.id.clone()))
}
