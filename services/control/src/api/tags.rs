//! Tags of distributions, the only resource here that can have some.
//!
//! Source: CloudFront API reference, `TagResource`; AWS general reference, tag restrictions.

use super::distributions::{id_in_arn, must_exist};
use crate::{
    control::Control,
    sigv4::Authorised,
    store::{self, Change, Kept, Otherwise, key},
    wire::{
        call::Call,
        fault::Fault,
        reply::{Answer, Reply},
    },
};
use model::api::{ErrorCode, Tag, TagKeys, Tags};
use ports::metastore::Check;
use std::collections::BTreeMap;

/// Most tags of one resource.
const MOST_TAGS: usize = 50;

/// `ListTagsForResource`.
pub async fn list(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = id_in_arn(control, call.required("Resource")?)?;
    let (_, tags) = kept(control, id).await?;
    Reply::shape(call, &Tags { items: Some(tags.into_iter().collect()) })
}

/// `TagResource`: adds tags, and replaces the values of those that are there.
pub async fn tag(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = id_in_arn(control, call.required("Resource")?)?;
    let body: Tags = call.body()?;
    let new = body.items.map(|tags| tags.0).unwrap_or_default();
    change(control, id, |old| merged(old, new.clone())).await?;
    Ok(Reply::empty(call))
}

/// `UntagResource`: takes tags away; keys that are not there do no harm.
pub async fn untag(control: &Control, call: &Authorised<Call>) -> Answer {
    let id = id_in_arn(control, call.required("Resource")?)?;
    let body: TagKeys = call.body()?;
    let keys = body.items.map(|keys| keys.0).unwrap_or_default();
    let rest = |old: Vec<Tag>| Ok(old.into_iter().filter(|tag| !keys.contains(&tag.key)).collect());
    change(control, id, rest).await?;
    Ok(Reply::empty(call))
}

/// These tags on top of those, ordered by key.
///
/// # Errors
/// `InvalidTagging` for keys and values out of bounds and for more than fifty.
pub fn merged(old: Vec<Tag>, new: Vec<Tag>) -> Result<Vec<Tag>, Fault> {
    new.iter().try_for_each(check)?;
    let all = old.into_iter().chain(new).map(|tag| (tag.key, tag.value.unwrap_or_default()));
    let all: BTreeMap<String, String> = all.collect();
    if all.len() > MOST_TAGS {
        return Err(invalid(format!("a resource has at most {MOST_TAGS} tags")));
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

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(ErrorCode::InvalidTagging, message)
}

async fn kept(control: &Control, id: &str) -> Result<(Option<Kept<Vec<Tag>>>, Vec<Tag>), Fault> {
    let missing = Fault::new(ErrorCode::NoSuchResource, "no distribution has this ARN");
    if control.store().get(&key::distribution(id)).await?.is_none() {
        return Err(missing);
    }
    let kept: Option<Kept<Vec<Tag>>> = store::get(control.store(), &key::tags(id)).await?;
    let tags = kept.as_ref().map(|kept| kept.value.clone()).unwrap_or_default();
    Ok((kept, tags))
}

async fn change(
    control: &Control,
    id: &str,
    rule: impl Fn(Vec<Tag>) -> Result<Vec<Tag>, Fault>,
) -> Result<(), Fault> {
    store::settle(|| async {
        let (kept, old) = kept(control, id).await?;
        let place = key::tags(id);
        let unchanged = kept.map_or(Check::Absent(place.clone()), |kept| kept.unchanged());
        let mut change = Change::default();
        must_exist(&mut change, id);
        change.when(unchanged, Otherwise::Again).put(place, &rule(old)?)?;
        change.commit(control.store()).await
    })
    .await?;
    Ok(())
}
