//! What reaches the server, and what comes back, field by field.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod world;

use http::Method;
use model::{
    feed::Secret,
    plan::{OriginKind, OriginProtocol},
    units::Seconds,
};
use nearfront_origin_object::{ObjectOrigin, StoreConfig};
use ports::origin::{Origin, OriginError};
use std::collections::BTreeMap;
use world::{KEY, Notes, SECRET, ZONE, driver, field, get, keyed, plan, request, text};

#[tokio::test]
async fn every_status_and_field_of_the_server_comes_back() {
    for status in [200, 206, 304, 307, 400, 403, 404, 412, 416, 500, 503] {
        let fields = [
            ("etag", "\"x\""),
            ("x-amz-id-2", "id"),
            ("x-amz-meta-a", "b"),
            ("x-anything", "c"),
            ("content-encoding", "br"),
        ];
        let notes = Notes::answering(status, &fields, "as sent");
        let driver = driver("m", keyed("s3://media", "http://s3.test:9000"), &notes.transport());
        let answer = driver.fetch(&plan("m", true), get("/a")).await.unwrap();
        assert_eq!(answer.status, status);
        for (name, value) in fields {
            assert_eq!(field(&answer, name), value);
        }
        assert_eq!(text(answer).await, "as sent");
    }
}

#[tokio::test]
async fn conditions_and_ranges_reach_the_server_as_they_are() {
    let notes = Notes::answering(200, &[], "");
    let driver = driver("m", keyed("s3://media", "http://s3.test:9000"), &notes.transport());
    let fields = [
        ("if-none-match", "\"a\", W/\"b\""),
        ("if-modified-since", "Tue, 15 Nov 1994 08:12:31 GMT"),
        ("if-match", "*"),
        ("range", "bytes=0-1,5-"),
        ("if-range", "\"c\""),
        ("x-own", "d"),
    ];
    let asked = request(Method::GET, "/a//b/?x=%2f&flag", &fields, None);
    driver.fetch(&plan("m", true), asked).await.unwrap();
    let note = notes.last();
    for (name, value) in fields {
        assert_eq!(note.headers[name], value);
    }
    assert_eq!(note.method, Method::GET);
    assert_eq!(note.path, "/media/a//b/?x=%2F&flag");
    assert_eq!(note.headers["host"], "s3.test:9000");
}

#[tokio::test]
async fn timeouts_and_attempts_are_those_of_the_plan() {
    let notes = Notes::answering(200, &[], "");
    let driver = driver("m", keyed("s3://media", "https://s3.test"), &notes.transport());
    let mut asked = plan("m", true);
    asked.completion_timeout = Some(Seconds(9));
    driver.fetch(&asked, get("/a")).await.unwrap();
    let used = notes.last().plan;
    assert_eq!((used.attempts, used.connect_timeout), (2, Seconds(3)));
    assert_eq!((used.read_timeout, used.completion_timeout), (Seconds(20), Some(Seconds(9))));
    let OriginKind::Custom { protocol, https_port, .. } = used.kind else {
        panic!("not sent to a server");
    };
    assert_eq!(
        (used.domain.as_str(), protocol, https_port),
        ("s3.test", OriginProtocol::Https, 443)
    );
}

/// Where a request for `/k` to this domain goes: host, path, region of the signature.
async fn address(name: &str, store: StoreConfig, domain: &str) -> (String, String, String) {
    let notes = Notes::answering(200, &[], "");
    let driver = driver(name, store, &notes.transport());
    driver.fetch(&plan(domain, true), get("/k")).await.unwrap();
    let note = notes.last();
    let host = note.headers["host"].to_str().unwrap();
    assert!(host.starts_with(&note.plan.domain));
    let proof = note.headers["authorization"].to_str().unwrap();
    let region = proof.split('/').nth(2).unwrap();
    (host.into(), note.path, region.into())
}

fn at_amazon(url: &str) -> StoreConfig {
    StoreConfig {
        url: url.into(),
        access_key_id: Some(KEY.into()),
        secret_access_key: Some(Secret(SECRET.into())),
        ..StoreConfig::default()
    }
}

#[tokio::test]
async fn amazons_own_buckets_are_asked_by_host_name_in_their_region() {
    for (domain, host, path, region) in [
        ("m.s3.amazonaws.com", "m.s3.us-east-1.amazonaws.com", "/k", "us-east-1"),
        ("m.s3.eu-west-1.amazonaws.com", "m.s3.eu-west-1.amazonaws.com", "/k", "eu-west-1"),
        ("m.s3.nearfront.localhost", "m.s3.us-east-1.amazonaws.com", "/k", "us-east-1"),
        (
            "my.m.s3.ap-south-1.amazonaws.com",
            "s3.ap-south-1.amazonaws.com",
            "/my.m/k",
            "ap-south-1",
        ),
        (
            "m.s3.cn-north-1.amazonaws.com.cn",
            "m.s3.cn-north-1.amazonaws.com.cn",
            "/k",
            "cn-north-1",
        ),
    ] {
        let expected = (host.to_owned(), path.to_owned(), region.to_owned());
        assert_eq!(address("default", at_amazon("s3://"), domain).await, expected);
    }
}

#[tokio::test]
async fn the_settings_say_the_style_the_region_and_the_path_of_an_endpoint() {
    let store = StoreConfig {
        region: Some("garage".into()),
        virtual_hosted_style: true,
        ..keyed("s3://media", "http://s3.test:9000/base/")
    };
    let expected = ("media.s3.test:9000", "/base/k", "garage");
    let (host, path, region) = address("m", store.clone(), "m").await;
    assert_eq!((host.as_str(), path.as_str(), region.as_str()), expected);
    let store = StoreConfig { virtual_hosted_style: false, ..store };
    let (host, path, _) = address("m", store, "m").await;
    assert_eq!((host.as_str(), path.as_str()), ("s3.test:9000", "/base/media/k"));
}

#[tokio::test]
async fn googles_buckets_are_asked_in_s3s_words_with_an_hmac_key() {
    let (host, path, region) = address("m", at_amazon("gs://media"), "m").await;
    let expected = ("storage.googleapis.com", "/media/k", "auto");
    assert_eq!((host.as_str(), path.as_str(), region.as_str()), expected);
}

#[tokio::test]
async fn bodies_are_vouched_for_by_those_who_know_them() {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    for (claimed, expected) in [(hash, hash), ("STREAMING-X", "UNSIGNED-PAYLOAD")] {
        let notes = Notes::answering(200, &[], "");
        let driver = driver("m", keyed("s3://media", "http://s3.test"), &notes.transport());
        let asked = world::put("/a", "test", &[("x-amz-content-sha256", claimed)]);
        driver.fetch(&plan("m", true), asked).await.unwrap();
        assert_eq!(notes.last().headers["x-amz-content-sha256"], expected);
    }
}

#[tokio::test]
async fn failures_of_the_transport_stay_what_they_are() {
    let late = || OriginError::Timeout("late".into());
    for store in [keyed("s3://media", "http://s3.test"), keyless("gs://media")] {
        let notes = Notes::failing(late());
        let driver = driver("m", store, &notes.transport());
        let failed = driver.fetch(&plan("m", true), get("/a")).await;
        assert!(matches!(failed, Err(OriginError::Timeout(why)) if why == "late"));
    }
}

fn keyless(url: &str) -> StoreConfig {
    StoreConfig {
        url: url.into(),
        endpoint: Some("http://cloud.test".into()),
        ..StoreConfig::default()
    }
}

#[tokio::test]
async fn unknown_names_and_web_servers_are_refused_with_advice() {
    let notes = Notes::answering(200, &[], "");
    let driver = driver("m", keyed("s3://media", "http://s3.test"), &notes.transport());
    let unknown = driver.fetch(&plan("b.s3.amazonaws.com", true), get("/")).await;
    let why = unknown.err().unwrap().to_string();
    assert!(why.contains("[object_stores.default]"), "{why}");
}

#[test]
fn a_broken_store_is_named_at_the_start() {
    let notes = Notes::answering(200, &[], "");
    let stores = BTreeMap::from([("media.example".to_owned(), StoreConfig::default())]);
    let refused = ObjectOrigin::new(stores, ZONE, &notes.transport());
    let why = refused.err().unwrap().to_string();
    assert!(why.contains("object_stores.media.example: url"), "{why}");
}

#[tokio::test]
async fn google_and_azure_answer_with_their_own_fields() {
    let fields = [
        ("etag", "\"x\""),
        ("last-modified", "Tue, 15 Nov 1994 08:12:31 GMT"),
        ("content-length", "5"),
        ("content-type", "text/plain"),
        ("cache-control", "max-age=7"),
        ("x-goog-meta-a", "b"),
    ];
    let azure = StoreConfig {
        access_key_id: Some("account".into()),
        secret_access_key: Some(Secret("c2VjcmV0".into())),
        ..keyless("az://media/pre")
    };
    for (store, path) in
        [(keyless("gs://media/pre"), "/media/pre%2Fa%20b"), (azure, "/media/pre/a%20b")]
    {
        let notes = Notes::answering(200, &fields, "hello");
        let driver = driver("m", store, &notes.transport());
        let asked = request(Method::GET, "/a%20b", &[("if-none-match", "\"y\"")], None);
        let answer = driver.fetch(&plan("m", true), asked).await.unwrap();
        assert_eq!(answer.status, 200);
        for (name, value) in fields {
            assert_eq!(field(&answer, name), value);
        }
        assert_eq!(text(answer).await, "hello");
        let note = notes.last();
        assert_eq!(note.headers["if-none-match"], "\"y\"");
        assert_eq!(note.plan.read_timeout, Seconds(20));
        assert!(note.path.ends_with(path), "{}", note.path);
    }
}

#[tokio::test]
async fn google_and_azure_refuse_in_their_own_words() {
    for status in [304, 403, 404, 412, 416, 503] {
        let fields = [("etag", "\"x\""), ("x-ms-error-code", "Whatever"), ("content-length", "3")];
        let notes = Notes::answering(status, &fields, "why");
        let driver = driver("m", keyless("gs://media"), &notes.transport());
        let answer = driver.fetch(&plan("m", true), get("/a")).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(field(&answer, "x-ms-error-code"), "Whatever");
        if status != 304 {
            let length: usize = field(&answer, "content-length").parse().unwrap();
            assert_eq!(text(answer).await.len(), length);
        }
    }
    let notes = Notes::answering(200, &[], "");
    let driver = driver("m", keyless("gs://media"), &notes.transport());
    for path in ["/", "/a//b", "/a/", "//a", "/%FF"] {
        let answer = driver.fetch(&plan("m", true), get(path)).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
}
