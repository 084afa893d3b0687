//! What edges act on, member by member, and what is refused because they do not: one table.
//!
//! For: the refusals themselves, the page of the guide that lists them, and the tests that prove for
//! every member of `DistributionConfig` that it is acted on, or kept for people, or refused.
//! Not for: whether a value that edges act on is a good one (the sibling modules).
//!
//! When an edge learns a member, its row changes from `refused` to `honoured` and names the test.

mod table;

use crate::{Faults, References};
use model::api::{DistributionConfig, ErrorCode};
use serde_json::Value;
use std::collections::BTreeSet;

/// What becomes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes effect, which the test of this name shows.
    Honoured(&'static str),
    /// It is for people or for other members' sake: kept and repeated, with this meaning.
    Kept(&'static str),
    /// It is refused wherever something is asked with it, and so is everything below it.
    Refused,
}

/// When something is asked with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is there and not empty.
    Given,
    /// It is true.
    True,
    /// It is a list with something in it, or with another `Quantity` than 0.
    Listed,
    /// It is one of these words.
    Words(&'static [&'static str]),
    /// Under a condition that is checked where the member's own rules are, told here in words.
    Checked(&'static str),
}

/// How a member, or some of its values, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub when: When,
    /// With which error; where the member names a resource, that is the error when there is none.
    pub code: ErrorCode,
    /// The kind of resource that it names, as in the resource's ARN and in keys. One that exists is
    /// refused with `UnsupportedOperation`.
    pub kind: Option<&'static str>,
    /// The reason, and what to do instead.
    pub why: &'static str,
}

/// One member of `DistributionConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its path: `Origins.Items[].Id`. A refused one stands for all below it.
    pub member: &'static str,
    /// What becomes of it.
    pub standing: Standing,
    /// Which values are refused.
    pub refusal: Option<Refusal>,
}

/// What stands before a behaviour's members.
const BEHAVIOURS: [&str; 2] = ["DefaultCacheBehavior.", "CacheBehaviors.Items[]."];

/// In how many places of one configuration a member is refused by name.
const MOST_PLACES: usize = 20;

/// Every row with the full path of its member: those of a behaviour come twice.
pub fn rows() -> impl Iterator<Item = (String, &'static Row)> {
    let own = table::DISTRIBUTION.iter().map(|row| (row.member.to_owned(), row));
    let both = |row: &'static Row| BEHAVIOURS.map(|place| (format!("{place}{}", row.member), row));
    own.chain(table::BEHAVIOUR.iter().flat_map(both))
}

/// Refuses what no edge does yet.
pub(super) fn check(faults: &mut Faults, config: &Value, references: &References) {
    for (member, row) in rows() {
        let Some(refusal) = &row.refusal else { continue };
        let places = found(config, &member).into_iter();
        let asked = places.filter(|(_, value)| asks(refusal.when, value));
        for (path, value) in asked.take(MOST_PLACES) {
            refuse(faults, path, value, refusal, references);
        }
    }
}

/// What a configuration names with members that are refused, by kind and id: whether there is such
/// a thing decides about the error.
pub fn named(config: &DistributionConfig) -> BTreeSet<(&'static str, String)> {
    let config = tree(config);
    let mut named = BTreeSet::new();
    for (member, row) in rows() {
        let Some(kind) = row.refusal.and_then(|refusal| refusal.kind) else { continue };
        let places = found(&config, &member);
        let texts = places.into_iter().filter_map(|(_, value)| value.as_str());
        named.extend(texts.filter(|text| !text.is_empty()).map(|text| (kind, id_in(text))));
    }
    named
}

/// A configuration as the tree that the table's paths are looked up in.
pub(super) fn tree(config: &DistributionConfig) -> Value {
    serde_json::to_value(config).unwrap_or_default()
}

/// The id in what names a resource: the ARN's or path's last part.
fn id_in(text: &str) -> String {
    text.rsplit('/').next().unwrap_or_default().to_owned()
}

fn refuse(
    faults: &mut Faults,
    path: String,
    value: &Value,
    refusal: &Refusal,
    references: &References,
) {
    let Some(kind) = refusal.kind else {
        return faults.add(path, refusal.code, refusal.why);
    };
    let id = id_in(value.as_str().unwrap_or_default());
    let what = kind.replace('-', " ");
    if references.offline {
        faults.add(path, ErrorCode::UnsupportedOperation, refusal.why);
    } else if references.known.contains(&(kind, id.clone())) {
        let message = format!("the {what} {id} exists, but {}", refusal.why);
        faults.add(path, ErrorCode::UnsupportedOperation, message);
    } else {
        faults.add(path, refusal.code, format!("there is no {what} {id:?}; {}", refusal.why));
    }
}

fn asks(when: When, value: &Value) -> bool {
    match when {
        When::Given => match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            _ => true,
        },
        When::True => value == &Value::Bool(true),
        When::Listed => {
            value.get("Quantity").is_some_and(|quantity| quantity != 0)
                || value.get("Items").is_some_and(|items| !listed(items).is_empty())
        }
        When::Words(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        When::Checked(_) => false,
    }
}

/// Everything at a path of the table, each with its own path: `Origins.Items[1].Id`.
fn found<'v>(config: &'v Value, member: &str) -> Vec<(String, &'v Value)> {
    let mut here = vec![(String::new(), config)];
    for part in member.split('.') {
        let (name, list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        let mut next = Vec::new();
        for (path, value) in here {
            let Some(value) = value.get(name) else { continue };
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{name}");
            if list {
                let items = listed(value).iter().enumerate();
                next.extend(items.map(|(index, item)| (format!("{path}[{index}]"), item)));
            } else {
                next.push((path, value));
            }
        }
        here = next;
    }
    here
}

/// The items of a list in either of its forms: plain, or under the items' element name.
pub(crate) fn listed(list: &Value) -> &[Value] {
    let plain = list.as_object().and_then(|named| named.values().next()).unwrap_or(list);
    plain.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The guide's table of what is refused for now, as Markdown.
pub fn guide() -> String {
    let mut lines = vec![
        "| member | refused | error | why |".to_owned(),
        "| --- | --- | --- | --- |".to_owned(),
    ];
    let own = table::DISTRIBUTION.iter().map(|row| (row.member.to_owned(), row));
    let both = table::BEHAVIOUR.iter().map(|row| (format!("…Behavior….{}", row.member), row));
    for (member, row) in own.chain(both) {
        if let Some(refusal) = &row.refusal {
            lines.push(format!(
                "| `{member}` | {} | {} | {} |",
                when(refusal),
                codes(refusal),
                refusal.why
            ));
        }
    }
    lines.join("\n")
}

fn when(refusal: &Refusal) -> String {
    match refusal.when {
        When::Given => "when given".to_owned(),
        When::True => "`true`".to_owned(),
        When::Listed => "when it lists any".to_owned(),
        When::Words(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        When::Checked(condition) => condition.to_owned(),
    }
}

fn codes(refusal: &Refusal) -> String {
    let code = refusal.code.as_str();
    match refusal.kind {
        Some(_) => format!("`{code}` where there is none, `UnsupportedOperation` where there is"),
        None => format!("`{code}`"),
    }
}
