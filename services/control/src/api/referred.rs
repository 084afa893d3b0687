//! What distributions refer to by id: policies and origin access controls. They all live alike:
//! unique by name, guarded by an entity tag, not to be deleted while a distribution uses them, and a
//! change of one is a change of every distribution that does.

use crate::{
    control::Control,
    ids, publish,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        etag,
        fault::Fault,
        page::{Page, Wanted},
    },
};
use model::{api::ErrorCode, units::Timestamp};
use planning::{Faults, References};
use ports::metastore::Check;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A kind of thing that distributions refer to.
pub trait Kind: 'static {
    /// What the user writes.
    type Config: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// In keys and paths: `cache-policy`.
    const NAME: &'static str;
    /// There is none of this id.
    const MISSING: ErrorCode;
    /// There is one of this name.
    const EXISTS: ErrorCode;
    /// A distribution uses it.
    const IN_USE: ErrorCode;
    /// Too many distributions use it.
    const TOO_MANY_USERS: ErrorCode;

    /// Its unique name.
    fn name(config: &Self::Config) -> &str;
    /// Whether it may be kept.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn check(config: &Self::Config) -> Result<(), Faults>;
    /// A new id.
    fn new_id() -> String {
        ids::uuid()
    }
    /// The managed ones, by id.
    fn managed() -> Vec<(&'static str, &'static Self::Config)> {
        Vec::new()
    }
    /// Puts it where plans are made from.
    fn bring(references: &mut References, id: &str, config: Self::Config);
}

/// As it is kept: `KIND/ID`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record<C> {
    /// Its id.
    pub id: String,
    /// Changes with every change.
    pub etag: String,
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

fn record_key<K: Kind>(id: &str) -> String {
    format!("{}/{id}", K::NAME)
}

fn missing<K: Kind>() -> Fault {
    let message = format!("the {} does not exist: list them to see which do", words::<K>());
    Fault::new(K::MISSING, message)
}

fn exists<K: Kind>() -> Fault {
    Fault::new(K::EXISTS, format!("another {} has this name already", words::<K>()))
}

fn words<K: Kind>() -> String {
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
    store::get(control.store(), &record_key::<K>(id)).await
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
/// [`Kind::EXISTS`]; whatever is wrong with the configuration.
pub async fn create<K: Kind>(
    control: &Control,
    config: K::Config,
) -> Result<Record<K::Config>, Fault> {
    K::check(&config)?;
    not_a_managed_name::<K>(&config)?;
    let record = Record { id: K::new_id(), etag: ids::entity(), modified: control.now(), config };
    store::settle(|| async {
        let mut change = Change::default();
        reserve::<K>(&mut change, &record)?;
        let place = record_key::<K>(&record.id);
        change.when(Check::Absent(place.clone()), Otherwise::Again).put(place, &record)?;
        change.commit(control.store()).await
    })
    .await?;
    Ok(record)
}

/// The record's name is its own from now on.
fn reserve<K: Kind>(change: &mut Change, record: &Record<K::Config>) -> Result<(), Fault> {
    let place = key::name(K::NAME, K::name(&record.config));
    change.when_or(Check::Absent(place.clone()), exists::<K>()).put(place, &record.id)?;
    Ok(())
}

fn not_a_managed_name<K: Kind>(config: &K::Config) -> Result<(), Fault> {
    let taken = K::managed().iter().any(|(_, managed)| K::name(managed) == K::name(config));
    if taken { Err(exists::<K>()) } else { Ok(()) }
}

/// Replaces the configuration, and the plans of all distributions that use it, at once.
///
/// # Errors
/// `IllegalUpdate` for managed ones; those of entity tags and names; whatever is wrong with the
/// configuration by itself or within a distribution that uses it.
pub async fn update<K: Kind>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
    config: K::Config,
) -> Result<Record<K::Config>, Fault> {
    if managed::<K>(id).is_some() {
        let message = "managed policies cannot be changed: make one of your own";
        return Err(Fault::new(ErrorCode::IllegalUpdate, message));
    }
    K::check(&config)?;
    not_a_managed_name::<K>(&config)?;
    store::settle(|| async {
        let old = custom::<K>(control, id).await?.ok_or_else(missing::<K>)?;
        etag::check(if_match, &old.value.etag)?;
        let record = Record {
            id: id.to_owned(),
            etag: ids::entity(),
            modified: control.now(),
            config: config.clone(),
        };
        let mut change = Change::default();
        change.when(old.unchanged(), Otherwise::Again).put(old.key.clone(), &record)?;
        if K::name(&old.value.config) != K::name(&config) {
            reserve::<K>(&mut change, &record)?;
            change.delete(key::name(K::NAME, K::name(&old.value.config)));
        }
        publish::users::<K>(control, &mut change, id, &config).await?;
        change.commit(control.store()).await?;
        Ok(record)
    })
    .await
}

/// Takes one away that no distribution uses.
///
/// # Errors
/// `IllegalDelete` for managed ones; [`Kind::IN_USE`]; those of entity tags.
pub async fn delete<K: Kind>(
    control: &Control,
    id: &str,
    if_match: Option<&str>,
) -> Result<(), Fault> {
    if managed::<K>(id).is_some() {
        return Err(Fault::new(ErrorCode::IllegalDelete, "managed policies cannot be deleted"));
    }
    store::settle(|| async {
        let old = custom::<K>(control, id).await?.ok_or_else(missing::<K>)?;
        etag::check(if_match, &old.value.etag)?;
        let message = format!("a distribution uses this {}: change that first", words::<K>());
        let mut change = Change::default();
        change
            .when(old.unchanged(), Otherwise::Again)
            .when_or(Check::NoneUnder(key::users(K::NAME, id)), Fault::new(K::IN_USE, message))
            .delete(old.key.clone())
            .delete(key::name(K::NAME, K::name(&old.value.config)))
            .delete(key::newest_user(K::NAME, id));
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
        let prefix = record_key::<K>("");
        let after = (!first && !managed_marker).then(|| record_key::<K>(&wanted.marker));
        let records = store::list(control.store(), &prefix, after.as_deref(), wanted.most + 1);
        found.extend(records.await?.into_iter().map(|kept| (false, kept.value)));
    }
    found.truncate(wanted.most + 1);
    Ok(wanted.page(found, |(_, record)| record.id.clone()))
}
