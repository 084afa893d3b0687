//! Reading a tree into a shape while collecting everything that does not fit.
//!
//! serde stops at the first thing it cannot read. So each fault is noted and mended by the simplest
//! value that fits, and reading starts again: what is mended is never used, only what comes after it.

use super::Fault;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How often reading starts again before it is given up.
const MOST: usize = 2000;

/// The shape, or everything that is wrong with the tree.
pub(super) fn read<T: DeserializeOwned>(mut tree: Value) -> Result<T, Vec<Fault>> {
    let mut faults: Vec<Fault> = Vec::new();
    for _ in 0..MOST {
        let (path, why) = match attempt::<T>(&tree) {
            Ok(shape) if faults.is_empty() => return Ok(shape),
            Ok(_) => return Err(faults),
            Err(failed) => failed,
        };
        let mended = mend::<T>(&mut tree, &path, &why);
        // What was missing was put in as null, which then is of the wrong type: one fault, not two.
        let fault = Fault::new(named(&path, &why), plain(&why));
        let known = faults.iter().any(|known| known.path == fault.path);
        if !known && !matches!(mended, Mended::Silently) {
            faults.push(fault);
        }
        if matches!(mended, Mended::No) {
            return Err(faults);
        }
    }
    Err(faults)
}

enum Mended {
    /// It was text for a number or a flag, or one thing for a list of one: XML's way.
    Silently,
    Yes,
    No,
}

fn attempt<T: DeserializeOwned>(tree: &Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(tree).map_err(|why| {
        let path = why.path().to_string();
        (if path == "." { String::new() } else { path }, why.inner().to_string())
    })
}

fn mend<T: DeserializeOwned>(tree: &mut Value, path: &str, why: &str) -> Mended {
    if let Some(name) = quoted(why, "unknown field `") {
        return remove(tree, path, &name);
    }
    if let Some(name) = quoted(why, "missing field `") {
        let Some(Value::Object(object)) = at(tree, path) else { return Mended::No };
        object.insert(name, Value::Null);
        return Mended::Yes;
    }
    replace::<T>(tree, path, why)
}

fn remove(tree: &mut Value, path: &str, name: &str) -> Mended {
    // serde names the field in the path when it knows it, and its parent otherwise.
    let parent = path.strip_suffix(name).map_or(path, |parent| parent.trim_end_matches('.'));
    let Some(Value::Object(object)) = at(tree, parent) else { return Mended::No };
    if object.remove(name).is_some() { Mended::Yes } else { Mended::No }
}

/// Tries the value itself read as XML means it, then one value of each kind.
fn replace<T: DeserializeOwned>(tree: &mut Value, path: &str, why: &str) -> Mended {
    let Some(was) = at(tree, path).cloned() else { return Mended::No };
    for (value, silently) in candidates(&was) {
        let Some(place) = at(tree, path) else { break };
        *place = value;
        let fits = attempt::<T>(tree).map_or_else(
            |(other_path, other)| other_path != path || complains_less(&other, why),
            |_| true,
        );
        if fits {
            return if silently { Mended::Silently } else { Mended::Yes };
        }
    }
    Mended::No
}

/// Whether the value now is of the right kind, though something below it is missing.
fn complains_less(now: &str, before: &str) -> bool {
    now != before && (now.starts_with("missing field") || now.starts_with("unknown field"))
}

fn candidates(was: &Value) -> Vec<(Value, bool)> {
    let text = was.as_str();
    let mut all = Vec::new();
    if let Some(text) = text {
        all.extend(text.parse::<bool>().ok().map(|flag| (flag.into(), true)));
        all.extend(text.parse::<i64>().ok().map(|number| (number.into(), true)));
        let nothing = text.trim().is_empty();
        all.extend(nothing.then(|| (Value::Object(Map::new()), true)));
    }
    if !was.is_array() && !was.is_null() {
        all.push((Value::Array(vec![was.clone()]), true));
    }
    let simplest = [
        Value::from(""),
        Value::from(0),
        Value::from(false),
        Value::Array(Vec::new()),
        Value::Object(Map::new()),
    ];
    all.extend(simplest.into_iter().map(|value| (value, false)));
    all
}

/// The value at a path such as `Origins.Items[0].Id`.
fn at<'a>(tree: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let steps = path.split(['.', '[']).filter(|step| !step.is_empty());
    steps.into_iter().try_fold(tree, |tree, step| match step.strip_suffix(']') {
        Some(index) => tree.get_mut(index.parse::<usize>().ok()?),
        None => tree.get_mut(step),
    })
}

fn quoted(why: &str, before: &str) -> Option<String> {
    let rest = why.strip_prefix(before)?;
    rest.split('`').next().map(str::to_owned)
}

/// The path with the field that is missing or too much.
fn named(path: &str, why: &str) -> String {
    let field = quoted(why, "missing field `").or_else(|| quoted(why, "unknown field `"));
    match field {
        Some(field) if path.is_empty() => field,
        Some(field) if !path.ends_with(&field) => format!("{path}.{field}"),
        _ => path.to_owned(),
    }
}

fn plain(why: &str) -> String {
    if why.starts_with("missing field") {
        return "is missing and required".to_owned();
    }
    match why.split_once("expected one of ") {
        Some((_, known)) if why.starts_with("unknown field") => {
            format!("is not a member of this shape; known are {known}")
        }
        _ => why.to_owned(),
    }
}
