//! From what was written to a tree of the right types, collecting what is wrong on the way.

use super::{
    Fault, PREFIX,
    keys::{self, Kind},
};
use config::{Value, ValueKind};
use serde_json::Value as Json;

/// Origin that the `config` crate gives to values from variables.
const ENVIRONMENT: &str = "the environment";

/// The tree, without what is wrong, and all that is wrong.
pub(super) fn walk(merged: &Value) -> (Json, Vec<Fault>) {
    let mut walk = Walk { faults: Vec::new() };
    let tree = walk.table("", "", merged);
    (tree, walk.faults)
}

/// The path of `key` in a table; keys with dots are quoted.
pub(super) fn below(table: &str, key: &str) -> String {
    let key =
        if key.is_empty() || key.contains('.') { format!("\"{key}\"") } else { key.to_owned() };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

struct Walk {
    faults: Vec<Fault>,
}

impl Walk {
    fn table(&mut self, pattern: &str, path: &str, value: &Value) -> Json {
        let ValueKind::Table(table) = &value.kind else {
            self.fault(path, value, format!("must be a table: [{path}]"));
            return Json::Object(serde_json::Map::new());
        };
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| *key);
        let entries = keys.into_iter().filter_map(|(key, value)| {
            let entry = self.entry(pattern, path, key, value)?;
            Some((key.clone(), entry))
        });
        Json::Object(entries.collect())
    }

    fn entry(&mut self, pattern: &str, path: &str, key: &str, value: &Value) -> Option<Json> {
        let any = below(pattern, "*");
        let pattern_here = if keys::is_table(&any) { any } else { below(pattern, key) };
        let path_here = below(path, key);
        let is_table = keys::is_table(&pattern_here);
        let given_as_table = is_table && matches!(value.kind, ValueKind::Table(_));
        if let Some(kind) = keys::kind(&pattern_here).filter(|_| !given_as_table) {
            return self.leaf(kind, &path_here, value);
        }
        if is_table {
            return Some(self.table(&pattern_here, &path_here, value));
        }
        let nearest = keys::nearest(pattern, key).unwrap_or_default();
        let problem = format!("there is no such key; the nearest is `{nearest}`");
        self.fault(&path_here, value, problem);
        None
    }

    fn leaf(&mut self, kind: Kind, path: &str, value: &Value) -> Option<Json> {
        let read = match kind {
            Kind::Text(check) => text(value, check),
            Kind::List(check) => list(value, check),
            Kind::Whole(least, most) => whole(value, least, most),
            Kind::Number(least, most) => number(value, least, most),
            Kind::Flag => flag(value),
        };
        read.map_err(|problem| self.fault(path, value, problem)).ok()
    }

    fn fault(&mut self, path: &str, value: &Value, problem: String) {
        let from_variable = value.origin() == Some(ENVIRONMENT);
        let name = || format!("{PREFIX}{}", path.replace('.', "__").to_uppercase());
        self.faults.push(Fault {
            path: path.to_owned(),
            problem,
            variable: from_variable.then(name),
        });
    }
}

type Read = Result<Json, String>;

/// The text of a value; only variables may give text where a number is meant.
fn variable(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::String(text) if value.origin() == Some(ENVIRONMENT) => Some(text.trim()),
        _ => None,
    }
}

fn text(value: &Value, check: fn(&str) -> super::values::Checked) -> Read {
    let ValueKind::String(text) = &value.kind else {
        return Err(format!("must be text, in quotes, not {}", what(&value.kind)));
    };
    check(text).map(|()| Json::from(text.as_str()))
}

fn list(value: &Value, check: fn(&str) -> super::values::Checked) -> Read {
    if let Some(text) = variable(value) {
        return items(text.split(',').map(str::trim), check);
    }
    let ValueKind::Array(values) = &value.kind else {
        let kind = what(&value.kind);
        return Err(format!("must be a list of texts, [\"…\", \"…\"], not {kind}"));
    };
    let texts: Option<Vec<_>> = values.iter().map(as_text).collect();
    let texts = texts.ok_or("every item must be text, in quotes")?;
    items(texts.into_iter(), check)
}

fn as_text(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::String(text) => Some(text),
        _ => None,
    }
}

fn items<'a>(
    texts: impl Iterator<Item = &'a str>,
    check: fn(&str) -> super::values::Checked,
) -> Read {
    let mut good = Vec::new();
    for (place, text) in texts.enumerate() {
        check(text).map_err(|problem| format!("item {}: {problem}", place + 1))?;
        good.push(Json::from(text));
    }
    Ok(Json::Array(good))
}

fn whole(value: &Value, least: i64, most: i64) -> Read {
    let number = match &value.kind {
        ValueKind::I64(number) => Some(*number),
        _ => variable(value).and_then(|text| text.parse().ok()),
    };
    number
        .filter(|number| (least..=most).contains(number))
        .map(Json::from)
        .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

fn number(value: &Value, least: f64, most: f64) -> Read {
    let number = match &value.kind {
        ValueKind::Float(number) => Some(*number),
        ValueKind::I64(number) => i32::try_from(*number).ok().map(f64::from),
        _ => variable(value).and_then(|text| text.parse().ok()),
    };
    number
        .filter(|number| (least..=most).contains(number))
        .map(Json::from)
        .ok_or_else(|| format!("must be a number from {least} to {most}"))
}

fn flag(value: &Value) -> Read {
    match (&value.kind, variable(value)) {
        (ValueKind::Boolean(flag), _) => Ok(Json::from(*flag)),
        (_, Some("true" | "1")) => Ok(Json::from(true)),
        (_, Some("false" | "0")) => Ok(Json::from(false)),
        _ => Err("must be true or false, without quotes".to_owned()),
    }
}

fn what(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Nil => "nothing",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::Float(_) => "a number",
        ValueKind::String(_) => "text",
        ValueKind::Table(_) => "a table",
        ValueKind::Array(_) => "a list",
        _ => "a whole number",
    }
}
