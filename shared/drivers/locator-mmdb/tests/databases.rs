//! Real files of both schemas, written for the test.
#![expect(clippy::unwrap_used, reason = "tests")]

use nearfront_locator_mmdb::{MmdbLocator, OpenError};
use ports::locator::{Located, Locator};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::{net::IpAddr, path::PathBuf};
use testkit::mmdb::{write_mmdb, write_mmdb_v4};

struct Files {
    folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, paths: Vec::new() }
    }

    fn with(mut self, records: &[(&str, Json)]) -> Self {
        let path = self.next();
        write_mmdb(&path, records).unwrap();
        self
    }

    fn with_v4(mut self, records: &[(&str, Json)]) -> Self {
        let path = self.next();
        write_mmdb_v4(&path, records).unwrap();
        self
    }

    fn next(&mut self) -> PathBuf {
        let name = format!("{}.mmdb", self.paths.len());
        self.paths.push(self.folder.path().join(name));
        self.paths.last().unwrap().clone()
    }

    fn locate(&self, address: &str) -> Option<Located> {
        let locator = MmdbLocator::open(&self.paths).unwrap();
        locator.locate(address.parse().unwrap())
    }
}

fn nested() -> Json {
    json!({
        "country": {"iso_code": "JP", "geoname_id": 1, "names": {"en": "Japan", "de": "Japan"}},
        "location": {"latitude": 35.69, "longitude": 139.69, "accuracy_radius": 100, "time_zone": "Asia/Tokyo"},
        "autonomous_system_number": 2501,
        "subdivisions": [{"iso_code": "13", "names": {"en": "Tokyo"}}],
    })
}

#[test]
fn the_nested_schema_is_read() {
    let files = Files::new().with(&[("133.11.0.0/16", nested())]);
    let tokyo = files.locate("133.11.93.1").unwrap();
    assert_eq!(tokyo.prefix, 16);
    assert_eq!(tokyo.country.as_deref(), Some("JP"));
    assert_eq!((tokyo.latitude, tokyo.longitude), (Some(35.69), Some(139.69)));
    assert_eq!(tokyo.asn, Some(2501));
    assert_eq!(files.locate("133.12.0.1"), None);
}

#[test]
fn the_flat_schema_is_read_with_floats_of_32_bits() {
    let record = json!({"country_code": "de", "latitude": {"f32": 50.5}, "longitude": {"f32": 8.25}, "city": "x"});
    let files = Files::new().with(&[("193.99.144.0/24", record)]);
    let found = files.locate("193.99.144.80").unwrap();
    assert_eq!(found.country.as_deref(), Some("DE"));
    assert_eq!((found.latitude, found.longitude), (Some(50.5), Some(8.25)));
    assert_eq!((found.prefix, found.asn), (24, None));
}

#[test]
fn the_flat_schema_is_read_with_floats_of_64_bits() {
    let record = json!({"country_code": "DE", "latitude": 50.5, "longitude": 8, "asn": "AS3320"});
    let files = Files::new().with(&[("193.99.144.0/24", record)]);
    let found = files.locate("193.99.144.80").unwrap();
    assert_eq!((found.latitude, found.longitude), (Some(50.5), Some(8.0)));
    assert_eq!(found.asn, Some(3320));
}

#[test]
fn the_first_database_that_knows_a_field_answers_and_the_smallest_network_bounds_it() {
    let files = Files::new()
        .with(&[("8.8.0.0/16", json!({"country_code": "US"}))])
        .with(&[(
            "8.8.8.0/24",
            json!({"country_code": "CA", "latitude": 40.0, "longitude": -75.0}),
        )])
        .with(&[(
            "8.0.0.0/8",
            json!({"latitude": 1.0, "longitude": 1.0, "autonomous_system_number": 15169}),
        )]);
    let found = files.locate("8.8.8.8").unwrap();
    assert_eq!(found.country.as_deref(), Some("US"));
    assert_eq!(found.latitude, Some(40.0));
    assert_eq!(found.asn, Some(15169));
    assert_eq!(found.prefix, 24);
    let beside = files.locate("8.8.9.9").unwrap();
    assert_eq!(beside.latitude, Some(1.0));
    assert!(beside.prefix >= 23, "8.8.8.0/24 would be answered otherwise: {}", beside.prefix);
}

#[test]
fn ipv6_networks_count_their_own_bits_and_mapped_addresses_are_ipv4() {
    let files = Files::new().with(&[
        ("2001:db8::/32", json!({"country_code": "FR"})),
        ("133.11.0.0/16", json!({"country_code": "JP"})),
    ]);
    assert_eq!(files.locate("2001:db8::1").unwrap().prefix, 32);
    let mapped = files.locate("::ffff:133.11.0.1").unwrap();
    assert_eq!((mapped.prefix, mapped.country.as_deref()), (16, Some("JP")));
}

#[test]
fn a_database_of_ipv4_alone_knows_nothing_of_ipv6() {
    let files = Files::new().with_v4(&[("133.11.0.0/16", json!({"country_code": "JP"}))]);
    assert_eq!(files.locate("133.11.0.1").unwrap().prefix, 16);
    assert_eq!(files.locate("2001:db8::1"), None);
}

#[test]
fn a_network_within_another_takes_its_part() {
    let files = Files::new().with(&[
        ("10.0.0.0/8", json!({"country_code": "DE"})),
        ("10.1.0.0/16", json!({"country_code": "AT"})),
    ]);
    assert_eq!(files.locate("10.1.2.3").unwrap().country.as_deref(), Some("AT"));
    assert_eq!(files.locate("10.2.2.3").unwrap().country.as_deref(), Some("DE"));
}

#[test]
fn values_that_mean_nothing_are_not_known() {
    for record in [
        json!({"country_code": "ZZ"}),
        json!({"country_code": "", "latitude": 40.0}),
        json!({"country": {"iso_code": "Germany"}, "autonomous_system_number": 0}),
        json!({"location": {"latitude": 95.0, "longitude": 0.0}}),
        json!({"country_code": {"f32": 1.0}}),
        json!({}),
    ] {
        let files = Files::new().with(&[("10.0.0.0/8", record.clone())]);
        assert_eq!(files.locate("10.0.0.1"), None, "{record}");
    }
}

#[test]
fn without_databases_nothing_is_known() {
    let none = MmdbLocator::open(&[]).unwrap();
    assert!(none.is_empty());
    assert_eq!(none.locate(IpAddr::from([8, 8, 8, 8])), None);
}

#[test]
fn errors_name_the_file() {
    let files = Files::new();
    let absent = files.folder.path().join("absent.mmdb");
    let error = MmdbLocator::open(&[absent]).unwrap_err();
    assert!(matches!(error, OpenError::Unreadable { .. }));
    assert!(error.to_string().contains("absent.mmdb"));
    let broken = files.folder.path().join("broken.mmdb");
    std::fs::write(&broken, b"not a database at all").unwrap();
    let error = MmdbLocator::open(&[broken]).unwrap_err();
    assert!(matches!(error, OpenError::Invalid { .. }));
    assert!(error.to_string().contains("broken.mmdb"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_database_never_panics(at in 0..400usize, byte: u8, address: u32) {
        let files = Files::new().with(&[("133.11.0.0/16", nested()), ("8.0.0.0/8", nested())]);
        let mut bytes = std::fs::read(&files.paths[0]).unwrap();
        let end = bytes.len();
        bytes[end - 1 - at % end] = byte;
        std::fs::write(&files.paths[0], bytes).unwrap();
        if let Ok(locator) = MmdbLocator::open(&files.paths) {
            locator.locate(IpAddr::from(address.to_be_bytes()));
            locator.locate(IpAddr::from([133, 11, 0, 1]));
        }
    }
}
