//! Every key that settings know, and what its value must be.
//!
//! A test holds this table and the shapes in [`crate::settings`] together.

use super::values::{self, Checked};
use model::quotas::Quota;

/// Either a word, or a table with a number for each quota that is given.
pub(super) const QUOTAS: &str = "quotas";
/// No quota is larger than none at all ([`model::quotas::UNBOUNDED`]).
const MOST_QUOTA: i64 = 1_000_000_000;

/// What a value must be.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Text that this accepts.
    Text(fn(&str) -> Checked),
    /// A list of texts, each of which this accepts; in the environment separated by commas.
    List(fn(&str) -> Checked),
    /// A whole number from the first to the second.
    Whole(i64, i64),
    /// A number from the first to the second.
    Number(f64, f64),
    /// `true` or `false`.
    Flag,
}

/// All keys by path; `*` stands for any name.
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("account_id", Kind::Text(values::account)),
    ("acme.attempts", Kind::Whole(1, 100)),
    ("acme.ca_file", Kind::Text(values::path)),
    ("acme.challenges", Kind::List(values::challenge)),
    ("acme.contact", Kind::Text(values::contact)),
    ("acme.directory", Kind::Text(values::secure)),
    ("acme.eab_key", Kind::Text(values::filled)),
    ("acme.eab_key_file", Kind::Text(values::path)),
    ("acme.eab_key_id", Kind::Text(values::filled)),
    ("admin.listen", Kind::Text(values::address)),
    ("control.audit.events", Kind::Whole(100, 1_000_000)),
    ("control.audit.file", Kind::Text(values::memory)),
    ("control.audit.files", Kind::Whole(1, 1000)),
    ("control.deleted", Kind::Whole(0, 1_000_000)),
    ("control.listen", Kind::Text(values::address)),
    ("control.resolver", Kind::Text(values::address)),
    ("control.versions", Kind::Whole(0, 10_000)),
    ("data_dir", Kind::Text(values::path)),
    ("dns.answers", Kind::Whole(1, 16)),
    ("dns.anycast_addresses", Kind::List(values::ip)),
    ("dns.caa", Kind::List(values::name)),
    ("dns.contact", Kind::Text(values::contact)),
    ("dns.listen", Kind::Text(values::address)),
    ("dns.nameservers", Kind::List(values::name)),
    ("dns.order", Kind::List(values::edge)),
    ("dns.public_addresses", Kind::List(values::ip)),
    ("dns.ttl", Kind::Whole(0, 604_800)),
    ("edge.cache_status", Kind::Flag),
    ("edge.disk", Kind::Text(values::disk)),
    ("edge.disk_folder", Kind::Text(values::path)),
    ("edge.http", Kind::Text(values::address)),
    ("edge.https", Kind::Text(values::address)),
    ("edge.id", Kind::Text(values::edge)),
    ("edge.latitude", Kind::Number(-90.0, 90.0)),
    ("edge.longitude", Kind::Number(-180.0, 180.0)),
    ("edge.memory", Kind::Text(values::memory)),
    ("edge.origin_ca_file", Kind::Text(values::path)),
    ("edge.pop", Kind::Text(values::pop)),
    ("edge.product", Kind::Text(values::product)),
    ("edge.public_addresses", Kind::List(values::ip)),
    ("edge.workers", Kind::Whole(1, 1024)),
    ("edge.zstd", Kind::Flag),
    ("geo.databases", Kind::List(values::path)),
    ("metadata.key", Kind::Text(values::sealing_keys)),
    ("metadata.key_file", Kind::Text(values::path)),
    ("metadata.url", Kind::Text(values::metadata)),
    ("metadata.url_file", Kind::Text(values::path)),
    ("object_stores.*.access_key_id", Kind::Text(values::filled)),
    ("object_stores.*.endpoint", Kind::Text(values::http)),
    ("object_stores.*.region", Kind::Text(values::filled)),
    ("object_stores.*.secret_access_key", Kind::Text(values::filled)),
    ("object_stores.*.secret_access_key_file", Kind::Text(values::path)),
    ("object_stores.*.url", Kind::Text(values::store)),
    ("object_stores.*.virtual_hosted_style", Kind::Flag),
    (QUOTAS, Kind::Text(values::quotas)),
    ("telemetry.format", Kind::Text(values::format)),
    ("telemetry.log", Kind::Text(values::filter)),
    ("telemetry.otlp_endpoint", Kind::Text(values::collector)),
    ("telemetry.sample", Kind::Number(0.0, 1.0)),
    ("zone", Kind::Text(values::zone)),
];

/// What the value at this path must be; none when no key is there.
pub(super) fn kind(pattern: &str) -> Option<Kind> {
    let quota = pattern.split_once('.').filter(|(table, _)| *table == QUOTAS);
    if let Some((_, name)) = quota {
        return Quota::of_key(name).map(|_| Kind::Whole(0, MOST_QUOTA));
    }
    KEYS.iter().find(|(path, _)| *path == pattern).map(|(_, kind)| *kind)
}

/// Whether there are keys below this path.
pub(super) fn is_table(pattern: &str) -> bool {
    children(pattern).next().is_some()
}

/// Names directly below a table; the whole file is the table with the empty path.
pub(super) fn children(table: &str) -> impl Iterator<Item = &'static str> {
    let quotas = if table == QUOTAS { Quota::ALL } else { &[] };
    let depth = if table.is_empty() { 0 } else { table.len() + 1 };
    let inside = if table.is_empty() { String::new() } else { format!("{table}.") };
    KEYS.iter()
        .filter(move |(path, _)| path.starts_with(&inside))
        .filter_map(move |(path, _)| path.get(depth..)?.split('.').next())
        .chain(quotas.iter().map(|quota| quota.key()))
}

/// The key that was most likely meant by `name` in `table`, as it would be written there.
///
/// A key of exactly this name elsewhere wins over one of a similar name here.
pub(super) fn nearest(table: &str, name: &str) -> Option<String> {
    let here = children(table).min_by_key(|known| strsim::osa_distance(known, name))?;
    let elsewhere = || KEYS.iter().find(|(path, _)| path.ends_with(&format!(".{name}")));
    match elsewhere() {
        Some((path, _)) if strsim::osa_distance(here, name) > 2 => Some((*path).to_owned()),
        _ if table.is_empty() => Some(here.to_owned()),
        _ => Some(format!("{table}.{here}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEYS, Quota, nearest};
    use crate::settings::{ObjectStore, Settings};

    #[test]
    fn a_slip_of_the_finger_finds_its_key() {
        assert_eq!(nearest("edge", "htp").as_deref(), Some("edge.http"));
        assert_eq!(nearest("", "zoen").as_deref(), Some("zone"));
        assert_eq!(nearest("", "latitude").as_deref(), Some("edge.latitude"));
    }

    #[test]
    fn the_table_and_the_shapes_name_the_same_keys() {
        let mut settings = Settings::default();
        let store = ObjectStore::default();
        settings.object_stores.insert("*".into(), store);
        let mut paths = Vec::new();
        leaves(&serde_json::to_value(&settings).unwrap(), "", &mut paths);
        paths.sort();
        let known: Vec<_> = KEYS.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(known, paths);
    }

    #[test]
    fn the_readme_names_every_key() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        for (path, _) in KEYS {
            let name = path.rsplit_once('*').map_or(*path, |(_, name)| name);
            let written = readme.contains(&format!("`{name}`"));
            let of_a_store = readme.contains(&format!("`object_stores.NAME{name}`"));
            assert!(written || of_a_store, "{path}");
        }
    }

    #[test]
    fn the_readme_names_every_quota() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        for quota in Quota::ALL {
            assert!(readme.contains(&format!("`{}`", quota.key())), "{}", quota.key());
        }
    }

    fn leaves(value: &serde_json::Value, path: &str, into: &mut Vec<String>) {
        let Some(table) = value.as_object() else {
            return into.push(path.to_owned());
        };
        for (key, value) in table {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            leaves(value, &below, into);
        }
    }
}
