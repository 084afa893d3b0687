use super::*;
use std::collections::BTreeSet;

const SAMPLE: &str = r#"
data_dir = "/srv/nearfront"
zone = "cdn.example"
account_id = "123456789012"
[metadata]
url = "redis://127.0.0.1/0"
[edge]
http = "0.0.0.0:80"
latitude = 50
longitude = 8.5
public_addresses = ["192.0.2.1", "2001:db8::1"]
memory = "1GiB"
[control]
listen = "127.0.0.1:0"
[dns]
ttl = 30
order = ["fra-1", "nrt-1"]
[admin]
listen = "127.0.0.1:0"
[geo]
databases = ["/srv/country.mmdb"]
[telemetry]
log = "debug"
sample = 0.5
[object_stores.default]
url = "s3://"
endpoint = "http://127.0.0.1:9000"
access_key_id = "me"
secret_access_key = "hush"
[object_stores."media.example"]
url = "file:///srv/media"
"#;

fn set(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn faults(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let faults = read(text, set(pairs)).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = read("", Variables::new()).unwrap();
    assert_eq!(settings.edge.http.port(), 8080);
    assert_eq!(settings.zone, "nearfront.localhost");
}

#[test]
fn the_sample_is_read_as_written() {
    let settings = read(SAMPLE, Variables::new()).unwrap();
    assert_eq!(settings.edge.latitude, Some(50.0));
    assert_eq!(settings.edge.public_addresses.len(), 2);
    assert_eq!(settings.object_stores["media.example"].url, "file:///srv/media");
}

#[test]
fn variables_win_over_the_file() {
    let settings = read(
        SAMPLE,
        set(&[
            ("NEARFRONT__EDGE__HTTP", "127.0.0.1:81"),
            ("NEARFRONT__DNS__TTL", "5"),
            ("NEARFRONT__TELEMETRY__SAMPLE", "1"),
            ("NEARFRONT__EDGE__PUBLIC_ADDRESSES", "192.0.2.7, 192.0.2.8"),
            ("NEARFRONT__OBJECT_STORES__DEFAULT__VIRTUAL_HOSTED_STYLE", "true"),
            ("NEARFRONT__ZONE", ""),
            ("NEARFRONTIER", "not ours"),
        ]),
    )
    .unwrap();
    assert_eq!(settings.edge.http.port(), 81);
    assert_eq!(settings.dns.ttl, 5);
    assert_eq!(settings.edge.public_addresses.len(), 2);
    assert!(settings.object_stores["default"].virtual_hosted_style);
    assert_eq!(settings.zone, "cdn.example");
}

#[test]
fn a_wrong_key_in_any_table_is_refused_by_name() {
    let mut table: toml::Table = toml::from_str(SAMPLE).unwrap();
    let mut tables = BTreeSet::from([Vec::new()]);
    for (name, value) in &table {
        let Some(inner) = value.as_table() else {
            continue;
        };
        tables.insert(vec![name.clone()]);
        for (key, value) in inner {
            if value.is_table() {
                tables.insert(vec![name.clone(), key.clone()]);
            }
        }
    }
    tables.remove(&vec!["object_stores".to_owned()]); // any name is good there
    assert_eq!(tables.len(), 10);
    for path in tables {
        let mut slipped = std::mem::take(&mut table);
        let mut at = &mut slipped;
        for key in &path {
            at = at[key].as_table_mut().unwrap();
        }
        at.insert("wrongg".into(), 1.into());
        let found = faults(&toml::to_string(&slipped).unwrap(), &[]);
        assert_eq!(found.len(), 1, "{path:?}: {found:?}");
        assert!(found[0].contains("wrongg: there is no such key; the nearest is `"), "{found:?}");
        table = toml::from_str(SAMPLE).unwrap();
    }
}

#[test]
fn all_faults_come_together_with_path_and_advice() {
    let found = faults(
        "zone = 7\n[edge]\nhtp = '1'\nlatitude = 91\nmemory = '12 parsecs'\n[admn]\nx = 1\n[object_stores.'a.b']\nurl = 'ftp://x'",
        &[
            ("NEARFRONT__EDGE__HTTPS", "8443"),
            ("NEARFRONT__DNS__LISTN", "127.0.0.1:1"),
            ("NEARFRONT__CONTROL", "x"),
        ],
    );
    let expected = [
        "admn: there is no such key; the nearest is `admin`",
        "control: is a table: set its keys, by NEARFRONT__CONTROL__KEY (set by NEARFRONT__CONTROL)",
        "dns.listn: there is no such key; the nearest is `dns.listen` (set by NEARFRONT__DNS__LISTN)",
        "edge.htp: there is no such key; the nearest is `edge.http`",
        "edge.https: must be ADDRESS:PORT",
        "edge.latitude: must be a number from -90 to 90",
        "edge.memory: must be at least 1MiB",
        "object_stores.\"a.b\".url: must begin with s3://",
        "zone: must be text, in quotes, not a whole number",
    ];
    for text in expected {
        assert!(found.iter().any(|fault| fault.starts_with(text)), "{text}: {found:#?}");
    }
    let other = faults("[edge]\nlatitude = 1", &[]);
    assert!(other[0].contains("belong together"), "{other:?}");
}

#[test]
fn what_is_not_toml_names_its_line() {
    let found = faults("zone = 'a'\nzone = = 3\n", &[]);
    assert!(found[0].starts_with("line 2: this is not TOML"), "{found:?}");
}

#[test]
fn secrets_are_read_from_files_and_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hush\n").unwrap();
    let file = folder.path().join("nearfront.toml");
    let text = format!(
        "[object_stores.default]\nurl='s3://'\naccess_key_id='a'\nsecret_access_key_file='{}'",
        secret.display()
    );
    std::fs::write(&file, text).unwrap();
    let settings = load(Some(&file)).unwrap();
    let store = &settings.object_stores["default"];
    assert_eq!(store.secret_access_key.as_ref().unwrap().0, "hush");
    assert!(!format!("{settings:?}").contains("hush"));
    std::fs::remove_file(&secret).unwrap();
    let why = load(Some(&file)).unwrap_err().to_string();
    assert!(why.contains("object_stores.default.secret_access_key_file: "), "{why}");
}

#[test]
fn a_variable_for_a_whole_table_is_refused_whatever_stands_beside_it() {
    for (table, key, value) in
        [("EDGE", "HTTP", "127.0.0.1:81"), ("OBJECT_STORES__A", "URL", "s3://b")]
    {
        let (table, key) = (format!("{PREFIX}{table}"), format!("{PREFIX}{table}__{key}"));
        let found = faults("", &[(&table, "x"), (&key, value)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("is a table: set its keys"), "{found:?}");
        assert!(read("", set(&[(&table, ""), (&key, value)])).is_ok());
    }
}

#[test]
fn a_file_that_was_named_must_exist() {
    let why = load(Some(Path::new("/nowhere/nearfront.toml"))).unwrap_err();
    assert!(matches!(why, LoadError::Unreadable { .. }));
}

#[test]
fn names_that_are_paths_are_refused_before_anything_is_built_from_them() {
    let found = faults("\"a[99999999999]\" = 1\n'edge.http' = 'x'", &[("NEARFRONT__B[7]", "1")]);
    let paths: Vec<_> = found.iter().filter_map(|fault| fault.split(':').next()).collect();
    assert_eq!(paths, ["\"NEARFRONT__B[7]\"", "\"a[99999999999]\"", "\"edge.http\""]);
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    fn word() -> impl Strategy<Value = String> {
        let known = super::keys::KEYS.iter().flat_map(|(path, _)| path.split('.'));
        let known: Vec<_> = known.map(str::to_owned).collect();
        prop_oneof![proptest::sample::select(known), "[a-z_\\[\\]0-9.*\"]{0,8}"]
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| format!("{number:?}")),
            any::<bool>().prop_map(|flag| flag.to_string()),
            "'[ -&(-~]{0,12}'",
            Just("[1, 'a', {}]".to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused_with_a_path(
            lines in proptest::collection::vec((word(), word(), value()), 0..6),
            variables in proptest::collection::hash_map(word(), "[ -~]{0,12}", 0..4),
        ) {
            let lines: Vec<_> = lines
                .iter()
                .map(|(table, key, value)| format!("[{table:?}]\n{key:?} = {value}\n"))
                .collect();
            let text = lines.concat();
            let variables: Variables = variables
                .into_iter()
                .map(|(name, value)| (format!("{PREFIX}{}", name.to_uppercase()), value))
                .collect();
            if let Err(faults) = read(&text, variables) {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| !fault.path.is_empty() && !fault.problem.is_empty()));
            }
        }

        #[test]
        fn what_was_read_can_be_written_and_read_again(port in 0_u16.., ttl in 0_u32..=604_800, share in 0.0_f64..=1.0) {
            let mut settings = Settings::default();
            settings.edge.http.set_port(port);
            settings.dns.ttl = ttl;
            settings.telemetry.sample = share;
            let text = toml::to_string(&settings).unwrap();
            let again = read(&text, Variables::new()).unwrap();
            prop_assert_eq!(toml::to_string(&again).unwrap(), text);
        }
    }
}

#[test]
fn quotas_are_a_word_or_a_table_of_numbers() {
    use model::quotas::{Quota, Quotas};
    let read = |text: &str| read(text, Variables::new()).unwrap().quotas;
    assert_eq!(read(""), Quotas::default());
    assert_eq!(read("quotas = \"default\""), Quotas::default());
    assert_eq!(read("quotas = \"none\""), Quotas::none());
    let some = read("[quotas]\ndistributions = 3\ntags = 0");
    assert_eq!(some, Quotas::default().with(Quota::Distributions, 3).with(Quota::Tags, 0));
}

#[test]
fn a_quota_may_come_from_a_variable() {
    use model::quotas::{Quota, Quotas};
    let of = |text: &str, pairs: &[(&str, &str)]| read(text, set(pairs)).unwrap().quotas;
    assert_eq!(of("", &[("NEARFRONT__QUOTAS", "none")]), Quotas::none());
    let some = of("[quotas]\naliases = 3", &[("NEARFRONT__QUOTAS__CACHE_BEHAVIORS", "1")]);
    assert_eq!(some, Quotas::default().with(Quota::Aliases, 3).with(Quota::CacheBehaviours, 1));
}

#[test]
fn wrong_quotas_are_refused_and_the_nearest_is_named() {
    let text = "[quotas]\ndistribution = 3\naliases = -1\ntags = \"many\"";
    assert_eq!(
        faults(text, &[]),
        [
            "quotas.aliases: must be a whole number from 0 to 1000000000",
            "quotas.distribution: there is no such key; the nearest is `quotas.distributions`",
            "quotas.tags: must be a whole number from 0 to 1000000000",
        ]
    );
    assert!(faults("quotas = \"lots\"", &[])[0].starts_with("quotas: must be"));
    assert!(faults("quotas = 3", &[])[0].starts_with("quotas: must be text"));
}
