//! Reading settings: the file, then the environment, and every fault at once.
//!
//! For: turning `nearfront.toml` and `NEARFRONT__SECTION__KEY` variables into [`Settings`].
//! Not for: whether addresses are free or databases can be opened; those who open them say so.
//!
//! An empty variable counts as unset. Lists are separated by commas in variables.

mod keys;
mod secrets;
mod values;
mod walk;

use crate::settings::Settings;
use config::{Config, Environment, File, FileFormat};
use serde::Serialize;
use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
};

/// Where settings are looked for when no path is given.
pub const DEFAULT_FILE: &str = "nearfront.toml";
/// What the names of variables begin with.
pub const PREFIX: &str = "NEARFRONT__";

/// Variables of the environment by name.
pub type Variables = HashMap<String, String>;

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which key, as `edge.http`; for what is not even TOML, the line: `line 3`.
    pub path: String,
    /// What is wrong and what to write instead.
    pub problem: String,
    /// The variable it came from; none: the file.
    pub variable: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path, self.problem)?;
        match &self.variable {
            Some(name) => write!(out, " (set by {name})"),
            None => Ok(()),
        }
    }
}

/// Settings cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file that was asked for is not readable.
    #[error("the settings file {} cannot be read: {why}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
    /// All that is wrong with it.
    #[error("the settings are not good:{}", listed(.0))]
    Faulty(Vec<Fault>),
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |list, fault| format!("{list}\n  {fault}"))
}

/// Reads `file`, or [`DEFAULT_FILE`] where that exists, and the environment of this process; then
/// the files that hold secrets.
///
/// # Errors
/// When a file cannot be read; otherwise all faults together.
pub fn load(file: Option<&Path>) -> Result<Settings, LoadError> {
    let text = text_of(file)?;
    let settings = read(&text, environment()).map_err(LoadError::Faulty)?;
    secrets::fill(settings).map_err(LoadError::Faulty)
}

fn text_of(file: Option<&Path>) -> Result<String, LoadError> {
    let path = file.unwrap_or_else(|| Path::new(DEFAULT_FILE));
    match std::fs::read_to_string(path) {
        Err(why) if file.is_none() && why.kind() == std::io::ErrorKind::NotFound => {
            Ok(String::new())
        }
        read => read.map_err(|why| LoadError::Unreadable { path: path.to_owned(), why }),
    }
}

/// The variables of this process that may be settings. Names and values that are not UTF-8 come
/// with replacement characters, so that they are refused by name.
pub fn environment() -> Variables {
    std::env::vars_os()
        .map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            (name, value.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// Settings from the text of a file and variables. Opens no other file.
///
/// # Errors
/// All faults, ordered by path.
pub fn read(text: &str, variables: Variables) -> Result<Settings, Vec<Fault>> {
    let table = toml::from_str::<toml::Table>(text).map_err(|why| vec![syntax(text, &why)])?;
    let odd = odd(&table, &variables);
    if !odd.is_empty() {
        return Err(odd);
    }
    let tables = whole_tables(&variables);
    let merged = merge(text, without(variables, &tables)).map_err(|fault| vec![fault])?;
    let (tree, mut faults) = walk::walk(&merged);
    faults.extend(tables);
    match serde_json::from_value::<Settings>(tree) {
        Ok(settings) => {
            faults.extend(together(&settings));
            if faults.is_empty() {
                return Ok(settings);
            }
        }
        Err(why) if faults.is_empty() => faults.push(fault("settings", why.to_string())),
        Err(_) => {}
    }
    faults.sort_by(|one, other| one.path.cmp(&other.path));
    Err(faults)
}

fn fault(path: impl Into<String>, problem: impl Into<String>) -> Fault {
    Fault { path: path.into(), problem: problem.into(), variable: None }
}

fn merge(text: &str, variables: Variables) -> Result<config::Value, Fault> {
    let environment = Environment::with_prefix("NEARFRONT")
        .prefix_separator("__")
        .separator("__")
        .ignore_empty(true)
        .source(Some(variables));
    Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .add_source(environment)
        .build()
        .map(|config| config.cache)
        .map_err(|why| fault("settings", why.to_string()))
}

/// Names that the `config` crate would read as paths or places in lists: no key of ours has one, and
/// `a[999999999]` would make it build that list.
fn odd(table: &toml::Table, variables: &Variables) -> Vec<Fault> {
    let plain = |name: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        !name.is_empty() && name.bytes().all(good)
    };
    let problem = "there is no such key; keys have letters, digits, _ and - only";
    let keys = table.keys().filter(|key| !plain(key));
    let names = variables.keys().filter(|name| !plain(name));
    let mut faults: Vec<_> =
        keys.chain(names).map(|name| fault(format!("{name:?}"), problem)).collect();
    faults.sort_by(|one, other| one.path.cmp(&other.path));
    faults
}

/// Variables that stand for a whole table. One and another for a key in that table would win over
/// each other by chance.
fn whole_tables(variables: &Variables) -> Vec<Fault> {
    let filled = variables.iter().filter(|(_, value)| !value.is_empty());
    filled.filter_map(|(name, _)| whole_table(name)).collect()
}

fn whole_table(name: &str) -> Option<Fault> {
    let path = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
    let store = path.strip_prefix("object_stores.").is_some_and(|name| !name.contains('.'));
    let table = store || !path.is_empty() && keys::is_table(&path) && path != keys::QUOTAS;
    table.then(|| Fault {
        problem: format!("is a table: set its keys, by {name}__KEY"),
        path,
        variable: Some(name.to_owned()),
    })
}

fn without(mut variables: Variables, tables: &[Fault]) -> Variables {
    let refused: Vec<_> = tables.iter().filter_map(|fault| fault.variable.as_ref()).collect();
    variables.retain(|name, _| !refused.contains(&name));
    variables
}

fn syntax(text: &str, why: &toml::de::Error) -> Fault {
    let before = why.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    fault(format!("line {line}"), format!("this is not TOML: {}", why.message()))
}

/// What no single value can tell.
fn together(settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    if settings.edge.latitude.is_some() != settings.edge.longitude.is_some() {
        faults.push(fault(
            "edge.latitude",
            "latitude and longitude belong together: set both or neither",
        ));
    }
    if settings.metadata.url_file.is_some() && settings.metadata.url != "embedded" {
        faults.push(fault("metadata.url_file", "metadata.url is set too: keep one of the two"));
    }
    if settings.metadata.key_file.is_some() && settings.metadata.key.is_some() {
        faults.push(fault("metadata.key_file", "metadata.key is set too: keep one of the two"));
    }
    faults.extend(account_together(&settings.acme));
    for (name, store) in &settings.object_stores {
        faults.extend(store_together(name, store));
    }
    faults
}

fn account_together(acme: &crate::settings::Acme) -> Vec<Fault> {
    let mut faults = Vec::new();
    if acme.eab_key.is_some() && acme.eab_key_file.is_some() {
        faults.push(fault("acme.eab_key_file", "acme.eab_key is set too: keep one of the two"));
    }
    let key = acme.eab_key.is_some() || acme.eab_key_file.is_some();
    if key != acme.eab_key_id.is_some() {
        let problem = "an account's id and its key belong together: set both or neither";
        faults.push(fault("acme.eab_key_id", problem));
    }
    if acme.challenges.is_empty() {
        faults.push(fault("acme.challenges", "must name one way at least"));
    }
    faults
}

fn store_together(name: &str, store: &crate::settings::ObjectStore) -> Vec<Fault> {
    let path = |key: &str| walk::below(&walk::below("object_stores", name), key);
    let mut faults = Vec::new();
    if store.url.is_empty() {
        faults.push(fault(path("url"), "is missing: every object store needs one"));
    }
    let secrets = (&store.secret_access_key, &store.secret_access_key_file);
    if let (Some(_), Some(_)) = secrets {
        let problem = "secret_access_key is set too: keep one of the two";
        faults.push(fault(path("secret_access_key_file"), problem));
    }
    let secret = secrets.0.is_some() || secrets.1.is_some();
    if secret != store.access_key_id.is_some() {
        let problem = "a key id and its secret belong together: set both or neither";
        faults.push(fault(path("access_key_id"), problem));
    }
    faults
}

#[cfg(test)]
mod tests;
