//! Tags of whatever can have some: everything whose record stands under `KIND/ID`, with the kind as
//! it stands in the resource's ARN.
//!
//! Source: CloudFront API reference, `TagResource`; AWS general reference, tag restrictions.

use super::resource::record_key;
use crate::{
    control::Control,
    ids,
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        call::Call,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::api::{ErrorCode, Tag, TagKeys, Tags};
use planning::Quota;
use ports::metastore::Check;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds that can have tags, as they stand in ARNs (CloudFront API reference, `TagResource`).
const TAGGABLE: [&str; 10] = [
    "distribution",
    "streaming-distribution",
    "distribution-tenant",
    "connection-group",
    "anycast-ip-list",
    "vpcorigin",
    "trust-store",
    "connection-function",
    "function",
    "key-value-store",
];

/// A resource that can have tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tagged<'a> {
    kind: &'static str,
    id: &'a str,
}

impl<'a> Tagged<'a> {
    /// From its ARN.
    ///
    /// # Errors
    /// `InvalidArgument` when it is no ARN of the service, `NoSuchResource` when it is none of this
    /// account's or of a kind without tags.
    pub fn from_arn(control: &Control, arn: &'a str) -> Result<Self, Fault> {
        if !arn.starts_with("arn:aws:cloudfront:") {
            let message = format!("Resource must be an ARN: {}", control.distribution_arn("ID"));
            return Err(Fault::new(ErrorCode::InvalidArgument, message));
        }
        let (kind, id) = arn
            .strip_prefix(&format!("arn:aws:cloudfront::{}:", control.account))
            .and_then(|rest| rest.split_once('/'))
            .filter(|(_, id)| ids::is_plain(id))
            .ok_or_else(no_such_resource)?;
        let kind = TAGGABLE.iter().find(|one| **one == kind).ok_or_else(no_such_resource)?;
        Ok(Self { kind, id })
    }

    fn record(self) -> String {
        record_key(self.kind, self.id)
    }

    fn place(self) -> String {
        key::resource_tags(self.kind, self.id)
    }
}

fn no_such_resource() -> Fault {
    Fault::new(ErrorCode::NoSuchResource, "no resource that has tags has this ARN")
}

/// Adds the tags of a resource that is being made to the change that makes it.
///
/// # Errors
/// `InvalidTagging`.
pub fn attach(
    control: &Control,
    change: &mut Change,
    kind: &str,
    id: &str,
    tags: Option<&Tags>,
) -> Result<(), Fault> {
    let tags = tags.and_then(|tags| tags.items.as_ref()).map(|tags| tags.0.clone());
    let tags = merged(control, Vec::new(), tags.unwrap_or_default())?;
    if !tags.is_empty() {
        change.put(key::resource_tags(kind, id), &tags)?;
    }
    Ok(())
}

/// The tags of a resource by its ARN, ordered by key.
///
/// # Errors
/// `NoSuchResource`.
pub async fn of(control: &Control, arn: &str) -> Result<Vec<Tag>, Fault> {
    Ok(kept(control, Tagged::from_arn(control, arn)?).await?.1)
}

/// `ListTagsForResource`.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let tags = of(control, call.required("Resource")?).await?;
    Reply::shape(call, &Tags { items: Some(tags.into_iter().collect()) })
}

/// `TagResource`: adds tags, and replaces the values of those that are there.
pub async fn tag(control: &Control, call: &Authorised<Call>) -> Answer {
    let resource = Tagged::from_arn(control, call.required("Resource")?)?;
    let body: Tags = call.body()?;
    let new = body.items.map(|tags| tags.0).unwrap_or_default();
    change(control, resource, |old| merged(control, old, new.clone())).await?;
    Ok(Reply::empty(call))
}

/// `UntagResource`: takes tags away; keys that are not there do no harm.
pub async fn untag(control: &Control, call: &Authorised<Call>) -> Answer {
    let resource = Tagged::from_arn(control, call.required("Resource")?)?;
    let body: TagKeys = call.body()?;
    let keys = body.items.map(|keys| keys.0).unwrap_or_default();
    let rest = |old: Vec<Tag>| Ok(old.into_iter().filter(|tag| !keys.contains(&tag.key)).collect());
    change(control, resource, rest).await?;
    Ok(Reply::empty(call))
}

/// These tags on top of those, ordered by key.
///
/// # Errors
/// `InvalidTagging` for keys and values out of bounds, for keys that are given twice, and for more
/// than the quota.
pub fn merged(control: &Control, old: Vec<Tag>, new: Vec<Tag>) -> Result<Vec<Tag>, Fault> {
    let there = old.len();
    new.iter().try_for_each(check)?;
    differ(&new)?;
    let all = old.into_iter().chain(new).map(|tag| (tag.key, tag.value.unwrap_or_default()));
    let all: BTreeMap<String, String> = all.collect();
    if all.len() > there && !control.quotas.allow(Quota::Tags, all.len()) {
        let most = control.quotas.most(Quota::Tags);
        return Err(invalid(format!("a resource has at most {most} tags")));
    }
    Ok(all.into_iter().map(|(key, value)| Tag { key, value: Some(value) }).collect())
}

fn check(tag: &Tag) -> Result<(), Fault> {
    let value = tag.value.as_deref().unwrap_or_default();
    if !(1..=128).contains(&tag.key.chars().count()) || value.chars().count() > 256 {
        return Err(invalid("a tag's key has 1 to 128 characters, its value at most 256"));
    }
    if tag.key.to_ascii_lowercase().starts_with("aws:") {
        return Err(invalid("keys that begin with aws: are reserved"));
    }
    if !tag.key.chars().chain(value.chars()).all(is_allowed) {
        return Err(invalid("tags hold letters, digits, blanks and _.:/=+-@ only"));
    }
    Ok(())
}

/// Policies know keys whatever their case, and are asked about all tags of a call together: a second
/// value of a key would pass where the first is allowed.
fn differ(tags: &[Tag]) -> Result<(), Fault> {
    let mut given = BTreeSet::new();
    match tags.iter().find(|tag| !given.insert(tag.key.to_lowercase())) {
        None => Ok(()),
        Some(twice) => Err(invalid(format!("the key {} is given twice", twice.key))),
    }
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::InvalidTagging, message)
}

async fn kept(
    control: &Control,
    resource: Tagged<'_>,
) -> Result<(Option<Kept<Vec<Tag>>>, Vec<Tag>), Fault> {
    if control.store().get(&resource.record()).await?.is_none() {
        return Err(no_such_resource());
    }
    let kept: Option<Kept<Vec<Tag>>> = store::get(control.store(), &resource.place()).await?;
    let tags = kept.as_ref().map(|kept| kept.value.clone()).unwrap_or_default();
    Ok((kept, tags))
}

async fn change(
    control: &Control,
    resource: Tagged<'_>,
    rule: impl Fn(Vec<Tag>) -> Result<Vec<Tag>, Fault>,
) -> Result<(), Fault> {
    store::settle(|| async {
        let (kept, old) = kept(control, resource).await?;
        let place = resource.place();
        let unchanged = kept.map_or(Check::Absent(place.clone()), |kept| kept.unchanged());
        let mut change = Change::default();
        change
            .when_or(Check::Present(resource.record()), no_such_resource())
            .when(unchanged, Otherwise::Again)
            .put(place, &rule(old)?)?;
        change.commit(control.store()).await
    })
    .await?;
    Ok(())
}
