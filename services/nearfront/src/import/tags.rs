//! Tags of distributions: which are brought, and what is to be done where others stand here.

use super::{Import, report::Note};
use crate::api::{self, escaped};
use anyhow::Result;
use http::Method;
use model::api::{Tag, TagKeys, Tags};
use planning::difference;
use std::collections::BTreeMap;

/// What keys begin with that users cannot set, in lower case (AWS general reference, tag
/// restrictions). `CloudFormation` gives such tags to all that it makes.
const RESERVED: &str = "aws:";

/// Those that can be set here.
pub(super) fn own(tags: Tags, notes: &mut Vec<Note>) -> Tags {
    let items = tags.items.map(|items| items.0).unwrap_or_default();
    let (reserved, own): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|tag| tag.key.to_ascii_lowercase().starts_with(RESERVED));
    if !reserved.is_empty() {
        let keys: Vec<_> = reserved.into_iter().map(|tag| tag.key).collect();
        let why = format!("left off, since AWS keeps these keys for itself: {}", keys.join(", "));
        notes.push(Note::new("Tags", why));
    }
    Tags { items: Some(own.into()) }
}

/// What makes the tags that stand here those that are there.
#[derive(Debug, PartialEq)]
pub(super) struct Changes {
    gone: Vec<String>,
    given: Vec<Tag>,
    /// Each of them, for people.
    told: Vec<String>,
}

impl Changes {
    pub(super) fn between(here: &Tags, there: &Tags) -> Result<Self> {
        let (here, there) = (by_key(here), by_key(there));
        let gone = here.keys().filter(|key| !there.contains_key(*key)).cloned().collect();
        let given = there.iter().filter(|(key, value)| here.get(*key) != Some(*value));
        let given = given.map(|(key, value)| Tag { key: key.clone(), value: Some(value.clone()) });
        let (before, after) = (serde_json::to_value(&here)?, serde_json::to_value(&there)?);
        let told = difference::between(&before, &after).iter().map(ToString::to_string).collect();
        Ok(Self { gone, given: given.collect(), told })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.given.is_empty()
    }

    pub(super) fn notes(&self) -> impl Iterator<Item = Note> {
        self.told.iter().map(|line| Note::new("Tags", line.clone()))
    }
}

fn by_key(tags: &Tags) -> BTreeMap<String, String> {
    let items = tags.items.iter().flat_map(|items| items.iter());
    items.map(|tag| (tag.key.clone(), tag.value.clone().unwrap_or_default())).collect()
}

impl Import<'_> {
    /// Makes these changes to what has this ARN. What goes, goes first: one call takes a
    /// key once, whatever its case.
    ///
    /// # Errors
    /// When this Nearfront cannot be reached.
    pub(super) async fn tag(&self, arn: &str, changes: &Changes) -> Result<Result<(), String>> {
        let Changes { gone, given, .. } = changes;
        if !gone.is_empty() {
            let keys = TagKeys { items: Some(gone.clone().into()) };
            let done = self.tagging("Untag", arn, api::body("TagKeys", &keys)?).await?;
            // A dry run leaves in place what would be gone, so the rest cannot be tried after it.
            if done.is_err() || self.asked.plan {
                return Ok(done);
            }
        }
        if given.is_empty() {
            return Ok(Ok(()));
        }
        let tags = Tags { items: Some(given.clone().into()) };
        self.tagging("Tag", arn, api::body("Tags", &tags)?).await
    }

    async fn tagging(
        &self,
        operation: &str,
        arn: &str,
        body: String,
    ) -> Result<Result<(), String>> {
        let path = format!("/tagging?Operation={operation}&Resource={}", escaped(arn));
        let answer = self.change(Method::POST, &path, Vec::new(), body).await?;
        Ok(answer.good().map(|_| ()).map_err(|refused| refused.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(all: &[(&str, &str)]) -> Tags {
        let tag = |(key, value): &(&str, &str)| Tag {
            key: (*key).to_owned(),
            value: Some((*value).to_owned()),
        };
        Tags { items: Some(all.iter().map(tag).collect()) }
    }

    #[test]
    fn tags_that_are_not_there_go_and_the_others_come() {
        let here = tags(&[("kept", "1"), ("other", "1"), ("gone", "1")]);
        let there = tags(&[("kept", "1"), ("other", "2"), ("new", "1")]);
        let changes = Changes::between(&here, &there).unwrap();
        assert_eq!(changes.gone, ["gone"]);
        assert_eq!(
            Tags { items: Some(changes.given.into()) },
            tags(&[("new", "1"), ("other", "2")])
        );
        assert_eq!(
            changes.told,
            ["gone: \"1\" -> (none)", "new: (none) -> \"1\"", "other: \"1\" -> \"2\""]
        );
        assert!(Changes::between(&here, &here).unwrap().is_empty());
        assert!(Changes::between(&tags(&[]), &Tags { items: None }).unwrap().is_empty());
    }

    #[test]
    fn what_aws_keeps_for_itself_is_left_off() {
        let mut notes = Vec::new();
        let left =
            own(tags(&[("aws:cloudformation:stack-name", "web"), ("team", "web")]), &mut notes);
        assert_eq!(left, tags(&[("team", "web")]));
        assert_eq!(notes.len(), 1);
        assert!(notes[0].reason.contains("aws:cloudformation:stack-name"));
        own(left, &mut notes);
        assert_eq!(notes.len(), 1);
    }
}
