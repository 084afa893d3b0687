//! How two configurations differ, by path.
//!
//! For: history, dry runs and `nearfront diff`: `CacheBehaviors.Items[2].MinTTL: 0 -> 60`.
//! Not for: what edges are sent.
//!
//! Members of lists are held against each other by what names them (an origin's `Id`, a behaviour's
//! `PathPattern`), so that one more at the front is one difference, not a difference in each.

use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt};

/// Members that name an element of a list, in the order in which they are tried.
const NAMES: [&str; 9] = [
    "Id",
    "PathPattern",
    "HeaderName",
    "Header",
    "Key",
    "ErrorCode",
    "FunctionARN",
    "LambdaFunctionARN",
    "Name",
];
/// Longest value in a line of text, in characters.
const MOST_SHOWN: usize = 80;

/// One thing that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where: `Origins.Items[0].DomainName`. The place after the change; before it, for what is gone.
    pub path: String,
    /// What stood there.
    pub before: Option<Value>,
    /// What stands there now.
    pub after: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (shown(self.before.as_ref()), shown(self.after.as_ref()));
        write!(out, "{}: {before} -> {after}", self.path)
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "(none)".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= MOST_SHOWN {
        return text;
    }
    text.chars().take(MOST_SHOWN).chain("…".chars()).collect()
}

/// A shape of the API as a tree whose lists are plain: the name that elements have on the wire
/// (`Items.CacheBehavior`) is left out, as the AWS CLI does. Shapes are read from it as well.
pub fn plain(tree: Value) -> Value {
    match tree {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| member(name, value)).collect())
        }
        Value::Array(items) => items.into_iter().map(plain).collect(),
        other => other,
    }
}

fn member(name: String, value: Value) -> (String, Value) {
    let list = match &value {
        Value::Object(inner) if name == "Items" && inner.len() == 1 => {
            inner.values().next().filter(|only| only.is_array()).cloned()
        }
        _ => None,
    };
    (name, plain(list.unwrap_or(value)))
}

/// Everything that differs, in the order of the members.
pub fn between(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(&mut found, "", before, after);
    found
}

fn walk(found: &mut Vec<Difference>, path: &str, before: &Value, after: &Value) {
    match (before, after) {
        (same, other) if same == other => {}
        (Value::Object(before), Value::Object(after)) => members(found, path, before, after),
        (Value::Array(before), Value::Array(after)) => elements(found, path, before, after),
        _ => add(found, path, Some(before), Some(after)),
    }
}

/// A member that is null counts as one that is not there.
fn members(
    found: &mut Vec<Difference>,
    path: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let there = |members: &'_ Map<String, Value>| {
            members.get(name).filter(|one| !one.is_null()).cloned()
        };
        match (there(before), there(after)) {
            (Some(before), Some(after)) => walk(found, &place, &before, &after),
            (before, after) => add(found, &place, before.as_ref(), after.as_ref()),
        }
    }
}

fn add(found: &mut Vec<Difference>, path: &str, before: Option<&Value>, after: Option<&Value>) {
    if before != after {
        let (before, after) = (before.cloned(), after.cloned());
        found.push(Difference { path: path.to_owned(), before, after });
    }
}

fn elements(found: &mut Vec<Difference>, path: &str, before: &[Value], after: &[Value]) {
    match name_of_elements(before, after) {
        Some(name) => by_name(found, path, name, before, after),
        None if before.iter().chain(after).all(is_word) => words(found, path, before, after),
        None => by_place(found, path, before, after),
    }
}

fn is_word(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// The member that tells the elements of both lists apart, if there is one.
fn name_of_elements(before: &[Value], after: &[Value]) -> Option<&'static str> {
    NAMES.into_iter().find(|name| {
        let unique = |list: &[Value]| {
            let named: Option<BTreeSet<String>> =
                list.iter().map(|one| one.get(name).map(Value::to_string)).collect();
            named.is_some_and(|named| named.len() == list.len())
        };
        unique(before) && unique(after)
    })
}

fn by_name(found: &mut Vec<Difference>, path: &str, name: &str, before: &[Value], after: &[Value]) {
    let mut kept_before = Vec::new();
    for (index, old) in before.iter().enumerate() {
        if after.iter().any(|new| new.get(name) == old.get(name)) {
            kept_before.extend(old.get(name));
        } else {
            add(found, &format!("{path}[{index}]"), Some(old), None);
        }
    }
    let mut kept_after = Vec::new();
    for (index, new) in after.iter().enumerate() {
        let place = format!("{path}[{index}]");
        match before.iter().find(|old| old.get(name) == new.get(name)) {
            Some(old) => {
                kept_after.extend(new.get(name));
                walk(found, &place, old, new);
            }
            None => add(found, &place, None, Some(new)),
        }
    }
    if kept_before != kept_after {
        let order = |names: Vec<&Value>| names.into_iter().cloned().collect::<Value>();
        let (before, after) = (order(kept_before), order(kept_after));
        add(found, &format!("{path}.order"), Some(&before), Some(&after));
    }
}

/// Lists of words: what is gone and what is new; the whole list where only the order differs.
fn words(found: &mut Vec<Difference>, path: &str, before: &[Value], after: &[Value]) {
    let count = found.len();
    for (index, old) in before.iter().enumerate().filter(|(_, old)| !after.contains(old)) {
        add(found, &format!("{path}[{index}]"), Some(old), None);
    }
    for (index, new) in after.iter().enumerate().filter(|(_, new)| !before.contains(new)) {
        add(found, &format!("{path}[{index}]"), None, Some(new));
    }
    if found.len() == count {
        let whole = |list: &[Value]| Value::from(list.to_vec());
        add(found, path, Some(&whole(before)), Some(&whole(after)));
    }
}

fn by_place(found: &mut Vec<Difference>, path: &str, before: &[Value], after: &[Value]) {
    for index in 0..before.len().max(after.len()) {
        let place = format!("{path}[{index}]");
        match (before.get(index), after.get(index)) {
            (Some(before), Some(after)) => walk(found, &place, before, after),
            (before, after) => add(found, &place, before, after),
        }
    }
}
