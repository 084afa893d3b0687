//! Tags of certificates: kept as those of every other resource, spoken of in ACM's words.

use super::{
    KIND,
    api::{ByArn, found},
    card::Whole,
    refusal::{Refusal, Settled},
};
use crate::{
    api::tags::merged,
    control::Control,
    store::{self, Change, Kept, Otherwise, Stopped, key},
    wire::fault::Fault,
};
use ports::metastore::Check;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most tags of one call.
const MOST: usize = 50;

/// One tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// Tags of a certificate.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tagging {
    certificate_arn: String,
    tags: Vec<Tag>,
}

impl From<Tag> for model::api::Tag {
    fn from(tag: Tag) -> Self {
        Self { key: tag.key, value: tag.value }
    }
}

impl From<model::api::Tag> for Tag {
    fn from(tag: model::api::Tag) -> Self {
        Self { key: tag.key, value: tag.value }
    }
}

fn refused(fault: Fault) -> Refusal {
    let code = if fault.message.contains("at most") && fault.message.contains("tags") {
        "TooManyTagsException"
    } else if fault.code.as_str() == "InvalidTagging" {
        "InvalidTagException"
    } else {
        return fault.into();
    };
    Refusal::new(code, fault.message)
}

fn several(tags: &[Tag]) -> Result<(), Refusal> {
    if (1..=MOST).contains(&tags.len()) {
        return Ok(());
    }
    Err(Refusal::validation(format!("Tags has 1 to {MOST} items")))
}

/// Adds the tags of a certificate that is being made to the change that makes it.
pub(super) fn attach(
    control: &Control,
    change: &mut Change,
    id: &str,
    tags: &[Tag],
) -> Result<(), Refusal> {
    several(tags)?;
    let new = tags.iter().cloned().map(Into::into).collect();
    let tags = merged(control, Vec::new(), new).map_err(refused)?;
    change.put(key::resource_tags(KIND, id), &tags)?;
    Ok(())
}

pub(super) async fn list(control: &Control, wanted: ByArn) -> Result<Value, Refusal> {
    let whole = found(control, &wanted.certificate_arn).await?;
    let (_, tags) = kept(control, &whole).await?;
    let tags: Vec<Tag> = tags.into_iter().map(Into::into).collect();
    Ok(if tags.is_empty() { json!({}) } else { json!({"Tags": tags}) })
}

pub(super) async fn add(control: &Control, wanted: Tagging) -> Result<Value, Refusal> {
    several(&wanted.tags)?;
    let new: Vec<model::api::Tag> = wanted.tags.into_iter().map(Into::into).collect();
    change(control, &wanted.certificate_arn, |old| merged(control, old, new.clone())).await
}

/// A tag goes if its key is given alone, or with the value that it has.
pub(super) async fn remove(control: &Control, wanted: Tagging) -> Result<Value, Refusal> {
    several(&wanted.tags)?;
    let goes = |tag: &model::api::Tag| {
        let value = tag.value.as_deref().unwrap_or_default();
        wanted.tags.iter().any(|one| {
            one.key == tag.key && one.value.as_deref().is_none_or(|given| given == value)
        })
    };
    let rule = |old: Vec<model::api::Tag>| Ok(old.into_iter().filter(|tag| !goes(tag)).collect());
    change(control, &wanted.certificate_arn, rule).await
}

async fn kept(control: &Control, whole: &Whole) -> Result<(Check, Vec<model::api::Tag>), Fault> {
    let place = key::resource_tags(KIND, &whole.id);
    let kept: Option<Kept<Vec<model::api::Tag>>> = store::get(control.store(), &place).await?;
    Ok(match kept {
        None => (Check::Absent(place), Vec::new()),
        Some(kept) => (kept.unchanged(), kept.value),
    })
}

async fn change(
    control: &Control,
    arn: &str,
    rule: impl Fn(Vec<model::api::Tag>) -> Result<Vec<model::api::Tag>, Fault>,
) -> Result<Value, Refusal> {
    let settled = store::settle(|| async {
        let whole = match found(control, arn).await {
            Ok(whole) => whole,
            Err(refusal) => return Settled::refused(refusal),
        };
        let (unchanged, old) = kept(control, &whole).await?;
        let new = match rule(old) {
            Ok(new) => new,
            Err(fault) => return Settled::refused(refused(fault)),
        };
        write(control, &whole, unchanged, &new).await?;
        Ok(Settled::Done(()))
    })
    .await?;
    settled.end()?;
    Ok(json!({}))
}

async fn write(
    control: &Control,
    whole: &Whole,
    unchanged: Check,
    new: &[model::api::Tag],
) -> Result<(), Stopped> {
    let mut change = Change::default();
    let there = whole.card.as_ref().map(|kept| kept.key.clone());
    let there = there.or_else(|| whole.record.as_ref().map(|kept| kept.key.clone()));
    change
        .when(Check::Present(there.unwrap_or_default()), Otherwise::Again)
        .when(unchanged, Otherwise::Again)
        .put(key::resource_tags(KIND, &whole.id), &new)?;
    change.commit(control.store()).await?;
    Ok(())
}
